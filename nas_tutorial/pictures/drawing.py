"""Drawings of architectures, and of what a search thinks: SVG for notebooks and pages, PNG and PDF for papers.

    draw(architecture, layer=None) → Picture                      svg(architecture) is its text
    mixture(space, probabilities, architecture=None, layer=None, caption="") → Picture
    animation(search, most=12, seconds=9) → Picture               a search from its first epoch to its last
    sheet(architectures, columns=None, captions=None) → Picture
    save(architecture or picture, path) → Path                    .svg, .png or .pdf
    digraph(architecture) → graphviz.Digraph                      for other layouts, and for other tools

Everything has its place, one for each space (`layout`), so that nothing moves from one drawing to the next. In a cell,
grey boxes are nodes, and coloured ones the operations between them; thin, dashed, grey and without arrowheads is what
is dead. In a macro network the layers stand in a column, and their skips in a triangle beside it. A page that changes a
drawing begins with `stage.stage(space)`, see there.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nas_tutorial.files import write_whole
from nas_tutorial.pictures import changes, mixtures, stage
from nas_tutorial.pictures.animation import animated
from nas_tutorial.pictures.chances import Tables
from nas_tutorial.pictures.graphs import digraph
from nas_tutorial.pictures.picture import FONT, Picture
from nas_tutorial.pictures.style import COLOURS, HATCHES, MARKERS, Style, looks, style_of
from nas_tutorial.spaces import Architecture, Cell, Space

__all__ = [
    "COLOURS",
    "FONT",
    "HATCHES",
    "MARKERS",
    "Picture",
    "Style",
    "animation",
    "describe",
    "digraph",
    "draw",
    "mixture",
    "on_stage",
    "save",
    "sheet",
    "style_of",
    "svg",
]

KINDS = ("svg", "png", "pdf")
DOTS = 200  # per inch of a PNG for a paper

NOTE = "Line width and %: probability of the operation named; bar: of all operations. Thick frame: kept."
NOTES = {
    "enas_micro": "Box and %: likeliest operation; bar: all. Width of a line: probability of that input. Thick: kept.",
    "enas_macro": "Box and %: likeliest operation; bar: all. Height in a square: probability of the skip. Thick: kept.",
}


def draw(architecture: Architecture, layer: int | None = None) -> Picture:
    """The architecture in the places of its space.

    layer: number of a layer of enas_macro, from 1, whose skips stand out. Raises ValueError where there is none such,
    and for what is no architecture.
    """
    if not isinstance(architecture, Architecture):
        raise ValueError(f'{architecture!r} is no architecture; give one, such as spaces.get("tiny").parse("…").')
    shown, alt = changes.of_architecture(architecture, layer), describe(architecture)
    drawn = stage.render(architecture.space, shown, alt, everything=False, legend=False)
    return Picture(drawn, alt, drawn)


on_stage = draw


def svg(architecture: Architecture) -> str:
    """The drawing as one self-contained `<svg>` element without ids, so that any number of them fits on a page."""
    return draw(architecture).svg


def mixture(
    space: Space,
    probabilities: Tables,
    architecture: Architecture | None = None,
    layer: int | None = None,
    caption: str = "",
) -> Picture:
    """What a search thinks at one moment, in the places of the space: see `mixtures.of_mixture`.

    probabilities: tables by name, as in `Event.probabilities` or `Space.probabilities`. architecture: what is kept of
    it, such as `event.architecture`; emphasised. layer: see `draw`. caption: a line below, such as "epoch 3".
    Raises ValueError for tables of another space.
    """
    shown = mixtures.of_mixture(space, probabilities, architecture, layer)
    alt = f"Probabilities in the {space.name} space{', ' + caption if caption else ''}. {mixtures.in_words(shown)}"
    notes = [NOTES.get(space.name, NOTE), *([caption] if caption else [])]
    drawn = stage.render(space, shown, alt, notes, everything=False)
    return Picture(drawn, alt, drawn)


def animation(
    search: Any, space: Space | None = None, most: int = 12, seconds: float = 9, layer: int | None = None
) -> Picture:
    """A search that sharpens, from its first epoch to its last, again and again: an SVG that needs no script.

    search: a recording, a result, its events, or tables of probabilities one after another, of which none is kept then
    and `space` has to be given. most: so many moments, evenly chosen; seconds: the time of one round. Raises ValueError
    where there are fewer than two moments with probabilities, such as in a random search.
    """
    moments = _moments(search, space)
    chosen = (
        [moments[round(i * (len(moments) - 1) / (most - 1))] for i in range(most)] if len(moments) > most else moments
    )
    space = chosen[0].space
    shown = [mixtures.of_mixture(space, m.probabilities, m.kept, layer) for m in chosen]
    last = mixture(space, chosen[-1].probabilities, chosen[-1].kept, layer, chosen[-1].caption)
    alt = f"Moving picture of {chosen[0].caption} to {chosen[-1].caption}, which is described here. {last.alt}"
    captions, notes = [m.caption for m in chosen], [NOTES.get(space.name, NOTE)]
    return Picture(animated(space, shown, captions, alt, notes, seconds), alt, last.svg)


class Moment(NamedTuple):
    """What a search thinks in an epoch."""

    space: Space
    probabilities: Tables
    kept: Architecture | None
    caption: str


def _moments(search: Any, space: Space | None) -> list[Moment]:
    """All moments with probabilities; see `animation`."""
    events = list(getattr(search, "epochs", None) or getattr(search, "history", None) or search)
    if events and isinstance(events[0], Mapping):
        found = [Moment(space, tables, None, f"moment {i}") for i, tables in enumerate(events, start=1)]
    else:
        found = [
            Moment(e.architecture.space, e.probabilities, e.architecture, f"epoch {e.epoch}")
            for e in events
            if e.probabilities
        ]
    if len(found) < 2 or found[0].space is None:
        raise ValueError(
            "An animation needs two epochs or more with probabilities, and the space where only tables are given; "
            f"got {len(found)} of them{'' if found and found[0].space else ' and no space'}."
        )
    return found


def save(drawn: Architecture | Picture, path: str | Path) -> Path:
    """Write a drawing as .svg, .png or .pdf and return the path; ValueError for another suffix, and for a sheet's PDF.

    drawn: an architecture, or what `draw`, `mixture`, `animation` (its last moment, but as .svg) or `sheet` gave.
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in KINDS:
        raise ValueError(f"Cannot draw into {path.name!r}; its name should end in .svg, .png or .pdf.")
    picture = drawn if isinstance(drawn, Picture) else draw(drawn)
    return write_whole(path, picture.svg if kind == "svg" else picture.printed(kind, DOTS))


