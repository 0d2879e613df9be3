"""What every room needs: checks of a name or a number, and the versions that a result depends on."""

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

import nas_tutorial
from nas_tutorial.settings.bounds import checked, shown


def one_of(options: Sequence[str], given: str, what: str) -> int:
    """The index of `given` among `options`; ValueError says what was expected."""
    if not isinstance(given, str) or given not in options:
        raise ValueError(f"{what} is {shown(given)}; expected one of {', '.join(options)}.")
    return list(options).index(given)


def whole_number(what: str, given: Any, least: int | None = None, most: int | None = None) -> int:
    """`given` as an int; ValueError where it is none, or out of bounds."""
    return checked(what, given, Annotated[int, Field(ge=least, le=most)])


def number(what: str, given: Any, below: float | None = None, zero: bool = True) -> float:
    """`given` as a float; ValueError where it is no number of at least 0 (zero=False: above it) and below a bound."""
    return checked(what, given, Annotated[float, Field(**{"ge" if zero else "gt": 0}, lt=below)])


def in_units(seconds: float) -> str:
    """A time for a reader, such as "40 s", "12 min", "3.5 h" or "2 days"."""
    for unit, length, below in (("s", 1, 100), ("min", 60, 100), ("h", 3600, 48)):
        if seconds < below * length:
            return f"{seconds / length:.2g} {unit}"
    return f"{seconds / 86400:.0f} days"


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    import torch

    return {"nas_tutorial": nas_tutorial.__version__, "torch": torch.__version__, "python": platform.python_version()}


def processor() -> str:
    """What the processor calls itself, and which instructions torch uses on it: one name may stand for several."""
    import torch

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    name = next(names, platform.processor() or platform.machine())
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"
