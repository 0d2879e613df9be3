"""Bounds of a value, read from its annotation: pydantic judges by them, and they are told in words."""

from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter

STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
"""No booleans or texts for numbers, no floats for counts, neither NaN nor infinity."""

NonNegative = Annotated[float, Field(ge=0, le=1e6)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
Share = Annotated[float, Field(ge=0, lt=1)]
"""A fraction that never is the whole."""
Accuracy = Annotated[float, Field(ge=0, le=1)]


def checked(what: str, given: Any, kind: Any) -> Any:
    """`given` as this kind of value, an annotation with bounds; ValueError says what is expected instead."""
    try:
        return _adapter(kind).validate_python(plain(given))
    except (ValueError, OverflowError):  # pydantic's is a ValueError
        raise ValueError(f"{what} is {shown(given)}; give {expected(kind)}.") from None


@cache
def _adapter(kind: Any) -> TypeAdapter:
    return TypeAdapter(kind, config=STRICT)


def plain(given: Any) -> Any:
    """Python's own number, or truth, for one of numpy's; all else as it is."""
    if type(given).__name__ in ("bool", "bool_"):
        return bool(given)
    if isinstance(given, Integral):
        return int(given)
    return float(given) if isinstance(given, Real) else given


def shown(given: Any, most: int = 60) -> str:
    """A value as Python writes it, on one line and not too long."""
    try:
        text = " ".join(repr(given).split())
    except ValueError:  # Python writes no whole number of more than some thousand digits
        return "a number of thousands of digits"
    return text if len(text) <= most else f"{text[:most]}…"


def hints_of(cls: type) -> dict[str, Any]:
    """The annotations of a class with their bounds, by name."""
    return get_type_hints(cls, include_extras=True)


# --- in words ---------------------------------------------------------------------------------------------------------
def expected(kind: Any) -> str:
    """What values an annotation allows, in words: "a whole number from 1 to 100, or None"."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin in (Union, UnionType):
        several = ", or ".join(expected(part) for part in parts if part is not NoneType)
        return f"{several}, or None" if NoneType in parts else several
    if origin is Annotated:
        return f"{_NAMES.get(parts[0], expected(parts[0]))}{_between(_limits(parts[1:]))}"
    return _NAMES.get(kind) or getattr(kind, "__name__", str(kind))


_NAMES = {int: "a whole number", float: "a finite number", bool: "True or False", str: "a text"}


def _limits(metadata: tuple) -> dict[str, float]:
    """The bounds among what stands behind a type in `Annotated`: {"ge": 1, "le": 100}."""
    marks = [mark for item in metadata for mark in getattr(item, "metadata", [item])]
    return {name: getattr(mark, name) for mark in marks for name in ("ge", "gt", "le", "lt") if hasattr(mark, name)}


def _between(limits: dict[str, float]) -> str:
    if {"ge", "le"} <= limits.keys():
        return f" from {figure(limits['ge'])} to {figure(limits['le'])}"
    said = {"ge": "of at least", "gt": "above", "le": "at most", "lt": "below"}
    words = " and ".join(f"{said[name]} {figure(limit)}" for name, limit in limits.items())
    return f" {words}" if words else ""


def figure(limit: float) -> str:
    """A bound as it is read best: 100,000 and 0.5, and 2^63 - 1 for the largest whole number of the machine."""
    if limit == 2**63 - 1:
        return "2^63 - 1"
    return f"{int(limit):,}" if limit == int(limit) else f"{limit:g}"
