"""NAS-Bench-201 (Dong & Yang, ICLR 2020): one cell of six edges with five operations each: 15,625 architectures."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import Tensor, nn

from nas_tutorial import ops
from nas_tutorial.edges import DagCell, Edge, Skeleton
from nas_tutorial.spaces.base import Architecture, Cell, CellEdge, Decision, Picks, Shelf, Space
from nas_tutorial.spaces.notation import read_cell, write_cell


class OneCellSpace(Space):
    """A space whose every node is the sum of one edge from each earlier node: as many decisions as edges."""

    nodes: ClassVar[int]
    table: ClassVar[dict[str, ops.Builder]]
    cells_per_stage: int
    fixed_kernel: int

    @property
    @abstractmethod
    def widths(self) -> tuple[int, ...]:
        """Channels of each stage."""

    def skeleton(self, shelf: Shelf, classes: int, image_channels: int, evaluation: bool) -> "StagedNetwork":
        return StagedNetwork(self, shelf, classes, image_channels, affine=evaluation)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """(target, source) of every edge, target by target."""
        return [(target, source) for target in range(1, self.nodes) for source in range(target)]

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(Decision(f"{target}<{source}", self.operations) for target, source in self.pairs)

    def format(self, choices: tuple[int, ...]) -> str:
        chosen = iter(choices)
        return write_cell(
            [[(self.operations[next(chosen)], source) for source in range(target)] for target in range(1, self.nodes)]
        )

    def read(self, text: str) -> list[int]:
        cell = read_cell(text, self.operations, first=1, nodes=self.nodes - 1)
        for target, node in enumerate(cell, start=1):
            if [source for _, source in node] != list(range(target)):
                raise ValueError(
                    f"Node {target} of a {self.name} cell needs one edge from each node 0 to {target - 1}, in this "
                    f"order, but {write_cell([node])!r} was given."
                )
        return [self.operations.index(op) for node in cell for op, _ in node]

    def graph(self, choices: tuple[int, ...]) -> dict[str, Cell]:
        names = ("input", *(f"node {i}" for i in range(1, self.nodes - 1)), "output")
        return {
            "cell": Cell(
                names,
                tuple(
                    CellEdge(names[source], names[target], self.operations[c])
                    for (target, source), c in zip(self.pairs, choices, strict=True)
                ),
            )
        }

    def picks(self, choices: tuple[int, ...]) -> Picks:
        return {"cell": {d.name: d.options[c] for d, c in zip(self.decisions, choices, strict=True)}}

    @property
    def alpha_shapes(self) -> dict[str, tuple[int, int]]:
        return {"cell": (len(self.decisions), len(self.operations))}

    def relax(self, alphas: Mapping[str, Tensor]) -> Picks:
        return {"cell": dict(zip((d.name for d in self.decisions), alphas["cell"].softmax(-1), strict=True))}

    def derive(self, alphas: Mapping[str, Tensor]) -> Architecture:
        """The likeliest operation of each edge, "none" included, as the benchmark's authors derive theirs."""
        return self.architecture(alphas["cell"].argmax(-1).tolist())


class DenseCell(DagCell):
    """Nodes 0 to n − 1; node j is the sum of an edge from each node i < j; the last node is the output."""

    def __init__(self, space: OneCellSpace, channels: int, shelf: Shelf, affine: bool):
        super().__init__()
        self.incoming = [[(f"{t}<{source}", source) for source in range(t)] for t in range(1, space.nodes)]
        self.edges = nn.ModuleDict(
            {
                name: Edge({op: space.table[op](channels, 1, affine) for op in shelf("cell", name, space.operations)})
                for name in (d.name for d in space.decisions)
            }
        )

    def forward(self, x: Tensor, picks: Mapping[str, str | Tensor]) -> Tensor:
        """x: (B, C, H, W) → the same shape."""
        return self.grow([x], picks)[-1]


class ResidualReduction(nn.Module):
    """The fixed block between stages: two k×k convolutions, the first with stride 2, beside a pooled 1×1 shortcut."""

    def __init__(self, inputs: int, outputs: int, kernel: int, affine: bool):
        super().__init__()
        self.body = nn.Sequential(
            ops.relu_conv(inputs, outputs, kernel, 2, affine), ops.relu_conv(outputs, outputs, kernel, 1, affine)
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False), nn.Conv2d(inputs, outputs, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, inputs, H, W) → (B, outputs, ⌈H/2⌉, ⌈W/2⌉)."""
        return self.body(x) + self.shortcut(x)


class StagedNetwork(Skeleton):
    """Stem → stages of equal cells, a reduction between two stages → BN, ReLU, global average pool → linear."""

    def __init__(self, space: OneCellSpace, shelf: Shelf, classes: int, image_channels: int, affine: bool):
        super().__init__()
        widths, kernel = space.widths, space.fixed_kernel
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, widths[0], kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(widths[0])
        )
        body: list[nn.Module] = []
        for before, width in zip([None, *widths[:-1]], widths, strict=True):
            body += [ResidualReduction(before, width, kernel, affine)] if before else []
            body += [DenseCell(space, width, shelf, affine) for _ in range(space.cells_per_stage)]
        self.body = nn.ModuleList(body)
        self.head = nn.Sequential(
            nn.BatchNorm2d(widths[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes)
        )

    def features(self, x: Tensor, picks: Picks) -> Tensor:
        """x: (B, image_channels, H, W) → (B, last width, H', W')."""
        x = self.stem(x)
        for block in self.body:
            x = block(x, picks["cell"]) if isinstance(block, DenseCell) else block(x)
        return x


@dataclass(frozen=True)
class NASBench201(OneCellSpace):
    """Three stages of `cells_per_stage` cells, 1, 2 and 4 × `channels` wide; the stem is a `stem` × `stem` convolution.

    The stem and the reductions between stages convolve with `fixed_kernel`. The benchmark has channels = 16,
    cells_per_stage = 5, fixed_kernel = 3 ("paper"). With fixed_kernel = 1 ("small") neighbouring pixels meet only in
    the cells (and in the pooling of the reductions), so that on small pictures the cell decides what can be learnt.
    """

    channels: int = 16
    cells_per_stage: int = 5
    fixed_kernel: int = 3

    name: ClassVar[str] = "nasbench201"
    nodes: ClassVar[int] = 4
    table: ClassVar[dict[str, ops.Builder]] = ops.NASBENCH201
    operations: ClassVar[tuple[str, ...]] = tuple(ops.NASBENCH201)
    profiles: ClassVar[dict[str, dict[str, int]]] = {
        "small": {"channels": 8, "cells_per_stage": 1, "fixed_kernel": 1},
        "paper": {"channels": 16, "cells_per_stage": 5, "fixed_kernel": 3},
    }

    @property
    def widths(self) -> tuple[int, ...]:
        return self.channels, 2 * self.channels, 4 * self.channels
