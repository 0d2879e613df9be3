"""Source code in a notebook, folded: a line that opens with a click."""

import html
import inspect
from typing import Any


def source(thing: Any) -> None:
    """Show the source of a function, class or module under its name, folded."""
    name = f"{thing.__module__}.{thing.__qualname__}" if hasattr(thing, "__qualname__") else thing.__name__
    show_folded(f"Source of {name}", inspect.getsource(thing))


def show_folded(summary: str, text: str) -> None:
    """Show a line that opens: below it stands a text in fixed width; where no page is shown, only the text."""
    from IPython.display import display

    page = f"<details><summary>{html.escape(summary)}</summary><pre>{html.escape(text)}</pre></details>"
    display({"text/html": page, "text/plain": f"{summary}\n\n{text}"}, raw=True)
