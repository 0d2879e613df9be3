"""Recordings: what one can look into of a search, epoch by epoch, in one small JSON file.

Widgets and pages read them; no weights are needed. `docs/recordings.md` describes the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from nas_tutorial import spaces
from nas_tutorial.files import writable_folder, write_whole
from nas_tutorial.settings import from_text, read_json, versions, whole_number
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies import SUMMARIES
from nas_tutorial.strategies.recording_file import FORMAT, EpochRecord, RecordingRecord, check_tables
from nas_tutorial.strategies.results import Event, Sampled, SearchResult

DIGITS = 4
"""So many significant digits of each number are recorded."""


@dataclass(frozen=True)
class Recording:
    """A search to look into: `epochs` are its events, with four significant digits of each number.

    data: the pictures in a few words. command: what makes this recording again, in a shell or in Python.
    """

    strategy: str
    space: Space
    epochs: tuple[Event, ...]
    seed: int
    config: dict[str, Any]
    data: str
    command: str
    versions: dict[str, str] = field(default_factory=versions)

    @staticmethod
    def of(result: SearchResult, command: str = "") -> Recording:
        """The recording of a search's result; command: where none is given, a line of Python with its settings."""
        return Recording(
            strategy=result.strategy,
            space=result.space,
            epochs=tuple(map(rounded, result.history)),
            seed=result.seed,
            config=result.config,
            data=in_words(result.data),
            command=command or python_line(result),
            versions=result.versions,
        )

    @property
    def architecture(self) -> Architecture:
        """What the search found in the end."""
        return self.epochs[-1].architecture

    def to_record(self) -> dict[str, Any]:
        """Plain values, as `docs/recordings.md` describes them."""
        return {
            "format": FORMAT,
            "strategy": self.strategy,
            "space": self.space.to_record(),
            "size": self.space.size,
            "seed": self.seed,
            "config": self.config,
            "data": self.data,
            "versions": self.versions,
            "command": self.command,
            "decisions": decisions_of(self.space),
            "epochs": [epoch_record(event) for event in self.epochs],
        }

    def to_json(self) -> str:
        """JSON text with a line for each fact and each epoch."""
        record = without_nan(self.to_record())
        epochs = ",\n".join(map(_compact, record.pop("epochs")))
        head = ",\n".join(f"{_compact(name)}: {_compact(value)}" for name, value in record.items())
        return f'{{\n{head},\n"epochs": [\n{epochs}\n]}}\n'

    def save(self, path: str | Path) -> Path:
        """Write the file whole, or leave what is there; returns its path."""
        return write_whole(path, self.to_json())

    @staticmethod
    def from_json(text: str | bytes, name: str = "This text") -> Recording:
        """The recording that `to_json` wrote; ValueError with one sentence where it is none, `name` being its name."""
        with _called(name):
            return _read(from_text(text.decode() if isinstance(text, bytes) else text, RecordingRecord, "it"))

    @staticmethod
    def load(path: str | Path) -> Recording:
        """The recording in a file; FileNotFoundError where there is none, ValueError where it is something else."""
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(
                f"There is no file {str(path)!r}; give a recording, such as runs/my_search/recording.json."
            )
        with _called(str(path)):
            return _read(read_json(path, RecordingRecord, "it"))


load = Recording.load


def record(result: SearchResult, path: str | Path, command: str = "") -> Path:
    """Write the recording of a search, or of what is over of it, to a file; returns its path."""
    return Recording.of(result, command).save(path)


def recordable(path: str | Path) -> Path:
    """A path that a recording can be written to; ValueError where that is a folder, or cannot be."""
    if (path := Path(path)).is_dir():
        raise ValueError(f"{path} is a folder; name the file of the recording, such as {path / 'recording.json'}.")
    writable_folder(path.parent)
    return path


# --- search → recording -----------------------------------------------------------------------------------------------
def rounded(value: Any) -> Any:
    """Events, samples, tables and numbers with `DIGITS` significant digits; whole numbers and texts as they are."""
    match value:
        case float():
            return float(f"{value:.{DIGITS}g}")
        case Event():
            return replace(value, **{n: rounded(v) for n, v in vars(value).items() if n != "architecture"})
        case Sampled():
            return replace(value, **{n: rounded(v) for n, v in vars(value).items()})
        case dict():
            return {name: rounded(each) for name, each in value.items()}
        case list() | tuple():
            return type(value)(map(rounded, value))
    return value


