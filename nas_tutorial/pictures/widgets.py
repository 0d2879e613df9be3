"""Things to turn and look at in a notebook: controls, and below them one picture with a line that says what it shows.

All are ordinary ipywidgets, version 7.7 or 8, made by `view`; a new one takes just a function that returns HTML.
"""

import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from nas_tutorial import training
from nas_tutorial.pictures.drawing import svg
from nas_tutorial.spaces import Architecture, CellEdge, Space

if TYPE_CHECKING:
    from ipywidgets import Button, Dropdown, IntSlider, VBox, Widget

WIDE = {"description_width": "initial"}


def view(render: Callable[..., str], **controls: "Widget") -> "VBox":
    """Controls, and below them the HTML that `render` makes of their values; it follows every change.

    render: called with each control's value under the control's name, returns HTML; when it raises a ValueError, the
    message takes the picture's place. The last child of the box that comes back is the `HTML` widget.
    """
    from ipywidgets import HTML, VBox

    page = HTML()

    def update(_change: object = None) -> None:
        try:
            page.value = render(**{name: control.value for name, control in controls.items()})
        except ValueError as error:
            page.value = f"<p><b>{html.escape(str(error))}</b></p>"

    for control in controls.values():
        control.observe(update, names="value")
    update()
    return VBox([*controls.values(), page])


def figure(picture: str, line: str) -> str:
    """A picture (SVG or `<img>`) and the line of text below it, as HTML no wider than the page."""
    return f'<div>{picture}</div><p style="line-height:1.5;overflow-wrap:anywhere">{line}</p>'


def count_parameters(architecture: Architecture) -> int:
    """Number of weights of the architecture's network for 10 classes, without the auxiliary head.

    Nothing is allocated or drawn at random.
    """
    with torch.device("meta"):
        return training.count_parameters(architecture.space.network(architecture))


def browse(
    architectures: Sequence[Architecture],
    *,
    scores: Sequence[float] | None = None,
    parameters: Callable[[Architecture], int] | None = count_parameters,
) -> "VBox":
    """Page through architectures: each drawn, with its notation, number of parameters and score (accuracy, 0 to 1).

    parameters: counts them, None leaves them out. Raises ValueError without architectures or with too few scores.
    """
    from ipywidgets import HBox, IntSlider

    if not architectures or (scores is not None and len(scores) != len(architectures)):
        raise ValueError(
            f"Give at least one architecture, and one score for each or none; got {len(architectures)} "
            f"architectures and {len(scores or ())} scores."
        )

    def render(number: int) -> str:
        architecture = architectures[number - 1]
        accuracy = "" if scores is None else f" Accuracy {100 * scores[number - 1]:.1f} %."
        return figure(
            svg(architecture),
            f"Architecture {number} of {len(architectures)}: {_words(architecture, parameters)}{accuracy}",
        )

    slider = IntSlider(1, 1, len(architectures), description="Architecture", continuous_update=False, style=WIDE)
    box = view(render, number=slider)
    box.children = [HBox([_step(slider, -1, "Previous"), _step(slider, 1, "Next"), slider]), box.children[-1]]
    return box


def _step(slider: "IntSlider", by: int, name: str) -> "Button":
    from ipywidgets import Button, Layout

    def press(_button: "Button") -> None:
        slider.value = min(max(slider.value + by, slider.min), slider.max)

    button = Button(description=name, layout=Layout(width="6em"))
    button.on_click(press)
    return button


def explore_cell(
    space: Space,
    start: Architecture | None = None,
    *,
    parameters: Callable[[Architecture], int] | None = count_parameters,
) -> "VBox":
    """Choose the operation of every edge of a cell and see it drawn, for the spaces with one cell (tiny, nasbench201).

    start: the cell to begin with, else one with many operations. Raises ValueError for any other space.
    """

    start = start or space.architecture([-k % len(d.options) for k, d in enumerate(space.decisions, start=1)])
    if list(start.cells) != ["cell"]:
        raise ValueError(
            f"explore_cell is for spaces with a single cell, tiny and nasbench201; {space.name} has other "
            "parts, so look at samples of it with `browse`."
        )

    def render(**chosen: int) -> str:
        architecture = space.architecture(list(chosen.values()))
        return figure(svg(architecture), f"One of {space.size:,} cells: {_words(architecture, parameters)}")

    edges = start.cells["cell"].edges  # in the order of the decisions
    return view(render, **{f"edge_{i}": _menu(edge, space.operations) for i, edge in enumerate(edges)})


def _menu(edge: CellEdge, operations: Sequence[str]) -> "Dropdown":
    """A choice among the operations of an edge; its value is the operation's index."""
    from ipywidgets import Dropdown

    return Dropdown(
        options=[(name, i) for i, name in enumerate(operations)],
        value=operations.index(edge.operation),
        description=f"{edge.source} → {edge.target}",
        style=WIDE,
    )


def _words(architecture: Architecture, parameters: Callable[[Architecture], int] | None) -> str:
    """Notation (which may be wrapped after every node), number of parameters and, where due, a warning, as HTML."""
    count = "" if parameters is None else f" {parameters(architecture):,} parameters."
    warning = f" {html.escape(architecture.warning)}" if architecture.warning else ""
    return f"<code>{html.escape(str(architecture)).replace('+', '+<wbr>')}</code>.{count}{warning}"
