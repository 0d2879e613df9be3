"""Where a macro network is drawn: layers in a column, beside them a triangle of squares for their skips."""

from collections.abc import Iterator, Mapping, Sequence

from nas_tutorial.pictures.places import (
    BOX_HIGH,
    BOX_WIDE,
    HEAD,
    MARGIN,
    NODE_HIGH,
    Box,
    Edge,
    Layout,
    Node,
    Square,
    Tip,
    Words,
)
from nas_tutorial.spaces import Space

ROW, SQUARE = 44, 28  # pixels from layer to layer; from square to square


def macro(space: Space, index: Mapping[str, int]) -> Layout:
    """The places of a space with `layers`; index: of each decision among all, by its name."""
    top, middle = 60, 90 + BOX_WIDE / 2
    left, last = middle + BOX_WIDE / 2 + 40, space.layers + 1
    names = ["stem", *(f"layer {k + 1}" for k in range(space.layers)), "output"]
    columns = [middle if i in (0, last) else 45 for i in range(last + 1)]
    nodes = [
        Node(f"network/{name}", name, x, top + i * ROW) for i, (name, x) in enumerate(zip(names, columns, strict=True))
    ]
    edges, boxes = zip(*(_layer(nodes, k, middle, index) for k in range(space.layers)), strict=True)
    edges += (_down("network/out", nodes, space.layers, middle),)
    return Layout(
        left + max(space.layers - 1, 9) * SQUARE,
        nodes[-1].bottom + MARGIN,
        tuple(nodes),
        edges,
        boxes,
        tuple(_squares(nodes, left, index)),
        tuple(_headings(space.layers, left, top)),
    )


def _squares(nodes: Sequence[Node], left: float, index: Mapping[str, int]) -> Iterator[Square]:
    """Row k of the triangle has a square for each of tensors 0 to k − 1; layers count from 0 here."""
    for k in range(1, len(nodes) - 2):
        for i in range(k):
            asked = (index[f"{k}.skip.{i}"],)
            x = left + i * SQUARE
            yield Square(f"network/skip {k}<{i}", nodes[i].key, nodes[k + 1].key, asked, x, nodes[k + 1].y)


def _layer(nodes: Sequence[Node], k: int, x: float, index: Mapping[str, int]) -> tuple[Edge, Box]:
    key = f"network/op {k}"
    return _down(key, nodes, k, x), Box(key, (key,), (index[f"{k}.op"],), nodes[k + 1].label, x, nodes[k + 1].y)


def _down(key: str, nodes: Sequence[Node], k: int, x: float) -> Edge:
    """The arrow from row k of the column to the next one."""
    start, end = (nodes[i].y for i in (k, k + 1))
    tip = end - (NODE_HIGH if k + 2 == len(nodes) else BOX_HIGH) / 2
    path = f"M{x:g} {start + (BOX_HIGH if k else NODE_HIGH) / 2:g}V{tip - HEAD:g}"
    return Edge(key, nodes[k].key, nodes[k + 1].key, (), path, Tip(x, tip, "down"))


def _headings(layers: int, left: float, top: float) -> Iterator[Words]:
    """What the columns of the triangle are."""
    yield Words("Skips: also add the output of …", left - SQUARE / 2, top - 18)
    for i in range(layers - 1):
        yield Words("stem" if i == 0 else str(i), left + i * SQUARE, top + 6, "middle")
