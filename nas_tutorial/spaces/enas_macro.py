"""The macro space of Pham et al. (ICML 2018): a chain of layers with an operation and skips each  (ENAS, §2.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import Tensor, nn

from nas_tutorial.networks import ops
from nas_tutorial.networks.edges import ActiveOps, Candidates, Edge, Skeleton, node_sum
from nas_tutorial.settings import one_of
from nas_tutorial.spaces.architecture import Cell, CellEdge, Decision
from nas_tutorial.spaces.base import Channels, Form, Layers, Space


@dataclass(frozen=True)
class ENASMacro(Space):
    """`layers` layers of `channels` channels. Layer k answers with an operation and k bits: bit i adds stored tensor i.

    Tensor 0 is the stem and tensor i the output of layer i − 1 (layers count from 0); layer k reads tensor k anyway.
    The policy forms bit i from the state that it had at layer i, not i − 1: so in the official code, and here.
    Published sizes: channels = 36, layers = 12 in search; channels = 96, layers = 24, dropout 0.5 from scratch.
    """

    channels: Channels = 36
    layers: Layers = 12
    operations: tuple[str, ...] = tuple(ops.ENAS_MACRO)

    name: ClassVar[str] = "enas_macro"
    table: ClassVar[dict[str, ops.Builder]] = ops.ENAS_MACRO
    dropout: ClassVar[float] = 0.1
    profiles: ClassVar[dict[str, dict[str, int]]] = {
        "small": {"channels": 16, "layers": 6},
        "colab": {"channels": 24, "layers": 12},
        "paper": {"channels": 36, "layers": 12},
    }

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(
            decision
            for k in range(self.layers)
            for decision in (
                Decision(f"{k}.op", self.operations, "op"),
                *(Decision(f"{k}.skip.{i}", ("no", "yes"), "skip") for i in range(k)),
            )
        )

    def layer_choices(self, choices: Sequence[int]) -> list[tuple[int, tuple[int, ...]]]:
        """(operation index, skip bits) of every layer."""
        starts = [k + k * (k - 1) // 2 for k in range(self.layers)]
        return [(choices[start], tuple(choices[start + 1 : start + 1 + k])) for k, start in enumerate(starts)]

    def format(self, choices: tuple[int, ...]) -> str:
        return " + ".join(
            self.operations[op] + (":" + "".join(map(str, bits)) if bits else "")
            for op, bits in self.layer_choices(choices)
        )

    def read(self, text: str) -> list[int]:
        layers = [layer.strip() for layer in text.split("+")]
        if len(layers) != self.layers:
            raise ValueError(f"Expected {self.layers} layers separated by '+', got {len(layers)}.")
        return [answer for k, layer in enumerate(layers) for answer in self._read_layer(k, layer)]

    def _read_layer(self, k: int, text: str) -> list[int]:
        op, _, bits = text.partition(":")
        if len(bits) != k or set(bits) - {"0", "1"}:
            raise ValueError(
                f"Layer {k} is {text!r}; expected an operation and {k} skip bits (0 or 1), one for each earlier "
                "tensor before its direct input."
            )
        return [one_of(self.operations, op, f"The operation of layer {k}"), *map(int, bits)]

    def graph(self, choices: tuple[int, ...]) -> dict[str, Cell]:
        names = ("stem", *(f"layer {k + 1}" for k in range(self.layers)), "output")
        edges = [CellEdge(names[self.layers], "output", "")]
        for k, (op, bits) in enumerate(self.layer_choices(choices)):
            edges.append(CellEdge(names[k], names[k + 1], self.operations[op]))
            edges += [CellEdge(names[i], names[k + 1], "skip") for i, bit in enumerate(bits) if bit]
        return {"network": Cell(names, tuple(edges))}

    def active_ops(self, choices: tuple[int, ...]) -> ActiveOps:
        layers = self.layer_choices(choices)
        return {
            "network": {f"op {k}": self.operations[op] for k, (op, _) in enumerate(layers)}
            | {f"skip {k}<{i}": "skip" for k, (_, bits) in enumerate(layers) for i, bit in enumerate(bits) if bit}
        }

    @cached_property
    def skip_names(self) -> list[str]:
        """Names of the skip edges, layer by layer: the rows of their α."""
        return [f"skip {k}<{i}" for k in range(self.layers) for i in range(k)]

    @property
    def alpha_shapes(self) -> dict[str, tuple[int, int]]:
        return {"op": (self.layers, len(self.operations)), "skip": (len(self.skip_names), 2)}

    @property
    def target_nodes(self) -> dict[str, list[int]]:
        return {"op": list(range(self.layers)), "skip": [k for k in range(self.layers) for _ in range(k)]}

    def assign(self, probabilities: Mapping[str, Tensor]) -> ActiveOps:
        """A skip is added with the weight p(yes)."""
        ops = {f"op {k}": p for k, p in enumerate(probabilities["op"])}
        return {"network": ops | dict(zip(self.skip_names, probabilities["skip"][:, 1:], strict=True))}

    def likeliest(self, probabilities: Mapping[str, Tensor], with_none: bool) -> list[int]:
        """The likeliest answer to every question; no answer is "none"."""
        op, skip = (probabilities[name].argmax(-1).tolist() for name in ("op", "skip"))
        bits = iter(skip)
        return [answer for k in range(self.layers) for answer in (op[k], *(next(bits) for _ in range(k)))]

    def skeleton(self, candidates: Candidates, form: Form) -> "MacroNetwork":
        return MacroNetwork(self, candidates, form)


class MacroLayer(nn.Module):
    """One operation on the layer before, plus the chosen earlier tensors, then batch norm (not in the first layer).

    In the form for evaluation, operation and tensors are concatenated instead, and a ReLU and a 1×1 convolution bring
    back the channels: that equals adding up a ReLU and a 1×1 convolution of each.
    """

    def __init__(self, space: ENASMacro, k: int, channels: int, candidates: Candidates, evaluation: bool):
        super().__init__()
        self.names = [(f"op {k}", k), *((f"skip {k}<{i}", i) for i in range(k))]
        table = ops.ENAS_MACRO_FINAL if evaluation else space.table
        built = {op: table[op](channels, 1, True) for op in candidates("network", f"op {k}", space.operations)}
        if evaluation and k:
            built = {op: ops.named(**{op: module}, join=join(channels)) for op, module in built.items()}
        self.edges = nn.ModuleDict({f"op {k}": Edge(built)})
        for name, _ in self.names[1:]:
            if candidates("network", name, ("skip",)):
                skip = join(channels) if evaluation else nn.Identity()
                self.edges[name] = Edge({"skip": skip}, drop_share=0.0)
        self.norm = nn.BatchNorm2d(channels) if k else nn.Identity()

    def forward(self, tensors: list[Tensor], active: Mapping[str, str | Tensor]) -> Tensor:
        """Tensors 0 to k, (B, C, H, W) each → the next one."""
        return self.norm(node_sum(self.edges, tensors, active, self.names))


def join(channels: int) -> nn.Sequential:
    """One tensor's part of ReLU → 1×1 convolution of a concatenation: (B, C, H, W) → (B, C, H, W)."""
    return ops.named(relu=nn.ReLU(), conv=nn.Conv2d(channels, channels, 1, bias=False))


