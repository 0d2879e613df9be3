"""Search spaces: `BY_NAME` lists them all, `get` gives one in the sizes asked for.

Each is a frozen dataclass whose fields are the sizes of its network; see `Space` for what all of them can do.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NotRequired

from nas_tutorial.settings import Record, from_text, one_of, read_json, shown
from nas_tutorial.spaces.architecture import Architecture, Cell, CellEdge, Decision
from nas_tutorial.spaces.base import Form, Space
from nas_tutorial.spaces.darts import DARTS
from nas_tutorial.spaces.enas_macro import ENASMacro
from nas_tutorial.spaces.enas_micro import ENASMicro
from nas_tutorial.spaces.nasbench201 import NASBench201
from nas_tutorial.spaces.tiny import Tiny

EXPECTED = 'Expected JSON with "space", "sizes" and "architecture", as Architecture.to_json writes it'


class SpaceRecord(Record):
    """What `Space.to_record` returns."""

    space: str
    sizes: dict[str, int]
    operations: NotRequired[list[str]]


class ArchitectureRecord(SpaceRecord):
    """What `Architecture.to_json` writes; data: the record of the pictures that it was searched on."""

    architecture: str
    data: NotRequired[dict[str, Any] | str]


BY_NAME: dict[str, type[Space]] = {s.name: s for s in (Tiny, NASBench201, DARTS, ENASMacro, ENASMicro)}

__all__ = [
    "BY_NAME",
    "DARTS",
    "Architecture",
    "ArchitectureRecord",
    "Cell",
    "CellEdge",
    "Decision",
    "ENASMacro",
    "ENASMicro",
    "Form",
    "NASBench201",
    "Space",
    "SpaceRecord",
    "Tiny",
    "from_json",
    "from_record",
    "get",
    "load_architecture",
]


def get(name: str, profile: str = "small", **sizes: Any) -> Space:
    """The space of that name in a profile's sizes ("small", "colab" or "paper"), some of them replaced.

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
    return get(record["space"], **{**record["sizes"], **own})


def from_json(text: str) -> Architecture:
    """The architecture that `Architecture.to_json` wrote; ValueError where a key is missing, unknown or wrong."""
    try:
        return _architecture(from_text(text, ArchitectureRecord, "The text"))
    except ValueError as error:
        raise ValueError(f"{EXPECTED}; got {shown(text)}: {error}") from error


def _architecture(record: ArchitectureRecord) -> Architecture:
    return from_record(record).parse(record["architecture"])


def load_architecture(given: str, space: Space | None = None) -> Architecture:
    """An architecture from a JSON file's path, a published name or its notation (the latter two in `space`).

    Raises ValueError where it cannot be understood.
    """
    if given.endswith(".json"):
        if not Path(given).is_file():
            raise ValueError(
                f"There is no file {given!r}; give the architecture.json of a search, a name or a notation."
            )
        record = read_json(given, ArchitectureRecord)
        try:
            return _architecture(record)
        except ValueError as error:
            raise ValueError(f"{given} holds no architecture: {error}") from error
    if space is None:
        raise ValueError("A name or a notation needs a space to be read in; give one of " + ", ".join(BY_NAME) + ".")
    return space.parse(given)
