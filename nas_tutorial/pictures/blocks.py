"""A space of three edges on one sheet that can be read: a block, a row and a column for every answer."""

import html
from collections import defaultdict
from collections.abc import Iterator, Sequence

from matplotlib import colormaps
from matplotlib.colors import to_hex

from nas_tutorial.pictures.drawing import FONT, Picture
from nas_tutorial.pictures.style import Style, contrast, looks, style_of
from nas_tutorial.spaces import Cell, Space

WIDE, HIGH, GAP = 32, 32, 14  # pixels of a tile, and between two blocks
LEFT, TOP, BOTTOM = 190, 76, 58  # pixels around the blocks
DASHES = {"solid": "", "dashed": ' stroke-dasharray="5 3"', "dotted": ' stroke-dasharray="1 3"'}
PLACES = ((4, 25), (15, 6), (27, 25))  # of input, node 1 and output in a tile
Place = tuple[int, int]


def arches(space: Space, title: str, alt: str) -> Picture:
    """All cells of a space of three edges, each as a little arch: input left, node 1 on top, output right.

    What is dead is grey and thin. Raises ValueError for a space with other than three edges.
    """
    edges, lines, dots = _edges(space), defaultdict(str), ""
    for architecture, (x, y) in zip(space.enumerate(), _tiles(space), strict=True):
        at = [(x + u, y + v) for u, v in PLACES]
        for look, segment in _segments(architecture.cells["cell"], at):
            lines[_stroke(look)] += segment
        dots += "".join(f"M{u} {v}h0" for u, v in at)
    body = "".join(f'<path d="{path}" {stroke}/>' for stroke, path in lines.items())
    body += f'<path d="{dots}" stroke="#222" stroke-width="4.5" stroke-linecap="round"/>'
    return _sheet(space, edges, body, title, alt)


def numbers(space: Space, values: Sequence[float], title: str, alt: str, form: str = "{:g}") -> Picture:
    """One number for each cell of a space of three edges, in the order of `space.enumerate`: the larger, the darker.

    form: how a number is written. Raises ValueError for a space with other than three edges, or not a value for each.
    """
    if len(values) != space.size:
        raise ValueError(f"Give one value for each of the {space.size} cells of {space.name}; got {len(values)}.")
    edges, low, high = _edges(space), min(*values, 0), max(*values, 0)
    tiles, texts = defaultdict(str), defaultdict(str)
    for value, (x, y) in zip(values, _tiles(space), strict=True):
        shade = to_hex(colormaps["Blues"]((value - low) / (high - low or 1) * 0.75))
        ink = max("#000000", "#FFFFFF", key=lambda ink, shade=shade: contrast(ink, shade))
        tiles[shade] += f"M{x} {y}h{WIDE - 1}v{HIGH - 1}h{1 - WIDE}z"
        texts[ink] += f'<text x="{x + WIDE // 2}" y="{y + HIGH // 2 + 5}">{html.escape(form.format(value))}</text>'
    body = "".join(f'<path d="{path}" fill="{shade}"/>' for shade, path in tiles.items())
    body += "".join(f'<g fill="{ink}">{text}</g>' for ink, text in texts.items())
    return _sheet(space, edges, body, title, alt)


def _tiles(space: Space) -> Iterator[Place]:
    """The upper left corner of each cell's tile, in the order of `space.enumerate`."""
    count = len(space.operations)
    for block in range(count):
        for row in range(count):
            for column in range(count):
                yield LEFT + block * (count * WIDE + GAP) + column * WIDE, TOP + row * HIGH


def _segments(cell: Cell, at: Sequence[Place]) -> Iterator[tuple[Style, str]]:
    """The looks of each edge, and its line; at: where the nodes are."""
    where = dict(zip(cell.nodes, at, strict=True))
    for edge, look in zip(cell.edges, looks(cell), strict=True):
        (x, y), (u, v) = where[edge.source], where[edge.target]
        yield look, f"M{x} {y}L{u} {v}"


def _stroke(look: Style) -> str:
    width = 1 if look.is_dead or look.family == "zero" else 2.5
    return f'stroke="{look.colour}" stroke-width="{width}" fill="none"{DASHES[look.line]}'


def _edges(space: Space) -> list[str]:
    """What blocks, rows and columns tell, such as "input → node 1"; ValueError where there are other than three."""
    edges = [f"{edge.source} → {edge.target}" for edge in next(iter(space.enumerate())).cells["cell"].edges]
    if len(edges) != 3:
        raise ValueError(f"Blocks show spaces with three edges, such as tiny; a cell of {space.name} has {len(edges)}.")
    return edges


def _sheet(space: Space, edges: Sequence[str], body: str, title: str, alt: str) -> Picture:
    """The tiles with the answers to the first decision above the blocks, to the others beside rows and columns."""
    count = len(space.operations)
    width, height = LEFT + count * (count * WIDE + GAP), TOP + count * HIGH + BOTTOM
    alt, words = html.escape(alt), "".join((_words(title, edges, height), *_labels(space, height)))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{alt}" style="max-width:100%;height:auto" font-family="{FONT}" font-size="14" '
        f'text-anchor="middle"><title>{alt}</title><rect width="{width}" height="{height}" fill="#FFF"/>'
        f"{words}{body}</svg>"
    )
    return Picture(svg, html.unescape(alt))


def _words(title: str, edges: Sequence[str], height: int) -> str:
    """The title, and which edge is told by blocks, rows and columns."""
    middle = TOP + (height - TOP - BOTTOM) // 2
    return (
        _text(8, 24, title, 'text-anchor="start" font-size="18"')
        + _text(LEFT - 12, TOP - 12, f"block: {edges[0]}", 'text-anchor="end"')
        + _text(LEFT, height - 12, f"column: {edges[2]}", 'text-anchor="start"')
        + _text(0, 0, f"row: {edges[1]}", f'transform="translate(22 {middle}) rotate(-90)"')
    )


def _labels(space: Space, height: int) -> Iterator[str]:
    """Names above the blocks and left of the rows, letters under the columns, and what the letters stand for."""
    count, bold = len(space.operations), 'font-weight="bold"'
    for i, operation in enumerate(space.operations):
        left = LEFT + i * (count * WIDE + GAP)
        yield _text(left + count * WIDE // 2, TOP - 12, operation, bold)
        yield _text(LEFT - 12, TOP + i * HIGH + HIGH // 2 + 5, operation, 'text-anchor="end"')
        for k, other in enumerate(space.operations):
            yield _text(left + k * WIDE + WIDE // 2, TOP + count * HIGH + 17, style_of(other).sign)
    legend = ", ".join(f"{style_of(operation).sign} = {operation}" for operation in space.operations)
    yield _text(LEFT + 210, height - 12, f"({legend})", 'text-anchor="start"')


def _text(x: int, y: int, words: str, look: str = "") -> str:
    return f'<text x="{x}" y="{y}" {look}>{html.escape(words)}</text>'
