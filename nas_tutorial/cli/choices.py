"""From options to objects: a space, an architecture, settings."""

import json
import os
from argparse import Namespace
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nas_tutorial import spaces
from nas_tutorial.settings import configured, read_json
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies.results import read_record

WHAT = "give an architecture: a search's folder such as runs/first, a file, a name or a notation"
SIZES = ("channels", "cells", "nodes", "layers", "operations")


def space(options: Namespace) -> Space:
    """The space asked for, in the sizes asked for; ValueError where it has no such size."""
    fresh = _of_profile(options.space, options)
    return fresh.resized(**sizes(options, fresh))


def _of_profile(name: str, options: Namespace) -> Space:
    """A space in the sizes of the profile: those that are trained from scratch, where that is the command."""
    found = spaces.get(name, options.profile or "small")
    return found.resized(**found.retrained.get(options.profile, {})) if options.command == "retrain" else found


def sizes(options: Namespace, of: Space) -> dict[str, int]:
    """The sizes given on the command line, by the names that the space has for them."""
    given = {name: getattr(options, name) for name in SIZES if getattr(options, name) is not None}
    if "cells" in given and "cells_per_stage" in of.sizes:
        given["cells_per_stage"] = given.pop("cells")
    for name in given:
        if name not in (*of.sizes, "operations"):
            raise ValueError(f"{of.name} has no number of {name}; its sizes are {', '.join(of.sizes)}.")
    return given


# --- architectures ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Chosen:
    """An architecture; where a file holds it, its folder; and where a search wrote that, the record of its pictures."""

    architecture: Architecture
    folder: Path | None = None
    pictures: Mapping[str, Any] | None = None


def word(options: Namespace) -> str | None:
    """What stands for an architecture, in its place or behind --architecture; ValueError where both are given."""
    given = [text for text in (options.which, options.architecture) if text is not None]
    if len(given) > 1:
        raise ValueError(f"Two architectures are given, {given[0]} and {given[1]}: leave one out.")
    if given and not given[0].strip():
        raise ValueError(f"The architecture is {given[0]!r}; {WHAT}.")
    return given[0] if given else None


def chosen(options: Namespace) -> Chosen:
    """The architecture asked for: a search's folder, a file that ends in .json, or a name or notation in --space.

    One from a file brings its own sizes, which --profile and single sizes replace.
    """
    given = word(options)
    if not given:
        raise ValueError(f"G{WHAT[1:]}.")
    if os.path.isdir(given):
        record = read_record(given)
        found = spaces.from_json(json.dumps(record["architecture"]))
        return Chosen(_resized(found, given, options), Path(given), record["data"] or {})
    if not given.endswith(".json"):
        return Chosen(_from_notation(given, options))
    found, folder = _resized(spaces.load_architecture(given), given, options), Path(given).parent
    record = read_json(given)
    if "data" not in record and Path(given).name == "architecture.json" and (folder / "result.json").is_file():
        record = read_record(folder)  # of an older version
    return Chosen(found, folder, record["data"] or {} if "data" in record else None)


def _from_notation(given: str, options: Namespace) -> Architecture:
    if not options.space and Path(given).parts[:-1]:
        raise ValueError(f"There is no folder {given!r}; to read it as a name or a notation, give --space, too.")
    return spaces.load_architecture(given, space(options) if options.space else None)


def _resized(found: Architecture, given: str, options: Namespace) -> Architecture:
    if options.space not in (None, found.space.name):
        raise ValueError(f"{given} holds an architecture of {found.space.name}, not of {options.space}.")
    base = _of_profile(found.space.name, options) if options.profile else found.space
    return base.resized(**sizes(options, found.space)).parse(str(found))


# --- settings ---------------------------------------------------------------------------------------------------------
def settings(options: Namespace, profiles: Mapping[str, Any], options_too: tuple[str, ...] = ()) -> dict[str, Any]:
    """What --set and the options of these names say, as settings: {"learning_rate": 0.1, "shared": True}.

    Raises ValueError for what is no setting of these profiles, has an option of its own, or has no possible value.
    """
    profile = options.profile or "small"
    found = dict(_setting(pair, profiles[profile]) for pair in options.set)
    for name in found:
        if hasattr(options, name):
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"--set {name}={found[name]} cannot be: {name} has an option of its own, {option}.")
    known = [field.name for field in fields(profiles[profile])]
    for name in options_too:
        if value := getattr(options, name):
            if name not in known:
                raise ValueError(f"--{name} is not for {options.strategy}, whose settings are {', '.join(known)}.")
            found[name] = value
    configured(profiles, profile, found)
    return found


def _setting(pair: str, usual: Any) -> tuple[str, Any]:
    """(key, value) of KEY=VALUE; a word is a value only where the usual settings have a word there."""
    key, _, value = pair.partition("=")
    try:
        known = literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        known = value
    kinds = int | float | str | None if isinstance(getattr(usual, key, None), str) else int | float | None
    if not isinstance(known, kinds):
        raise ValueError(
            f"--set {pair} is not KEY=VALUE with a number, True, False or None, such as learning_rate=0.1."
        )
    return key, known
