"""What all widgets are made of: controls that a keyboard reaches, and below them a picture and the line that says it.

Choices are toggle buttons, not menus: a closed menu loses its arrow keys to JupyterLab, where `b` inserts a cell
(ipywidgets, issue 3912).
"""

import html
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ipywidgets import HTML, Button, HBox, IntSlider, Layout, Play, ToggleButtons, VBox, Widget, jslink

WIDE = {"description_width": "initial"}
WORDS = "11em"  # room for the words in front of a control
LINE = 1.5  # height of a line of text, in letters

# A slider's handle and the buttons that play have no name that a screen reader could say, and ipywidgets offers no way
# to give them one. So this invisible picture names them, as soon as it is shown (ipywidgets 8; of 7 sliders only).
NAMES = (
    '<img hidden alt="" src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7" '
    "onload=\"for (const handle of document.querySelectorAll('.noUi-handle, .ui-slider-handle')) {"
    "const label = handle.closest('.widget-slider, .widget-hslider')?.querySelector('.widget-label');"
    "if (label) handle.setAttribute('aria-label', label.textContent);}"
    "for (const icon of document.querySelectorAll('.widget-play button > i'))"
    "icon.parentElement.setAttribute('aria-label', icon.className.replace(/.*fa-/, ''));\">"
)


def view(render: Callable[..., str], **controls: Widget) -> VBox:
    """Controls, and below them the HTML that `render` makes of their values; it follows every change.

    render: called with each control's value under the control's name, returns HTML; when it raises, one line with the
    message takes the picture's place. The last child of the box that comes back is the `HTML` widget.
    """
    page = HTML()

    def update(_change: object = None) -> None:
        show(page, lambda: render(**{name: control.value for name, control in controls.items()}))

    for control in controls.values():
        control.observe(update, names="value")
    update()
    return VBox([*controls.values(), page])


def show(page: HTML, render: Callable[[], str]) -> None:
    """Put what `render` returns on the page; where it raises, one line that says why, as a callback has no output."""
    try:
        page.value = render() + NAMES
    except Exception as error:  # whatever went wrong, the reader shall hear of it
        name = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        page.value = f'<p role="alert"><b>{html.escape(name + " ".join(str(error).split()))}</b></p>'


def figure(picture: str, line: str, lines: int = 3) -> str:
    """A picture (SVG or `<img>`) and the line of text below it, as HTML no wider than the page.

    lines: how many lines are kept free for the text, so that nothing below moves when it becomes longer.
    """
    look = f"line-height:{LINE};min-height:{LINE * lines}em;overflow-wrap:anywhere"
    return f'<div>{picture}</div><p style="{look}">{line}</p>'


def side_by_side(parts: Iterable[str], wide: str = "auto") -> str:
    """Parts of a page beside each other, or below each other where there is little room; wide: how much each needs."""
    inside = "".join(f'<div style="flex:0 1 {wide};min-width:0">{part}</div>' for part in parts)
    return f'<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start">{inside}</div>'


def toggles(options: Sequence[tuple[str, Any]], value: Any, name: str = "", width: str | None = None) -> ToggleButtons:
    """A choice among (label, value) pairs by buttons of one width; name: the words in front."""
    longest = max(len(label) for label, _ in options)
    style = {"button_width": width or f"{max(longest, 2) + 4}ch", "description_width": WORDS}
    return ToggleButtons(options=list(options), value=value, description=name, style=style)


def sliding(slider: Any) -> Any:
    """A slider with room for its handle, and its words in line with those of toggle buttons."""
    slider.layout.width, slider.layout.max_width, slider.style.description_width = "36em", "100%", WORDS
    return slider


def button(name: str, press: Callable[[], None], width: str = "auto") -> Button:
    """A button with this name that calls `press`."""
    made = Button(description=name, layout=Layout(width=width))
    made.on_click(lambda _: press())
    return made


def slider_row(slider: IntSlider, milliseconds: int | None = None) -> HBox:
    """A slider with a button to each side; with a number of milliseconds also one that plays, a step each time."""

    def step(by: int) -> None:
        slider.value = min(max(slider.value + by * slider.step, slider.min), slider.max)

    steps = [button("Previous", lambda: step(-1), "6em"), button("Next", lambda: step(1), "6em")]
    slider.style.description_width, slider.layout.width = "initial", "26em"
    wrapped = Layout(flex_flow="row wrap")
    if milliseconds is None:
        return HBox([*steps, slider], layout=wrapped)
    limits = {"min": slider.min, "max": slider.max, "step": slider.step, "value": slider.value}
    player = Play(interval=milliseconds, **limits)
    jslink((player, "value"), (slider, "value"))
    return HBox([*steps, player, slider], layout=wrapped)
