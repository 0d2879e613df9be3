"""What changes on a stage: to show an architecture, or the probabilities of a search.

    of_architecture(architecture, layer=None) → Changes
    of_mixture(space, probabilities, architecture=None, layer=None) → Changes       (see `stage`)

All set the same parts, so one can follow another on the same stage.
"""

from collections.abc import Mapping, Sequence

from nas_tutorial.pictures.chances import Tables, on_edges
from nas_tutorial.pictures.layout import layout
from nas_tutorial.pictures.places import Box, Edge, Square
from nas_tutorial.pictures.stage import DASHES, Changes, bar, level
from nas_tutorial.pictures.style import GREY, Style, style_of
from nas_tutorial.spaces import Architecture, Space

HIDDEN, SHOWN = {"display": "none"}, {"display": "inline"}
PLAIN, THICK = "#666666", 7  # colour of lines without an operation; how much wider probability 1 is than 0
Look = dict[str, dict[str, str]]
"""Attributes by part."""


# --- an architecture --------------------------------------------------------------------------------------------------
def of_architecture(architecture: Architecture, layer: int | None = None) -> Changes:
    """Only what the architecture has; grey and dashed where nothing flows.

    layer: number of a layer of enas_macro, from 1, whose skips stand out; ValueError for any other.
    """
    places, chosen, dead = layout(architecture.space), _chosen(architecture), _dead(architecture)
    ends = {edge.key: (edge.source, edge.target) for edge in places.edges}
    looks = {key: style_of(op).dead if ends.get(key) in dead else style_of(op) for key, op in chosen.items()}
    changes = {f"edge {edge.key}": _chosen_edge(edge, looks) for edge in places.edges}
    changes |= {f"box {box.key}": _chosen_box(box, looks, chosen) for box in places.boxes}
    for square in places.squares:
        there = square.key in chosen
        changes[f"skip {square.key}"] = _square(square, float(there), there, _key_of(layer))
    changes |= {f"node {node.key}": _node(node.key in dead) for node in places.nodes}
    return changes | _layers(architecture.space, layer)


def _chosen(architecture: Architecture) -> dict[str, str]:
    """The operation on each edge in use, by the keys of `layout`."""
    return {f"{cell}/{name}": op for cell, edges in architecture.active_ops.items() for name, op in edges.items()}


def _dead(architecture: Architecture) -> set[tuple[str, str] | str]:
    """Keys of dead nodes, and pairs of keys, source and target, of dead edges."""
    found: set[tuple[str, str] | str] = set()
    for name, cell in architecture.cells.items():
        found |= {f"{name}/{node}" for node in cell.dead_nodes}
        found |= {(f"{name}/{edge.source}", f"{name}/{edge.target}") for edge in cell.dead_edges}
    return found


def _chosen_edge(edge: Edge, looks: Mapping[str, Style]) -> Look:
    if edge.decisions and edge.key not in looks:
        return {"group": HIDDEN}
    if is_plain(edge):
        return {"group": SHOWN, "line": line(PLAIN, 1.5), "head": SHOWN | point(PLAIN)}
    look = looks[edge.key]
    thin = look.is_dead or look.family == "zero"
    drawn = line(look.colour, 1 if thin else 2.5, look.line)
    return {"group": SHOWN, "line": drawn, "head": HIDDEN if thin else SHOWN | point(look.colour)}


def point(colour: str, filled: bool = True) -> dict[str, str]:
    """Attributes of an arrowhead."""
    return {"fill": colour if filled else "#FFFFFF", "stroke": colour}


def is_plain(edge: Edge) -> bool:
    """Whether data just flows along this line, without an operation."""
    return not edge.decisions or "/out<" in edge.key


def line(colour: str, width: float, kind: str = "solid") -> dict[str, str]:
    """Attributes of a line; kind: "solid", "dashed" or "dotted"."""
    return {"stroke": colour, "stroke-width": f"{width:g}", "stroke-dasharray": DASHES[kind]}


def _chosen_box(box: Box, looks: Mapping[str, Style], chosen: Mapping[str, str]) -> Look:
    edge = next((key for key in box.edges if key in chosen), None)
    if edge is None:
        return {"group": HIDDEN}
    look, name = looks[edge], chosen[edge]
    words = {"title": {"text": f"{box.label}: {name}"}, "name": _name(name, _ink(look), box.y + 4.5)}
    return {"group": SHOWN, **_filled(look), **_arm(box, look), **words, "strip": HIDDEN, "note": HIDDEN}