class MacroNetwork(Skeleton):
    """Stem → layers → global average pool, dropout, linear; at ⅓ and ⅔ of the depth every stored tensor is halved.

    For evaluation this doubles the channels. Separable operations stay so; the official code then makes all
    convolutions dense and knows no pools: `conv_` in place of `sep_conv_` gives its network, of which the published
    example has 42,559,392 weights.
    """

    def __init__(self, space: ENASMacro, candidates: Candidates, form: Form):
        super().__init__()
        channels, third = space.channels, space.layers // 3
        self.stem = ops.conv_norm(form.image_channels, channels, 3)
        self.layers, self.halvings = nn.ModuleList(), nn.ModuleDict()
        for k in range(space.layers):
            self.layers.append(MacroLayer(space, k, channels, candidates, form.evaluation))
            if k in (third - 1, 2 * third - 1):
                width = 2 * channels if form.evaluation else channels
                halvings = [ops.FactorizedReduce(channels, width, relu=False) for _ in range(k + 2)]
                self.halvings[str(k)], channels = nn.ModuleList(halvings), width
        self.head = ops.classifier(channels, form.classes, form.dropout, bias=False)

    def features(self, x: Tensor, active_ops: ActiveOps) -> Tensor:
        """x: (B, image_channels, H, W) → (B, channels, H/4, W/4), four times the channels for evaluation."""
        tensors = [self.stem(x)]
        for k, layer in enumerate(self.layers):
            tensors.append(layer(tensors, active_ops["network"]))
            if str(k) in self.halvings:
                tensors = [halve(t) for halve, t in zip(self.halvings[str(k)], tensors, strict=True)]
        return tensors[-1]
