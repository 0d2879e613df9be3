"""The micro space of Pham et al. (ICML 2018): two cells of five nodes, each the sum of two branches  (ENAS, §2.4)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor, nn

from nas_tutorial.networks import ops
from nas_tutorial.networks.edges import ActiveOps, Candidates, DagCell, Edge, Skeleton, node_sum
from nas_tutorial.spaces.architecture import Cell, Decision
from nas_tutorial.spaces.base import Cells, Channels, Form, Nodes, Space
from nas_tutorial.spaces.darts import KINDS, pair_graph
from nas_tutorial.spaces.enas_micro_final import FinalMicroNetwork
from nas_tutorial.spaces.notation import Node, read_cell, split_pair, write_pair


@dataclass(frozen=True)
class ENASMicro(Space):
    """`cells` + 2 cells, those at cells//3 and 2·(cells//3) + 1 reductions; `channels` in the first of them.

    Decisions per node, in the controller's order: the inputs of its branches a and b, then their operations. Both
    branches may read the same node. Published sizes: channels = 20, cells = 6 in search; channels = 36, cells = 15,
    dropout 0.2 from scratch.

    Node k = 0, …, 4 reads two of k + 2 states by two of 5 operations, in two cells: (5⁵ · 6!)⁴ = 2.6·10²⁵ answers. The
    paper describes the same decisions in its §2.4, but prints (5 · (B − 2)!)⁴ = 1.3·10¹¹ for B = 7, in which operations
    count once instead of once a node, and the first node has one state to read instead of two.
    """

    channels: Channels = 20
    cells: Cells = 6
    nodes: Nodes = 5
    operations: tuple[str, ...] = tuple(ops.ENAS_MICRO)

    name: ClassVar[str] = "enas_micro"
    table: ClassVar[dict[str, ops.Builder]] = ops.ENAS_MICRO
    dropout: ClassVar[float] = 0.1
    profiles: ClassVar[dict[str, dict[str, int]]] = {
        "small": {"channels": 8, "cells": 3},
        "colab": {"channels": 16, "cells": 3},
        "paper": {"channels": 20, "cells": 6},
    }
    retrained: ClassVar[Mapping[str, Mapping[str, int]]] = {
        "paper": {"channels": 36, "cells": 15},
    }
    published: ClassVar[Mapping[str, str]] = {
        "ENAS_MICRO": "normal: |avg_pool_3x3~0|sep_conv_3x3~0|+|skip_connect~0|sep_conv_5x5~0|"
        "+|skip_connect~0|sep_conv_5x5~1|+|sep_conv_3x3~1|sep_conv_5x5~0|+|avg_pool_3x3~0|sep_conv_5x5~1| "
        "reduce: |sep_conv_3x3~1|sep_conv_3x3~1|+|max_pool_3x3~0|avg_pool_3x3~0|+|sep_conv_5x5~1|sep_conv_5x5~3|"
        "+|sep_conv_3x3~1|skip_connect~0|+|max_pool_3x3~0|sep_conv_5x5~1|",
    }

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(
            Decision(f"{kind}.{node}.{question}_{branch}", options, f"{kind}.{question}")
            for kind in KINDS
            for node in range(self.nodes)
            for question, options in (("input", tuple(map(str, range(node + 2)))), ("op", self.operations))
            for branch in "ab"
        )

    def genotype(self, choices: tuple[int, ...]) -> dict[str, list[Node]]:
        """{"normal": nodes, "reduce": nodes} with the (operation, source) pairs of branches a and b of each node."""
        fours = [choices[i : i + 4] for i in range(0, len(choices), 4)]
        nodes = [[(self.operations[op_a], a), (self.operations[op_b], b)] for a, b, op_a, op_b in fours]
        return {"normal": nodes[: self.nodes], "reduce": nodes[self.nodes :]}

    def format(self, choices: tuple[int, ...]) -> str:
        return write_pair(**self.genotype(choices))

    def read(self, text: str) -> list[int]:
        cells = [read_cell(half, self.operations, first=2, nodes=self.nodes) for half in split_pair(text)]
        return [answer for cell in cells for i, node in enumerate(cell) for answer in self._answers(i, node)]

    def _answers(self, i: int, node: Node) -> list[int]:
        if len(node) != 2:
            raise ValueError(f"Node {i + 2} of an {self.name} cell takes two edges, not {len(node)}.")
        (op_a, a), (op_b, b) = node
        return [a, b, self.operations.index(op_a), self.operations.index(op_b)]

    def loose_ends(self, nodes: list[Node]) -> list[int]:
        """Indices of the states (the two inputs included) that no node reads; joined they are the cell's output."""
        used = {source for node in nodes for _, source in node}
        return [i for i in range(self.nodes + 2) if i not in used]

    def graph(self, choices: tuple[int, ...]) -> dict[str, Cell]:
        return {kind: pair_graph(nodes, self.loose_ends(nodes)) for kind, nodes in self.genotype(choices).items()}

    def active_ops(self, choices: tuple[int, ...]) -> ActiveOps:
        return {
            kind: {
                f"{i + 2}{branch}<{source}": op
                for i, node in enumerate(nodes)
                for branch, (op, source) in zip("ab", node, strict=True)
            }
            | {f"out<{i}": "conv_1x1" for i in self.loose_ends(nodes)}
            for kind, nodes in self.genotype(choices).items()
        }

    @property
    def incoming(self) -> list[list[tuple[str, int]]]:
        """For each node the names of all edges that may enter it, each with the index of the state it comes from."""
        return [
            [(f"{i + 2}{branch}<{source}", source) for branch in "ab" for source in range(i + 2)]
            for i in range(self.nodes)
        ]

    def branches(self) -> Iterator[tuple[int, int, str]]:
        """(row, node, branch) of the ten branches of a cell: the rows of its α."""
        return ((2 * node + "ab".index(branch), node, branch) for node in range(self.nodes) for branch in "ab")

    @property
    def alpha_shapes(self) -> dict[str, tuple[int, int]]:
        rows = 2 * self.nodes
        return {
            f"{kind}.{what}": shape
            for kind in KINDS
            for what, shape in (("input", (rows, self.nodes + 1)), ("op", (rows, len(self.operations))))
        }

    @property
    def target_nodes(self) -> dict[str, list[int]]:
        return dict.fromkeys(self.alpha_shapes, [node for _, node, _ in self.branches()])

    def possible(self, alphas: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """A branch of node i can only read the first i + 2 states."""
        states = torch.arange(self.nodes + 1)
        missing = torch.stack([states >= node + 2 for _, node, _ in self.branches()])  # (2·nodes, nodes + 1)
        return {
            name: alpha.masked_fill(missing.to(alpha.device), -torch.inf) if name.endswith("input") else alpha
            for name, alpha in alphas.items()
        }

    def assign(self, probabilities: Mapping[str, Tensor]) -> ActiveOps:
        """Operation o on input j of a branch weighs p(j)·p(o); state i is a loose end with probability Π (1 − p(i))."""
        p = probabilities
        return {kind: self._relaxed_cell(p[f"{kind}.input"], p[f"{kind}.op"]) for kind in KINDS}

    def _relaxed_cell(self, p_input: Tensor, p_op: Tensor) -> dict[str, Tensor]:
        unread = torch.cat([(1 - p_input).prod(0), p_input.new_ones(1)])  # (nodes + 2,): nobody reads the last node
        return {
            f"{node + 2}{branch}<{source}": p_input[row, source] * p_op[row]
            for row, node, branch in self.branches()
            for source in range(node + 2)
        } | {f"out<{i}": unread[i : i + 1] for i in range(self.nodes + 2)}

    def likeliest(self, probabilities: Mapping[str, Tensor], with_none: bool) -> list[int]:
        """The likeliest input and the likeliest operation of every branch; no operation is "none"."""
        p = {name: table.argmax(-1).tolist() for name, table in probabilities.items()}
        return [
            p[f"{kind}.{question}"][2 * node + branch]
            for kind in KINDS
            for node in range(self.nodes)
            for question in ("input", "op")
            for branch in range(2)
        ]

    def skeleton(self, candidates: Candidates, form: Form) -> Skeleton:
        return (FinalMicroNetwork if form.evaluation else MicroNetwork)(self, candidates, form)


class MicroCell(DagCell):
    """Two inputs, five nodes of two branches each; every branch has weights of its own for every input it may read."""

    def __init__(self, space: ENASMicro, kind: str, channels: int, candidates: Candidates):
        super().__init__()
        self.incoming = space.incoming
        self.loose = [(f"out<{i}", i) for i in range(space.nodes + 2)]
        edges = {}
        for name, _ in (branch for node in self.incoming for branch in node):
            names = candidates(kind, name, space.operations)
            edges[name] = Edge({op: space.table[op](channels, 1, True) for op in names})
        for name, _ in self.loose:  # drop path is for the branches of nodes, not for the cell's output
            names = candidates(kind, name, ("conv_1x1",))
            edges[name] = Edge({op: nn.Conv2d(channels, channels, 1, bias=False) for op in names}, drop_share=0.0)
        self.edges = nn.ModuleDict({name: edge for name, edge in edges.items() if edge.ops})
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, states: list[Tensor], active: Mapping[str, str | Tensor]) -> Tensor:
        """Two tensors (B, C, H, W) → (B, C, H, W).

        Concatenating the loose ends before a 1×1 convolution equals adding up one 1×1 convolution of each of them.
        """
        states = self.node_states(states, active)
        return self.norm(node_sum(self.edges, [torch.relu(s) for s in states], active, self.loose))


