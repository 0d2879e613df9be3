"""What has a place in a drawing: nodes, lines between them, boxes of operations, squares of skips, and words.

x to the right and y down, in pixels. A path is in the notation of SVG.
"""

from dataclasses import dataclass
from typing import NamedTuple

NODE_WIDE, NODE_HIGH = 60, 28
BOX_WIDE, BOX_HIGH = 100, 34
HEAD = 9  # length of an arrowhead
MARGIN = 15  # around all


class Tip(NamedTuple):
    """Where an arrowhead ends, and whether it points "up" or "down"."""

    x: float
    y: float
    way: str


class Node(NamedTuple):
    """A node of a cell or a layer of a network; x, y: its middle."""

    key: str
    label: str
    x: float
    y: float
    w: float = NODE_WIDE
    h: float = NODE_HIGH

    @property
    def top(self) -> float:
        return self.y - self.h / 2

    @property
    def bottom(self) -> float:
        return self.y + self.h / 2


class Edge(NamedTuple):
    """A line between two nodes (their keys).

    decisions: indices of those that say whether it is there, or what acts on it; none for lines that are always there.
    """

    key: str
    source: str
    target: str
    decisions: tuple[int, ...]
    path: str
    tip: Tip

    @property
    def label(self) -> str:
        """Its two ends in words."""
        return _arrow(self.source, self.target)


class Box(NamedTuple):
    """The place of an operation; x, y: its middle; edges: keys of those that it may act on; label: which it is.

    path, tip: a line that leads from it to its node, where that line is no edge's own.
    """

    key: str
    edges: tuple[str, ...]
    decisions: tuple[int, ...]
    label: str
    x: float
    y: float
    path: str = ""
    tip: Tip | None = None
    w: float = BOX_WIDE
    h: float = BOX_HIGH


class Square(NamedTuple):
    """The place of a skip in the triangle; x, y: its middle."""

    key: str
    source: str
    target: str
    decisions: tuple[int, ...]
    x: float
    y: float

    @property
    def label(self) -> str:
        """Its two ends in words."""
        return _arrow(self.source, self.target)


def _arrow(source: str, target: str) -> str:
    """ "normal/input 0", "normal/node 2" → "input 0 → node 2"."""
    return " → ".join(key.partition("/")[2] for key in (source, target))


class Words(NamedTuple):
    """Words that never change; anchor: whether x is their "start", "middle" or "end"."""

    text: str
    x: float
    y: float
    anchor: str = "start"


@dataclass(frozen=True)
class Layout:
    """All places on a sheet of this size."""

    width: float
    height: float
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    boxes: tuple[Box, ...] = ()
    squares: tuple[Square, ...] = ()
    words: tuple[Words, ...] = ()

    def __add__(self, other: "Layout") -> "Layout":
        """Both on one sheet."""
        return Layout(
            max(self.width, other.width),
            max(self.height, other.height),
            self.nodes + other.nodes,
            self.edges + other.edges,
            self.boxes + other.boxes,
            self.squares + other.squares,
            self.words + other.words,
        )


def hanging(x: float, y: float, u: float, v: float, lane: float) -> str:
    """A path from (x, y) vertically to a lane above or below, along it to the right, and vertically back to (u, v)."""
    r = 10 if lane > y else -10
    return (
        f"M{x:g} {y:g}V{lane - r:g}Q{x:g} {lane:g} {x + 10:g} {lane:g}"
        f"H{u - 10:g}Q{u:g} {lane:g} {u:g} {lane - r:g}V{v:g}"
    )
