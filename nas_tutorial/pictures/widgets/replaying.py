"""Look into a search epoch by epoch: what α says, what a policy samples, and what it learns from that."""

from collections.abc import Sequence
from typing import Any

from ipywidgets import IntSlider, VBox

from nas_tutorial.pictures.widgets import words
from nas_tutorial.pictures.widgets.frame import figure, side_by_side, slider_row, sliding, toggles, view
from nas_tutorial.pictures.widgets.heat import heat_map
from nas_tutorial.pictures.widgets.stage import mixture
from nas_tutorial.strategies.results import Event


def explore_alpha(source: Any) -> VBox:
    """Play a search: probabilities as a heat map and on the edges of the cell, and what it would pick in each epoch.

    source: a recording, a search result, or a list of events, with probabilities; ValueError where there are none.
    """
    events = events_of(source)
    space = events[0].architecture.space

    def render(epoch: int, table: str) -> str:
        event = events[epoch - 1]
        drawn = mixture(space, event.probabilities, event.architecture)
        both = side_by_side([heat_map(space, table, event.probabilities[table]), drawn])
        return figure(both, in_words(event), lines=4)

    slider, names = epochs(events), list(events[0].probabilities)
    table = toggles([(name, name) for name in names], names[0], "table")
    box = view(render, epoch=slider, table=table)
    box.children = [slider_row(slider, 700), *([table] if len(names) > 1 else []), box.children[-1]]
    return box


def explore_macro(source: Any) -> VBox:
    """Play a search of the macro space, and choose the layer whose skips stand out.

    source: see `explore_alpha`; ValueError for another space.
    """
    events = events_of(source)
    space = events[0].architecture.space
    if space.name != "enas_macro":
        raise ValueError(
            f"explore_macro is for searches of enas_macro; this one is of {space.name}: use explore_alpha."
        )

    def render(epoch: int, layer: int) -> str:
        event = events[epoch - 1]
        drawn = mixture(space, event.probabilities, event.architecture, layer)
        return figure(drawn, f"{layer_in_words(event, layer)} {in_words(event)}", lines=5)

    slider = epochs(events)
    layer = toggles([(str(k), k) for k in range(1, space.layers + 1)], space.layers, "layer")
    box = view(render, epoch=slider, layer=layer)
    box.children = [slider_row(slider, 700), layer, box.children[-1]]
    return box


def events_of(source: Any) -> Sequence[Event]:
    """The epochs of a source that has probabilities, see `history`; ValueError without."""
    events = history(source)
    if not events or not all(event.probabilities for event in events):
        raise ValueError(
            "These epochs hold no probabilities; give the recording or the result of a search by DARTS or ENAS, "
            "as random search has none."
        )
    return events


def history(source: Any) -> Sequence[Event]:
    """The epochs of a recording, of a search result, or of a list of events."""
    return list(getattr(source, "epochs", None) or getattr(source, "history", None) or source)


def epochs(events: Sequence[Event], name: str = "epoch") -> IntSlider:
    """A slider over the epochs; it begins with the last."""
    return sliding(IntSlider(len(events), 1, len(events), description=name))


def in_words(event: Event) -> str:
    """What an epoch came to."""
    skips = sum("skip" in edge.operation for cell in event.architecture.cells.values() for edge in cell.edges)
    rows = [row for table in event.probabilities.values() for row in table]
    sure = sum(max(row) for row in rows) / len(rows)
    return (
        f"Epoch {event.epoch}: loss {event.loss:.2f}, validation accuracy at shared weights "
        f"{100 * event.validation_accuracy:.1f} %; on average the likeliest option has {100 * sure:.0f} %. "
        f"Now it would pick {words.in_notation(event.architecture)}, with {skips} skip{'' if skips == 1 else 's'}."
    )


def layer_in_words(event: Event, layer: int) -> str:
    """The likeliest operation of a layer, and the outputs that it adds with a probability of more than one half."""
    space, tables = event.architecture.space, event.probabilities
    ops, start = tables["op"][layer - 1], (layer - 1) * (layer - 2) // 2
    best = max(range(len(ops)), key=ops.__getitem__)
    skips = tables["skip"][start : start + layer - 1]
    sources = [
        f"{'stem' if i == 0 else f'layer {i}'} ({100 * row[1]:.0f} %)" for i, row in enumerate(skips) if row[1] > 0.5
    ]
    likely = f"{space.operations[best]} {100 * ops[best]:.0f} %"
    return f"Layer {layer}: {likely}; it probably adds {', '.join(sources) or 'no other output'}."
