"""What took too long for a notebook: records that come with the package."""

from pathlib import Path
from typing import Any

from nas_tutorial.settings import Record, from_text, one_of, read_json
from nas_tutorial.strategies.recordings import Recording, load

HERE = Path(__file__).parent
RECORDINGS = HERE / "recordings"


class PaperRecord(Record):
    """A published number: of which method, what was measured, value ± std, size of the network, and where it stands."""

    method: str
    measure: str
    value: float
    std: float | None
    parameters: str | None
    source: str
    url: str


def papers() -> list[PaperRecord]:
    """What papers report, with sources: numbers of other people's trainings, to stand beside one's own."""
    return read_json(HERE / "papers.json", list[PaperRecord])


def leaderboard_names() -> list[str]:
    """The leaderboards that come with the package: "digits", and "cifar10_SPACE"."""
    return sorted(path.stem.removeprefix("leaderboard_") for path in HERE.glob("leaderboard_*.jsonl"))


def leaderboard(name: str = "digits") -> dict[str, list[dict[str, Any]]]:
    """Ways to search, at equal multiply-adds: for each the lines of its record, one for a seed.

    `python -m benchmarks.leaderboard` says how they are made, and makes them again. Raises ValueError for another name.
    """
    one_of(leaderboard_names(), name, "The name of the leaderboard")
    found: dict[str, list[dict[str, Any]]] = {}
    for line in map(from_text, (HERE / f"leaderboard_{name}.jsonl").read_text(encoding="utf-8").splitlines()):
        found.setdefault(line["search"], []).append(line)
    return found


def recording_names() -> list[str]:
    """The recordings that come with the package: "SPACE_STRATEGY", such as "enas_macro_enas"."""
    return sorted(path.stem for path in RECORDINGS.glob("*.json"))


def recording(name: str) -> Recording:
    """One search to look into, by its name; its `command` makes it again, `python -m benchmarks.recordings` all.

    They are short and small, all with seed 0: examples of what a search does, no comparison of strategies. Raises
    ValueError for another name.
    """
    one_of(recording_names(), name, "The name of the recording")
    return load(RECORDINGS / f"{name}.json")
