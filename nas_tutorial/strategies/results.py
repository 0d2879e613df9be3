"""What every search produces: one event per epoch, and in the end a result that can be saved and loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from nas_tutorial import spaces
from nas_tutorial.data import records
from nas_tutorial.files import write_together
from nas_tutorial.settings import Accuracy, Record, check_fields, made, read_json, to_text, versions
from nas_tutorial.spaces import Architecture, Space

FILES = ("result.json", "architecture.json", "weights.safetensors")
"""What `SearchResult.save` writes."""

Probabilities = dict[str, list[list[float]]]
"""Tables of probabilities by name, a row for each question, a column for each option."""


MOST_SAMPLES = 12
"""So many of an epoch's sampled architectures an event keeps, the first ones."""


@dataclass(frozen=True)
class Sampled:
    """An architecture that a search tried in an epoch; None for what this strategy does not know.

    choices: an option index per decision. log_prob, entropy: log π of the policy that drew it, and the sum of the
    entropies of its distributions, both in nats. reward: what the policy was taught by. accuracy: with the weights of
    the epoch, on validation pictures.
    """

    choices: tuple[int, ...]
    log_prob: float | None = None
    entropy: float | None = None
    reward: float | None = None
    accuracy: Accuracy | None = None


def sampled(choices: Sequence[Sequence[int]], **facts: Sequence[float]) -> tuple[Sampled, ...]:
    """What an event keeps of sampled architectures: `MOST_SAMPLES` of them, with numbers by the names of `Sampled`."""
    rows = [dict(zip(facts, row, strict=True)) for row in zip(*facts.values(), strict=True)]
    pairs = list(zip(choices, rows, strict=True))[:MOST_SAMPLES]
    return tuple(Sampled(tuple(map(int, each)), **row) for each, row in pairs)


Number = Annotated[int, Field(ge=1)]


class ResultRecord(Record):
    """What result.json holds; `Event` has the bounds of what is in its history."""

    strategy: str
    config: dict[str, int | float | bool | str | None]
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    data: Any  # `records.check_record` says what is wrong with it
    versions: dict[str, str]
    architecture: dict[str, Any]
    history: Annotated[list[dict[str, Any]], Field(min_length=1)]


@dataclass(frozen=True)
class Event:
    """One epoch of a search.

    loss, train_accuracy: of the shared weights on training pictures; validation_accuracy: on pictures the weights never
    saw. None of them is the accuracy of the architecture trained alone: for that see `training.retrain`.
    seconds: since the start of the search. probabilities: of the options of every decision, where the strategy has
    them: softmax(α) of DARTS, those that the policy of ENAS draws from. info: what only this strategy knows. samples:
    some of the architectures that were tried one by one in this epoch, if any.
    """

    epoch: Number
    epochs: Number
    loss: float
    train_accuracy: Accuracy
    validation_accuracy: Accuracy
    architecture: Architecture
    seconds: Annotated[float, Field(ge=0)] = 0.0
    probabilities: Probabilities | None = None
    info: dict[str, float] = field(default_factory=dict)
    samples: tuple[Sampled, ...] = ()

    def check(self) -> Event:
        """The event itself; ValueError where one of its numbers is none, or out of bounds."""
        check_fields(self, " of an epoch")
        for sample in self.samples:
            check_fields(sample, " of a sample")
        return self

    def __str__(self) -> str:
        counts = sum("skip" in edge.operation for cell in self.architecture.cells.values() for edge in cell.edges)
        skips = f"{counts} skip{'' if counts == 1 else 's'}"
        figures = f"loss {self.loss:.2f} | val {self.validation_accuracy:.2f}"
        return f"epoch {self.epoch} | {figures} | {skips} | {self.architecture}"

    def to_record(self) -> dict[str, Any]:
        """Plain values; the architecture as text."""
        return {**asdict(replace(self, architecture=None)), "architecture": str(self.architecture)}

    @staticmethod
    def from_record(record: Mapping[str, Any], space: Space) -> Event:
        """The event that `to_record` wrote; ValueError for a record of anything else."""
        known = {"architecture": space.parse(record["architecture"])} if "architecture" in record else {}
        samples = tuple(_sample(each) for each in record.get("samples", ()))
        return made(Event, {**record, **known, "samples": samples}, "The record of an epoch")


def _sample(record: Any) -> Sampled:
    choices = {"choices": tuple(record["choices"])} if isinstance(record, Mapping) and "choices" in record else {}
    return made(Sampled, {**record, **choices} if choices else record, "The record of a sample")


