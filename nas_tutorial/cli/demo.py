"""`nas-tutorial demo`: three searches with equal budgets, and what their findings are worth when trained from scratch.

While one process searches, another trains from scratch what is known already, so that two cores are busy.
"""

import functools
import json
import multiprocessing
import signal
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from nas_tutorial import data, spaces, training
from nas_tutorial.cli.keeping import keep_pictures, without_loss
from nas_tutorial.cli.progress import Bar, followed
from nas_tutorial.costs import Work
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies.events import SearchResult
from nas_tutorial.training import Scores

SPACE, SEED, SEEDS = "nasbench201", 0, (0, 1, 2)
SEARCHES = {"DARTS": ("darts", 10), "ENAS": ("enas", 30), "random search": ("random", 21)}  # name → module, epochs
RANDOM_CELLS, PER_CLASS, TEST_PER_CLASS = 3, 800, 200


@dataclass
class Entry:
    """A row of the leaderboard: an architecture, the search that found it (None: no search), its scores."""

    name: str
    architecture: Architecture
    search: SearchResult | None = None
    multiply_adds: int = 0
    trainings: list[Future] = field(default_factory=list)

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
    pictures = {"per_class": scaled(PER_CLASS, scale), "test_per_class": scaled(TEST_PER_CLASS, scale)}
    digits, space = digits_of(tuple(pictures.items())), spaces.get(SPACE)
    trainings = (len(SEARCHES) + RANDOM_CELLS) * len(SEEDS)
    print(f"{digits}\n{SPACE}: {space.size:,} cells, {', '.join(space.operations)} on {len(space.decisions)} edges\n")
    with Trainers(trainings, pictures) as trainers:
        try:
            entries = random_cells(space, trainers)
            entries += [searched(name, space, digits, folder, scale, trainers) for name in SEARCHES]
            trainers.wait()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"The searches up to here are kept in {folder}.") from None
    entries.sort(key=lambda entry: -entry.scores.mean)
    finish(entries, digits, folder)
    return entries


def finish(entries: list[Entry], digits: data.Data, folder: Path) -> None:
    """Write the leaderboard and the report, print the former."""
    from nas_tutorial.cli import report

    (folder / "leaderboard.json").write_text(json.dumps([entry.to_json() for entry in entries], indent=1))
    print("\n" + report.leaderboard(entries))
    with without_loss("report.html"):
        (folder / "report.html").write_text(report.page(entries, digits), encoding="utf-8")
        print(f"\nThe report, with the cells drawn: {folder / 'report.html'}")


def scaled(count: int, scale: float) -> int:
    """A fraction of a number of pictures or epochs, at least 1."""
    return max(1, round(count * scale))


def random_cells(space: Space, trainers: "Trainers") -> list[Entry]:
    """Cells that nobody searched for, for comparison; their training starts."""
    generator = torch.Generator().manual_seed(SEED + 1)  # random search begins with SEED: it shall try others
    entries = [Entry(f"random cell {i + 1}", space.sample(generator)) for i in range(RANDOM_CELLS)]
    for entry in entries:
        trainers.start(entry)
    return entries


def searched(name: str, space: Space, digits: data.Data, folder: Path, scale: float, trainers: "Trainers") -> Entry:
    """Run one search, keep its result, and let the training of what it found start."""
    module, epochs = SEARCHES[name]
    strategy, epochs = import_module(f"nas_tutorial.strategies.{module}"), scaled(epochs, scale)
    run = strategy.search(space, digits, epochs=epochs, seed=SEED)
    tqdm.write(f"\n{name}")
    with Bar(epochs, name, "architectures" if module == "random" else "epochs") as bar:
        work = Work(bar.tick)
        for _ in followed(run, bar, work):
            run.so_far.save(folder / module)
    result = run.result
    result.save(folder / module)
    keep_pictures(result, folder / module)
    entry = Entry(name, result.architecture, result, work.multiply_adds)
    trainers.start(entry)
    return entry


class Trainers:
    """A process that trains architectures from scratch one after the other, with a bar of its own."""

    def __init__(self, total: int, pictures: dict[str, int]):
        self.pictures = tuple(pictures.items())
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(1, context, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_DFL))
        look = "{desc} {n}/{total} networks [{elapsed}]"
        self.bar = tqdm(total=total, desc="meanwhile, training from scratch:", position=1, bar_format=look)
        self.futures: list[Future] = []

    def __enter__(self) -> "Trainers":
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.bar.close()

    def start(self, entry: Entry) -> None:
        """Queue one training for each seed."""
        for seed in SEEDS:
            future = self.pool.submit(trained, entry.architecture.to_json(), self.pictures, seed)
            future.add_done_callback(lambda _: self.bar.update())
            entry.trainings.append(future)
            self.futures.append(future)

    def wait(self) -> None:
        """Wait for all trainings; the bar's clock goes on."""
        pending = set(self.futures)
        while pending:
            done, pending = wait(pending, timeout=0.5)
            self.bar.refresh()
            for future in done:
                future.result()  # raises what went wrong over there


def trained(architecture: str, pictures: tuple[tuple[str, int], ...], seed: int) -> Scores:
    """Train one network from scratch in another process and test it: JSON text → scores of one seed."""
    torch.set_num_threads(1)
    return training.retrain(spaces.from_json(architecture), digits_of(pictures), (seed,))


@functools.cache
def digits_of(pictures: tuple[tuple[str, int], ...]) -> data.Data:
    """The pictures, made once per process."""
    return data.load("digits", seed=SEED, **dict(pictures))
