"""What an architecture is: one answer per decision of its space; and the graphs that it is drawn as."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from operator import index
from typing import TYPE_CHECKING, NamedTuple

from nas_tutorial.networks.edges import ActiveOps
from nas_tutorial.settings import shown, whole_number

if TYPE_CHECKING:
    from nas_tutorial.spaces.base import Space


NO_CONNECTION = {"none", "zero"}
"""Operations that let nothing through."""

FILTERLESS = NO_CONNECTION | {"", "skip", "skip_connect", "avg_pool_3x3", "max_pool_3x3", "conv_1x1", "nor_conv_1x1"}
"""Operations without a filter that spans neighbouring pixels: all but convolutions larger than 1×1."""


class Decision(NamedTuple):
    """One question of a search space: its name, the possible answers, and the table that it is a row of.

    Decisions of one table are shown together, such as the operations of all edges of a cell.
    """

    name: str
    options: tuple[str, ...]
    table: str


class CellEdge(NamedTuple):
    """An arrow of a drawn cell; an empty operation means that data just flows (into a sum or a concatenation)."""

    source: str
    target: str
    operation: str


class Cell(NamedTuple):
    """A cell to look at: node names in topological order (inputs first, "output" last) and the edges between them."""

    nodes: tuple[str, ...]
    edges: tuple[CellEdge, ...]

    @property
    def live(self) -> bool:
        """Whether a path leads from an input to the output, without an edge that lets nothing through."""
        return self.nodes[-1] in self._fed

    @property
    def dead_nodes(self) -> tuple[str, ...]:
        """Nodes that are on no path from an input to the output."""
        alive = self._fed & reachable([self.nodes[-1]], [(target, source) for source, target in self._open])
        return tuple(node for node in self.nodes if node not in alive)

    @property
    def dead_edges(self) -> tuple[CellEdge, ...]:
        """Edges on no path from an input to the output, and those with the operation "none".

        Through them nothing of the picture reaches the output; a constant, such as batch norm's shift, may.
        """
        dead = set(self.dead_nodes)
        return tuple(e for e in self.edges if e.operation in NO_CONNECTION or dead & {e.source, e.target})

    @property
    def _open(self) -> list[tuple[str, str]]:
        """(source, target) of the edges that let something through."""
        return [(e.source, e.target) for e in self.edges if e.operation not in NO_CONNECTION]

    @property
    def _fed(self) -> set[str]:
        """The inputs, which are the nodes that no edge enters, and all that is reached from them."""
        return reachable(set(self.nodes) - {edge.target for edge in self.edges}, self._open)


def reachable(starts: Iterable[str], arrows: Sequence[tuple[str, str]]) -> set[str]:
    """All nodes that (source, target) pairs lead to from these, themselves included."""
    reached = set(starts)
    while new := {target for source, target in arrows if source in reached} - reached:
        reached |= new
    return reached


def _whole(choices: Sequence[int]) -> tuple[int, ...]:
    """Answers as ints; ValueError where one is no whole number."""
    try:
        if isinstance(choices, str) or bool in map(type, choices):
            raise TypeError
        return tuple(index(choice) for choice in choices)
    except TypeError:
        raise ValueError(
            f"The answers are {shown(choices)}; give one option index per decision, whole numbers from 0."
        ) from None


class Architecture:
    """One answer per decision of a space: immutable, hashable, printable.

    Two architectures are equal when decisions and answers agree, whatever the number of channels or cells of their
    space. Make them with `space.sample`, `space.parse`, `space.architecture`, `space.enumerate` or `spaces.from_json`.
    """

    __slots__ = ("space", "choices")

    def __init__(self, space: Space, choices: Sequence[int]):
        object.__setattr__(self, "space", space)
        object.__setattr__(self, "choices", _whole(choices))
        space.check(self.choices)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            "An architecture cannot be changed; make a new one with `mutated` or `space.architecture`."
        )

    def __reduce__(self):
        return Architecture, (self.space, self.choices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self.choices == other.choices and self.space.asks_like(other.space)

    def __hash__(self) -> int:
        return hash((self.space.name, self.choices))

    def __str__(self) -> str:
        return self.space.format(self.choices)

    def __repr__(self) -> str:
        return f"<{self.space.name} {self}>"

    @property
    def answers(self) -> dict[str, str]:
        """Name of each decision → the option chosen."""
        return {d.name: d.options[c] for d, c in zip(self.space.decisions, self.choices, strict=True)}

    @property
    def active_ops(self) -> ActiveOps:
        """The operation on each edge in use, for a network's forward pass."""
        return self.space.active_ops(self.choices)

    @property
    def cells(self) -> dict[str, Cell]:
        """The cells as graphs, for drawing: {"cell": …} or {"normal": …, "reduce": …} or {"network": …}."""
        return self.space.graph(self.choices)

    @property
    def live(self) -> bool:
        """Whether pictures reach the output: whether every cell has a path from an input to its output."""
        return all(cell.live for cell in self.cells.values())

    @property
    def dead_edges(self) -> dict[str, tuple[CellEdge, ...]]:
        """For each cell the edges through which nothing flows, see `Cell.dead_edges`."""
        return {name: cell.dead_edges for name, cell in self.cells.items()}

    @property
    def warning(self) -> str:
        """A sentence for a user where the architecture is dead, or nearly dead; else empty.

        Nearly dead: no live edge of any cell is a convolution larger than 1×1. Filters that span neighbouring pixels
        are then in fixed parts of the network only, such as a 3×3 stem; where these have none either, as in the tiny
        space, such architectures hardly do better than chance.
        """
        live = {edge.operation for cell in self.cells.values() for edge in set(cell.edges) - set(cell.dead_edges)}
        if not self.live:
            return (
                "This architecture is dead: no path leads from input to output, so it answers the same to every "
                'picture. Do not train it; search longer, or leave "none" out.'
            )
        if live <= FILTERLESS:
            return (
                "This architecture is nearly dead: no path holds a convolution larger than 1×1, so only fixed parts of "
                "the network, if any, have filters that span neighbouring pixels. Search longer, or with another seed, "
                "and compare it with random ones."
            )
        return ""

    def mutated(self, decision: int, choice: int) -> Architecture:
        """The neighbour that answers one decision (its index) differently; ValueError where there is no such one."""
        whole_number("The index of the decision", decision, 0, len(self.choices) - 1)
        return Architecture(self.space, (*self.choices[:decision], choice, *self.choices[decision + 1 :]))

    def to_json(self) -> str:
        """JSON text with space name, sizes and the architecture's string; read back by `spaces.from_json`."""
        return json.dumps({**self.space.to_record(), "architecture": str(self)})
