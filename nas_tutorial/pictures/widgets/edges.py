"""The edges of an architecture as a table: what each one does, weighs, costs and sees."""

import re
from html import escape

from nas_tutorial.measures.edges import EdgeFigures, edge_figures
from nas_tutorial.pictures.probabilities import in_words, title
from nas_tutorial.spaces import Architecture

HEADS = ("edge", "operation", "gives out", "weights", "multiply-adds", "sees")
NUMBER, WORD = "text-align:right;padding:1px 10px", "text-align:left;padding:1px 10px"


def edge_table(architecture: Architecture) -> str:
    """HTML with a row for each edge; rows through which nothing flows are paler and say so."""
    single = len(architecture.cells) == 1
    rows = "".join(
        _row(edge, ("" if single else f"{edge.cell}, ") + name_of(edge, architecture), _is_dead(edge, architecture))
        for edge in edge_figures(architecture)
    )
    heads = "".join(f'<th scope="col" style="{WORD if i < 2 else NUMBER}">{h}</th>' for i, h in enumerate(HEADS))
    scrolls = 'style="overflow-x:auto;contain:inline-size" tabindex="0" role="region" aria-label="edges in figures"'
    return f"<div {scrolls}><table><tr>{heads}</tr>{rows}</table></div>"


def name_of(edge: EdgeFigures, architecture: Architecture) -> str:
    """An edge by the nodes at its ends, as in the drawing; a layer or a skip by its number."""
    if ends := _ends(edge, architecture):
        return " → ".join(ends)
    kind, *numbers = re.split("[ <]", edge.name)
    return title(".".join([numbers[0], kind, *numbers[1:]]))


def _ends(edge: EdgeFigures, architecture: Architecture) -> tuple[str, str] | None:
    """The names of the nodes at the ends of an edge of a cell."""
    found = re.fullmatch(r"(\d+)\w?<(\d+)", edge.name)
    nodes = architecture.cells[edge.cell].nodes
    return (nodes[int(found[2])], nodes[int(found[1])]) if found else None


def _is_dead(edge: EdgeFigures, architecture: Architecture) -> bool:
    dead = architecture.dead_edges[edge.cell]
    return (*(_ends(edge, architecture) or ("", "")), edge.operation) in dead


def _row(edge: EdgeFigures, name: str, is_dead: bool) -> str:
    operation = f"{in_words(edge.operation)}{' (dead)' if is_dead else ''}"
    sees = f"{edge.sees}×{edge.sees}" if edge.sees else "nothing"
    numbers = ["×".join(map(str, edge.shape)), f"{edge.parameters:,}", f"{edge.multiply_adds:,}", sees]
    values = "".join(f'<td style="{NUMBER}">{text}</td>' for text in numbers)
    head = f'<th scope="row" style="{WORD}">{escape(name)}</th><td style="{WORD}">{escape(operation)}</td>'
    return f'<tr style="opacity:{0.7 if is_dead else 1}">{head}{values}</tr>'