def sheet(
    architectures: Sequence[Architecture], columns: int | None = None, captions: Sequence[str] | None = None
) -> Picture:
    """Many architectures of one space on a sheet, row by row, each with its caption below.

    Cells of the spaces with one cell become miniatures (as many in a row as fit a page), all others full drawings (one
    in a row). Raises ValueError where there is none to draw, or not one caption for each.
    """
    from nas_tutorial.pictures import miniature

    if not architectures or (captions is not None and len(captions) != len(architectures)):
        raise ValueError(
            f"Give at least one architecture, and one caption for each or none; got {len(architectures)} "
            f"architectures and {len(captions or ())} captions."
        )
    space = architectures[0].space
    small = "cell" in architectures[0].cells
    parts = [miniature.miniature(a.cells["cell"]) if small else svg(a) for a in architectures]
    dead = any(look.is_dead for a in architectures for cell in a.cells.values() for look in looks(cell))
    alt = f"A sheet of {len(parts)} architectures of the {space.name} space."
    alt += " Grey and dashed is what is dead: nothing flows there." if dead else ""
    legend = miniature.legend(space.operations, dead) if small else ("", 0)
    columns = columns or (miniature.fitting(parts[0]) if small else 1)
    return Picture(miniature.grid(parts, columns, captions, legend, alt), alt)


# --- in words ---------------------------------------------------------------------------------------------------------
def describe(architecture: Architecture) -> str:
    """The picture in words, one line: what a reader hears who does not see it."""
    cells = (
        _describe_network(cell) if name == "network" else _describe_cell(name, cell)
        for name, cell in architecture.cells.items()
    )
    return f"{architecture.space.name} architecture. {' '.join(cells)}"


def _describe_cell(name: str, cell: Cell) -> str:
    edges = (
        f"{edge.operation} from {edge.source} to {edge.target}{' (dead: nothing flows here)' if look.is_dead else ''}"
        for edge, look in zip(cell.edges, looks(cell), strict=True)
        if edge.operation
    )
    return f"{name}: {', '.join(edges)}.{'' if cell.live else ' No path leads from input to output.'}"


def _describe_network(network: Cell) -> str:
    skips = sum(edge.operation == "skip" for edge in network.edges)
    layers = (edge.operation for edge in network.edges if edge.operation not in ("skip", ""))
    return f"Layers in order: {', '.join(layers)}; {skips} skips."
