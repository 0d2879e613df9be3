"""Ground truth: every architecture of a small space, trained and kept in a table.

`python -m nas_tutorial.measures.tables` rebuilds the two tables of the tiny space that come with the package.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from nas_tutorial import data, spaces
from nas_tutorial.data import Data
from nas_tutorial.files import write_whole
from nas_tutorial.measures import plans, table_files
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.training.inputs import check_kind
from nas_tutorial.training.recipes import Recipe
from nas_tutorial.trials import run

TINY, TINY_MORE = "tiny_table.json", "tiny_more_seeds.json"
TINY_SPACE = spaces.Tiny(channels=4, cells=1, nodes=3)
TINY_DATA = {"name_or_path": "strokes", "seed": 0}
TINY_RECIPE = Recipe(epochs=3, batch_size=32)
SEEDS, MORE_SEEDS = (0, 1, 2), tuple(range(3, 13))


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Measured accuracies of architectures.

    columns: name, such as "validation", → (N, S) fractions, one row per architecture, one column per seed.
    about: how they were made.
    """

    architectures: tuple[Architecture, ...]
    columns: Mapping[str, np.ndarray]
    about: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.architectures or not self.columns:
            raise ValueError("A table needs an architecture and a column, or more.")
        for name, values in self.columns.items():
            if values.ndim != 2 or len(values) != len(self.architectures) or not values.size:
                raise ValueError(
                    f"Column {name!r} has the shape {values.shape}; give ({len(self.architectures)}, seeds), a row for "
                    "each architecture."
                )
            if not (fine := (values >= 0) & (values <= 1)).all():
                raise ValueError(
                    f"Column {name!r} holds {values[~fine][0]}, but accuracies are fractions from 0 to 1, not per cent."
                )

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
        """Write the table as the suffix says, `.json` or `.npz`, see `table_files`."""
        write, _ = table_files.file_format(path)
        write_whole(path, write(self))

    @classmethod
    def load(cls, path: str | Path, space: Space | None = None) -> "Table":
        """Read what `save` wrote, or a `.npz` of your own, see `table_files.from_npz`.

        space: whose architectures these are; a `.json` file knows it, a `.npz` file does not.
        Raises FileNotFoundError, or ValueError that says what is wrong with the file.
        """
        if space is not None:
            check_kind(Space, space)
        _, read = table_files.file_format(path)
        return cls(*read(Path(path), space))


# --- making tables ----------------------------------------------------------------------------------------------------
def train_all(
    space: Space,
    data: Data,
    recipe: Recipe,
    seeds: Iterable[int] = SEEDS,
    architectures: Sequence[Architecture] | None = None,
    at_once: int = 25,
    resume: str | Path | None = None,
    executor: Executor | None = None,
    label: str | None = None,
) -> Table:
    """Train every architecture (or those given) once per seed on the train split: columns "validation" and "test".

    Each accuracy is the one that `training.train_from_scratch` and `evaluate` give with that seed, up to rounding;
    `at_once` networks are trained together (see `stacking`), which is one trial. resume: a folder in which the
    accuracies of each trial are kept, and from which the work goes on where some are kept already. executor: where the
    trials run, see `trials.engine`; the accuracies are the same everywhere. label: of a bar.
    Raises ValueError for a folder that holds another table, test pictures that are among the others, seeds that are no
    whole numbers, or architectures of another space.
    """
    plan = plans.Plan.of(space, data, recipe, seeds, architectures, at_once)
    return Table(*plan.table(run(plan.work, plan.jobs, executor, resume and plan.folder(resume), label)))


def join(tables: Sequence[Table]) -> Table:
    """One table of tables that hold the same architectures with other seeds; ValueError where they do not."""
    first = tables[0]
    if any(table.architectures != first.architectures for table in tables):
        raise ValueError("Only tables of the same architectures in the same order can be joined.")
    columns = {name: np.concatenate([table.runs(name) for table in tables], 1) for name in first.columns}
    about = dict(first.about, seeds=[seed for table in tables for seed in table.about["seeds"]])
    about["seconds"] = round(sum(table.about["seconds"] for table in tables), 1)
    return Table(first.architectures, columns, about)


def tiny(more_seeds: bool = False) -> Table:
    """A table of the tiny space that comes with the package: 125 cells with three seeds, or with ten more."""
    return Table.load(resources.files("nas_tutorial.measures") / (TINY_MORE if more_seeds else TINY))


if __name__ == "__main__":
    for name, seeds in ((TINY, SEEDS), (TINY_MORE, MORE_SEEDS)):
        table = train_all(TINY_SPACE, data.load(**TINY_DATA), TINY_RECIPE, seeds)
        table.about["command"] = "python -m nas_tutorial.measures.tables"
        table.save(Path(__file__).with_name(name))
        print(table)