def _filled(look: Style) -> Look:
    """The box of an operation that is there: filled, with the outline and the number of rings of its style."""
    kinds = look.outline.split(",")
    frame = {
        "fill": look.fill,
        "stroke": GREY if look.is_dead else "#000000",
        "stroke-width": "2" if {"dashed", "dotted", "bold"} & set(kinds) and not look.is_dead else "1",
        "stroke-dasharray": DASHES[next((kind for kind in kinds if kind in DASHES), "solid")],
        "rx": "9" if "rounded" in kinds else "2",
    }
    return {"frame": frame, "ring": (SHOWN if look.rings > 1 else HIDDEN) | {"stroke": look.ink}}


def _arm(box: Box, look: Style) -> Look:
    """The line from a box to its node, where it has one."""
    return {"arm": line(look.colour, 2.5, look.line), "point": point(look.colour)} if box.tip else {}


def _ink(look: Style) -> dict[str, str]:
    """How letters on a filled box look; data-ink: see `Style.flips`."""
    return {"fill": look.ink, "data-ink": "flip" if look.flips else "keep"}


def _name(operation: str, ink: Mapping[str, str], y: float) -> dict[str, str]:
    """The operation's name; in smaller letters where it is too long for its box."""
    size = min(12.5, 12.5 * 12 / max(len(operation), 1))
    return {"text": operation, **ink, "y": f"{y:g}", "font-size": f"{size:.3g}"}


def _square(square: Square, p: float, kept: bool, layer: str | None) -> Look:
    """Filled from the bottom by probability; a thick frame where the skip is kept."""
    frame = {"stroke": "#000000", "stroke-width": "2"} if kept else {"stroke": "#BBBBBB", "stroke-width": "1"}
    stands_out = layer is None or layer in (square.source, square.target)
    return {
        "group": {"opacity": "1" if stands_out else "0.35"},
        "frame": frame,
        "name": {"fill": "#000000" if kept else GREY},
        "fill": level(square, p),
        "title": {"text": f"{square.label}: skip {100 * p:.0f} %{', kept' if kept else ''}"},
    }


def _node(is_dead: bool) -> Look:
    if is_dead:
        return {"frame": {"fill": "#FFFFFF", "stroke": GREY, "stroke-dasharray": "5 3"}, "name": {"fill": GREY}}
    return {"frame": {"fill": "#EEEEEE", "stroke": "#000000", "stroke-dasharray": "none"}, "name": {"fill": "#000000"}}


def _layers(space: Space, layer: int | None) -> Changes:
    """The bands behind the chosen layer and no other."""
    if layer is None and space.name != "enas_macro":
        return {}
    count = getattr(space, "layers", 0)
    if layer is not None and layer not in range(1, count + 1):
        raise ValueError(
            f"layer is the number of a layer of enas_macro, here 1 to {count} for {space.name}; got {layer!r}."
        )
    return {f"layer {k}": {"group": SHOWN if k == layer else HIDDEN} for k in range(1, count + 1)}


def _key_of(layer: int | None) -> str | None:
    return None if layer is None else f"network/layer {layer}"


# --- probabilities ----------------------------------------------------------------------------------------------------
def of_mixture(
    space: Space, probabilities: Tables, architecture: Architecture | None = None, layer: int | None = None
) -> Changes:
    """Every edge as wide as its likeliest operation is probable, with its name, percentage and bars of all operations.

    In enas_micro a line is as wide as its input is probable, in enas_macro a square is filled as far.
    probabilities: tables by name, see `chances.on_edges`. architecture: what is emphasised, such as the one that would
    be derived: filled boxes with bold names. layer: see `of_architecture`. Raises ValueError for other tables.
    """
    places, shares = layout(space), on_edges(space, probabilities)
    kept = None if architecture is None else _chosen(architecture)
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
        changes[f"skip {square.key}"] = _square(square, shares[square.key][0], is_kept, _key_of(layer))
    changes |= {f"node {node.key}": _node(is_dead=False) for node in places.nodes}
    return changes | _layers(space, layer)


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
    shown = _filled(look) if own == best else _open(look, own is not None)
    ink = _ink(look) if own == best else {"fill": "#000000", "data-ink": "keep"}
    if own == best:
        shown["frame"]["stroke-width"] = "3"
    note = {"text": f"{100 * max(weights):.0f} %" if own in (None, best) else f"→ {own}", **ink, **SHOWN}
    listed = sorted(zip(weights, operations, strict=True), reverse=True)
    words = ", ".join(f"{op} {100 * p:.0f} %" for p, op in listed) + (f"; kept: {own}" if own else "")
    return {
        "group": SHOWN,
        **shown,
        **_arm(box, look),
        "title": {"text": f"{box.label}: {words}"},
        "name": _name(best, ink, box.y - 2.5),
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
