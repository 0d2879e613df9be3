"""What a report is about: searches that are finished, what they found trained from scratch, and what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from nas_tutorial import spaces
from nas_tutorial.settings import read_json, to_text
from nas_tutorial.strategies.results import SearchResult
from nas_tutorial.training import Scores
from nas_tutorial.training.score_files import ScoresRecord


@dataclass(frozen=True)
class Reported:
    """A finished search, by the name of its folder, and its retraining; None where there is none yet.

    setting: on which pictures and by which recipe it was retrained.
    """

    name: str
    folder: Path
    result: SearchResult
    scores: Scores | None = None
    setting: Any = None


class Gathered(NamedTuple):
    """The searches of some folders, and a sentence for each folder or file that was left out."""

    runs: tuple[Reported, ...]
    left_out: tuple[str, ...]


def gather(folders: Sequence[str | Path]) -> Gathered:
    """Read the folders of searches; ValueError where none of them holds a finished one.

    What a folder is called is the last part of its path, or the whole path where two would have one name.
    """
    runs, left_out = [], []
    for folder in dict.fromkeys(map(Path, folders)):
        try:
            run, note = read(folder)
            runs.append(run)
            left_out += note
        except (ValueError, OSError) as error:
            left_out.append(f"{folder} is left out: {error}")
    if not runs:
        raise ValueError(
            f"There is no finished search to report on. {' '.join(left_out) or 'Give the folders of searches.'}"
        )
    return Gathered(tuple(named(runs)), tuple(left_out))


def read(folder: Path) -> tuple[Reported, list[str]]:
    """A search and its retraining, and what is wrong with the latter; ValueError or OSError for no finished search."""
    if folder.exists() and not folder.is_dir():
        raise ValueError("it is a file, not the folder of a search.")
    if (folder / "leaderboard.json").exists() and not (folder / "result.json").exists():
        raise ValueError(f"it is a demonstration, which has a report of its own, {folder / 'report.html'}.")
    result = SearchResult.load(folder)
    done, epochs = len(result.history), result.config.get("epochs")
    if isinstance(epochs, int) and done < epochs:
        raise ValueError(f"only {done} of its {epochs} epochs are over: finish it with --resume.")
    scores, setting, note = None, None, []
    try:
        scores, setting = retrained(folder / "retrain.json", result)
    except (ValueError, OSError) as error:
        note.append(f"{folder / 'retrain.json'} is left out: {error}")
    return Reported(folder.resolve().name, folder, result, scores, setting), note


def retrained(file: Path, result: SearchResult) -> tuple[Scores | None, Any]:
    """The scores in a file, if it is there, and how they were made; ValueError for those of another architecture."""
    if not file.exists():
        return None, None
    record = read_json(file, ScoresRecord, "it")
    if spaces.from_json(to_text(record["architecture"])) != result.architecture:
        raise ValueError("it holds scores of another architecture than the search has found.")
    setting = {"data": record["data"].get("splits"), "recipe": record.get("recipe")}
    return Scores(tuple(record["accuracies"]), record.get("parameters", 0), {"seeds": record["seeds"]}), setting


def named(runs: Sequence[Reported]) -> list[Reported]:
    """The same, each with a name of its own."""
    names = [run.name for run in runs]
    return [run if names.count(run.name) == 1 else replace(run, name=str(run.folder)) for run in runs]
