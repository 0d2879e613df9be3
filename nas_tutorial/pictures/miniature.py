"""Cells so small that a hundred fit on one sheet: a letter and a colour for each operation, the names in a legend."""

import html
import math
import re
from collections.abc import Sequence

from nas_tutorial.pictures.style import Style, looks, style_of
from nas_tutorial.spaces import Cell

PAGE = 1100  # width of a sheet of miniatures, in pixels
GAP, LEGEND, CAPTION = 10, 36, 18
DASHES = {"solid": "", "dashed": ' stroke-dasharray="6 3"', "dotted": ' stroke-dasharray="1.5 3.5"'}
Point = tuple[int, int]


def miniature(cell: Cell) -> str:
    """The cell as an `<svg>` element: nodes on an arch from input (left) to output (right), a disc on each edge."""
    width, height = 38 * len(cell.nodes) - 38, 29 * len(cell.nodes) - 29
    at = {name: _place(i / (len(cell.nodes) - 1), width, height) for i, name in enumerate(cell.nodes)}
    drawn = [(at[edge.source], at[edge.target], look) for edge, look in zip(cell.edges, looks(cell), strict=True)]
    lines = "".join(_line(*edge) for edge in drawn)
    discs = "".join(_disc(*_middle(start, end), look) for start, end, look in drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<g stroke-width="2.5">{lines}</g>{discs}{_nodes(at, cell.dead_nodes)}</svg>'
    )


def _nodes(at: dict[str, Point], dead: Sequence[str]) -> str:
    """A ring for the input, a dot for every other node; grey where it is dead."""
    (first, (x, y)), *others = at.items()
    ink, dots = ("#999" if first in dead else "#000"), {True: "", False: ""}
    for name, (u, v) in others:
        dots[name in dead] += f"M{u - 4} {v}a4 4 0 1 0 0-.1"
    grey = f'<path d="{dots[True]}" fill="#999"/>' if dots[True] else ""
    return f'<path d="{dots[False]}"/>{grey}<circle cx="{x}" cy="{y}" r="3.5" fill="#FFF" stroke="{ink}"/>'


def _place(part: float, width: int, height: int) -> Point:
    """A point at this part (0 to 1) of a half ellipse, left to right, in pixels."""
    angle = math.pi * (1 - part)
    return round(width / 2 + (width / 2 - 6) * math.cos(angle)), round(height - 13 - (height - 19) * math.sin(angle))


def _line(start: Point, end: Point, look: Style) -> str:
    thin = ' stroke-width="1"' if look.is_dead else ""
    ends = f"M{start[0]} {start[1]}L{end[0]} {end[1]}"
    return f'<path d="{ends}" stroke="{_short(look.colour)}"{thin}{DASHES[look.line]}/>'


def _middle(start: Point, end: Point) -> tuple[float, float]:
    return (start[0] + end[0]) / 2, (start[1] + end[1]) / 2


def _disc(x: float, y: float, look: Style) -> str:
    """A disc with the operation's letter; the size and place of the letter are set for the whole page."""
    outline = "" if look.fill == look.colour else f' stroke="{_short(look.colour)}"'
    outline += ' stroke-dasharray="2 2"' if look.is_dead else ""
    ink = "" if look.ink == "#000000" else f' fill="{_short(look.ink)}"'
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="9" fill="{_short(look.fill)}"{outline}/>'
        f'<text x="{x:g}" y="{y + 4:g}"{ink}>{html.escape(look.sign)}</text>'
    )


def _short(colour: str) -> str:
    """#AABBCC as #ABC, which SVG reads alike."""
    return "#" + colour[1::2] if colour[1::2] == colour[2::2] else colour


def legend(operations: Sequence[str], any_dead: bool) -> tuple[str, int]:
    """The letters and names of the operations in one row, as SVG elements, and the width of the row.

    any_dead: whether something dead is drawn, so that a word has to say how that looks.
    """
    items, x = [], 12
    for operation in operations:
        items.append(_disc(x, 13, style_of(operation)) + _text(operation, x + 14))
        x += 50 + 8 * len(operation)
    rest = "○ input → ● output" + ("; grey and dashed: dead" if any_dead else "")
    return "".join((*items, _text(rest, x))), x + 8 * len(rest)


def _text(text: str, x: int) -> str:
    return f'<text x="{x}" y="17.5" font-size="14" text-anchor="start">{html.escape(text)}</text>'


def fitting(part: str) -> int:
    """How many pictures as wide as this one fit in a row of a page."""
    return int(PAGE // (_size(part)[0] + GAP))


def grid(parts: Sequence[str], columns: int, captions: Sequence[str] | None, legend: tuple[str, int], alt: str) -> str:
    """`<svg>` elements in rows and columns of equal size, with captions below each, as one `<svg>` under a legend.

    legend: SVG elements, empty for none, and their width.
    """
    wide, high = (math.ceil(max(side)) for side in zip(*map(_size, parts), strict=True))
    top, step = (LEGEND if legend[0] else 0), high + GAP + (CAPTION if captions else 0)
    body = [legend[0]]
    for i, part in enumerate(parts):
        x, y = i % columns * (wide + GAP), top + i // columns * step
        body.append(_put(part, x, y) + (_caption(captions[i], x + wide / 2, y + high + 13) if captions else ""))
    width = max(min(columns, len(parts)) * (wide + GAP), legend[1])
    return _page("".join(body), width, top + math.ceil(len(parts) / columns) * step, alt)


def _size(part: str) -> tuple[float, float]:
    width, height = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', part).groups()
    return float(width), float(height)


def _put(part: str, x: int, y: int) -> str:
    """A picture at a place on the sheet, in its own size."""
    width, height = _size(part)
    opening, inside = part.split(">", 1)
    view = re.search(r' viewBox="[^"]*"', opening).group()
    view = "" if view == f' viewBox="0 0 {width:g} {height:g}"' else view  # which is what it would be anyway
    return f'<svg x="{x}" y="{y}" width="{width:g}" height="{height:g}"{view}>{inside}'


def _caption(text: str, x: float, y: float) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="13">{html.escape(text)}</text>'


def _page(body: str, width: int, height: int, alt: str) -> str:
    alt = html.escape(alt)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{alt}" style="max-width:100%;height:auto" '
        'font-family="Helvetica,Arial,sans-serif" font-size="12" text-anchor="middle">'
        f'<title>{alt}</title><rect width="{width}" height="{height}" fill="#FFF"/>{body}</svg>'
    )