class MicroNetwork(Skeleton):
    """Stem of 3·channels → cells + 2 cells → ReLU, global average pool, dropout, linear without bias."""

    def __init__(self, space: ENASMicro, candidates: Candidates, form: Form):
        super().__init__()
        self.reductions = {space.cells // 3, 2 * (space.cells // 3) + 1}
        channels = space.channels
        self.stem = ops.conv_norm(form.image_channels, 3 * channels, 3)
        widths = [3 * channels, 3 * channels]  # of the two inputs of the next cell
        self.cells, self.calibrations, self.halvings = nn.ModuleList(), nn.ModuleList(), nn.ModuleDict()
        for i in range(space.cells + 2):
            reduces = i in self.reductions
            if reduces:
                channels *= 2
                self.halvings[str(i)] = ops.FactorizedReduce(widths[1], channels, relu=False)
                widths = [widths[1], channels]
            self.calibrations.append(
                nn.ModuleList(
                    [ops.calibration(widths[0], channels, reduces), ops.calibration(widths[1], channels, False)]
                )
            )
            self.cells.append(MicroCell(space, KINDS[reduces], channels, candidates))
            widths = [widths[1], channels]
        self.head = ops.classifier(channels, form.classes, form.dropout, bias=False, relu=nn.ReLU())

    def features(self, x: Tensor, active_ops: ActiveOps) -> Tensor:
        """x: (B, image_channels, H, W) → (B, 4·channels, H/4, W/4)."""
        before = last = self.stem(x)
        for i, (cell, calibrate) in enumerate(zip(self.cells, self.calibrations, strict=True)):
            if i in self.reductions:  # the reduction cell reads the halved state beside the full one
                before, last = last, self.halvings[str(i)](last)
            states = [calibrate[0](before), calibrate[1](last)]
            before, last = last, cell(states, active_ops[KINDS[i in self.reductions]])
        return last
