"""The space of DARTS (Liu, Simonyan & Yang, ICLR 2019): a normal and a reduction cell, four nodes of two edges each."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nas_tutorial.networks import ops
from nas_tutorial.networks.edges import ActiveOps, Candidates, DagCell, Edge, Skeleton
from nas_tutorial.spaces.architecture import Architecture, Cell, CellEdge, Decision
from nas_tutorial.spaces.base import Cells, Channels, Form, Nodes, Space
from nas_tutorial.spaces.notation import Node, read_cell, split_pair, write_pair

KINDS = ("normal", "reduce")


@dataclass(frozen=True)
class DARTS(Space):
    """`cells` cells of `nodes` nodes, those at cells//3 and 2·cells//3 reductions; `channels` in the first of them.

    Decisions per node: which two of its possible inputs, and the operation of each of the two edges ("none" is no
    answer). Published search sizes: channels = 16, cells = 8; evaluation: channels = 36, cells = 20.
    """

    channels: Channels = 16
    cells: Cells = 8
    nodes: Nodes = 4
    operations: tuple[str, ...] = tuple(ops.DARTS)

    name: ClassVar[str] = "darts"
    table: ClassVar[dict[str, ops.Builder]] = ops.DARTS
    profiles: ClassVar[dict[str, dict[str, int]]] = {
        "small": {"channels": 8, "cells": 5},
        "colab": {"channels": 16, "cells": 5},
        "paper": {"channels": 16, "cells": 8},
    }
    retrained: ClassVar[Mapping[str, Mapping[str, int]]] = {
        "colab": {"channels": 16, "cells": 8},
        "paper": {"channels": 36, "cells": 20},
    }
    published: ClassVar[Mapping[str, str]] = {
        "DARTS_V1": "normal: |sep_conv_3x3~0|sep_conv_3x3~1|+|skip_connect~0|sep_conv_3x3~1|"
        "+|skip_connect~0|sep_conv_3x3~1|+|sep_conv_3x3~0|skip_connect~2| "
        "reduce: |max_pool_3x3~0|max_pool_3x3~1|+|max_pool_3x3~0|skip_connect~2|"
        "+|max_pool_3x3~0|skip_connect~2|+|skip_connect~2|avg_pool_3x3~0|",
        "DARTS_V2": "normal: |sep_conv_3x3~0|sep_conv_3x3~1|+|sep_conv_3x3~0|sep_conv_3x3~1|"
        "+|sep_conv_3x3~1|skip_connect~0|+|skip_connect~0|dil_conv_3x3~2| "
        "reduce: |max_pool_3x3~0|max_pool_3x3~1|+|skip_connect~2|max_pool_3x3~1|"
        "+|max_pool_3x3~0|skip_connect~2|+|skip_connect~2|max_pool_3x3~1|",
    }

    @property
    def choosable(self) -> tuple[str, ...]:
        """The operations that an edge of an architecture may have: all but "none"."""
        return tuple(op for op in self.operations if op != "none")

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(
            decision
            for kind in KINDS
            for node in range(self.nodes)
            for decision in (
                Decision(f"{kind}.{node}.inputs", tuple(f"{a},{b}" for a, b in _pairs(node)), f"{kind}.inputs"),
                Decision(f"{kind}.{node}.first", self.choosable, f"{kind}.op"),
                Decision(f"{kind}.{node}.second", self.choosable, f"{kind}.op"),
            )
        )

    def genotype(self, choices: tuple[int, ...]) -> dict[str, list[Node]]:
        """{"normal": nodes, "reduce": nodes} with the two (operation, source) pairs of each node."""
        answers, per_cell = iter(choices), {}
        for kind in KINDS:
            per_cell[kind] = [
                self._node(node, next(answers), next(answers), next(answers)) for node in range(self.nodes)
            ]
        return per_cell

    def _node(self, node: int, pair: int, first: int, second: int) -> Node:
        a, b = _pairs(node)[pair]
        return [(self.choosable[first], a), (self.choosable[second], b)]

    def answer(self, node: int, edges: Node) -> list[int]:
        """The three answers that give `node` these two edges; ValueError unless they come from two different inputs."""
        if len({source for _, source in edges}) != 2 or len(edges) != 2:
            raise ValueError(
                f"Node {node + 2} of a {self.name} cell takes two edges from two different nodes, not "
                f"{', '.join(f'{op}~{source}' for op, source in edges)}."
            )
        (first, a), (second, b) = sorted(edges, key=lambda edge: edge[1])
        return [_pairs(node).index((a, b)), self.choosable.index(first), self.choosable.index(second)]

    def format(self, choices: tuple[int, ...]) -> str:
        return write_pair(**self.genotype(choices))

    def read(self, text: str) -> list[int]:
        cells = [read_cell(half, self.choosable, first=2, nodes=self.nodes) for half in split_pair(text)]
        return [answer for cell in cells for node, edges in enumerate(cell) for answer in self.answer(node, edges)]

    def from_genotype(self, genotype: Any) -> Architecture:
        """The architecture of a genotype as the official code and its descendants print it.

        genotype: a named tuple with `normal` and `reduce`, a mapping with these keys, or the text of a named tuple,
        `NAME = Genotype(…)` included; each is a list of (operation, source) pairs, two for each node, or a list of such
        nodes. Raises ValueError where it does not fit.
        """
        found = read_genotype(genotype)
        for kind in KINDS:
            joined = found.get(f"{kind}_concat")
            if joined not in (None, usual := range(2, 2 + self.nodes), list(usual), tuple(usual)):
                raise ValueError(f"{self.name} joins nodes 2 to {1 + self.nodes}, but {kind}_concat is {joined!r}.")
        return self.parse(write_pair(*(nodes_in(found, kind) for kind in KINDS)))

    def graph(self, choices: tuple[int, ...]) -> dict[str, Cell]:
        return {kind: pair_graph(nodes, range(2, 2 + self.nodes)) for kind, nodes in self.genotype(choices).items()}

    def active_ops(self, choices: tuple[int, ...]) -> ActiveOps:
        return {
            kind: {f"{node + 2}<{source}": op for node, edges in enumerate(nodes) for op, source in edges}
            for kind, nodes in self.genotype(choices).items()
        }

    @cached_property
    def edge_names(self) -> list[tuple[str, int, int]]:
        """(name, node, source) of the 14 edges of the supernet's cell, node by node."""
        return [(f"{node + 2}<{source}", node, source) for node in range(self.nodes) for source in range(node + 2)]

    @property
    def alpha_shapes(self) -> dict[str, tuple[int, int]]:
        return dict.fromkeys(KINDS, (len(self.edge_names), len(self.operations)))

    @property
    def target_nodes(self) -> dict[str, list[int]]:
        return dict.fromkeys(KINDS, [node for _, node, _ in self.edge_names])

    def assign(self, probabilities: Mapping[str, Tensor]) -> ActiveOps:
        names = [name for name, _, _ in self.edge_names]
        return {kind: dict(zip(names, probabilities[kind], strict=True)) for kind in KINDS}

    def likeliest(self, probabilities: Mapping[str, Tensor], with_none: bool) -> list[int]:
        """Per node the two edges whose best operation other than none is likeliest, with that operation  (DARTS, §2.4).

        The probabilities include none. Among equals the earlier edge and the earlier operation win. with_none changes
        nothing: no edge of an architecture of this space can be none.
        """
        return [
            answer
            for kind in KINDS
            for node in range(self.nodes)
            for answer in self.answer(node, self._strongest(probabilities[kind], node))
        ]

    def _strongest(self, table: Tensor, node: int) -> Node:
        rows = [row for row, (_, target, _) in enumerate(self.edge_names) if target == node]
        columns = [self.operations.index(op) for op in self.choosable]
        best, op = table.detach()[rows][:, columns].max(-1)  # (node + 2,) each, without none
        sources = sorted(range(len(rows)), key=lambda source: -float(best[source]))[:2]
        return [(self.choosable[int(op[source])], source) for source in sources]

    def skeleton(self, candidates: Candidates, form: Form) -> "DARTSNetwork":
        return DARTSNetwork(self, candidates, form)


