"""Architectures as pictures: architecture → Graphviz graph → SVG, with or without a `dot` program on the machine.

In a cell, grey boxes are nodes and coloured boxes the operations between them; thin, dashed and without arrowheads is
what is dead. In a macro network each layer is a box with its operation, and thin arcs are the skips.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from nas_tutorial.pictures import changes, stage
from nas_tutorial.pictures.chances import Tables
from nas_tutorial.pictures.images import Bundle, bundle, image, small_copy
from nas_tutorial.pictures.style import COLOURS, GREY, HATCHES, MARKERS, Style, looks, style_of
from nas_tutorial.spaces import Architecture, Cell, CellEdge, Space

if TYPE_CHECKING:
    from graphviz import Digraph

__all__ = [
    "COLOURS",
    "HATCHES",
    "MARKERS",
    "Picture",
    "Style",
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

FONT = "Helvetica,Arial,sans-serif"
GRAPH = {"rankdir": "LR", "bgcolor": "white", "fontname": FONT, "fontsize": "15", "nodesep": "0.15", "ranksep": "0.25"}
NODE = {"fontname": FONT, "fontsize": "13", "shape": "box", "height": "0.32", "margin": "0.12,0.04"}
EDGE = {"color": "#444444", "penwidth": "2", "arrowsize": "0.7"}
PLAIN = {"style": "filled,rounded", "fillcolor": "#EEEEEE"}
DEAD_NODE = {"style": "rounded,dashed", "color": GREY, "fontcolor": GREY}
DEAD_LINE = {"penwidth": "1", "arrowhead": "none"}
FRAME = {"style": "rounded", "color": "#888888", "labeljust": "l", "margin": "10"}


@dataclass(frozen=True)
class Picture:
    """An SVG picture with its description in words; a notebook shows it when it is the last line of a cell.

    graph: what Graphviz drew it from, for a PNG of the same picture; a sheet has none.
    """

    svg: str
    alt: str
    graph: "Digraph | None" = None

    def __repr__(self) -> str:
        return f"<Picture: {self.alt}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        page = image(self.svg.encode(), "svg+xml", self.alt)
        return bundle(page, self.alt, self.graph and small_copy(self._png), _width(self.svg))

    def _png(self, dpi: int) -> bytes:
        graph = self.graph.copy()
        graph.attr(dpi=str(dpi))
        return render(graph, "png")


# --- architecture → graph ---------------------------------------------------------------------------------------------
def digraph(architecture: Architecture) -> "Digraph":
    """The architecture as a Graphviz graph, every cell a cluster of its own; ValueError for anything else."""
    from graphviz import Digraph

    if not isinstance(architecture, Architecture):
        raise ValueError(f'{architecture!r} is no architecture; give one, such as spaces.get("tiny").parse("…").')
    graph = Digraph(architecture.space.name, graph_attr=GRAPH, node_attr=NODE, edge_attr=EDGE)
    cells = architecture.cells
    if "network" in cells:
        _add_network(graph, cells["network"])
        return graph
    for name, cell in reversed(cells.items()):  # Graphviz stacks clusters from the bottom to the top
        label = f"{name} cell" if len(cells) > 1 else f"{architecture.space.name} cell"
        with graph.subgraph(name=f"cluster_{name}", graph_attr=FRAME | {"label": label}) as part:
            _add_cell(part, name, cell)
    return graph


def _add_cell(graph: "Digraph", name: str, cell: Cell) -> None:
    for node in cell.nodes:
        graph.node(f"{name}/{node}", node, **(DEAD_NODE if node in cell.dead_nodes else PLAIN))
    _line_up(graph, [f"{name}/{node}" for node in cell.nodes if node.startswith("input")])
    for i, (edge, look) in enumerate(zip(cell.edges, looks(cell), strict=True)):
        _add_edge(graph, f"{name}/{edge.source}", f"{name}/{i}", f"{name}/{edge.target}", edge.operation, look)


def _add_edge(graph: "Digraph", source: str, box: str, target: str, operation: str, look: Style) -> None:
    """source → box with the operation's name → target, or just an arrow where nothing is computed."""
    if not operation:
        graph.edge(source, target, color="#888888", penwidth="1")
        return
    line = {"color": look.colour, "style": look.line}
    graph.node(box, operation, **_box(look))
    graph.edge(source, box, **line | (DEAD_LINE if look.is_dead else {"arrowhead": "none"}))
    graph.edge(box, target, **line | (DEAD_LINE if look.is_dead else {}))


def _line_up(graph: "Digraph", nodes: Sequence[str]) -> None:
    """Keep the inputs of a cell on the left, mostly the first on top (Graphviz fills a column from the bottom)."""
    with graph.subgraph(graph_attr={"rank": "same"}) as column:
        for above, below in pairwise(nodes):
            column.edge(below, above, style="invis")


def _box(look: Style) -> dict[str, str]:
    return {
        "style": look.outline,
        "fillcolor": look.fill,
        "fontcolor": look.ink,
        "peripheries": str(look.rings),
        "penwidth": "1" if look.outline in ("filled", "filled,rounded") or look.is_dead else "2",
        "color": GREY if look.is_dead else "black",
    }


def _add_network(graph: "Digraph", network: Cell) -> None:
    graph.attr(
        rankdir="TB",
        ranksep="0.2",
        labelloc="b",
        fontsize="13",
        label='Arcs are skips. "+ stem, 2": the outputs of the stem and of layer 2 are added.',
    )
    for node in network.nodes:
        graph.node(node, **_layer(node, [edge for edge in network.edges if edge.target == node]), width="2.2")
    for source, target in pairwise(network.nodes):
        graph.edge(source, target, weight="100")
    for source, target, operation in network.edges:
        if operation == "skip":
            graph.edge(f"{source}:e", f"{target}:e", constraint="false", penwidth="0.9", arrowsize="0.6")


