"""Search spaces: `BY_NAME` lists them all, `get` gives one in the sizes asked for.

Each is a frozen dataclass whose fields are the sizes of its network; see `Space` for what all of them can do.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from nas_tutorial.settings import one_of
from nas_tutorial.spaces.architecture import Architecture, Cell, CellEdge, Decision
from nas_tutorial.spaces.base import Form, Space
from nas_tutorial.spaces.darts import DARTS
from nas_tutorial.spaces.enas_macro import ENASMacro
from nas_tutorial.spaces.enas_micro import ENASMicro
from nas_tutorial.spaces.nasbench201 import NASBench201
from nas_tutorial.spaces.tiny import Tiny

BY_NAME: dict[str, type[Space]] = {s.name: s for s in (Tiny, NASBench201, DARTS, ENASMacro, ENASMicro)}

__all__ = [
    "BY_NAME",
    "DARTS",
    "Architecture",
    "Cell",
    "CellEdge",
    "Decision",
    "ENASMacro",
    "ENASMicro",
    "Form",
    "NASBench201",
    "Space",
    "Tiny",
    "from_json",
    "from_record",
    "get",
    "load_architecture",
]


def get(name: str, profile: str = "small", **sizes: Any) -> Space:
    """The space of that name in a profile's sizes ("small" for a laptop, "paper" as published), some of them replaced.

    Raises ValueError for an unknown name, profile or size.
    """
    one_of(tuple(BY_NAME), name, "The name of the space")
    space = BY_NAME[name]
    one_of(tuple(space.profiles), profile, "The profile")
    for size in sizes:
        one_of([field.name for field in fields(space)], size, f"A size of {name}")
    return space(**{**space.profiles[profile], **sizes})


def from_record(record: Mapping[str, Any]) -> Space:
    """The space that `Space.to_record` described."""
    own = {"operations": record["operations"]} if "operations" in record else {}
    return get(record["space"], **record["sizes"], **own)


def from_json(text: str) -> Architecture:
    """The architecture that `Architecture.to_json` wrote; ValueError where a key is missing or wrong."""
    try:
        record = json.loads(text)
        return from_record(record).parse(record["architecture"])
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            'Expected JSON with "space", "sizes" and "architecture", as Architecture.to_json writes it; '
            f"got {text[:60]!r} ({error})."
        ) from error


def load_architecture(given: str, space: Space | None = None) -> Architecture:
    """An architecture from a JSON file's path, a published name or its notation (the latter two in `space`).

    Raises ValueError where it cannot be understood.
    """
    if given.endswith(".json"):
        if not Path(given).is_file():
            raise ValueError(
                f"There is no file {given!r}; give the architecture.json of a search, a name or a notation."
            )
        try:
            return from_json(Path(given).read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise ValueError(f"{given} is not a text in UTF-8; give the architecture.json of a search.") from error
    if space is None:
        raise ValueError("A name or a notation needs a space to be read in; give one of " + ", ".join(BY_NAME) + ".")
    return space.parse(given)
