"""From options to objects: a space, an architecture, pictures, settings."""

from argparse import Namespace
from ast import literal_eval
from collections.abc import Sequence
from typing import Any

from nas_tutorial import data, spaces
from nas_tutorial.spaces import Architecture, Space

SIZES = ("channels", "cells", "nodes", "layers", "operations")


def space(options: Namespace) -> Space:
    """The space asked for, in the sizes asked for; ValueError where it has no such size."""
    fresh = spaces.get(options.space, options.profile or "small")
    return fresh.resized(**sizes(options, fresh))


def sizes(options: Namespace, of: Space) -> dict[str, int]:
    """The sizes given on the command line, by the names that the space has for them."""
    given = {name: getattr(options, name) for name in SIZES if getattr(options, name) is not None}
    if "cells" in given and "cells_per_stage" in of.sizes:
        given["cells_per_stage"] = given.pop("cells")
    for name in given:
        if name not in (*of.sizes, "operations"):
            raise ValueError(f"{of.name} has no number of {name}; its sizes are {', '.join(of.sizes)}.")
    return given


def architecture(options: Namespace) -> Architecture:
    """The architecture asked for. A file brings its own sizes, which --profile and single sizes replace."""
    if not options.architecture.endswith(".json"):
        return spaces.load_architecture(options.architecture, space(options) if options.space else None)
    found = spaces.load_architecture(options.architecture)
    if options.space not in (None, found.space.name):
        raise ValueError(f"{options.architecture} holds an architecture of {found.space.name}, not of {options.space}.")
    base = spaces.get(found.space.name, options.profile) if options.profile else found.space
    return base.resized(**sizes(options, found.space)).parse(str(found))


def pictures(options: Namespace) -> data.Data:
    """The data set asked for."""
    more = {"test_data": options.test_data, "root": options.root}
    return data.load(options.data, seed=options.data_seed, per_class=options.per_class, **more)


def settings(pairs: Sequence[str]) -> dict[str, Any]:
    """["rate=0.1", "shared=True"] → {"rate": 0.1, "shared": True}; ValueError for anything else."""
    return dict(map(_setting, pairs))


def _setting(pair: str) -> tuple[str, Any]:
    key, _, value = pair.partition("=")
    try:
        known = literal_eval(value)
    except (ValueError, SyntaxError):
        known = value
    if not isinstance(known, int | float | None):
        raise ValueError(
            f"--set {pair} is not KEY=VALUE with a number, True, False or None, such as learning_rate=0.1."
        )
    return key, known
