"""Watch a search while it runs, and stop it between two epochs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from IPython import get_ipython
from IPython.display import display
from ipywidgets import HTML, Button, Layout, VBox

from nas_tutorial.pictures.widgets import words
from nas_tutorial.pictures.widgets.chart import Chart
from nas_tutorial.pictures.widgets.frame import figure, show, side_by_side
from nas_tutorial.pictures.widgets.heat import heat_map
from nas_tutorial.pictures.widgets.stage import picture
from nas_tutorial.strategies.results import Event
from nas_tutorial.strategies.searching import Search


def watch(search: Search) -> None:
    """Run a search to its end in this cell, and show its loss, accuracy, probabilities, cell and the time that is left.

    The button ends it after the epoch that runs; so does an interrupt of the cell, which loses that epoch. The search
    keeps all whole epochs (in its folder, where it was begun with `resume=`): run the cell again to go on, or ask for
    `search.so_far`.
    """
    watcher = Watcher(search)
    display(watcher.box)
    watcher.run()


class Watcher:
    """The view of a search: `box` holds a button and a page, `run` advances the search until it ends or is stopped."""

    def __init__(self, search: Search):
        self.search, self.stopped, self.seconds = search, False, []
        self.button = Button(description="Stop after this epoch", layout=Layout(width="auto"))
        self.button.on_click(lambda _: self.stop())
        self.page = HTML()
        self.box = VBox([self.button, self.page])
        self._show("begins")

    def stop(self) -> None:
        """End the search after the epoch that runs."""
        self.stopped = True
        self.button.description, self.button.disabled = "Stops after this epoch …", True

    def run(self) -> None:
        """Advance the search; KeyboardInterrupt passes through, with a word on the page."""
        state = "was interrupted: run the cell again to go on"
        try:
            with clicks(self.button) as poll:
                state = self._run(poll)
        finally:
            self.button.description, self.button.disabled = "Not running", True
            self._show(state)

    def _run(self, poll: Callable[[], None]) -> str:
        start = time.perf_counter()
        for _ in self.search:
            self.seconds.append(time.perf_counter() - start)
            poll()
            if self.stopped:
                return "stopped: run the cell again to go on" if self._left else "is done"
            self._show("runs")
            start = time.perf_counter()
        return "is done"

    @property
    def _left(self) -> int:
        return self.search.config["epochs"] - len(self.search.log)

    def _show(self, state: str) -> None:
        show(self.page, lambda: self._render(state))

    def _render(self, state: str) -> str:
        history, epochs = self.search.history, self.search.config["epochs"]
        if not history:
            return figure(_curves([], epochs), f"The search {state}: no epoch of {epochs} is over yet.", lines=4)
        event, wait = history[-1], ""
        if state == "runs" and self.seconds:
            wait = f", about {self._left * sum(self.seconds) / len(self.seconds):.0f} s are left"
        line = (
            f"The search {state}: epoch {event.epoch} of {epochs}{wait}. Loss {event.loss:.2f}, validation accuracy at "
            f"shared weights {100 * event.validation_accuracy:.1f} %. "
            f"Now it would pick {words.in_notation(event.architecture)}."
        )
        drawn = side_by_side([*_tables(event), picture(event.architecture)])
        return figure(_curves(history, epochs) + drawn, line, lines=4)


def _curves(history: list[Event], epochs: int) -> str:
    """Loss and validation accuracy of all epochs so far, in a frame that has room for all to come."""
    top = max([1.0, *(event.loss for event in history)])
    loss = [(event.epoch, event.loss) for event in history]
    right = [(event.epoch, 100 * event.validation_accuracy) for event in history]
    size, parts = (400, 220), []
    for label, points, high, colour in (
        ("loss", loss, top, "#D55E00"),
        ("validation accuracy (%)", right, 100, "#0072B2"),
    ):
        about = f"{label} by epoch: {', '.join(f'{value:.2f}' for _, value in points) or 'none yet'}"
        chart = Chart((0, max(epochs, 2)), (0, high), about, x_label="epoch", y_label=label, size=size)
        chart.line(points, colour, 2.5)
        for x, y in points:
            chart.dot(x, y, colour)
        parts.append(chart.svg())
    return side_by_side(parts)


def _tables(event: Event) -> list[str]:
    """The probabilities of an epoch, where the strategy has any."""
    space, tables = event.architecture.space, event.probabilities or {}
    return [heat_map(space, name, rows) for name, rows in tables.items()]


@contextmanager
def clicks(button: Button) -> Iterator[Callable[[], None]]:
    """What to call now and then in a long cell, so that clicks on a button are heard before the cell ends.

    JupyterLab sends them by a thread of their own (a subshell); ipykernel from 7.4 on brings them back to the cell that
    showed the button, unless it forgets which one that was. Up to ipykernel 6 they wait in a queue, from which they are
    taken here, and nothing else.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    if hasattr(button.comm, "_reply_subshell_id"):
        del button.comm._reply_subshell_id
    yield partial(deliver, kernel) if hasattr(kernel, "msg_queue") and hasattr(kernel, "get_parent") else lambda: None


def deliver(kernel: Any) -> None:
    """Hand out the messages to widgets that wait in a kernel's queue; all others stay there, in their order."""
    kernel.shell_stream.flush()
    waiting = [kernel.msg_queue.get_nowait() for _ in range(kernel.msg_queue.qsize())]
    for entry in waiting:
        _, dispatch, arguments = entry
        if dispatch != kernel.dispatch_shell or not _hand_out(kernel, arguments[0]):
            kernel.msg_queue.put_nowait(entry)


def _hand_out(kernel: Any, frames: list[Any]) -> bool:
    """Hand a message to its widget; False for any other message, which is left as it is.

    As usual, the kernel says that it is busy with this message, and then that it is idle; behind that, it goes on with
    the cell. Without this, a widget's page would wait for ever.
    """
    idents, parts = kernel.session.feed_identities(frames, copy=False)
    if kernel.session.unpack(parts[1].bytes)["msg_type"] != "comm_msg":
        return False
    message = kernel.session.deserialize(parts, content=True, copy=False)
    cell = kernel._parent_ident["shell"], kernel.get_parent("shell")
    kernel.set_parent(idents, message)
    kernel._publish_status("busy", "shell")
    try:
        kernel.shell_handlers["comm_msg"](kernel.shell_stream, idents, message)
    finally:
        kernel._publish_status("idle", "shell")
        kernel.set_parent(*cell)
    return True
