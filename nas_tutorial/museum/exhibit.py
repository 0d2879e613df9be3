"""What hangs in the museum: a bug with its place in a public project, and the block of code that brings it back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any, NamedTuple

Block = Callable[[], AbstractContextManager[None]]


class Repository(NamedTuple):
    """A public project at one commit, so that line numbers stay true."""

    name: str
    commit: str

    def lines(self, path: str, first: int, last: int | None = None) -> Place:
        """Some lines of one of its files."""
        here = f"{first}-{last}" if last else f"{first}"
        anchor = f"L{first}-L{last}" if last else f"L{first}"
        link = f"https://github.com/{self.name}/blob/{self.commit}/{path}#{anchor}"
        return Place(f"{self.name}, {path}:{here}", link)


class Place(NamedTuple):
    """Where something can be read: in words, and its address."""

    where: str
    link: str


ENAS = Repository("melodyguan/enas", "4bcfd73b524627ea96574e5fed33da74bc7855d5")
DARTS = Repository("quark0/darts", "f276dd346a09ae3160f8e3aca5c7b193fda1da37")
PT_DARTS = Repository("khanrc/pt.darts", "48e71375c88772daac376829fb4bfebc4fb78144")
NNI = Repository("microsoft/nni", "e8c78bbab03fa651563e21cdf004220f29d9560a")  # release 2.8
AUTODL = Repository("D-X-Y/AutoDL-Projects", "f46486e21b71ae6459a700be720d7648b5429569")


class Exhibit(NamedTuple):
    """A bug: its name, where it was seen, the address of that place, what happens in a sentence, and its block."""

    name: str
    where: str
    link: str
    sentence: str
    block: Block

    def __str__(self) -> str:
        return f"{self.name}\n    {self.sentence}\n    {self.where}\n    {self.link}"


EXHIBITS: dict[str, Exhibit] = {}
"""All bugs on show, by name; every one can be looked up at its link."""


def exhibit(place: Place) -> Callable[[Callable[[], Iterator[None]]], Block]:
    """Put a function on show: it replaces something, yields once, and its docstring's first line says what happens."""

    def put_on_show(function: Callable[[], Iterator[None]]) -> Block:
        block, name = contextmanager(function), function.__name__
        EXHIBITS[name] = Exhibit(name, *place, function.__doc__.partition("\n")[0], block)
        return block

    return put_on_show


def catalogue() -> str:
    """All exhibits as text, numbered."""
    return "\n\n".join(f"{number:2}. {entry}" for number, entry in enumerate(EXHIBITS.values(), 1))


ABSENT = object()


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Inside the block `owner.name` is another value; behind it, and after an error, all is as it was.

    A function is replaced in its own module and wherever it was imported under its name, in a notebook's cells too; one
    that the module `owner` imported itself is replaced there only. Raises AttributeError where there is no such name.
    """
    places = places_of(owner, name)
    kept = [vars(place).get(name, ABSENT) for place in places]
    try:
        for place in places:
            setattr(place, name, value)
        yield
    finally:
        for place, before in zip(places, kept, strict=True):
            delattr(place, name) if before is ABSENT else setattr(place, name, before)


def places_of(owner: Any, name: str) -> list[Any]:
    """The owner of a name, and all modules that imported it from there."""
    thing = getattr(owner, name)
    if not isinstance(owner, ModuleType) or getattr(thing, "__module__", None) != owner.__name__:
        return [owner]
    modules = [module for module in list(sys.modules.values()) if isinstance(module, ModuleType)]
    return [module for module in modules if vars(module).get(name) is thing]
