"""One-shot neural architecture search (ENAS and DARTS), written to be read.

Start with `nas_tutorial.spaces` (what can be searched), then `nas_tutorial.strategies` (how it is searched).
Importing the package loads none of its modules; each is imported where it is used:

    from nas_tutorial import data, drawing, plots, retrain, search, spaces, widgets
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {  # what is at hand here → the room where it lives
    "search": "strategies",
    "retrain": "training",
    "profiles": "strategies",
    "ranking": "measures",
    "tables": "measures",
    "drawing": "pictures",
    "plots": "pictures",
    "widgets": "pictures",
}
_ROOMS = (
    "adapters",
    "data",
    "exercises",
    "measures",
    "museum",
    "networks",
    "pictures",
    "spaces",
    "strategies",
    "training",
)

__all__ = [*_HOMES, *_ROOMS]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        room = import_module(f"{__name__}.{_HOMES[name]}")
        return getattr(room, name, None) or import_module(f"{room.__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; there are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
