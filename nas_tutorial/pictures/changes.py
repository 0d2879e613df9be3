"""What changes on a stage to show an architecture.

    of_architecture(architecture, layer=None) → Changes       (see `stage`)

It sets the same parts as `mixtures.of_mixture`, so one can follow the other on the same stage.
"""

from collections.abc import Mapping

from nas_tutorial.pictures.layout import layout
from nas_tutorial.pictures.looks import (
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
from nas_tutorial.spaces import Architecture


def of_architecture(architecture: Architecture, layer: int | None = None) -> Changes:
    """Only what the architecture has; grey and dashed where nothing flows.

    layer: number of a layer of enas_macro, from 1, whose skips stand out; ValueError for any other.
    """
    places, chosen, dead = layout(architecture.space), in_use(architecture), _dead(architecture)
    ends = {edge.key: (edge.source, edge.target) for edge in places.edges}
    looks = {key: style_of(op).dead if ends.get(key) in dead else style_of(op) for key, op in chosen.items()}
    changes = {f"edge {edge.key}": _chosen_edge(edge, looks) for edge in places.edges}
    changes |= {f"box {box.key}": _chosen_box(box, looks, chosen) for box in places.boxes}
    for square in places.squares:
        there = square.key in chosen
        changes[f"skip {square.key}"] = square_of(square, float(there), there, key_of(layer))
    changes |= {f"node {node.key}": node_of(node.key in dead) for node in places.nodes}
    return changes | layers_of(architecture.space, layer)


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


def _chosen_box(box: Box, looks: Mapping[str, Style], chosen: Mapping[str, str]) -> Look:
    edge = next((key for key in box.edges if key in chosen), None)
    if edge is None:
        return {"group": HIDDEN}
    look, name = looks[edge], chosen[edge]
    words = {"title": {"text": f"{box.label}: {name}"}, "name": named(name, ink_of(look), box.y + 4.5)}
    return {"group": SHOWN, **filled(look), **arm(box, look), **words, "strip": HIDDEN, "note": HIDDEN}