def _pairs(node: int) -> list[tuple[int, int]]:
    """The pairs of states that a node may read, states 0 and 1 being the inputs."""
    return list(combinations(range(node + 2), 2))


def read_genotype(genotype: Any) -> Mapping[str, Any]:
    """The fields of a genotype by name, see `DARTS.from_genotype`; ValueError where there are none."""
    fields = _fields_in(genotype) if isinstance(genotype, str) else genotype
    fields = fields._asdict() if hasattr(fields, "_asdict") else fields
    if not isinstance(fields, Mapping) or set(KINDS) - set(fields):
        raise ValueError(f"Expected a genotype with the fields normal and reduce, got {genotype!r}.")
    return fields


def nodes_in(fields: Mapping[str, Any], kind: str) -> list[Node]:
    """The nodes of a genotype's cell, each of (operation, source) pairs; ValueError where there are none."""
    given = fields[kind]
    try:
        nodes = [given[i : i + 2] for i in range(0, len(given), 2)] if isinstance(given[0][0], str) else given
        return [[(str(operation), int(source)) for operation, source in node] for node in nodes]
    except (TypeError, ValueError, LookupError) as error:
        raise ValueError(
            f"{kind} of a genotype is a list of (operation, source) pairs, not {fields[kind]!r}."
        ) from error


