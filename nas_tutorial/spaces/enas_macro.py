"""The macro space of Pham et al. (ICML 2018): a chain of layers with an operation and skips each  (ENAS, §2.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import Tensor, nn

from nas_tutorial import ops
from nas_tutorial.edges import Edge, Skeleton, node_sum
from nas_tutorial.spaces.base import Architecture, Cell, CellEdge, Decision, Picks, Shelf, Space, one_of


@dataclass(frozen=True)
class ENASMacro(Space):
    """`layers` layers of `channels` channels. Layer k answers with an operation and k bits: bit i adds stored tensor i.

    Tensor 0 is the stem and tensor i the output of layer i − 1 (layers count from 0); layer k reads tensor k anyway.
    Published search sizes: channels = 36, layers = 12.
    """

    channels: int = 36
    layers: int = 12

    name: ClassVar[str] = "enas_macro"
    operations: ClassVar[tuple[str, ...]] = tuple(ops.ENAS_MACRO)
    profiles: ClassVar[dict[str, dict[str, int]]] = {
        "small": {"channels": 16, "layers": 6},
        "paper": {"channels": 36, "layers": 12},
    }

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(
            decision
            for k in range(self.layers)
            for decision in (
                Decision(f"{k}.op", self.operations),
                *(Decision(f"{k}.skip.{i}", ("no", "yes")) for i in range(k)),
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

    def picks(self, choices: tuple[int, ...]) -> Picks:
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

    def relax(self, alphas: Mapping[str, Tensor]) -> Picks:
        """A skip is added with the weight p(yes)."""
        p_op, p_skip = alphas["op"].softmax(-1), alphas["skip"].softmax(-1)
        return {
            "network": {f"op {k}": p for k, p in enumerate(p_op)}
            | dict(zip(self.skip_names, p_skip[:, 1:], strict=True))
        }

    def derive(self, alphas: Mapping[str, Tensor]) -> Architecture:
        """The likeliest answer to every question."""
        op, skip = alphas["op"].argmax(-1).tolist(), iter(alphas["skip"].argmax(-1).tolist())
        return self.architecture(
            [answer for k in range(self.layers) for answer in (op[k], *(next(skip) for _ in range(k)))]
        )

    def skeleton(self, shelf: Shelf, classes: int, image_channels: int, evaluation: bool) -> "MacroNetwork":
        return MacroNetwork(self, shelf, classes, image_channels)


class MacroLayer(nn.Module):
    """One operation on the layer before, plus the chosen earlier tensors, then batch norm (not in the first layer)."""

    def __init__(self, space: ENASMacro, k: int, shelf: Shelf):
        super().__init__()
        self.names = [(f"op {k}", k), *((f"skip {k}<{i}", i) for i in range(k))]
        shelves = {
            f"op {k}": {
                op: ops.ENAS_MACRO[op](space.channels, 1, True) for op in shelf("network", f"op {k}", space.operations)
            }
        }
        shelves |= {name: {op: nn.Identity() for op in shelf("network", name, ("skip",))} for name, _ in self.names[1:]}
        self.edges = nn.ModuleDict({name: Edge(built) for name, built in shelves.items() if built})
        self.norm = nn.BatchNorm2d(space.channels) if k else nn.Identity()

    def forward(self, tensors: list[Tensor], picks: Mapping[str, str | Tensor]) -> Tensor:
        """Tensors 0 to k, (B, C, H, W) each → the next one."""
        return self.norm(node_sum(self.edges, tensors, picks, self.names))


class MacroNetwork(Skeleton):
    """Stem → layers → global average pool, dropout, linear; at ⅓ and ⅔ of the depth every stored tensor is halved."""

    def __init__(self, space: ENASMacro, shelf: Shelf, classes: int, image_channels: int, dropout: float = 0.1):
        super().__init__()
        channels, third = space.channels, space.layers // 3
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        self.layers = nn.ModuleList([MacroLayer(space, k, shelf) for k in range(space.layers)])
        self.halvings = nn.ModuleDict(
            {
                str(k): nn.ModuleList([ops.FactorizedReduce(channels, channels, relu=False) for _ in range(k + 2)])
                for k in (third - 1, 2 * third - 1)
                if k >= 0
            }
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, classes, bias=False)
        )

    def features(self, x: Tensor, picks: Picks) -> Tensor:
        """x: (B, image_channels, H, W) → (B, channels, H/4, W/4)."""
        tensors = [self.stem(x)]
        for k, layer in enumerate(self.layers):
            tensors.append(layer(tensors, picks["network"]))
            if str(k) in self.halvings:
                tensors = [halve(t) for halve, t in zip(self.halvings[str(k)], tensors, strict=True)]
        return tensors[-1]
