"""The trials that make a table: which there are, how each is done, and how their results become the table."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from nas_tutorial.data import Data, check_test_pictures
from nas_tutorial.measures.table_files import Contents
from nas_tutorial.settings import Accuracy, Record, versions, whole_number
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.training.inputs import check_kind, check_subject, checked_seeds
from nas_tutorial.training.recipes import Recipe, counted
from nas_tutorial.training.stacking import check_recipe, train_together
from nas_tutorial.trials import Folder
from nas_tutorial.trials.threads import torch_threads


class Trial(Record):
    """What comes of training a group of architectures with one seed: accuracies, and how long it took."""

    validation: Annotated[list[Accuracy], Field(min_length=1)]
    test: Annotated[list[Accuracy], Field(min_length=1)]
    seconds: Annotated[float, Field(ge=0)]


@dataclass(frozen=True)
class Plan:
    """The trials that make a table, and the table that they make; see `tables.train_all`."""

    architectures: tuple[Architecture, ...]
    data: Data
    recipe: Recipe
    seeds: tuple[int, ...]
    at_once: int

    @staticmethod
    def of(
        space: Space,
        data: Data,
        recipe: Recipe,
        seeds: Iterable[int],
        architectures: Sequence[Architecture] | None,
        at_once: int,
    ) -> "Plan":
        """A plan with all its parts checked; ValueError as `tables.train_all`."""
        check_subject(space, data)
        check_kind(Recipe, recipe)
        check_recipe(recipe)
        seeds, at_once = checked_seeds(seeds), whole_number("at_once", at_once, least=1)
        check_test_pictures(data)
        architectures = tuple(space.enumerate() if architectures is None else architectures)
        check_members(architectures, space)
        return Plan(architectures, data, recipe, seeds, at_once)

    @property
    def jobs(self) -> dict[str, tuple[int, int]]:
        """The trials: seed, and number of the first architecture, by a name that says both."""
        firsts = range(0, len(self.architectures), self.at_once)
        return {f"seed-{seed}-from-{first}": (seed, first) for seed in self.seeds for first in firsts}

    @property
    def work(self) -> Callable[[int, int], Trial]:
        """What does one of the jobs, on as many threads as torch has here."""
        return partial(train_group, self, torch.get_num_threads())

    def folder(self, path: str | Path) -> Folder:
        """Where its trials are kept; ValueError where the folder holds those of another table, but for more seeds."""
        listed = {"recipe": counted(self.recipe), "at_once": self.at_once}
        return Folder(path, listed | identity_of(self.architectures, self.data), Trial)

    def table(self, found: Mapping[str, Trial]) -> Contents:
        """What the table is made of, from the results of all trials by name."""
        columns = {
            name: np.array([a for trial in found.values() for a in trial[name]]).reshape(len(self.seeds), -1).T
            for name in ("validation", "test")
        }  # (N, S)
        seconds = round(sum(trial["seconds"] for trial in found.values()), 1)
        return self.architectures, columns, self.about | {"seconds": seconds}

    @property
    def about(self) -> dict[str, Any]:
        """How the table is made."""
        pictures = {"data": repr(self.data), "pictures": self.data.record}
        return {**pictures, "recipe": asdict(self.recipe), "seeds": list(self.seeds), "versions": versions()}


def train_group(plan: Plan, threads: int, seed: int, first: int) -> Trial:
    """Do one trial of a plan: train `at_once` architectures from number `first` on, with this seed."""
    with torch_threads(threads):
        start = time.perf_counter()
        group = plan.architectures[first : first + plan.at_once]
        found = train_together(group, plan.data, plan.recipe, seed)
        seconds = float(time.perf_counter() - start)
    return {**{name: values.tolist() for name, values in found.items()}, "seconds": seconds}


def check_members(architectures: Sequence[Any], space: Space) -> None:
    """Raise ValueError unless there are architectures, all of them of this space."""
    if not architectures:
        raise ValueError("There is no architecture to train: give one or more, or leave them out to train all.")
    for architecture in architectures:
        check_kind(Architecture, architecture)
        if architecture.space != space:
            raise ValueError(f"{architecture!r} is of {architecture.space}, not of {space}: take this space's own.")


def identity_of(architectures: Sequence[Architecture], data: Data) -> dict[str, Any]:
    """What tells these architectures and pictures from others: their space, their number, and sha256 sums."""
    notation = "\n".join(map(str, architectures)).encode()
    listed = f"{len(architectures):,} with sha256 {hashlib.sha256(notation).hexdigest()}"
    pictures = {"pictures": data.fingerprint, "test_pictures": data.test.fingerprint}
    return {**architectures[0].space.to_record(), "architectures": listed, **pictures}
