"""Search strategies, each a module with `search(space, data, …)`; `SUMMARIES` lists them all.

`SUMMARIES` is the only place where their names are written; the command line reads them there. Importing this package
loads none of them: modules and names are loaded when they are used.
"""

from importlib import import_module
from typing import Any

SUMMARIES = {
    "darts": "mix all operations on each edge and descend on the weights of the mixture (--order 1 or 2)",
    "enas": "a small LSTM proposes architectures, and learns from the accuracy they reach with shared weights",
    "random": "the baseline: train some random architectures, keep the best (--shared: within one supernet)",
}
"""Name of each strategy, which is also that of its module → what it does."""

PROFILES = ("small", "colab", "paper")
"""Names of the profiles, see `strategies.profiles`."""

_HOMES = {
    "Event": "results",
    "Recording": "recordings",
    "Search": "searching",
    "SearchResult": "results",
    "Strategy": "searching",
    "search": "searching",
}

__all__ = ["PROFILES", "SUMMARIES", "Event", "Recording", "Search", "SearchResult", "Strategy", "search"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