@dataclass(frozen=True)
class SearchResult:
    """What a search found, and all that is needed to tell how.

    data: the record of the pictures, from which `data.from_record` loads them again. weights: shared weights,
    architecture parameters and controller, by name.
    """

    strategy: str
    architecture: Architecture
    history: list[Event]
    config: dict[str, Any]
    seed: int
    data: dict[str, Any]
    versions: dict[str, str] = field(default_factory=versions)
    weights: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)

    @property
    def space(self) -> Space:
        """The space that was searched."""
        return self.architecture.space

    @property
    def seconds(self) -> float:
        """Duration of the search."""
        return self.history[-1].seconds

    def to_json(self) -> str:
        """Everything but the weights, as JSON text."""
        plain = [f.name for f in fields(self) if f.name not in ("weights", "history", "architecture")]
        record = {name: getattr(self, name) for name in plain}
        record["architecture"] = json.loads(self.architecture.to_json())
        record["history"] = [event.to_record() for event in self.history]
        return to_text(record, indent=1)

    def save(self, folder: str | Path) -> Path:
        """Write result.json, architecture.json and weights.safetensors to a folder, made where missing; returns it."""
        from safetensors.torch import save

        folder = Path(folder)
        weights = {name: w.detach().cpu().contiguous().clone() for name, w in self.weights.items()}
        alone = {**json.loads(self.architecture.to_json()), "data": self.data}  # so that a copy knows its pictures
        contents = {
            "weights.safetensors": save(weights, {"result": _fingerprint(self.to_json())}),
            "architecture.json": to_text(alone),
            "result.json": self.to_json(),  # last: where it is, the others are, too
        }
        write_together(folder, contents)
        return folder

    @staticmethod
    def load(folder: str | Path) -> SearchResult:
        """The result that `save` wrote; FileNotFoundError where there is none, ValueError where it is damaged."""
        record, file = read_record(folder), Path(folder) / "result.json"
        try:
            architecture = spaces.from_json(json.dumps(record["architecture"]))
            history = [Event.from_record(event, architecture.space).check() for event in record["history"]]
        except ValueError as error:
            raise ValueError(_not_ours(file, error)) from error
        weights = _weights_of(json.dumps(record), file.with_name("weights.safetensors"))
        return SearchResult(**{**record, "architecture": architecture, "history": history, "weights": weights})


def begun(folder: str | Path, more: tuple[str, ...] = ()) -> bool:
    """Whether a folder holds the states of a search to go on with.

    more: what is written there besides `FILES`. Raises ValueError where there are no states, but a file of such a name.
    """
    folder = Path(folder)
    if any(folder.glob("checkpoints/step-*.safetensors")):
        return True
    if there := [name for name in (*FILES, *more) if (folder / name).exists()]:
        raise ValueError(
            f"{folder} holds {', '.join(there)} but no checkpoints to go on from, and a new search would overwrite "
            "what is there: choose another folder (on the command line: another --name), or empty this one."
        )
    return False


def kept_data(folder: Path, now: dict[str, Any]) -> dict[str, Any]:
    """The record of the pictures of a search that goes on, with the origin that is known.

    folder: of its result.json, if that is there; now: the record of the pictures given. Raises ValueError where the
    test pictures are others than those of the search.
    """
    if not (folder / "result.json").is_file():
        return now
    kept = read_record(folder)["data"]
    if not isinstance(kept, str):
        records.check_record(kept)
        if kept["splits"]["test"] != now["splits"]["test"]:
            raise ValueError(
                f"{folder} holds a search with other test pictures: go on with those (on the command line: leave out "
                "--test-data), or choose another folder."
            )
    return now if now["origin"] or isinstance(kept, str) else kept


def read_record(folder: str | Path) -> dict[str, Any]:
    """What a result.json holds, read without the weights; FileNotFoundError or ValueError as `SearchResult.load`."""
    if not (file := Path(folder) / "result.json").is_file():
        raise FileNotFoundError(
            f"{folder} holds no result.json; give the folder that a search wrote, such as runs/my_search."
        )
    try:
        return read_json(file, ResultRecord, "It")
    except ValueError as error:
        raise ValueError(_not_ours(file, error)) from error


def _not_ours(file: Path, error: Exception) -> str:
    return f"{file} is not what a search wrote: {str(error).removesuffix('.')}; give the folder of a search."


def _fingerprint(result: str) -> str:
    """What tells a result's JSON from others, however it is indented."""
    return hashlib.sha256(json.dumps(json.loads(result), sort_keys=True).encode()).hexdigest()


def _weights_of(result: str, path: Path) -> dict[str, Tensor]:
    """The weights that were saved with this result.json; ValueError for those of another result or epoch."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            saved_with, weights = (file.metadata() or {}).get("result"), {k: file.get_tensor(k) for k in file.keys()}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} cannot be read ({error}); search again, or go on with resume.") from error
    if saved_with not in (None, _fingerprint(result)):
        raise ValueError(
            f"{path} was not saved with the result.json beside it, but with another epoch's or another search's; "
            "where the search was stopped in between, going on with resume mends it."
        )
    return weights
