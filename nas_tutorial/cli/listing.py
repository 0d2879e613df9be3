"""`nas-tutorial settings`: every setting of a strategy, of retraining or of a space, with its values and its bounds."""

import inspect
from argparse import Namespace
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from nas_tutorial import spaces
from nas_tutorial.settings import listing, one_of
from nas_tutorial.strategies import PROFILES, SUMMARIES
from nas_tutorial.training import RECIPES


def list_settings(options: Namespace) -> None:
    """Print the settings of what is named, or of everything."""
    names = (*SUMMARIES, "retrain", *spaces.BY_NAME)
    if options.of is not None:
        one_of(names, options.of, "What to list the settings of")
    chosen = [options.of] if options.of else dict.fromkeys(names)
    print("\n\n".join("\n".join(lines(*table)) for name in chosen for table in tables(name)))


def lines(title: str, profiles: Mapping[str, Any]) -> Iterator[str]:
    """A table of the settings, and what they mean."""
    rows = [("", *profiles, "what it may be"), *(row for row in listing(profiles) if row[0] != "operations")]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield title
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for cls in documented(type(next(iter(profiles.values())))):
        yield ""
        yield from (f"  {line}" for line in inspect.getdoc(cls).splitlines()[1:] if line)


def tables(name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A title, and the settings in every profile, of what has this name: darts is a strategy and a space."""
    if name in SUMMARIES or name == "retrain":
        found = RECIPES if name == "retrain" else import_module(f"nas_tutorial.strategies.{name}").PROFILES
        yield f"{name}: --set NAME=VALUE", {profile: found[profile] for profile in PROFILES if profile in found}
    if name in spaces.BY_NAME:
        known = [profile for profile in PROFILES if profile in spaces.BY_NAME[name].profiles]
        yield f"{name}: sizes of the space", {profile: spaces.get(name, profile) for profile in known}


def documented(cls: type) -> list[type]:
    """The classes that have fields of a setting of their own, and say what these mean, the most general one last."""
    return [each for each in cls.__mro__ if "__dataclass_fields__" in vars(each) and each.__doc__]
