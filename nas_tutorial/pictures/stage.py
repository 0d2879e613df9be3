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
from collections.abc import Iterator, Mapping, Sequence

from nas_tutorial.pictures.groups import groups_of
from nas_tutorial.pictures.layout import layout
from nas_tutorial.pictures.legend import foot, written
from nas_tutorial.pictures.picture import FONT, NAME, STYLE
from nas_tutorial.spaces import Space

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
    below, height = foot(space.operations if legend else (), notes, places)
    return sheet(places.width, height, "".join((*body, below)), alt)


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
    for key, (data, elements) in groups_of(space):
        change = changes.get(key, {})
        whole = data | change.get("group", {})
        if everything or whole.get("display") != "none":
            whole = whole if everything else _shortened(whole)
            inside = (_element(tag, part, base, change.get(part, {}), everything) for tag, part, base in elements)
            yield f'<g data-key="{html.escape(key)}"{_attributes(whole)}>{"".join(inside)}</g>'
    yield from map(written, layout(space).words)


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
    return f'<{tag} data-part="{part}"{_attributes(values)}>{text}</{tag}>'


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f' {name}="{html.escape(value)}"' for name, value in values.items())
