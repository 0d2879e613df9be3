"""JSON that the package reads and writes: no key twice or unknown, neither NaN nor infinity, read with bounds."""

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from nas_tutorial.settings.bounds import shown

MOST_BYTES = 256 * 2**20


class Record(TypedDict):
    """What a JSON object must hold: derive from it, with a field for each key; no other keys are allowed."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def read_json(path: str | Path, kind: Any = None, what: str | None = None) -> Any:
    """What a file of JSON holds, checked by an annotation or a `Record`; what: names the file in messages.

    Raises OSError where it cannot be read, and ValueError that says what is wrong with it.
    """
    path, what = Path(path), what or str(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}; give the path of one.")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ValueError(f"{what} has {size:,} bytes; files of at most {MOST_BYTES:,} are read.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{what} is not a text in UTF-8 (byte {error.start}).") from error
    return from_text(text, kind, what)


def from_text(text: str, kind: Any = None, what: str = "This text") -> Any:
    """What JSON text holds; ValueError as `read_json`."""
    if not isinstance(text, str):
        raise ValueError(f"{what} is {shown(text)}; give JSON text.")
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_refused, parse_float=_finite)
    except RecursionError:
        raise ValueError(f"{what} is no JSON that can be read: it is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"{what} is no JSON that can be read: {error}.") from None
    return found if kind is None else fitting(kind, found, what)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object as a dictionary; ValueError where a key stands there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {shown(next(name for name in names if names.count(name) > 1))} stands there twice")
    return found


def _refused(word: str) -> None:
    raise ValueError(f"it holds {word}, which is no number")


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"it holds {shown(text)}, which no number of the machine can hold")
    return value


def fitting(kind: Any, given: Any, what: str) -> Any:
    """What was read, checked by an annotation or a `Record`; ValueError that names the place of the first fault."""
    try:
        return _reader(kind).validate_python(given)
    except ValidationError as error:
        raise ValueError(_sentence(error.errors(include_url=False)[0], what)) from None


@cache
def _reader(kind: Any) -> TypeAdapter:
    return TypeAdapter(kind)


def _sentence(fault: Mapping[str, Any], what: str) -> str:
    """One fault that pydantic found, in words."""
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] == "missing":
        return f"{what} lacks {place!r}."
    if fault["type"] == "extra_forbidden":
        return f"{what} holds {place!r}, which is unknown."
    hint = fault["msg"].removeprefix("Input should be ")
    return f"{what} holds {shown(fault['input'])}{f' as {place!r}' if place else ''}; it should be {hint}."


def to_text(value: Any, **how: Any) -> str:
    """JSON text of plain values; ValueError where one of them is NaN or infinite, which JSON cannot hold."""
    return json.dumps(value, allow_nan=False, **how)
