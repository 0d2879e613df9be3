"""`python -m benchmarks.leaderboard`: five ways to search, at equal multiply-adds, with several seeds.

DARTS of first and second order, ENAS, random search alone and with shared weights, in the
NAS-Bench-201 space (small profile) on digits. The number of epochs follows from the budget and from what the first
epochs cost. An epoch of ENAS costs more once its policy prefers large cells: a search that ends more than a tenth off
the budget is thrown away, and run again from the start with its epochs rescaled, whatever it found. What a search finds
is trained from scratch with three seeds on the train and validation pictures together, and tested; beside it stands
what the search itself said (for DARTS: the blend), and the found cell at the weights of the search.

Prints one JSON line for each search and seed, then a table. With --out the lines are kept, and those that are there are
not measured again. `--again FILE` runs the cheapest line of a record once more and says whether it comes out the same.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.lines import measured, show
from nas_tutorial import data, search, spaces
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.settings import versions
from nas_tutorial.strategies.results import SearchResult
from nas_tutorial.strategies.sharing import shared_accuracies
from nas_tutorial.training import retrain

SPACE, TRAININGS, RETRAIN_EPOCHS, BILLION = "nasbench201", (0, 1, 2), 6, 10**9
PILOT = 3  # epochs from which the cost of one is taken
TOLERANCE, TRIES = 0.1, 12  # how far from the budget a search may end, and how often it may be run for that
SEARCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "DARTS, first order": ("darts", {"order": 1}),
    "DARTS, second order": ("darts", {"order": 2}),
    "ENAS": ("enas", {}),
    "random search": ("random", {}),
    "random search, shared weights": ("random", {"shared": True}),
}


@cache
def epoch_cost(name: str, pictures: data.Data) -> float:
    """Multiply-adds of one epoch; for random search alone the mean of some, as its cells differ in size."""
    strategy, settings = SEARCHES[name]
    run = search(spaces.get(SPACE), pictures, strategy, epochs=100, seed=1000, **settings)
    with MultiplyAddCounter() as counter:
        for _ in range(PILOT * (7 if name == "random search" else 1)):
            next(run)
    return counter.multiply_adds / len(run.history)


class Run(NamedTuple):
    """A search that is over, and what it cost."""

    result: SearchResult
    multiply_adds: int
    cpu_seconds: float


def searched(name: str, seed: int, pictures: data.Data, epochs: int) -> Run:
    """One search to its end."""
    strategy, settings = SEARCHES[name]
    start = time.process_time()
    with MultiplyAddCounter() as counter:
        result = search(spaces.get(SPACE), pictures, strategy, epochs=epochs, seed=seed, **settings).result
    return Run(result, counter.multiply_adds, time.process_time() - start)


def at_cost(run: Callable[[int], Run], budget: float, cost: float) -> Run:
    """The search whose cost is near the budget: its epochs are rescaled until it is; only costs are looked at.

    run: epochs → a search to its end, as the learning rate must know the epochs beforehand. cost: of an epoch, at
    first; then that of the try that came nearest. Raises ValueError where none of some tries comes near.
    """
    tried: dict[int, int] = {}
    for _ in range(TRIES):
        guess = max(1, round(budget / cost))
        epochs = min((n for n in range(1, guess + TRIES) if n not in tried), key=lambda n: abs(n - guess))
        found = run(epochs)
        if abs(found.multiply_adds - budget) <= TOLERANCE * budget:
            return found
        tried[epochs] = found.multiply_adds
        nearest = min(tried, key=lambda n: abs(tried[n] - budget))
        cost = tried[nearest] / nearest
    raise ValueError(f"No number of epochs among {tried} (with its cost) comes near the budget of {budget}.")


def measure(name: str, seed: int, pictures: data.Data, budget: float, epochs: int | None = None) -> dict[str, Any]:
    """One search of about `budget` multiply-adds, or of so many epochs, and what the cell that it finds is worth."""
    run = partial(searched, name, seed, pictures)
    result, multiply_adds, seconds = run(epochs) if epochs else at_cost(run, budget, epoch_cost(name, pictures))
    scores = retrain(result.architecture, pictures, TRAININGS, epochs=RETRAIN_EPOCHS)
    return {
        "search": name,
        "seed": seed,
        "architecture": str(result.architecture),
        "test": list(scores.accuracies),
        "said by the search": result.history[-1].validation_accuracy,
        "cell at inherited weights": inherited(result, pictures),
        "multiply_adds": multiply_adds,
        "cpu_seconds_of_search": round(seconds, 1),
        "config": result.config,
        "retrained_epochs": RETRAIN_EPOCHS,
        "data": pictures.record,
        "space": spaces.get(SPACE).to_record(),
        "versions": versions(),
        "device": f"{processor()}, one thread",
    }


def inherited(result: SearchResult, pictures: data.Data) -> float | None:
    """Validation accuracy of the found cell at the shared weights; None for random search alone, which shares none."""
    weights = {name.removeprefix("network."): w for name, w in result.weights.items() if name.startswith("network.")}
    supernet = spaces.get(SPACE).supernet(pictures.classes, pictures.channels)
    if weights.keys() != supernet.state_dict().keys():
        return None
    supernet.load_state_dict(weights)
    (accuracy,) = shared_accuracies(supernet, [result.architecture], pictures, len(pictures.validation))
    return accuracy


def processor() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def table(found: Sequence[dict[str, Any]]) -> str:
    """A row for each way to search, best first, in Markdown: test accuracy, seed by seed, and what it cost."""
    rows = [
        "| | test accuracy, mean ± std between seeds | by search seed | said by the search | at inherited weights | "
        "epochs | multiply-adds, 10⁹ | CPU s |",
        "| --- | --: | --- | --: | --: | --: | --: | --: |",
    ]
    groups = {name: [line for line in found if line["search"] == name] for name in SEARCHES}
    means = {name: [100 * statistics.fmean(x["test"]) for x in lines] for name, lines in groups.items() if lines}
    for name in sorted(means, key=lambda name: -statistics.fmean(means[name])):
        lines, each = groups[name], means[name]
        spread = f" ± {statistics.stdev(each):.1f}" if len(each) > 1 else ""
        cost = [line["multiply_adds"] / BILLION for line in lines]
        kept = [line["cell at inherited weights"] for line in lines]
        rows.append(
            f"| {name} | {statistics.fmean(each):.1f}{spread} % | {' '.join(f'{x:.0f}' for x in each)} | "
            f"{mean_percent([line['said by the search'] for line in lines])} | {mean_percent(kept)} | "
            f"{span([line['config']['epochs'] for line in lines])} | {min(cost):,.0f} to {max(cost):,.0f} | "
            f"{statistics.fmean(line['cpu_seconds_of_search'] for line in lines):.0f} |"
        )
    return "\n".join(rows)


def span(numbers: Sequence[int]) -> str:
    """From the smallest to the largest."""
    return f"{min(numbers)} to {max(numbers)}" if min(numbers) < max(numbers) else str(numbers[0])


def mean_percent(values: Sequence[float | None]) -> str:
    """The mean in per cent; a dash where there is nothing."""
    there = [value for value in values if value is not None]
    return f"{100 * statistics.fmean(there):.0f} %" if there else "–"


def differences(line: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """In what two measurements of one search and seed differ, apart from seconds and from where they were made."""
    fields = ("architecture", "test", "said by the search", "cell at inherited weights", "multiply_adds", "config")
    return [f"{name}: {line[name]} | {again[name]}" for name in fields if line[name] != again[name]]


def repeat(line: dict[str, Any], pictures: data.Data) -> list[str]:
    """Measure a line of a record again; in what it differs."""
    return differences(line, measure(line["search"], line["seed"], pictures, 0, line["config"]["epochs"]))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 where a line that was run again differs."""
    parser = argparse.ArgumentParser("benchmarks.leaderboard")
    parser.add_argument("--budget", type=float, default=800, help="of a search, in 10⁹ multiply-adds (800)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds of the searches (0 1 2)")
    parser.add_argument("--per-class", type=int, default=800, help="pictures of each class (800)")
    parser.add_argument("--out", type=Path, help="a .jsonl file that keeps the lines")
    parser.add_argument("--again", type=Path, metavar="FILE", help="run the cheapest line of this record once more")
    options = parser.parse_args(arguments)
    pictures = data.load("digits", per_class=options.per_class)
    if options.again:
        lines = [json.loads(text) for text in options.again.read_text(encoding="utf-8").splitlines()]
        line = min(lines, key=lambda line: line["cpu_seconds_of_search"])
        found = repeat(line, pictures)
        print(f"{line['search']}, seed {line['seed']}: " + ("; ".join(found) or "the same, bit for bit"))
        return int(bool(found))
    settings = {"pictures": pictures, "budget": options.budget * BILLION}
    cases = ((name, seed) for seed in options.seeds for name in SEARCHES)
    show(measured(cases, ("search", "seed"), partial(measure, **settings), options.out), table)
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    raise SystemExit(main())
