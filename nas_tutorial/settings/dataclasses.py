"""Dataclasses whose annotations are their bounds: checked, made from records, replaced in part, listed for a reader."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, replace
from functools import cache
from typing import Any, TypeVar

from nas_tutorial.settings.bounds import checked, expected, hints_of
from nas_tutorial.settings.words import one_of

Config = TypeVar("Config")
_kinds = cache(hints_of)


def check_fields(instance: Any, of: str = "") -> None:
    """Check every field of a dataclass by its annotation, and keep it as that type; call it in `__post_init__`.

    of: whose fields they are, where their names alone do not tell. Raises ValueError that names the field, what was
    given and what is expected.
    """
    for field in fields(instance):
        value = checked(f"{field.name}{of}", getattr(instance, field.name), _kinds(type(instance))[field.name])
        object.__setattr__(instance, field.name, value)


def made(cls: type[Config], record: Any, what: str) -> Config:
    """A dataclass from a record, such as one from a file; ValueError for a key that is missing or unknown."""
    if not isinstance(record, Mapping):
        raise ValueError(f"{what} is no record with names and values.")
    names = {field.name: field for field in fields(cls)}
    if unknown := [name for name in record if name not in names]:
        raise ValueError(f"{what} holds {unknown[0]!r}, which is unknown; known are {', '.join(names)}.")
    needed = [name for name, field in names.items() if field.default is field.default_factory is MISSING]
    if missing := [name for name in needed if name not in record]:
        raise ValueError(f"{what} lacks {missing[0]!r}.")
    return cls(**record)


def configured(profiles: Mapping[str, Config], profile: str, overrides: Mapping[str, Any]) -> Config:
    """A profile's configuration with some fields replaced (None means: leave as it is).

    Raises ValueError for an unknown profile or field.
    """
    one_of(tuple(profiles), profile, "The profile")
    names = [field.name for field in fields(profiles[profile])]
    for name in overrides:
        one_of(names, name, "A setting")
    return replace(profiles[profile], **{name: value for name, value in overrides.items() if value is not None})


def listing(profiles: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """For every field: its name, its value in each profile, and what values it may have."""
    kinds = _kinds(type(next(iter(profiles.values()))))
    for field in fields(next(iter(profiles.values()))):
        values = (str(getattr(config, field.name)) for config in profiles.values())
        yield field.name, *values, expected(kinds[field.name])
