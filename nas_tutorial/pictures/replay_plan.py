"""Where a replay draws what: the places of a space, the edges that an architecture has there, and how they look."""

import string
from collections.abc import Iterator, Mapping
from typing import Any

from nas_tutorial.pictures.chances import Tables, on_edges
from nas_tutorial.pictures.places import Edge, Layout, Square, Tip
from nas_tutorial.pictures.style import style_of
from nas_tutorial.spaces import Architecture, CellEdge, Space

LETTERS = string.digits + string.ascii_letters
"""One for each look that an edge can have, so that an architecture is a word of as many letters as there are edges."""
ABSENT = "."
STEPS = 10_000
"""Probabilities are whole numbers of this fraction."""
WHITE = "#FFFFFF"
DASHES = {"solid": "", "dashed": "7 4", "dotted": "2 4"}


def plan(places: Layout) -> dict[str, Any]:
    """All places as plain values, in the order in which the script of the page reads them."""
    numbers = {edge.key: i for i, edge in enumerate(places.edges)}
    return {
        "size": [places.width, places.height],
        "nodes": [[node.label, node.x, node.y, node.w, node.h] for node in places.nodes],
        "edges": [[edge.path, arrowhead(edge.tip)] for edge in places.edges],
        "boxes": [
            [box.x, box.y, box.w, box.h, [numbers[key] for key in box.edges], box.path, arrowhead(box.tip)]
            for box in places.boxes
        ],
        "squares": [[square.x, square.y] for square in places.squares],
        "words": [[words.text, words.x, words.y, words.anchor] for words in places.words],
    }


def arrowhead(tip: Tip | None) -> str:
    """The path of an arrowhead; empty without a tip."""
    if tip is None:
        return ""
    back = tip.y - 9 if tip.way == "down" else tip.y + 9
    return f"M{tip.x:g} {tip.y:g}L{tip.x - 5:g} {back:g}H{tip.x + 5:g}Z"


def likely(space: Space, places: Layout, tables: Tables | None) -> list[list[int]]:
    """For each edge, then each square: how probable each operation is there; nothing where that is not known."""
    try:
        known = on_edges(space, tables or {})
    except ValueError:  # other tables than those of a mixture or a policy
        return []
    return [[round(STEPS * p) for p in known.get(place.key, ())] for place in (*places.edges, *places.squares)]


class Looks:
    """The looks of edges that were met so far, each with its letter."""

    def __init__(self) -> None:
        self._letters: dict[tuple[str, bool], str] = {}

    def word(self, architecture: Architecture, places: Layout) -> str:
        """A letter for each edge, then for each square."""
        return "".join(map(self._letter, edges(architecture, places)))

    def _letter(self, look: tuple[str, bool] | None) -> str:
        return ABSENT if look is None else self._letters.setdefault(look, LETTERS[len(self._letters)])

    def to_record(self) -> dict[str, dict[str, Any]]:
        """Letter → operation, and how it is drawn."""
        return {letter: _look(operation, is_dead) for (operation, is_dead), letter in self._letters.items()}


def edges(architecture: Architecture, places: Layout) -> Iterator[tuple[str, bool] | None]:
    """For each edge, then each square: its operation ("": data just flow) and whether it is dead; None: not there."""
    cells, active = architecture.cells, active_ops(architecture)
    for place in (*places.edges, *places.squares):
        cell, operation = cells[place.key.partition("/")[0]], _operation(place, active)
        edge = CellEdge(*(key.partition("/")[2] for key in (place.source, place.target)), operation or "")
        yield None if operation is None or edge not in cell.edges else (operation, edge in cell.dead_edges)


def active_ops(architecture: Architecture) -> dict[str, str]:
    """The operation on each edge in use, by the keys of `layout`."""
    return {f"{cell}/{name}": op for cell, ops in architecture.active_ops.items() for name, op in ops.items()}


def _operation(place: Edge | Square, active: Mapping[str, str]) -> str | None:
    """Lines to the output of a cell have no operation."""
    return "" if place.key.partition("/")[2].startswith("out") else active.get(place.key)


def _look(operation: str, is_dead: bool) -> dict[str, Any]:
    if not operation:
        return {"operation": "", "colour": "#888888", "dash": "", "dead": is_dead}
    look = style_of(operation).dead if is_dead else style_of(operation)
    return {
        "operation": operation,
        "colour": look.colour,
        "dash": DASHES[look.line],
        "fill": "" if look.fill == WHITE else look.fill,  # the page knows whether its ground is light or dark
        "ink": "" if look.fill == WHITE else look.ink,
        "frame": next((DASHES[kind] for kind in look.outline.split(",") if kind in DASHES), ""),
        "round": "rounded" in look.outline,
        "double": look.rings > 1,
        "dead": is_dead,
    }
