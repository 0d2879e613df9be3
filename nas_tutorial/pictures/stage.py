"""A space as one SVG in which everything has its place, and the changes that make a picture of it.

    stage(space)                              everything that may be chosen, on one sheet
    render(space, changes, alt, notes)        the same sheet after changes, as text; about a millisecond
    Changes = {group: {part: {attribute: value}}}, plain strings that fit into JSON

A group is a `<g data-key="…">`, and what may change in it has a `data-part`. Groups, by the keys of `layout`:

- "edge KEY": line, head (the arrowhead), title. Attributes data-edge, data-source, data-target, data-decisions.
- "box KEY": frame, ring, name, strip (white ground), 0, 1, … (one bar for each operation in it), note, arm, point (line
  and arrowhead to the node, where it has its own), title. Attributes data-box, data-edge (all edges that it may act on,
  separated by commas), data-decisions.
- "node KEY": frame, name, title. Attribute data-node.
- "skip KEY": frame, fill (grows from the bottom), name (the number of the layer that it comes from), title. Attributes
  as an edge; data-layer is the layer that adds it.
- "layer NUMBER": bands that make its row and its column stand out. Attribute data-layer; hidden at first.

The part "group" stands for the `<g>` itself; its display is "none" or "inline". The attribute "text" is the text in the
element. So a script shows changes like this:

    for (const [key, parts] of Object.entries(changes)) for (const [part, values] of Object.entries(parts)) {
      const g = svg.querySelector(`[data-key="${key}"]`);
      const e = part === "group" ? g : g.querySelector(`[data-part="${part}"]`);
      for (const [name, value] of Object.entries(values))
        name === "text" ? e.textContent = value : e.setAttribute(name, value);
    }

No element has an id, so that any number of pictures fits on a page.
"""

import html
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from nas_tutorial.pictures.layout import SQUARE, layout
from nas_tutorial.pictures.picture import FONT, NAME, STYLE
from nas_tutorial.pictures.places import Box, Edge, Layout, Node, Square, Tip, Words
from nas_tutorial.pictures.style import style_of
from nas_tutorial.spaces import Space

DASHES = {"solid": "none", "dashed": "8 4", "dotted": "2 4"}
STRIP, STRIP_HIGH = 54, 8  # pixels: the bars that show all probabilities of a box
INSIDE = SQUARE - 6  # side of what fills a square
LINE, LETTER = 21, 7.6  # from one line of notes to the next; width of a letter in the widest of usual fonts

Parts = Mapping[str, Mapping[str, str]]
Changes = Mapping[str, Parts]


def stage(space: Space) -> str:
    """Everything that the space may choose, nothing of it chosen."""
    return render(space, {}, f"All that may be chosen in the {space.name} space.")


def render(
    space: Space, changes: Changes, alt: str, notes: Sequence[str] = (), everything: bool = True, legend: bool = True
) -> str:
    """The sheet after some changes, as one self-contained `<svg>` element.

    alt: the picture in words; notes: lines below it; everything: keep what is hidden, so that later changes can show
    it; legend: name the operations below.
    """
    places = layout(space)
    body = _parts(space, changes, everything)
    foot, height = _foot(space.operations if legend else (), notes, places)
    return sheet(places.width, height, "".join((*body, foot)), alt)


def sheet(width: float, height: float, body: str, alt: str, title: str = "") -> str:
    """SVG elements on a white card with round corners, with title and description, in a size that shrinks to the page.

    On white, because most places show a picture as an image that cannot know the page's colours; in a page of a dark
    theme, `picture.STYLE` makes the card dark.
    """
    alt, title = html.escape(alt), html.escape(title or alt.split(". ")[0])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{alt}" class="{NAME}" style="max-width:100%;height:auto" '
        f'font-family="{FONT}" font-size="13"><title>{title}</title><desc>{alt}</desc><style>{STYLE}</style>'
        f'<rect width="{width:g}" height="{height:g}" rx="10" fill="#FFFFFF"/>{body}</svg>'
    )


