"""Bugs of supernets and of their training."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nas_tutorial.museum.exhibit import ENAS, NNI, exhibit, replaced
from nas_tutorial.networks.edges import Edge
from nas_tutorial.spaces.darts import DARTSNetwork
from nas_tutorial.spaces.enas_micro import MicroCell
from nas_tutorial.training import descent


@exhibit(ENAS.lines("src/cifar10/general_child.py", 268, 295))
def enas_late_binding() -> Iterator[None]:
    """Whatever the controller samples, the last branch runs: six functions `lambda: y` share one variable y.

    When TensorFlow calls the chosen one, y is the output of the branch that was built last, max pooling. The weights of
    the other five are never trained, and the operation of a layer makes no difference to the reward.
    """
    healthy = Edge.forward

    def forward(self: Edge, x: Tensor, active: str | Tensor) -> Tensor:
        if not isinstance(active, str):
            return healthy(self, x, active)
        branches = {}
        for name, op in self.ops.items():
            branches[name] = lambda: op(x)  # noqa: B023 - this is the bug
        return branches[active]()

    with replaced(Edge, "forward", forward):
        yield


@exhibit(NNI.lines("examples/nas/oneshot/enas/micro.py", 50, 59))
def nni_input_instead_of_operation() -> Iterator[None]:
    """A branch of the micro space returns the input that was chosen, and never calls its operation.

    One way through `forward` returns too early. No operation has a gradient (648,000 of the example's 835,750 weights),
    and an architecture is nothing but its wiring.
    """

    def node_states(self: MicroCell, states: Sequence[Tensor], active: Mapping[str, Any]) -> list[Tensor]:
        states = list(states)
        for names in self.incoming:
            states.append(sum(states[source] for name, source in names if name in active))
        return states

    with replaced(MicroCell, "node_states", node_states):
        yield


@exhibit(ENAS.lines("src/cifar10/micro_child.py", 707, 724))
def enas_auxiliary_head() -> Iterator[None]:
    """The auxiliary head's loss is added, but its weights are left out of the list that is trained.

    They stay as they were drawn. The network is pulled towards whatever a random classifier calls right.
    """

    def with_auxiliary(self: DARTSNetwork, x: Tensor) -> tuple[Tensor, Tensor]:
        states = self.states(x, self.own_ops)
        constants = {name: p.detach() for name, p in self.auxiliary.named_parameters()}
        side = functional_call(self.auxiliary, constants, (states[self.auxiliary_cell + 2],))
        return self.head(states[-1]), side

    with replaced(DARTSNetwork, "with_auxiliary", with_auxiliary):
        yield


@exhibit(ENAS.lines("src/utils.py", 142, 150))
def enas_unclipped() -> Iterator[None]:
    """The gradient is clipped into a new variable, and the old one is handed to the optimiser.

    `clip_mode="norm"` (main.py:127) so bounds nothing; the norms in the log are those from before clipping, and look
    right.
    """

    def optimiser_step(loss: Tensor, optimiser: torch.optim.Optimizer, clip: float, *_: object) -> None:
        weights = [p for group in optimiser.param_groups for p in group["params"]]
        optimiser.zero_grad()
        loss.backward()
        kept = [None if p.grad is None else p.grad.clone() for p in weights]
        nn.utils.clip_grad_norm_(weights, clip)
        for p, gradient in zip(weights, kept, strict=True):
            p.grad = gradient
        optimiser.step()

    with replaced(descent, "optimiser_step", optimiser_step):
        yield
