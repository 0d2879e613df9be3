"""NAS-Bench-201 (Dong & Yang, ICLR 2020): one cell of six edges with five operations each: 15,625 architectures."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import Tensor, nn

from nas_tutorial.networks import ops
from nas_tutorial.networks.edges import ActiveOps, Candidates, DagCell, Edge, Skeleton
from nas_tutorial.spaces.architecture import NO_CONNECTION, Cell, CellEdge, Decision
from nas_tutorial.spaces.base import Cells, Channels, Form, Kernel, Nodes, Space
from nas_tutorial.spaces.notation import read_cell, write_cell


class OneCellSpace(Space):
    """A space whose every node is the sum of one edge from each earlier node: as many decisions as edges."""

    nodes: int
    cells_per_stage: int
    fixed_kernel: int

    @property
    @abstractmethod
    def widths(self) -> tuple[int, ...]:
        """Channels of each stage."""

    def skeleton(self, candidates: Candidates, form: Form) -> "StagedNetwork":
        return StagedNetwork(self, candidates, form)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """(target, source) of every edge, target by target."""
        return [(target, source) for target in range(1, self.nodes) for source in range(target)]

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(Decision(f"{target}<{source}", self.operations, "cell") for target, source in self.pairs)

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

    def active_ops(self, choices: tuple[int, ...]) -> ActiveOps:
        return {"cell": {d.name: d.options[c] for d, c in zip(self.decisions, choices, strict=True)}}

    @property
    def alpha_shapes(self) -> dict[str, tuple[int, int]]:
        return {"cell": (len(self.decisions), len(self.operations))}

    @property
    def target_nodes(self) -> dict[str, list[int]]:
        return {"cell": [target for target, _ in self.pairs]}

    def assign(self, probabilities: Mapping[str, Tensor]) -> ActiveOps:
        return {"cell": dict(zip((d.name for d in self.decisions), probabilities["cell"], strict=True))}

    def likeliest(self, probabilities: Mapping[str, Tensor], with_none: bool) -> list[int]:
        """The likeliest operation of each edge other than "none"; with_none: or "none", as the benchmark's authors."""
        allowed = [i for i, op in enumerate(self.operations) if with_none or op not in NO_CONNECTION]
        return [allowed[best] for best in probabilities["cell"][:, allowed].argmax(-1).tolist()]


class DenseCell(DagCell):
    """Nodes 0 to n − 1; node j is the sum of an edge from each node i < j; the last node is the output."""

    def __init__(self, space: OneCellSpace, channels: int, candidates: Candidates, affine: bool):
        super().__init__()
        self.incoming = [[(f"{t}<{source}", source) for source in range(t)] for t in range(1, space.nodes)]
        self.edges = nn.ModuleDict(
            {
                d.name: Edge({op: space.table[op](channels, 1, affine) for op in candidates("cell", d.name, d.options)})
                for d in space.decisions
            }
        )

    def forward(self, x: Tensor, active: Mapping[str, str | Tensor]) -> Tensor:
        """x: (B, C, H, W) → the same shape."""
        return self.node_states([x], active)[-1]


class ResidualReduction(nn.Module):
    """The fixed block between stages: two k×k convolutions, the first with stride 2, beside a pooled 1×1 shortcut."""

    def __init__(self, inputs: int, outputs: int, kernel: int, affine: bool):
        super().__init__()
        self.body = ops.named(
            halve=ops.relu_conv(inputs, outputs, kernel, 2, affine),
            refine=ops.relu_conv(outputs, outputs, kernel, 1, affine),
        )
        self.shortcut = ops.named(
            pool=nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False),
            conv=nn.Conv2d(inputs, outputs, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, inputs, H, W) → (B, outputs, ⌈H/2⌉, ⌈W/2⌉)."""
        return self.body(x) + self.shortcut(x)


class StagedNetwork(Skeleton):
    """Stem → stages of equal cells, a reduction between two stages → BN, ReLU, global average pool → linear."""

    def __init__(self, space: OneCellSpace, candidates: Candidates, form: Form):
        super().__init__()
        widths, kernel, affine = space.widths, space.fixed_kernel, form.evaluation
        self.stem = ops.conv_norm(form.image_channels, widths[0], kernel)
        body: list[nn.Module] = []
        for before, width in zip([None, *widths[:-1]], widths, strict=True):
            body += [ResidualReduction(before, width, kernel, affine)] if before else []
            body += [DenseCell(space, width, candidates, affine) for _ in range(space.cells_per_stage)]
        self.body = nn.ModuleList(body)
        self.head = ops.classifier(
            widths[-1], form.classes, form.dropout, norm=nn.BatchNorm2d(widths[-1]), relu=nn.ReLU()
        )

    def features(self, x: Tensor, active_ops: ActiveOps) -> Tensor:
        """x: (B, image_channels, H, W) → (B, last width, H', W')."""
        x = self.stem(x)
        for block in self.body:
            x = block(x, active_ops["cell"]) if isinstance(block, DenseCell) else block(x)
        return x


@dataclass(frozen=True)
class NASBench201(OneCellSpace):
    """Three stages of `cells_per_stage` cells of `nodes` nodes, 1, 2 and 4 × `channels` wide.

    The stem and the reductions between stages convolve with `fixed_kernel`. The benchmark has channels = 16,
    cells_per_stage = 5, fixed_kernel = 3 ("paper"). With fixed_kernel = 1 ("small") neighbouring pixels meet only in
    the cells (and in the pooling of the reductions), so that on small pictures the cell decides what can be learnt.
    """

    channels: Channels = 16
    cells_per_stage: Cells = 5
    fixed_kernel: Kernel = 3
    nodes: Nodes = 4
    operations: tuple[str, ...] = tuple(ops.NASBENCH201)

    name: ClassVar[str] = "nasbench201"
    table: ClassVar[dict[str, ops.Builder]] = ops.NASBENCH201
    profiles: ClassVar[dict[str, dict[str, int]]] = {
        "small": {"channels": 8, "cells_per_stage": 1, "fixed_kernel": 1},
        "colab": {"channels": 16, "cells_per_stage": 2, "fixed_kernel": 3},
        "paper": {"channels": 16, "cells_per_stage": 5, "fixed_kernel": 3},
    }

    @property
    def widths(self) -> tuple[int, ...]:
        return self.channels, 2 * self.channels, 4 * self.channels