def _fields_in(text: str) -> dict[str, Any] | None:
    """The arguments in "NAME = Genotype(normal=[…], normal_concat=range(2, 6), …)"; None for any other text."""
    try:
        (statement,) = ast.parse(text.strip()).body
        return {field.arg: _literal(field.value) for field in statement.value.keywords}
    except (SyntaxError, AttributeError, ValueError, TypeError):
        return None


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "range":
        return range(*map(ast.literal_eval, node.args))
    return ast.literal_eval(node)


def pair_graph(nodes: Sequence[Node], loose: Iterable[int]) -> Cell:
    """A cell with two inputs as a graph; the nodes in `loose` are concatenated into the output."""
    names = ["input 0", "input 1", *(f"node {i + 2}" for i in range(len(nodes)))]
    edges = [CellEdge(names[source], names[i + 2], op) for i, node in enumerate(nodes) for op, source in node]
    return Cell((*names, "output"), (*edges, *(CellEdge(names[i], "output", "") for i in loose)))


def edge_operation(op: str, channels: int, stride: int, evaluation: bool) -> nn.Module:
    """One operation; in search every pool is followed by batch norm, in evaluation it is not."""
    module = ops.DARTS[op](channels, stride, evaluation)
    if "pool" in op and not evaluation:
        return ops.named(pool=module, norm=nn.BatchNorm2d(channels, affine=False))
    return module


class DARTSCell(DagCell):
    """Two inputs (outputs of the two cells before), four nodes that add up edges; output: the nodes concatenated."""

    def __init__(
        self,
        space: DARTS,
        kind: str,
        inputs: tuple[int, int],
        channels: int,
        after_reduction: bool,
        candidates: Candidates,
        evaluation: bool,
    ):
        super().__init__()
        self.kind = kind
        self.incoming = [
            [(name, source) for name, node, source in space.edge_names if node == i] for i in range(space.nodes)
        ]
        squeeze = ops.FactorizedReduce if after_reduction else _pointwise
        self.preprocess = nn.ModuleList(
            [squeeze(inputs[0], channels, affine=evaluation), _pointwise(inputs[1], channels, affine=evaluation)]
        )
        self.edges = nn.ModuleDict()
        for name, _, source in space.edge_names:
            stride = 2 if kind == "reduce" and source < 2 else 1
            names = candidates(kind, name, space.operations)
            built = {op: edge_operation(op, channels, stride, evaluation) for op in names}
            if built:
                self.edges[name] = Edge(built)

    def forward(self, inputs: Sequence[Tensor], active: Mapping[str, str | Tensor]) -> Tensor:
        """Two tensors (B, ·, H, W) → (B, nodes·channels, H, W), or half of H and W in a reduction cell."""
        states = [squeeze(x) for squeeze, x in zip(self.preprocess, inputs, strict=True)]  # 2 × (B, channels, H, W)
        return torch.cat(self.node_states(states, active)[2:], dim=1)