def _layer(name: str, incoming: Sequence[CellEdge]) -> dict[str, str]:
    """Text and looks of a layer's box: its operation, and below it the layers whose outputs it adds."""
    operation = next((edge.operation for edge in incoming if edge.operation not in ("skip", "")), None)
    if operation is None:
        return {"label": name} | PLAIN
    added = ", ".join(edge.source.removeprefix("layer ") for edge in incoming if edge.operation == "skip")
    return {"label": f"{name}: {operation}" + (f"\\n+ {added}" if added else "")} | _box(style_of(operation))


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


# --- graph → picture --------------------------------------------------------------------------------------------------
def svg(architecture: Architecture) -> str:
    """The drawing as one self-contained `<svg>` element without ids, so that any number of them fits on a page.

    Raises RuntimeError where the machine has no Graphviz of either kind.
    """
    return _tidy(render(digraph(architecture), "svg"), describe(architecture))


def draw(architecture: Architecture) -> Picture:
    """The drawing, shown by a notebook when it is the last line of a cell."""
    return Picture(svg(architecture), describe(architecture), digraph(architecture))


def on_stage(architecture: Architecture, layer: int | None = None) -> Picture:
    """The architecture in the fixed places of its space, so that two of them can be compared; see `layout`.

    layer: number of a layer of enas_macro, from 1, whose skips stand out. Raises ValueError where there is none such.
    """
    shown, alt = changes.of_architecture(architecture, layer), describe(architecture)
    return Picture(stage.render(architecture.space, shown, alt, everything=False, legend=False), alt)


MIXTURE_NOTES = {
    "enas_micro": "Box and %: likeliest operation; bar: all. Width of a line: probability of that input. Thick: kept.",
    "enas_macro": "Box and %: likeliest operation; bar: all. Height in a square: probability of the skip. Thick: kept.",
}
NOTE = "Line width and %: probability of the operation named; bar: of all operations. Thick frame: kept."


def mixture(
    space: Space,
    probabilities: Tables,
    architecture: Architecture | None = None,
    layer: int | None = None,
    caption: str = "",
) -> Picture:
    """What a search thinks at one moment, in the fixed places of the space: see `changes.of_mixture`.

    probabilities: tables by name, as in `Event.probabilities` or `Space.probabilities`. architecture: what is kept of
    it, such as `event.architecture`; emphasised. layer: see `on_stage`. caption: a line below, such as "epoch 3".
    Raises ValueError for tables of another space.
    """
    shown = changes.of_mixture(space, probabilities, architecture, layer)
    alt = f"Probabilities in the {space.name} space{', ' + caption if caption else ''}. {changes.in_words(shown)}"
    notes = [MIXTURE_NOTES.get(space.name, NOTE), *([caption] if caption else [])]
    return Picture(stage.render(space, shown, alt, notes, everything=False), alt)


def save(architecture: Architecture, path: str | Path) -> Path:
    """Write the drawing as .svg, .png or .pdf and return the path; ValueError for another suffix."""
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("svg", "png", "pdf"):
        raise ValueError(f"Cannot draw into {path.name!r}; its name should end in .svg, .png or .pdf.")
    graph = digraph(architecture)
    graph.attr(dpi="150" if kind == "png" else "72")
    path.write_bytes(svg(architecture).encode() if kind == "svg" else render(graph, kind))
    return path


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


def render(graph: "Digraph", kind: str) -> bytes:
    """The graph drawn as "svg", "png" or "pdf": by a `dot` on the PATH, else by the engine within pygraphviz.

    Raises RuntimeError where there is neither.
    """
    if shutil.which("dot"):
        return graph.pipe(format=kind, quiet=True)
    try:
        from pygraphviz import AGraph
    except ImportError:
        raise RuntimeError(
            "Drawing needs Graphviz, but neither its program `dot` nor the package pygraphviz was found"
            ': install one of them, for example with `pip install "pygraphviz>=2.0"`.'
        ) from None
    with _font_warnings_unheard():
        return AGraph(string=graph.source).draw(format=kind, prog="dot")


@contextmanager
def _font_warnings_unheard() -> Iterator[None]:
    """Silence the C libraries: their fontconfig, older than the machine's, complains about the font files."""
    stream, void = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(void, 2)
    try:
        yield
    finally:
        os.dup2(stream, 2)
        os.close(stream)
        os.close(void)


def _width(picture: str) -> int:
    """Width of an `<svg>` in CSS pixels."""
    return round(float(ElementTree.fromstring(picture).get("width")))


def _tidy(drawn: bytes, alt: str) -> str:
    """Graphviz's SVG without ids, classes and titles of parts; in a size that shrinks to the page, and described."""
    root = ElementTree.fromstring(drawn)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in [name for name in element.attrib if name in ("id", "class") or name.startswith("{")]:
            del element.attrib[name]
        for title in element.findall("{*}title"):
            element.remove(title)
    width, height = root.get("viewBox").split()[2:]
    root.attrib |= {
        "xmlns": "http://www.w3.org/2000/svg",
        "width": width,
        "height": height,
        "role": "img",
        "aria-label": alt,
        "style": "max-width:100%;height:auto",
    }
    title = ElementTree.Element("title")
    title.text = alt
    root.insert(0, title)
    return ElementTree.tostring(root, encoding="unicode")
