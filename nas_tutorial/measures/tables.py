"""Ground truth: every architecture of a small space, trained and kept in a table.

`python -m nas_tutorial.measures.tables` rebuilds the table of the tiny space that comes with the package.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from nas_tutorial import data, spaces
from nas_tutorial.data import Data
from nas_tutorial.settings import versions
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.training.recipes import Recipe
from nas_tutorial.training.stacking import train_together

TINY = "tiny_table.json"
TINY_SPACE = spaces.Tiny(channels=4, cells=1)
TINY_DATA = {"name_or_path": "strokes", "seed": 0}
TINY_RECIPE = Recipe(epochs=3)
SEEDS = (0, 1, 2)


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Measured accuracies of architectures.

    columns: name, such as "validation", → (N, S) fractions, one row per architecture, one column per seed.
    about: how they were made.
    """

    architectures: tuple[Architecture, ...]
    columns: Mapping[str, np.ndarray]
    about: Mapping[str, Any]

    def __repr__(self) -> str:
        columns = ", ".join(f"{name} ({values.shape[1]})" for name, values in self.columns.items())
        return f"{len(self):,} architectures of {self.space.name}; columns (seeds): {columns}"

    def __len__(self) -> int:
        return len(self.architectures)

    @property
    def space(self) -> Space:
        """The space that the architectures are from."""
        return self.architectures[0].space

    @cached_property
    def index(self) -> dict[Architecture, int]:
        """Number of each architecture."""
        return {architecture: i for i, architecture in enumerate(self.architectures)}

    def runs(self, column: str = "validation") -> np.ndarray:
        """All accuracies of a column, (N, S); KeyError that names the columns there are."""
        if column not in self.columns:
            raise KeyError(f"There is no column {column!r}; there are {', '.join(self.columns)}.")
        return self.columns[column]

    def mean(self, column: str = "validation") -> np.ndarray:
        """Mean accuracy over the seeds, (N,)."""
        return self.runs(column).mean(1)

    def accuracy(self, architecture: Architecture, column: str = "validation") -> float:
        """Mean accuracy of one architecture; KeyError for one that is not in the table."""
        if architecture not in self.index:
            raise KeyError(f"{architecture!r} is not among the {len(self):,} architectures of this table.")
        return float(self.mean(column)[self.index[architecture]])

    def save(self, path: str | Path) -> None:
        """Write the table as JSON, one architecture per line."""
        head = {**self.space.to_record(), "about": dict(self.about)}
        rows = (
            json.dumps(str(a)) + ": " + json.dumps({name: values[i].tolist() for name, values in self.columns.items()})
            for i, a in enumerate(self.architectures)
        )
        body = json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "rows": {\n' + ",\n".join(rows) + "\n}}\n"
        Path(path).write_text(body, encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "Table":
        """Read what `save` wrote; ValueError that says what is wrong with the file."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            space = spaces.from_record(content)
            rows = content["rows"]
            names = list(next(iter(rows.values())))
            columns = {name: np.array([row[name] for row in rows.values()], dtype=float) for name in names}
            return cls(tuple(space.parse(text) for text in rows), columns, content["about"])
        except (KeyError, TypeError, StopIteration, json.JSONDecodeError) as error:
            raise ValueError(
                f"{Path(path).name} is no table that `Table.save` wrote ({type(error).__name__}: {error})."
            ) from error


def train_all(
    space: Space,
    data: Data,
    recipe: Recipe,
    seeds: Sequence[int] = SEEDS,
    architectures: Sequence[Architecture] | None = None,
    at_once: int = 25,
) -> Table:
    """Train every architecture (or those given) once per seed on the train split: columns "validation" and "test".

    Each accuracy is the one that `training.train_from_scratch` and `evaluate` give with that seed, up to rounding;
    `at_once` networks are trained together (see `stacking`).
    """
    architectures, start = tuple(architectures or space.enumerate()), time.perf_counter()
    columns: dict[str, list[np.ndarray]] = {"validation": [], "test": []}
    for seed in seeds:
        groups = [architectures[i : i + at_once] for i in range(0, len(architectures), at_once)]
        parts = [train_together(group, data, recipe, seed) for group in groups]
        for name, runs in columns.items():
            runs.append(np.concatenate([part[name].numpy() for part in parts]))  # (N,)
    about = {"data": repr(data), "recipe": asdict(recipe), "seeds": list(seeds), "versions": versions()}
    about["seconds"] = round(time.perf_counter() - start, 1)
    return Table(architectures, {name: np.stack(runs, 1) for name, runs in columns.items()}, about)


def join(tables: Sequence[Table]) -> Table:
    """One table of tables that hold the same architectures with other seeds; ValueError where they do not."""
    first = tables[0]
    if any(table.architectures != first.architectures for table in tables):
        raise ValueError("Only tables of the same architectures in the same order can be joined.")
    columns = {name: np.concatenate([table.runs(name) for table in tables], 1) for name in first.columns}
    about = dict(first.about, seeds=[seed for table in tables for seed in table.about["seeds"]])
    about["seconds"] = round(sum(table.about["seconds"] for table in tables), 1)
    return Table(first.architectures, columns, about)


def tiny() -> Table:
    """The table of the tiny space that comes with the package: 125 cells, three seeds, made by `python -m` this."""
    return Table.load(resources.files("nas_tutorial.measures") / TINY)


if __name__ == "__main__":
    table = train_all(TINY_SPACE, data.load(**TINY_DATA), TINY_RECIPE)
    table.about["command"] = "python -m nas_tutorial.measures.tables"
    table.save(Path(__file__).with_name(TINY))
    print(table)
