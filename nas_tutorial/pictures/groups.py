"""The groups of a stage before anything is chosen: which elements each has, and where; see `stage`."""

from collections.abc import Sequence
from functools import lru_cache

from nas_tutorial.pictures.layers import SQUARE
from nas_tutorial.pictures.layout import layout
from nas_tutorial.pictures.places import Box, Edge, Layout, Node, Square, Tip
from nas_tutorial.spaces import Space

STRIP, STRIP_HIGH = 54, 8  # pixels: the bars that show all probabilities of a box
INSIDE = SQUARE - 6  # side of what fills a square

Element = tuple[str, str, dict[str, str]]
"""Tag, part and attributes."""


@lru_cache(maxsize=16)
def groups_of(space: Space) -> list[tuple[str, tuple[dict[str, str], list[Element]]]]:
    """Key, attributes and elements of each group before any change: lines at the back, then boxes, nodes, squares."""
    places, operations = layout(space), len(space.operations)
    return [
        *((f"layer {i}", _layer(i, places)) for i in range(1, len(places.nodes) - 1) if places.squares),
        *((f"edge {edge.key}", _edge(edge)) for edge in places.edges),
        *((f"box {box.key}", _box(box, operations)) for box in places.boxes),
        *((f"node {node.key}", _node(node)) for node in places.nodes),
        *((f"skip {square.key}", _skip(square)) for square in places.squares),
    ]


def _edge(edge: Edge) -> tuple[dict[str, str], list[Element]]:
    data = _ends(edge) | {"data-edge": edge.key}
    line = {"d": edge.path, "fill": "none", "stroke": "#666666", "stroke-width": "1.5", "stroke-dasharray": "none"}
    return data, [
        ("title", "title", {"text": edge.label}),
        ("path", "line", line),
        ("path", "head", {"d": head(edge.tip), "fill": "#666666", "stroke": "none"}),
    ]


def _box(box: Box, operations: int) -> tuple[dict[str, str], list[Element]]:
    data = {"data-box": box.key, "data-edge": ",".join(box.edges), "data-decisions": _numbers(box.decisions)}
    x, y, hidden = box.x - box.w / 2, box.y - box.h / 2, {"display": "none"}
    arm = {"d": box.path, "fill": "none", "stroke": "#666666", "stroke-width": "1.5"}
    arms = [("path", "arm", arm), ("path", "point", {"d": head(box.tip), "fill": "#666666"})] if box.tip else []
    bars = [("rect", str(i), bar(box, 0, 0) | hidden) for i in range(operations)]
    return data, [
        ("title", "title", {"text": box.label}),
        *arms,
        ("rect", "frame", _rect(x, y, box.w, box.h) | {"rx": "4", "fill": "#FFFFFF", "stroke": "#666666"}),
        ("rect", "ring", _rect(x + 3, y + 3, box.w - 6, box.h - 6) | {"fill": "none", "stroke": "#000000"} | hidden),
        ("text", "name", {"x": f"{box.x:g}", "y": f"{box.y + 4.5:g}", "text-anchor": "middle"}),
        ("rect", "strip", bar(box, 0, 1) | {"fill": "#FFFFFF", "stroke": "#FFFFFF", "stroke-width": "2"} | hidden),
        *bars,
        (
            "text",
            "note",
            {"x": f"{box.x + 44:g}", "y": f"{box.y + 12:g}", "text-anchor": "end", "font-size": "11"} | hidden,
        ),
    ]


def _node(node: Node) -> tuple[dict[str, str], list[Element]]:
    frame = _rect(node.x - node.w / 2, node.top, node.w, node.h) | {"rx": "6", "fill": "#EEEEEE", "stroke": "#000000"}
    name = {"x": f"{node.x:g}", "y": f"{node.y + 4.5:g}", "text-anchor": "middle", "text": node.label}
    return {"data-node": node.key}, [
        ("title", "title", {"text": node.label}),
        ("rect", "frame", frame),
        ("text", "name", name),
    ]


def _skip(square: Square) -> tuple[dict[str, str], list[Element]]:
    data = _ends(square) | {"data-edge": square.key, "data-layer": square.target.rpartition(" ")[2]}
    side = INSIDE + 2
    source = square.source.rpartition("/")[2]
    name = "s" if source == "stem" else source.rpartition(" ")[2]
    frame = _rect(square.x - side / 2, square.y - side / 2, side, side) | {"fill": "#FFFFFF", "stroke": "#BBBBBB"}
    return data, [
        ("title", "title", {"text": square.label}),
        ("rect", "frame", frame),
        ("rect", "fill", level(square, 0)),
        (
            "text",
            "name",
            {"x": f"{square.x:g}", "y": f"{square.y + 4:g}", "text-anchor": "middle", "font-size": "11", "text": name},
        ),
    ]


def level(square: Square, part: float) -> dict[str, str]:
    """What fills a square to this part (0 to 1), from its bottom."""
    high = round(INSIDE * part, 1)
    return _rect(square.x - INSIDE / 2, square.y + INSIDE / 2 - high, INSIDE, high) | {"fill": "#9CC7EA"}


def _layer(number: int, places: Layout) -> tuple[dict[str, str], list[Element]]:
    """A band behind a layer's row, and one behind the column of squares that add its output."""
    node = places.nodes[number]
    row = [s for s in places.squares if s.target == node.key]
    column = [s for s in places.squares if s.source == node.key]
    look = {"fill": "#FFE9A8", "rx": "6"}
    wide = max((s.x + SQUARE / 2 for s in row), default=places.boxes[0].x + 60) - 6
    bands = [("rect", "row", _rect(6, node.y - 20, wide, 40) | look)]
    if column:
        x, top, bottom = column[0].x - SQUARE / 2, column[0].y - 16, column[-1].y + 16
        bands.append(("rect", "column", _rect(x, top, SQUARE, bottom - top) | look))
    return {"data-layer": str(number), "display": "none"}, bands


def _ends(edge: Edge | Square) -> dict[str, str]:
    return {"data-source": edge.source, "data-target": edge.target, "data-decisions": _numbers(edge.decisions)}


def _numbers(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))


def _rect(x: float, y: float, w: float, h: float) -> dict[str, str]:
    return {"x": f"{x:g}", "y": f"{y:g}", "width": f"{w:g}", "height": f"{h:g}"}


def bar(box: Box, start: float, end: float) -> dict[str, str]:
    """The part of a box's strip from one share (0 to 1) to another."""
    x = box.x - 44 + STRIP * start
    return _rect(round(x, 1), box.y + 4, round(STRIP * (end - start), 1), STRIP_HIGH)


def head(tip: Tip) -> str:
    """An arrowhead that ends there."""
    x, y, way = tip
    back = y - 10 if way == "down" else y + 10
    return f"M{x:g} {y:g}L{x - 6:g} {back:g}H{x + 6:g}Z"
