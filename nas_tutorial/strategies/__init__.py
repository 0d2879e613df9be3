"""Search strategies, each a module with `search(space, data, …)`: `darts`, `enas`, `random`.

This table is the one place where their names are written; the command line and the demonstration read it. Looking at it
loads nothing: modules and names are loaded when they are used.
"""

from importlib import import_module
from typing import Any

SUMMARIES = {
    "darts": "mix all operations on each edge and descend on the weights of the mixture (--order 1 or 2)",
    "enas": "a small LSTM proposes architectures, and learns from the accuracy they reach with shared weights",
    "random": "the honest baseline: train some random architectures, keep the best (--shared: within one supernet)",
}
"""Name of each strategy, which is also that of its module → what it does."""

_HOMES = {
    "Event": "results",
    "Search": "searching",
    "SearchResult": "results",
    "Strategy": "searching",
    "search": "searching",
}

__all__ = ["SUMMARIES", "Event", "Search", "SearchResult", "Strategy", "search"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
