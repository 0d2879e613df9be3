"""What the file of a recording holds: names in their order, what kind of value each has, and tables that fit."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from nas_tutorial.settings import Record
from nas_tutorial.spaces import Space, SpaceRecord

FORMAT = "nas_tutorial recording 1"

Known = float | None
"""None: not known, or not finite."""


class SampleRecord(Record):
    """An architecture that was tried, see `results.Sampled`."""

    choices: list[int]
    log_prob: Known
    entropy: Known
    reward: Known
    accuracy: Known


class EpochRecord(Record):
    """An epoch, see `results.Event`."""

    epoch: int
    seconds: float
    loss: Known
    train_accuracy: Known
    validation_accuracy: Known
    architecture: str
    choices: list[int]
    warning: str
    probabilities: dict[str, list[list[float]]] | None
    info: dict[str, Known]
    samples: list[SampleRecord]


class RecordingRecord(Record):
    """The whole file, see `docs/recordings.md`."""

    format: Literal["nas_tutorial recording 1"]
    strategy: str
    space: SpaceRecord
    size: int
    seed: int
    config: dict[str, Any]
    data: str
    versions: dict[str, str]
    command: str
    decisions: list[dict[str, Any]]  # must be those of the space
    epochs: Annotated[list[EpochRecord], Field(min_length=1)]


def check_tables(tables: Mapping[str, Sequence[Sequence[float]]], space: Space) -> None:
    """Raise ValueError where a table of probabilities has not the shape that its name has in this space."""
    rows = space.tabulate([[0.0] * len(decision.options) for decision in space.decisions])
    shapes = {name: {(len(table), len(table[0]))} for name, table in rows.items()}
    for name, shape in space.alpha_shapes.items():
        shapes.setdefault(name, set()).add(tuple(shape))
    for name, table in tables.items():
        found = {(len(table), len(row)) for row in table}
        if len(found) != 1 or not found <= shapes.get(name, found):
            raise ValueError(f"the table {name!r} of probabilities does not fit to this space")
