"""`nas-tutorial demo`: three searches with equal budgets, and what they found when it is trained from scratch."""

import json
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nas_tutorial import data, spaces
from nas_tutorial.demo.workers import WorkerPool
from nas_tutorial.files import write_whole
from nas_tutorial.pictures.keeping import keep_pictures, without_loss
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies.results import SearchResult
from nas_tutorial.training import Scores

SPACE, SEED, SEEDS = "nasbench201", 0, (0, 1, 2)
SEARCHES = {"DARTS": ("darts", 10), "ENAS": ("enas", 30), "random search": ("random", 21)}  # name → strategy, epochs
RANDOM_CELLS, PER_CLASS, TEST_PER_CLASS = 3, 800, 200


@dataclass
class Entry:
    """A row of the leaderboard: an architecture, the search that found it (None: no search), its scores."""

    name: str
    architecture: Architecture
    trainings: list[Future]
    search: SearchResult | None = None
    multiply_adds: int = 0

    @property
    def scores(self) -> Scores:
        """Test accuracies of the trainings that are over; waits for them."""
        done = [training.result() for training in self.trainings]
        return Scores(tuple(a for scores in done for a in scores.accuracies), done[0].parameters)

    def to_json(self) -> dict[str, Any]:
        """The row as plain values."""
        scores = self.scores
        return {
            "name": self.name,
            "architecture": str(self.architecture),
            "parameters": scores.parameters,
            "search_seconds": self.search.seconds if self.search else None,
            "search_multiply_adds": self.multiply_adds,
            "accuracies": scores.accuracies,
            "mean": scores.mean,
            "std": scores.std,
        }


def run(folder: Path, scale: float = 1.0) -> list[Entry]:
    """Search, train from scratch, print the leaderboard, write the report; returns the leaderboard, best first.

    scale: fraction of all epochs and pictures, for a quick try.
    """
    pictures = {"per_class": scaled(PER_CLASS, scale), "test_per_class": scaled(TEST_PER_CLASS, scale), "seed": SEED}
    digits, space = data.load("digits", **pictures), spaces.get(SPACE)
    trainings = (len(SEARCHES) + RANDOM_CELLS) * len(SEEDS)
    print(f"{digits}\n{SPACE}: {space.size:,} cells, {', '.join(space.operations)} on {len(space.decisions)} edges\n")
    try:
        with WorkerPool(tuple(pictures.items()), trainings) as pool:
            entries = work(pool, space, folder, scale)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"The searches up to here are kept in {folder}.") from None
    entries.sort(key=lambda entry: -entry.scores.mean)
    finish(entries, digits, folder)
    return entries


def work(pool: WorkerPool, space: Space, folder: Path, scale: float) -> list[Entry]:
    """Run all searches, and train from scratch what each found as soon as it is known."""
    searches = {
        name: pool.search(name, module, scaled(epochs, scale), SEED, SPACE, folder / module)
        for name, (module, epochs) in SEARCHES.items()
    }
    entries = [Entry(name, cell, pool.train(cell, SEEDS)) for name, cell in random_cells(space).items()]
    while pool.working() or searches:
        for name in [name for name, search in searches.items() if search.done()]:
            result = SearchResult.load(folder / SEARCHES[name][0])
            keep_pictures(result, folder / SEARCHES[name][0])
            trainings = pool.train(result.architecture, SEEDS)
            entries.append(Entry(name, result.architecture, trainings, result, searches.pop(name).result()))
    return entries


def random_cells(space: Space) -> dict[str, Architecture]:
    """Cells that nobody searched for, for comparison, by name."""
    generator = torch.Generator().manual_seed(SEED + 1)  # random search begins with SEED: these shall be others
    return {f"random cell {i + 1}": space.sample(generator) for i in range(RANDOM_CELLS)}


def finish(entries: list[Entry], digits: data.Data, folder: Path) -> None:
    """Write the leaderboard and the report, print the former."""
    from nas_tutorial.demo import report

    write_whole(folder / "leaderboard.json", json.dumps([entry.to_json() for entry in entries], indent=1))
    print("\n" + report.leaderboard(entries))
    with without_loss("report.html"):
        write_whole(folder / "report.html", report.page(entries, digits))
        print(f"\nThe report, with the cells drawn: {folder / 'report.html'}")


def scaled(count: int, scale: float) -> int:
    """A fraction of a number of pictures or epochs, at least 1."""
    return max(1, round(count * scale))
