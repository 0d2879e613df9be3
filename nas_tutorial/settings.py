"""What every room needs: checks of a name or a setting, and the versions that a result depends on."""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from numbers import Integral, Real
from typing import Any, TypeVar

import nas_tutorial

Config = TypeVar("Config")


def one_of(options: Sequence[str], given: str, what: str) -> int:
    """The index of `given` among `options`; ValueError says what was expected."""
    if given not in options:
        raise ValueError(f"{what} is {given!r}; expected one of {', '.join(options)}.")
    return list(options).index(given)


def whole_number(what: str, given: Any, least: int | None = None) -> int:
    """`given` as an int; ValueError where it is none, or below `least`."""
    if isinstance(given, Integral) and not isinstance(given, bool) and (least is None or given >= least):
        return int(given)
    bound = "" if least is None else f" of at least {least}"
    raise ValueError(f"{what} is {given!r}; give a whole number{bound}.")


def number(what: str, given: Any, below: float = math.inf, zero: bool = True) -> float:
    """`given` as a float; ValueError where it is no number of at least 0 (zero=False: above it) and below a bound."""
    if isinstance(given, Real) and not isinstance(given, bool) and 0 <= given < below and (zero or given):  # not nan
        return float(given)
    bound = "" if below == math.inf else f" and below {below:g}"
    raise ValueError(f"{what} is {given!r}; give a finite number {'of at least' if zero else 'above'} 0{bound}.")


def configured(profiles: Mapping[str, Config], profile: str, overrides: Mapping[str, Any]) -> Config:
    """A profile's configuration with some fields replaced (None means: leave as it is).

    Raises ValueError for an unknown profile or field.
    """
    one_of(tuple(profiles), profile, "The profile")
    names = [field.name for field in fields(profiles[profile])]
    for name in overrides:
        one_of(names, name, "A setting")
    return replace(profiles[profile], **{name: value for name, value in overrides.items() if value is not None})


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    import torch

    return {"nas_tutorial": nas_tutorial.__version__, "torch": torch.__version__, "python": platform.python_version()}
