"""What changes on a stage to show the probabilities of a search.

of_mixture(space, probabilities, architecture=None, layer=None) → Changes       (see `stage`)
"""

from collections.abc import Mapping, Sequence

from nas_tutorial.pictures.chances import Tables, on_edges
from nas_tutorial.pictures.groups import bar
from nas_tutorial.pictures.layout import layout
from nas_tutorial.pictures.looks import (
    DASHES,
    HIDDEN,
    PLAIN,
    SHOWN,
    Look,
    arm,
    filled,
    in_use,
    ink_of,
    is_plain,
    key_of,
    layers_of,
    line,
    named,
    node_of,
    point,
    square_of,
)
from nas_tutorial.pictures.places import Box, Edge
from nas_tutorial.pictures.stage import Changes
from nas_tutorial.pictures.style import Style, style_of
from nas_tutorial.spaces import Architecture, Space

THICK = 7  # pixels: how much wider a line of probability 1 is than one of 0


def of_mixture(
    space: Space, probabilities: Tables, architecture: Architecture | None = None, layer: int | None = None
) -> Changes:
    """Every edge as wide as its likeliest operation is probable, with its name, percentage and bars of all operations.

    In enas_micro a line is as wide as its input is probable, in enas_macro a square is filled as far.
    probabilities: tables by name, see `chances.on_edges`. architecture: what is emphasised, such as the one that would
    be derived: filled boxes with bold names. layer: see `changes.of_architecture`. Raises ValueError for other tables.
    """
    places, shares = layout(space), on_edges(space, probabilities)
    kept = None if architecture is None else in_use(architecture)
    weights = {box.key: _summed([shares[edge] for edge in box.edges]) for box in places.boxes}
    best = {key: space.operations[p.index(max(p))] for key, p in weights.items()}
    changes = {}
    for box in places.boxes:
        changes[f"box {box.key}"] = _mixed_box(box, space.operations, weights[box.key], best[box.key], kept)
        if len(box.edges) == 1:
            shares[box.edges[0]] = [max(weights[box.key])]
    acting = {edge: style_of(best[box.key]) for box in places.boxes for edge in box.edges}
    for edge in places.edges:
        changes[f"edge {edge.key}"] = _mixed_edge(edge, sum(shares.get(edge.key, [1])), acting.get(edge.key), kept)
    for square in places.squares:
        is_kept = kept is not None and square.key in kept
        changes[f"skip {square.key}"] = square_of(square, shares[square.key][0], is_kept, key_of(layer))
    changes |= {f"node {node.key}": node_of(is_dead=False) for node in places.nodes}
    return changes | layers_of(space, layer)


def _summed(rows: Sequence[Sequence[float]]) -> list[float]:
    return [sum(column) for column in zip(*rows, strict=True)]


def _mixed_edge(edge: Edge, p: float, look: Style | None, kept: Mapping[str, str] | None) -> Look:
    """p: how probable it is that the line is there, or its likeliest operation on it."""
    if not edge.decisions:
        return {"group": SHOWN, "line": line(PLAIN, 1.5), "head": SHOWN | point(PLAIN)}
    colour, kind = (PLAIN, "solid") if look is None or is_plain(edge) else (look.colour, look.line)
    width = 0.5 + (2.5 if is_plain(edge) else THICK) * p
    is_kept = kept is not None and edge.key in kept
    return {
        "group": SHOWN,
        "line": line(colour, round(width, 1), kind),
        "head": SHOWN | point(colour, kept is None or is_kept),
        "title": {"text": f"{edge.label}: {100 * p:.0f} %{', kept' if is_kept else ''}"},
    }


def _mixed_box(
    box: Box, operations: Sequence[str], weights: Sequence[float], best: str, kept: Mapping[str, str] | None
) -> Look:
    """Name and percentage of the likeliest operation; bars of all; filled or in a thick frame where one is kept."""
    own = next((kept[edge] for edge in box.edges if edge in kept), None) if kept else None
    look = style_of(best)
    shown = filled(look) if own == best else _open(look, own is not None)
    ink = ink_of(look) if own == best else {"fill": "#000000", "data-ink": "keep"}
    if own == best:
        shown["frame"]["stroke-width"] = "3"
    note = {"text": f"{100 * max(weights):.0f} %" if own in (None, best) else f"→ {own}", **ink, **SHOWN}
    listed = sorted(zip(weights, operations, strict=True), reverse=True)
    words = ", ".join(f"{op} {100 * p:.0f} %" for p, op in listed) + (f"; kept: {own}" if own else "")
    return {
        "group": SHOWN,
        **shown,
        **arm(box, look),
        "title": {"text": f"{box.label}: {words}"},
        "name": named(best, ink, box.y - 2.5),
        "note": note,
        **_bars(box, operations, weights, own in (None, best)),
    }


def _open(look: Style, thick: bool) -> Look:
    """The box of an operation that may not be there: white."""
    frame = {"fill": "#FFFFFF", "stroke": "#000000" if thick else look.colour, "rx": "2"}
    frame |= {"stroke-width": "3" if thick else "1", "stroke-dasharray": DASHES["solid" if thick else look.line]}
    return {"frame": frame, "ring": HIDDEN}


def _bars(box: Box, operations: Sequence[str], weights: Sequence[float], shown: bool) -> Look:
    """A bar for each operation, side by side in the order of the space's operations."""
    display, parts, start = SHOWN if shown else HIDDEN, {"strip": SHOWN if shown else HIDDEN}, 0.0
    for i, (operation, p) in enumerate(zip(operations, weights, strict=True)):
        parts[str(i)] = bar(box, start, start + p) | {"fill": style_of(operation).colour} | display
        start += p
    return parts


def in_words(changes: Changes) -> str:
    """What a mixture shows, box after box and square after square: for those who do not see it."""
    shown = [parts["title"]["text"] for key, parts in changes.items() if key.startswith(("box", "skip"))]
    return "; ".join(shown) + "."
