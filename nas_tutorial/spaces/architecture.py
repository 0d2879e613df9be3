"""What an architecture is: one answer per decision of its space; and the graphs that it is drawn as."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from nas_tutorial.networks.edges import ActiveOps

if TYPE_CHECKING:
    from nas_tutorial.spaces.base import Space


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


class Architecture:
    """One answer per decision of a space: immutable, hashable, printable.

    Two architectures are equal when decisions and answers agree, whatever the number of channels or cells of their
    space. Make them with `space.sample`, `space.parse`, `space.architecture`, `space.enumerate` or `spaces.from_json`.
    """

    __slots__ = ("space", "choices")

    def __init__(self, space: Space, choices: Sequence[int]):
        object.__setattr__(self, "space", space)
        object.__setattr__(self, "choices", tuple(int(c) for c in choices))
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

    def mutated(self, decision: int, choice: int) -> Architecture:
        """The neighbour that answers one decision (its index) differently."""
        return Architecture(self.space, (*self.choices[:decision], choice, *self.choices[decision + 1 :]))

    def to_json(self) -> str:
        """JSON text with space name, sizes and the architecture's string; read back by `spaces.from_json`."""
        return json.dumps({**self.space.to_record(), "architecture": str(self)})
