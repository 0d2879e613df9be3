"""Architectures as Graphviz graphs, to lay out or to edit with other tools, and the engine that draws any graph.

The drawings of `drawing` do without: there every node has a fixed place, where Graphviz would move all of them when a
label changes.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nas_tutorial.pictures.style import GREY, Style, looks
from nas_tutorial.spaces import Architecture, Cell

if TYPE_CHECKING:
    from graphviz import Digraph

FONT = "Helvetica,Arial,sans-serif"
NODE = {"fontname": FONT, "fontsize": "13", "shape": "box", "height": "0.32", "margin": "0.12,0.04"}
EDGE = {"color": "#444444", "penwidth": "2", "arrowsize": "0.7"}
PLAIN = {"style": "filled,rounded", "fillcolor": "#EEEEEE"}
FRAME = {"style": "rounded", "color": "#888888", "labeljust": "l", "margin": "10", "fontname": FONT}


def digraph(architecture: Architecture) -> "Digraph":
    """The architecture as a Graphviz graph: nodes, and a box for each operation between two of them.

    Each cell is a cluster of its own. A notebook shows the graph where a program `dot` is installed; `source` is its
    text. Raises ValueError for what is no architecture.
    """
    from graphviz import Digraph

    if not isinstance(architecture, Architecture):
        raise ValueError(f'{architecture!r} is no architecture; give one, such as spaces.get("tiny").parse("…").')
    graph = Digraph(architecture.space.name, graph_attr={"rankdir": "LR"}, node_attr=NODE, edge_attr=EDGE)
    for name, cell in reversed(architecture.cells.items()):  # clusters are stacked from the bottom to the top
        with graph.subgraph(name=f"cluster_{name}", graph_attr=FRAME | {"label": name}) as part:
            _add_cell(part, name, cell)
    return graph


def _add_cell(graph: "Digraph", name: str, cell: Cell) -> None:
    """Add nodes and edges; their names in the graph begin with that of the cell."""
    for node in cell.nodes:
        graph.node(f"{name}/{node}", node, **PLAIN)
    for i, (edge, look) in enumerate(zip(cell.edges, looks(cell), strict=True)):
        source, target, box = (f"{name}/{part}" for part in (edge.source, edge.target, i))
        line = {"color": look.colour, "style": look.line}
        if not edge.operation:
            graph.edge(source, target, color=GREY)
            continue
        graph.node(box, edge.operation, **_box(look))
        graph.edge(source, box, arrowhead="none", **line)
        graph.edge(box, target, **line)


def _box(look: Style) -> dict[str, str]:
    """Looks of an operation's box."""
    return {"style": look.outline, "fillcolor": look.fill, "fontcolor": look.ink, "peripheries": str(look.rings)}


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
            "This drawing needs Graphviz, but neither its program `dot` nor the package pygraphviz was found"
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
