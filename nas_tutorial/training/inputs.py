"""What a search or a training is given: checked before it begins, and refused in a sentence."""

from collections.abc import Iterable
from typing import Any

from nas_tutorial.data import Data, Split
from nas_tutorial.settings import whole_number
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.training.recipes import Recipe

EXPECTED = {
    Space: ("The space is", 'a space, such as spaces.get("tiny")'),
    Architecture: ("The architecture is", "an architecture, such as space.parse(text) or a result's .architecture"),
    Data: ("The data are", 'loaded pictures, such as data.load("strokes")'),
    Split: ("The split is", "one of loaded pictures, such as pictures.train"),
    Recipe: ("The recipe is", "a recipe, such as Recipe(epochs=3)"),
}
SEEDS = 2**63  # there are so many: torch's generators take no larger ones


def check_kind(kind: type, given: Any, what: str | None = None) -> None:
    """Raise ValueError where `given` is none of this kind, such as its name; what: "The pictures of … are"."""
    if not isinstance(given, kind):
        said, expected = EXPECTED[kind]
        text = " ".join(repr(given).split())
        raise ValueError(f"{what or said} {text[:60]}{'…' * (len(text) > 60)}; give {expected}.")


def check_subject(space: Any, data: Any) -> None:
    """Raise ValueError where these are not a space and its pictures."""
    check_kind(Space, space)
    check_kind(Data, data)


def checked_seed(given: Any, what: str = "seed") -> int:
    """A seed as an int; ValueError where it is no whole number from 0 to 2⁶³ − 1."""
    return whole_number(what, given, least=0, most=SEEDS - 1)


def checked_seeds(given: Any) -> tuple[int, ...]:
    """Seeds as ints; ValueError unless there are some, each once and a whole number."""
    values = given.tolist() if hasattr(given, "tolist") else given  # arrays and tensors
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ValueError(f"The seeds are {given!r}; give a list of whole numbers, such as [0, 1, 2].")
    seeds = tuple(checked_seed(seed, "One of the seeds") for seed in values)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"The seeds are {list(seeds)}; give one or more, each once: every seed is one training.")
    return seeds
