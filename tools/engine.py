"""Graphviz, whichever of its two kinds a machine has: for drawings of the project itself, such as its rooms."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphviz import Digraph

FONT = "Helvetica,Arial,sans-serif"
NODE = {"fontname": FONT, "fontsize": "13", "shape": "box", "height": "0.32", "margin": "0.12,0.04"}
EDGE = {"color": "#444444", "penwidth": "2", "arrowsize": "0.7"}


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
