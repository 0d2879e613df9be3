"""What every search produces: one event per epoch, and in the end a result that can be saved and loaded."""

import json
import platform
import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

import nas_tutorial
from nas_tutorial import spaces
from nas_tutorial.spaces import Architecture, Space

Config = TypeVar("Config")


@dataclass(frozen=True)
class Event:
    """One epoch of a search.

    loss, train_accuracy: of the shared weights on training pictures; validation_accuracy: on pictures the weights never
    saw. None of them is the accuracy of the architecture trained alone: for that see `training.retrain`.
    seconds: since the start of the search. info: what only this strategy knows.
    """

    epoch: int
    epochs: int
    loss: float
    train_accuracy: float
    validation_accuracy: float
    architecture: Architecture
    seconds: float = 0.0
    probabilities: dict[str, list[list[float]]] | None = None
    info: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = sum("skip" in edge.operation for cell in self.architecture.cells.values() for edge in cell.edges)
        skips = f"{counts} skip{'' if counts == 1 else 's'}"
        figures = f"loss {self.loss:.2f} | val {self.validation_accuracy:.2f}"
        return f"epoch {self.epoch} | {figures} | {skips} | {self.architecture}"


Steps = Generator[Event, None, dict[str, Tensor]]
"""A strategy's own loop: yields an event per epoch and returns its weights by name."""


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    return {"nas_tutorial": nas_tutorial.__version__, "torch": torch.__version__, "python": platform.python_version()}


@dataclass(frozen=True)
class SearchResult:
    """A finished search: what was found, and all that is needed to tell how.

    weights: shared weights, architecture parameters and controller, by name.
    """

    strategy: str
    architecture: Architecture
    history: list[Event]
    config: dict[str, Any]
    seed: int
    data: str
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
        record = {
            f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("weights", "history", "architecture")
        }
        history = [{**asdict(replace(e, architecture=None)), "architecture": str(e.architecture)} for e in self.history]
        return json.dumps(
            record | {"architecture": json.loads(self.architecture.to_json()), "history": history}, indent=1
        )

    def save(self, folder: str | Path) -> Path:
        """Write result.json, architecture.json and weights.safetensors to a folder, made where missing; returns it."""
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "result.json").write_text(self.to_json())
        (folder / "architecture.json").write_text(self.architecture.to_json())
        save_file(
            {name: w.detach().cpu().contiguous().clone() for name, w in self.weights.items()},
            folder / "weights.safetensors",
        )
        return folder

    @staticmethod
    def load(folder: str | Path) -> "SearchResult":
        """The result that `save` wrote; FileNotFoundError where the folder holds none."""
        from safetensors.torch import load_file

        if not (Path(folder) / "result.json").is_file():
            raise FileNotFoundError(
                f"{folder} holds no result.json; give the folder that a search wrote, such as runs/my_search."
            )
        record = json.loads((Path(folder) / "result.json").read_text())
        architecture = spaces.from_json(json.dumps(record["architecture"]))
        history = [
            Event(**{**event, "architecture": architecture.space.parse(event["architecture"])})
            for event in record["history"]
        ]
        weights = load_file(Path(folder) / "weights.safetensors")
        return SearchResult(**{**record, "architecture": architecture, "history": history, "weights": weights})


class Search:
    """A search in progress: iterate over its events, then ask for `result`.

    Between two events torch's default generator is given back as it was, so nothing the caller draws changes the
    search.
    """

    def __init__(self, steps: Steps, seed: int, **facts: Any):
        self._steps, self._facts, self._seconds = steps, {"seed": seed, **facts}, 0.0
        self.history: list[Event] = []
        self.weights: dict[str, Tensor] = {}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self._state = rng_state()

    @property
    def config(self) -> dict[str, Any]:
        """The settings in use, such as the number of epochs."""
        return self._facts["config"]

    def __iter__(self) -> "Search":
        return self

    def __next__(self) -> Event:
        with torch.random.fork_rng():
            set_rng_state(self._state)
            start = time.perf_counter()
            try:
                event = next(self._steps)
            except StopIteration as end:
                self.weights = end.value or self.weights  # a second end brings no value
                raise
            self._seconds += time.perf_counter() - start
            self._state = rng_state()
        self.history.append(replace(event, seconds=self._seconds))
        return self.history[-1]

    @property
    def result(self) -> SearchResult:
        """The result; runs what is left of the search first."""
        for _ in self:
            pass
        return self.so_far

    @property
    def so_far(self) -> SearchResult:
        """What is known after the latest epoch, of which there must be one; weights come with the last."""
        return SearchResult(
            architecture=self.history[-1].architecture, history=self.history, weights=self.weights, **self._facts
        )


def rng_state() -> tuple[Tensor, list[Tensor]]:
    """State of torch's default generators, on the CPU and on every GPU."""
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def set_rng_state(state: tuple[Tensor, list[Tensor]]) -> None:
    """Put torch's default generators into this state."""
    torch.set_rng_state(state[0])
    torch.cuda.set_rng_state_all(state[1])


def configured(profiles: Mapping[str, Config], profile: str, overrides: Mapping[str, Any]) -> Config:
    """A profile's configuration with some fields replaced (None means: leave as it is).

    Raises ValueError for an unknown profile or field.
    """
    spaces.one_of(tuple(profiles), profile, "The profile")
    names = [f.name for f in fields(profiles[profile])]
    for name in overrides:
        spaces.one_of(names, name, "A setting of this search")
    return replace(profiles[profile], **{name: value for name, value in overrides.items() if value is not None})


def as_lists(probabilities: Mapping[str, Tensor]) -> dict[str, list[list[float]]]:
    """Tables of probabilities as plain numbers."""
    return {name: table.detach().tolist() for name, table in probabilities.items()}
