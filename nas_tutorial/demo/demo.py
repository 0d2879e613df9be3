"""`nas-tutorial demo`: three searches with equal budgets, and what they found when it is trained from scratch.

Beside them stand ten random cells. Pictures, random cells and seeds of trainings are the same whatever the seed of the
searches, so that searches with several seeds are compared with one baseline.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from nas_tutorial import data, spaces
from nas_tutorial.demo.journal import Journal
from nas_tutorial.demo.leaderboard import Entry, Leaderboard
from nas_tutorial.demo.workers import WorkerPool
from nas_tutorial.files import write_whole
from nas_tutorial.pictures.keeping import keep_pictures, without_loss
from nas_tutorial.settings import configured, to_text, versions
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies import recordings
from nas_tutorial.strategies.results import SearchResult
from nas_tutorial.training import RECIPES, Scores

SPACE, DATA_SEED, TRAINING_SEEDS = "nasbench201", 0, (0, 1, 2)
RANDOM_SEED = 1  # random search with this seed begins with the first of these cells, and goes on with others
SEARCHES = {"DARTS": ("darts", 10), "ENAS": ("enas", 30), "random search": ("random", 21)}  # name → strategy, epochs
RANDOM_CELLS, PER_CLASS, TEST_PER_CLASS = 10, 800, 200


def run(
    folder: Path,
    scale: float = 1.0,
    seed: int = 0,
    random_scores: Sequence[Scores] | None = None,
    overwrite: bool = False,
) -> Leaderboard:
    """Search, train from scratch, print the leaderboard, write it with a report to the folder; returns it.

    scale: fraction of all epochs and pictures, for a quick try. seed: of the searches. random_scores: of the random
    cells, where a run with the same settings has trained them already. What the folder holds of the same demonstration
    is not done again; ValueError where it holds another one, unless overwrite is given.
    """
    begun, facts = time.monotonic(), {"seed": seed, "settings": settings(scale), "versions": versions()}
    journal = Journal(folder, facts, overwrite)
    pictures = facts["settings"]["pictures"]
    digits, space = data.load("digits", **pictures), spaces.get(SPACE)
    trainings = len(SEARCHES) * len(TRAINING_SEEDS) + (0 if random_scores else RANDOM_CELLS)
    print(f"{digits}\n{SPACE}: {space.size:,} cells, {', '.join(space.operations)} on {len(space.decisions)} edges\n")
    try:
        with WorkerPool(tuple(pictures.items()), trainings, journal) as pool:
            found, random_cells = work(pool, space, folder, scale, seed, random_scores)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"What is done is kept in {folder}; the same command goes on.") from None
    facts |= {"finished": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "seconds": time.monotonic() - begun}
    board = Leaderboard(found, random_cells, digits.classes, facts)
    finish(board, digits, folder)
    return board


def work(
    pool: WorkerPool, space: Space, folder: Path, scale: float, seed: int, random_scores: Sequence[Scores] | None
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Run all searches, and train from scratch what each found as soon as it is known; found and random entries."""
    searches = {
        name: pool.search(name, strategy, scaled(epochs, scale), seed, SPACE, folder / strategy)
        for name, (strategy, epochs) in SEARCHES.items()
    }
    drawn, found = draw(space), []
    pending = [] if random_scores else [pool.train(cell, TRAINING_SEEDS[:1]) for cell in drawn]
    while pool.working() or searches:
        for name in [name for name, search in searches.items() if search.done()]:
            result = SearchResult.load(folder / SEARCHES[name][0])
            keep_pictures(result, folder / SEARCHES[name][0])
            recordings.record(result, folder / SEARCHES[name][0] / "recording.json", command(seed, scale))
            found.append((name, result, searches.pop(name).result(), pool.train(result.architecture, TRAINING_SEEDS)))
    entries = [Entry(name, result.architecture, joined(t), result, cost) for name, result, cost, t in found]
    scores = random_scores or [joined(trainings) for trainings in pending]
    cells = (Entry(f"random cell {i}", *cell) for i, cell in enumerate(zip(drawn, scores, strict=True), 1))
    return tuple(sorted(entries, key=lambda entry: -entry.scores.mean)), tuple(cells)


def draw(space: Space) -> list[Architecture]:
    """The cells that nobody searched for: the same ones whatever the seed of the searches."""
    generator = torch.Generator().manual_seed(RANDOM_SEED)
    return [space.sample(generator) for _ in range(RANDOM_CELLS)]


def joined(trainings: Sequence[Future]) -> Scores:
    """The scores of trainings of one architecture that are over."""
    done = [training.result() for training in trainings]
    return Scores(tuple(a for scores in done for a in scores.accuracies), done[0].parameters)


def settings(scale: float) -> dict[str, Any]:
    """All that a result depends on besides the seed of its searches, as plain values."""
    strategies = {name: import_module(f"nas_tutorial.strategies.{module}") for name, (module, _) in SEARCHES.items()}
    return {
        "space": spaces.get(SPACE).to_record(),
        "pictures": {
            "per_class": scaled(PER_CLASS, scale),
            "test_per_class": scaled(TEST_PER_CLASS, scale),
            "seed": DATA_SEED,
        },
        "training": {**asdict(RECIPES["small"]), "seeds": list(TRAINING_SEEDS)},
        "searches": {
            name: asdict(configured(module.PROFILES, "small", {"epochs": scaled(SEARCHES[name][1], scale)}))
            for name, module in strategies.items()
        },
    }


def finish(board: Leaderboard, digits: data.Data, folder: Path) -> None:
    """Write the leaderboard, a page that replays the searches, and the report; print the first."""
    from nas_tutorial.demo import report
    from nas_tutorial.pictures import replay

    write_whole(folder / "leaderboard.json", to_text(board.to_record(), indent=1))
    print(f"\n{board}")
    with without_loss("replay.html"):
        files = [folder / SEARCHES[entry.name][0] / "recording.json" for entry in board.found]
        replay.save(list(map(recordings.load, files)), folder / "replay.html")
    with without_loss("report.html"):
        write_whole(folder / "report.html", report.page(board, digits))
        print(f"\nThe report, with the cells drawn: {folder / 'report.html'}")


def command(seed: int, scale: float) -> str:
    """What makes the same searches again."""
    return "nas-tutorial demo" + (f" --seed {seed}" if seed else "") + (f" --scale {scale:g}" if scale != 1 else "")


def folder_name(seed: int) -> str:
    """Where the demonstration with this seed is kept."""
    return "demo" if seed == 0 else f"demo-seed{seed}"


def scaled(count: int, scale: float) -> int:
    """A fraction of a number of pictures or epochs, at least 1."""
    return max(1, round(count * scale))