def _parts(space: Space, changes: Changes, everything: bool) -> Iterator[str]:
    """All groups from back to front, then the words."""
    for key, (data, elements) in _groups(space):
        change = changes.get(key, {})
        whole = data | change.get("group", {})
        if everything or whole.get("display") != "none":
            whole = whole if everything else _shortened(whole)
            inside = (_element(tag, part, base, change.get(part, {}), everything) for tag, part, base in elements)
            yield f'<g data-key="{html.escape(key)}"{_written(whole)}>{"".join(inside)}</g>'
    yield from map(_words, layout(space).words)


Element = tuple[str, str, dict[str, str]]
"""Tag, part and attributes."""


@lru_cache(maxsize=16)
def _groups(space: Space) -> list[tuple[str, tuple[dict[str, str], list[Element]]]]:
    """Key, attributes and elements of each group before any change: lines at the back, then boxes, nodes, squares."""
    places, operations = layout(space), len(space.operations)
    return [
        *((f"layer {i}", _layer(i, places)) for i in range(1, len(places.nodes) - 1) if places.squares),
        *((f"edge {edge.key}", _edge(edge)) for edge in places.edges),
        *((f"box {box.key}", _box(box, operations)) for box in places.boxes),
        *((f"node {node.key}", _node(node)) for node in places.nodes),
        *((f"skip {square.key}", _skip(square)) for square in places.squares),
    ]


USUAL = {
    "display": "inline",
    "stroke-dasharray": "none",
    "opacity": "1",
    "data-ink": "keep",
    "stroke": "none",
    "font-size": "13",
}
"""What need not be written."""


def _shortened(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if USUAL.get(name) != value}


def _element(tag: str, part: str, base: dict[str, str], change: Mapping[str, str], everything: bool) -> str:
    values = {**base, **change} if everything else _shortened({**base, **change})
    if values.get("display") == "none" and not everything:
        return ""
    text = html.escape(values.pop("text", ""), quote=False)
    return f'<{tag} data-part="{part}"{_written(values)}>{text}</{tag}>'


def _written(values: Mapping[str, str]) -> str:
    return "".join(f' {name}="{html.escape(value)}"' for name, value in values.items())


# --- groups as they are before any change -----------------------------------------------------------------------------
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


def _words(words: Words) -> str:
    return f'<text x="{words.x:g}" y="{words.y:g}" text-anchor="{words.anchor}">{html.escape(words.text)}</text>'


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


# --- below the picture ------------------------------------------------------------------------------------------------
def _foot(operations: Sequence[str], notes: Sequence[str], places: Layout) -> tuple[str, float]:
    """The names of the operations and the notes as SVG elements, and where they end."""
    rows, y = [], places.height + 6
    for row in _rows(operations, places.width - 30):
        rows += [_swatch(operation, x, y) for operation, x in row]
        y += LINE
    for line in (line for note in notes for line in textwrap.wrap(note, int((places.width - 30) / LETTER))):
        rows.append(_words(Words(line, 15, y + 4)))
        y += LINE
    return "".join(rows), y if rows else places.height


def _rows(operations: Sequence[str], width: float) -> Iterator[list[tuple[str, float]]]:
    """Operations with where each begins, as many in a row as fit."""
    row, x = [], 15.0
    for operation in operations:
        wide = 36 + LETTER * len(operation)
        if row and x + wide > width + 15:
            yield row
            row, x = [], 15.0
        row.append((operation, x))
        x += wide
    if row:
        yield row


def _swatch(operation: str, x: float, y: float) -> str:
    return (
        f'<rect x="{x:g}" y="{y - 6:g}" width="16" height="12" fill="{style_of(operation).colour}"/>'
        f'<text x="{x + 21:g}" y="{y + 4.5:g}">{html.escape(operation)}</text>'
    )
