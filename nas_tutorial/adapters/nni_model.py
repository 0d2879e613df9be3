"""The two supernets of the NNI listing, and how it measures them: names and arguments of NNI, networks of ours."""

import time
from collections.abc import Mapping, Sequence

from torch import Tensor

from nas_tutorial.networks.edges import Candidates
from nas_tutorial.spaces import Architecture, ENASMacro, ENASMicro, Form, enas_macro, enas_micro

Choices = dict[str, str | list[str]]
"""What was chosen, by the key of the choice: the name of an operation or of an input, or the names of all skips."""


class GeneralNetwork(enas_macro.MacroNetwork):
    """The macro supernet, `ENASMacro(out_filters, num_layers).supernet()`; call it with (images, architecture)."""

    def __init__(
        self,
        num_layers: int = 12,
        out_filters: int = 24,
        in_channels: int = 3,
        num_classes: int = 10,
        dropout_rate: float = 0.0,
    ):
        space = ENASMacro(channels=out_filters, layers=num_layers)
        super().__init__(space, Candidates(None), Form(num_classes, in_channels, dropout=dropout_rate))
        self.space, self.in_channels, self.num_classes = space, in_channels, num_classes

    def choices(self, architecture: Architecture) -> Choices:
        """Per layer the operation, and which earlier outputs are added: {"layer_1_op": …, "layer_1_skip": […]}."""
        found: Choices = {}
        sources = ["stem", *(f"layer_{k}" for k in range(self.space.layers))]
        for k, (op, bits) in enumerate(self.space.layer_choices(architecture.choices)):
            found[f"layer_{k}_op"] = self.space.operations[op]
            if k:
                found[f"layer_{k}_skip"] = [source for source, bit in zip(sources, bits, strict=False) if bit]
        return found


class MicroNetwork(enas_micro.MicroNetwork):
    """The micro supernet, `ENASMicro(out_channels, num_layers, num_nodes).supernet()`; call it like the macro one."""

    def __init__(
        self,
        num_layers: int = 2,
        num_nodes: int = 5,
        out_channels: int = 24,
        in_channels: int = 3,
        num_classes: int = 10,
        dropout_rate: float = 0.0,
        use_aux_heads: bool = False,
    ):
        if use_aux_heads:
            raise ValueError(
                "use_aux_heads is True, but supernets here have no auxiliary head: pass False, and give the found "
                "architecture one when you train it, by retrain(architecture, pictures, auxiliary=0.4)."
            )
        space = ENASMicro(channels=out_channels, cells=num_layers, nodes=num_nodes)
        super().__init__(space, Candidates(None), Form(num_classes, in_channels, dropout=dropout_rate))
        self.space, self.in_channels, self.num_classes = space, in_channels, num_classes

    def choices(self, architecture: Architecture) -> Choices:
        """Per branch x, y of each node its input and its operation: {"normal_node_0_x_input": …, "…_op": …}."""
        found: Choices = {}
        for kind, nodes in self.space.genotype(architecture.choices).items():
            sources = ["input_0", "input_1", *(f"{kind}_node_{i}" for i in range(len(nodes)))]
            for i, node in enumerate(nodes):
                for branch, (op, source) in zip("xy", node, strict=True):
                    found[f"{kind}_node_{i}_{branch}_input"] = sources[source]
                    found[f"{kind}_node_{i}_{branch}_op"] = op
        return found


def accuracy(output: Tensor, target: Tensor, topk: Sequence[int] = (1,)) -> dict[str, float]:
    """{"acc1": fraction of pictures whose class is the likeliest}, and {"acc5": … among the likeliest five} and so on.

    output: logits (B, classes); target: labels (B,), or one-hot (B, classes).
    """
    labels = target.argmax(1) if target.ndim > 1 else target  # (B,)
    ranked = output.topk(max(topk), dim=1).indices  # (B, max k), the likeliest first
    hits = ranked == labels[:, None]
    return {f"acc{k}": float(hits[:, :k].any(1).float().mean()) for k in topk}


def reward_accuracy(output: Tensor, target: Tensor, topk: Sequence[int] = (1,)) -> float:
    """Fraction of the batch that is classified right, whatever `topk` is, as in NNI; arguments as in `accuracy`."""
    return accuracy(output, target)["acc1"]


class Meters:
    """The figures of one phase of an epoch: each step's and their means; every so many steps they are printed.

    every: steps from one printed line to the next, None for no lines. A line has the form of NNI's log:
    [2023-03-02 14:24:26] Model Epoch [1/310] Step [11/391]  acc1 0.125000 (0.127841)  loss 2.245122 (2.277718)
    """

    def __init__(self, title: str, steps: int, every: int | None):
        self.title, self.steps, self.every, self.step = title, steps, every, 0
        self.values: dict[str, list[float]] = {}

    def add(self, values: Mapping[str, float]) -> None:
        """Take in a step's figures, and print a line where it is time for one."""
        for name, value in values.items():
            self.values.setdefault(name, []).append(float(value))
        self.step += 1
        if self.every and (self.step - 1) % self.every == 0:
            print(time.strftime("[%Y-%m-%d %H:%M:%S]"), self, flush=True)

    @property
    def means(self) -> dict[str, float]:
        """The mean of each figure over the steps so far."""
        return {name: sum(values) / len(values) for name, values in self.values.items()}

    def __str__(self) -> str:
        figures = (f"{name} {self.values[name][-1]:f} ({mean:f})" for name, mean in self.means.items())
        return "  ".join([f"{self.title} Step [{self.step}/{self.steps}]", *figures])