def in_words(data: Mapping[str, Any] | str) -> str:
    """The pictures of a search in a few words: name, and how many weights and architecture were learnt from."""
    if isinstance(data, str):  # of an old version
        return data
    learnt = sum(data["splits"][name]["size"] for name in ("train", "validation"))
    return f"{data['name']}, {learnt} pictures"


def python_line(result: SearchResult) -> str:
    """A line of Python that makes the result again; settings of the small profile are left out."""
    known = result.strategy in SUMMARIES
    usual = asdict(import_module(f"nas_tutorial.strategies.{result.strategy}").PROFILES["small"]) if known else {}
    own = {name: value for name, value in result.config.items() if usual.get(name, ...) != value}
    settings = "".join(f", {name}={value!r}" for name, value in {"seed": result.seed, **own}.items())
    space = f"spaces.from_record({result.space.to_record()})"
    return f"search({space}, {_loading(result.data)}, {result.strategy!r}{settings}).result"


def _loading(data: Mapping[str, Any] | str) -> str:
    origin = {} if isinstance(data, str) else dict(data["origin"] or {})
    if not origin:
        return "pictures"  # of one's own, which nobody else can load
    given = "".join(f", {n}={v!r}" for n, v in origin.items() if n not in ("source", "sha256") and v is not None)
    return f"data.load({origin['source']!r}{given})"


# --- recording → file -------------------------------------------------------------------------------------------------
def decisions_of(space: Space) -> list[dict[str, Any]]:
    """Name and options of each decision, and the row of its table of probabilities, as `Space.tabulate` lays them."""
    rows: dict[str, int] = {}
    found = []
    for name, options, table in space.decisions:
        rows[table] = rows.get(table, -1) + 1
        found.append({"name": name, "options": list(options), "table": table, "row": rows[table]})
    return found


def epoch_record(event: Event) -> dict[str, Any]:
    """What the file holds of an event, in the order of `EpochRecord`."""
    own = {"choices": list(event.architecture.choices), "warning": event.architecture.warning}
    found = {**event.to_record(), **own}
    return {name: found[name] for name in EpochRecord.__annotations__}


def without_nan(value: Any) -> Any:
    """Plain values with None for numbers that are not finite, for which JSON has no sign."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {name: without_nan(each) for name, each in value.items()}
        case list() | tuple():
            return [without_nan(each) for each in value]
    return value


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


# --- file → recording -------------------------------------------------------------------------------------------------
@contextmanager
def _called(name: str) -> Iterator[None]:
    """Make one sentence of whatever is wrong with a recording of this name; ValueError."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        reason = str(error).rstrip(".")
        raise ValueError(
            f"{name} is no recording of a search ({reason}); make one with nas-tutorial search --record."
        ) from error


def _read(content: RecordingRecord) -> Recording:
    whole_number("epochs of config", content["config"].get("epochs"), least=len(content["epochs"]))
    space = spaces.from_record(content["space"])
    for name, expected in (("size", space.size), ("decisions", decisions_of(space))):
        if content[name] != expected:
            raise ValueError(f"{name} are not those of this space")
    epochs = tuple(_event(each, number, content, space) for number, each in enumerate(content["epochs"], 1))
    plain = {name: content[name] for name in ("strategy", "seed", "config", "data", "command", "versions")}
    return Recording(space=space, epochs=epochs, **plain)


def _event(epoch: EpochRecord, number: int, content: RecordingRecord, space: Space) -> Event:
    architecture = space.architecture(epoch["choices"])
    for name, expected in (("epoch", number), ("architecture", str(architecture))):
        if epoch[name] != expected:
            raise ValueError(f"{name} of epoch {number} is {epoch[name]!r}, but {expected!r} by what stands beside it")
    for each in epoch["samples"]:
        space.check(tuple(each["choices"]))
    check_tables(epoch["probabilities"] or {}, space)
    plain = {name: value for name, value in epoch.items() if name not in ("choices", "warning")}
    numbers = _not_null({name: epoch[name] for name in ("loss", "train_accuracy", "validation_accuracy")})
    more = {"info": _not_null(epoch["info"]), "epochs": content["config"]["epochs"]}
    return Event.from_record({**plain, **numbers, **more}, space)


def _not_null(numbers: Mapping[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else value for name, value in numbers.items()}
