"""What every room needs: checks of a name or a setting, and the versions that a result depends on."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import nas_tutorial

Config = TypeVar("Config")


def one_of(options: Sequence[str], given: str, what: str) -> int:
    """The index of `given` among `options`; ValueError says what was expected."""
    if given not in options:
        raise ValueError(f"{what} is {given!r}; expected one of {', '.join(options)}.")
    return list(options).index(given)


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