def _pointwise(inputs: int, outputs: int, affine: bool) -> nn.Sequential:
    return ops.relu_conv(inputs, outputs, 1, affine=affine)


class AuxiliaryHead(nn.Module):
    """A second classifier, used in training only, at two thirds of the depth, on states of 8×8  (DARTS, §A.2)."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.features = ops.named(
            relu=nn.ReLU(),
            pool=nn.AvgPool2d(5, stride=3, padding=0, count_include_pad=False),
            conv1=nn.Conv2d(channels, 128, 1, bias=False),
            norm1=nn.BatchNorm2d(128),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(128, 768, 2, bias=False),
            norm2=nn.BatchNorm2d(768),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
        )
        self.classifier = nn.Linear(768, classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, channels, 8, 8) or larger → logits (B, classes); ValueError where it is smaller."""
        if min(x.shape[-2:]) < 8:
            raise ValueError(
                f"The auxiliary head reads states of at least 8×8 pixels but got {x.shape[-2]}×{x.shape[-1]}; "
                "use pictures of at least 32×32, or train with auxiliary=0."
            )
        return self.classifier(self.features(x))


class CellChain(Skeleton):
    """Stem → `cells`, each fed by the two before it → head; `auxiliary` reads what `cells[auxiliary_cell]` gives."""

    def features(self, x: Tensor, active_ops: ActiveOps) -> Tensor:
        """x: (B, image_channels, H, W) → (B, C', H/4, W/4)."""
        return self.states(x, active_ops)[-1]

    def states(self, x: Tensor, active_ops: ActiveOps) -> list[Tensor]:
        """The stem's output twice, then the output of every cell."""
        states = [self.stem(x)] * 2
        for cell in self.cells:
            states.append(cell(states[-2:], active_ops[cell.kind]))
        return states

    def with_auxiliary(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the network and of its auxiliary head, (B, classes) each."""
        with self.mixed_precision(x):
            states = self.states(x, self.own_ops)
            logits, side_logits = self.head(states[-1]), self.auxiliary(states[self.auxiliary_cell + 2])
        return self.whole(logits), self.whole(side_logits)


class DARTSNetwork(CellChain):
    """Stem → cells, each fed by the two before it → global average pool → linear; for evaluation an auxiliary head."""

    def __init__(self, space: DARTS, candidates: Candidates, form: Form):
        super().__init__()
        reductions = {space.cells // 3, 2 * space.cells // 3}
        width, channels = 3 * space.channels, space.channels
        self.stem = ops.conv_norm(form.image_channels, width, 3)
        before, last, self.cells = width, width, nn.ModuleList()
        for i in range(space.cells):
            kind = "reduce" if i in reductions else "normal"
            channels *= 2 if kind == "reduce" else 1
            sizes = (before, last), channels, i - 1 in reductions
            self.cells.append(DARTSCell(space, kind, *sizes, candidates, form.evaluation))
            before, last = last, space.nodes * channels
            if form.evaluation and i == 2 * space.cells // 3:
                self.auxiliary = AuxiliaryHead(last, form.classes)
        self.head = ops.classifier(last, form.classes, form.dropout)
        self.auxiliary_cell = 2 * space.cells // 3
