"""Bugs of second-order DARTS: the architecture gradient, and the virtual step that it looks ahead by."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor, nn

from nas_tutorial.museum.exhibit import DARTS, NNI, PT_DARTS, exhibit, replaced
from nas_tutorial.strategies import darts, gradients
from nas_tutorial.strategies.gradients import Batch, Bilevel, Tensors, VirtualStep

Combine = Callable[[Tensor, Tensor, Tensor, float, Tensor], Tensor]


@exhibit(PT_DARTS.lines("architect.py", 108))
def pt_darts_hessian() -> Iterator[None]:
    """Second order is first order in disguise: (p − n) / 2. * ε multiplies by ε where it should divide.

    The correction comes out ε² times its size (ε = 0.01 / ‖∇L_val‖): α moves as in first order, at more than three
    times the cost.
    """

    def combine(direct: Tensor, plus: Tensor, minus: Tensor, xi: float, epsilon: Tensor) -> Tensor:
        return direct - xi * ((plus - minus) / 2.0 * epsilon)

    with replaced(gradients, "unrolled", unrolled_by(combine)):
        yield


def unrolled_by(combine: Combine) -> Callable[..., Tensors]:
    """An estimate like `gradients.unrolled` whose last line is combine(direct, plus, minus, ξ, ε)."""

    def unrolled(problem: Bilevel, train: Batch, validation: Batch, step: VirtualStep, r: float = 0.01) -> Tensors:
        with gradients.frozen_statistics(problem.network):
            (g,) = gradients.gradient(problem.loss(train), problem.weights)
            with gradients.moved(problem.weights, step(problem.weights, g)):
                direct, d = gradients.gradient(problem.loss(validation), problem.alphas, problem.weights)
            epsilon = r / gradients.norm(d)
            plus, minus = (gradients._alpha_gradient_at(problem, train, d, sign * epsilon) for sign in (1, -1))
        return {name: combine(direct[name], plus[name], minus[name], step.reach, epsilon) for name in direct}

    return unrolled


@exhibit(NNI.lines("nni/retiarii/oneshot/pytorch/darts.py", 244, 246))
def nni_virtual_step() -> Iterator[None]:
    """The virtual step moves nothing: `w = w − lr · …` in a loop only gives a local name a new meaning.

    The validation gradient is taken at the weights as they are, so what is called second order is a first-order
    gradient with a correction that belongs elsewhere.
    """

    def call(self: VirtualStep, weights: Tensors, gradient: Tensors) -> Tensors:
        for name, w in weights.items():
            w = w - self.xi * self.move(name, gradient[name] + self.decay * w)
        return dict(weights)

    with replaced(VirtualStep, "__call__", call):
        yield


@exhibit(DARTS.lines("cnn/architect.py", 23, 26))
def quark0_bare_except() -> Iterator[None]:
    """A bare `except`, meant for the first step, takes every failure to read the momentum for "no momentum yet".

    Here the buffer is asked for under a wrong name, as after a renaming in a new version of the library: no word is
    said, and from the second batch on the virtual step lacks the momentum that makes up most of it.
    """

    def virtual_step(self: darts.DARTS) -> VirtualStep:
        optimiser = self.descent.optimiser
        group, state = optimiser.param_groups[0], optimiser.state
        try:
            buffers = {name: state[w]["momentum"] for name, w in self.problem.weights.items()}
        except:  # noqa: E722 - this is the bug
            buffers = None
        return VirtualStep(group["lr"], group["momentum"], group["weight_decay"], buffers, group["nesterov"])

    with replaced(darts.DARTS, "virtual_step", virtual_step):
        yield


@exhibit(DARTS.lines("cnn/architect.py", 78, 89))
def quark0_weights_by_subtraction() -> Iterator[None]:
    """Weights are moved by +εd, −2εd and +εd, and taken for restored; rounding leaves them a little beside.

    After w + d − d a weight is off by a rounding error or so, in every step of α. It costs little, but no test can ask
    whether an estimate left the weights alone. The code of pt.darts (architect.py:90-106) does the same.
    """

    @contextmanager
    def moved(weights: Tensors, to: Tensors) -> Iterator[None]:
        steps = {name: (to[name] - w).detach() for name, w in weights.items()}
        gradients._write(weights, {name: w + steps[name] for name, w in weights.items()})
        yield
        gradients._write(weights, {name: w - steps[name] for name, w in weights.items()})

    with replaced(gradients, "moved", moved):
        yield


@exhibit(DARTS.lines("cnn/architect.py", 79, 86))
def quark0_moving_statistics() -> Iterator[None]:
    """All passes of the gradient estimate count as training, and move the running statistics of batch norm.

    They take in validation pictures (in first order) and states of weights that were moved for a finite difference
    only (in second order). The accuracy
    that is reported, in evaluation mode (train_search.py:172), rests on these statistics.
    """

    def frozen_statistics(network: nn.Module) -> AbstractContextManager[None]:
        return nullcontext()

    with replaced(gradients, "frozen_statistics", frozen_statistics):
        yield
