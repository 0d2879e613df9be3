"""How the parts of a stage look: lines, boxes, squares, nodes and layers, as attributes by part."""

from collections.abc import Mapping

from nas_tutorial.pictures.groups import level
from nas_tutorial.pictures.places import Box, Edge, Square
from nas_tutorial.pictures.stage import Changes
from nas_tutorial.pictures.style import GREY, Style
from nas_tutorial.spaces import Architecture, Space

HIDDEN, SHOWN = {"display": "none"}, {"display": "inline"}
PLAIN = "#666666"  # colour of lines without an operation
DASHES = {"solid": "none", "dashed": "8 4", "dotted": "2 4"}

Look = dict[str, dict[str, str]]
"""Attributes by part."""


def in_use(architecture: Architecture) -> dict[str, str]:
    """The operation on each edge in use, by the keys of `layout`."""
    return {f"{cell}/{name}": op for cell, edges in architecture.active_ops.items() for name, op in edges.items()}


def point(colour: str, filled: bool = True) -> dict[str, str]:
    """Attributes of an arrowhead."""
    return {"fill": colour if filled else "#FFFFFF", "stroke": colour}


def is_plain(edge: Edge) -> bool:
    """Whether data just flows along this line, without an operation."""
    return not edge.decisions or "/out<" in edge.key


def line(colour: str, width: float, kind: str = "solid") -> dict[str, str]:
    """Attributes of a line; kind: "solid", "dashed" or "dotted"."""
    return {"stroke": colour, "stroke-width": f"{width:g}", "stroke-dasharray": DASHES[kind]}


def filled(look: Style) -> Look:
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


def arm(box: Box, look: Style) -> Look:
    """The line from a box to its node, where it has one."""
    return {"arm": line(look.colour, 2.5, look.line), "point": point(look.colour)} if box.tip else {}


def ink_of(look: Style) -> dict[str, str]:
    """How letters on a filled box look; data-ink: see `Style.flips`."""
    return {"fill": look.ink, "data-ink": "flip" if look.flips else "keep"}


def named(operation: str, ink: Mapping[str, str], y: float) -> dict[str, str]:
    """The operation's name; in smaller letters where it is too long for its box."""
    size = min(12.5, 12.5 * 12 / max(len(operation), 1))
    return {"text": operation, **ink, "y": f"{y:g}", "font-size": f"{size:.3g}"}


def square_of(square: Square, p: float, kept: bool, layer: str | None) -> Look:
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


def node_of(is_dead: bool) -> Look:
    """A node, grey and dashed where nothing flows through it."""
    if is_dead:
        return {"frame": {"fill": "#FFFFFF", "stroke": GREY, "stroke-dasharray": "5 3"}, "name": {"fill": GREY}}
    return {"frame": {"fill": "#EEEEEE", "stroke": "#000000", "stroke-dasharray": "none"}, "name": {"fill": "#000000"}}


def layers_of(space: Space, layer: int | None) -> Changes:
    """The bands behind the chosen layer and no other."""
    if layer is None and space.name != "enas_macro":
        return {}
    count = getattr(space, "layers", 0)
    if layer is not None and layer not in range(1, count + 1):
        raise ValueError(
            f"layer is the number of a layer of enas_macro, here 1 to {count} for {space.name}; got {layer!r}."
        )
    return {f"layer {k}": {"group": SHOWN if k == layer else HIDDEN} for k in range(1, count + 1)}


def key_of(layer: int | None) -> str | None:
    """The key of a layer's node by its number, from 1."""
    return None if layer is None else f"network/layer {layer}"
