"""`python -m benchmarks.leaderboard`: five ways to search, at equal multiply-adds, with several seeds.

DARTS of first and second order, ENAS, random search alone and with shared weights, in the NAS-Bench-201 space (small
profile) on digits, or in another space or on one's own pictures. The number of epochs follows from the budget and from
what the first epochs cost. An epoch of ENAS costs more once its policy prefers large cells: a search that ends more
than a tenth off the budget is thrown away, and run again from the start with its epochs rescaled, whatever it found.
What a search finds is trained from scratch with three seeds on the train and validation pictures together, and tested;
beside it stands what the search itself said (for DARTS: the blend), and the found cell at the weights of the search.
With --random-cells, architectures that nobody searched for are trained, too.

Prints one JSON line for each search and seed, then a table. With --out the lines are kept, and those that are there are
not measured again. `--again FILE` runs the cheapest line of a record once more and says whether it comes out the same.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.lines import measured, show
from nas_tutorial import data, search, spaces
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.settings import processor, versions
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies.results import SearchResult
from nas_tutorial.strategies.sharing import shared_accuracies
from nas_tutorial.training import retrain

TRAININGS, BILLION = (0, 1, 2), 10**9
PILOT = 3  # epochs from which the cost of one is taken
TOLERANCE, TRIES = 0.1, 12  # how far from the budget a search may end, and how often it may be run for that
NO_SEARCH = "a random cell, no search"
SEARCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "DARTS, first order": ("darts", {"order": 1}),
    "DARTS, second order": ("darts", {"order": 2}),
    "ENAS": ("enas", {}),
    "random search": ("random", {}),
    "random search, shared weights": ("random", {"shared": True}),
}


class Run(NamedTuple):
    """A search that is over, and what it cost; without a result if it became too dear and was stopped."""

    result: SearchResult | None
    multiply_adds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Contest:
    """What all searches have in common: space, pictures, and how long a found cell is trained, in epochs."""

    space: Space
    pictures: data.Data
    retrain_epochs: int = 6

    def begun(self, name: str, seed: int, epochs: int) -> Any:
        """A search, to be iterated over."""
        strategy, settings = SEARCHES[name]
        return search(self.space, self.pictures, strategy, epochs=epochs, seed=seed, **settings)

    @cache  # noqa: B019 - a few of them, as long as the program runs
    def epoch_cost(self, name: str) -> float:
        """Multiply-adds of one epoch; for random search alone the mean of some, as its cells differ in size."""
        run = self.begun(name, seed=1000, epochs=100)
        with MultiplyAddCounter() as counter:
            for _ in range(PILOT * (7 if name == "random search" else 1)):
                next(run)
        return counter.multiply_adds / len(run.history)

    def searched(self, name: str, seed: int, epochs: int, limit: float = float("inf")) -> Run:
        """One search to its end; or to where it has cost `limit` multiply-adds: then with what the whole would cost."""
        run, start = self.begun(name, seed, epochs), time.process_time()
        with MultiplyAddCounter() as counter:
            for _ in run:
                if counter.multiply_adds > limit and len(run.history) < epochs:
                    whole = counter.multiply_adds * epochs / len(run.history)
                    return Run(None, whole, time.process_time() - start)
        return Run(run.result, counter.multiply_adds, time.process_time() - start)

    def at_budget(self, name: str, seed: int, budget: float) -> Run:
        """One search that costs about `budget` multiply-adds."""
        limited = partial(self.searched, name, seed, limit=(1 + TOLERANCE) * budget)
        return at_cost(limited, budget, self.epoch_cost(name))

    def measure(self, name: str, seed: int, budget: float, epochs: int | None = None) -> dict[str, Any]:
        """One search of about `budget` multiply-adds, or of so many epochs, and what its cell is worth."""
        if name == NO_SEARCH:
            return self.line(name, seed, self.space.sample(torch.Generator().manual_seed(seed)))
        found = self.searched(name, seed, epochs) if epochs else self.at_budget(name, seed, budget)
        result = found.result
        return self.line(name, seed, result.architecture) | {
            "said by the search": result.history[-1].validation_accuracy,
            "cell at inherited weights": inherited(result, self.space, self.pictures),
            "multiply_adds": found.multiply_adds,
            "cpu_seconds_of_search": round(found.cpu_seconds, 1),
            "config": result.config,
        }

    def line(self, name: str, seed: int, found: Architecture) -> dict[str, Any]:
        """What an architecture is worth, trained from scratch with several seeds, and how that was measured."""
        start = time.process_time()
        scores = retrain(found, self.pictures, TRAININGS, epochs=self.retrain_epochs)
        return {
            "search": name,
            "seed": seed,
            "architecture": str(found),
            "live": found.live,
            "parameters": scores.parameters,
            "test": list(scores.accuracies),
            "cpu_seconds_of_training": round(time.process_time() - start, 1),
            "retrained_epochs": self.retrain_epochs,
            "data": self.pictures.record,
            "space": self.space.to_record(),
            "date": time.strftime("%Y-%m-%d"),
            "versions": versions(),
            "device": f"{processor()}, one thread",
        }


def at_cost(run: Callable[[int], Run], budget: float, cost: float) -> Run:
    """The search whose cost is near the budget: its epochs are rescaled until it is; only costs are looked at.

    run: epochs → a search, as the learning rate must know the epochs beforehand. cost: of an epoch, at first; then that
    of the try that came nearest. Raises ValueError where none of some tries comes near.
    """
    tried: dict[int, float] = {}
    for _ in range(TRIES):
        guess = max(1, round(budget / cost))
        epochs = min((n for n in range(1, guess + TRIES) if n not in tried), key=lambda n: abs(n - guess))
        found = run(epochs)
        if abs(found.multiply_adds - budget) <= TOLERANCE * budget and found.result is not None:
            return found
        tried[epochs] = found.multiply_adds
        nearest = min(tried, key=lambda n: abs(tried[n] - budget))
        cost = tried[nearest] / nearest
    raise ValueError(f"No number of epochs among {tried} (with its cost) comes near the budget of {budget}.")


def inherited(result: SearchResult, space: Space, pictures: data.Data) -> float | None:
    """Validation accuracy of the found cell at the shared weights; None for random search alone, which shares none."""
    weights = {name.removeprefix("network."): w for name, w in result.weights.items() if name.startswith("network.")}
    supernet = space.supernet(pictures.classes, pictures.channels)
    if weights.keys() != supernet.state_dict().keys():
        return None
    supernet.load_state_dict(weights)
    (accuracy,) = shared_accuracies(supernet, [result.architecture], pictures, len(pictures.validation))
    return accuracy


def table(found: Sequence[dict[str, Any]]) -> str:
    """A row for each way to search, best first, in Markdown: test accuracy, seed by seed, and what it cost."""
    rows = [
        "| | test accuracy, mean ± std between seeds | by search seed | said by the search | at inherited weights | "
        "epochs | multiply-adds, 10⁹ | CPU s |",
        "| --- | --: | --- | --: | --: | --: | --: | --: |",
    ]
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in found:
        groups.setdefault(line["search"], []).append(line)
    means = {name: [100 * statistics.fmean(x["test"]) for x in lines] for name, lines in groups.items()}
    for name in sorted(means, key=lambda name: -statistics.fmean(means[name])):
        each = means[name]
        spread = f" ± {statistics.stdev(each):.1f}" if len(each) > 1 else ""
        score = f"{name} | {statistics.fmean(each):.1f}{spread} % | {' '.join(f'{x:.0f}' for x in each)}"
        rows.append(f"| {score} | {' | '.join(costs(groups[name]))} |")
    return "\n".join(rows)


def costs(lines: Sequence[dict[str, Any]]) -> list[str]:
    """What the searches said, and what they cost: the right half of a row; dashes where nothing was searched."""
    if "config" not in lines[0]:
        return ["–"] * 5
    spent = [line["multiply_adds"] / BILLION for line in lines]
    return [
        mean_percent([line["said by the search"] for line in lines]),
        mean_percent([line["cell at inherited weights"] for line in lines]),
        span([line["config"]["epochs"] for line in lines]),
        f"{min(spent):,.0f} to {max(spent):,.0f}",
        f"{statistics.fmean(line['cpu_seconds_of_search'] for line in lines):.0f}",
    ]


def span(numbers: Sequence[int]) -> str:
    """From the smallest to the largest."""
    return f"{min(numbers)} to {max(numbers)}" if min(numbers) < max(numbers) else str(numbers[0])


def mean_percent(values: Sequence[float | None]) -> str:
    """The mean in per cent; a dash where there is nothing."""
    there = [value for value in values if value is not None]
    return f"{100 * statistics.fmean(there):.0f} %" if there else "–"


def differences(line: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """In what two measurements of one search and seed differ, apart from seconds and from where they were made."""
    fields = ("architecture", "test", "said by the search", "cell at inherited weights", "multiply_adds")
    pairs = {name: (line[name], again[name]) for name in fields}
    pairs |= {name: (value, again["config"].get(name)) for name, value in line["config"].items()}
    return [f"{name}: {one} | {other}" for name, (one, other) in pairs.items() if one != other]


def again(file: Path) -> int:
    """Run the cheapest line of a record of digits again, and say in what it differs; 1 where it does."""
    lines = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    line = min((line for line in lines if "config" in line), key=lambda line: line["cpu_seconds_of_search"])
    contest = Contest(spaces.from_record(line["space"]), data.from_record(line["data"]), line["retrained_epochs"])
    found = differences(line, contest.measure(line["search"], line["seed"], 0, line["config"]["epochs"]))
    print(f"{line['search']}, seed {line['seed']}: " + ("; ".join(found) or "the same, bit for bit"))
    return int(bool(found))


def cases(options: argparse.Namespace) -> Iterator[tuple[str, int]]:
    """Name and seed of everything that is measured, seed by seed."""
    for seed in range(max(max(options.seeds) + 1, options.random_cells)):
        yield from ((name, seed) for name in options.searches if seed in options.seeds)
        if seed < options.random_cells:
            yield NO_SEARCH, seed


def size(text: str) -> tuple[str, int]:
    """NAME=NUMBER."""
    name, _, number = text.partition("=")
    return name, int(number)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 where a line that was run again differs."""
    parser = argparse.ArgumentParser("benchmarks.leaderboard")
    parser.add_argument("--budget", type=float, default=800, help="of a search, in 10⁹ multiply-adds (800)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds of the searches (0 1 2)")
    parser.add_argument("--searches", nargs="+", choices=SEARCHES, default=list(SEARCHES), help="which (all)")
    parser.add_argument("--random-cells", type=int, default=0, help="architectures that nobody searched for (0)")
    parser.add_argument("--space", default="nasbench201", help="(nasbench201)")
    parser.add_argument("--sizes", type=size, nargs="+", default=[], metavar="NAME=NUMBER", help="of the space (small)")
    parser.add_argument("--data", default="digits", help="a name, or a file of your own (digits)")
    parser.add_argument("--test-data", help="FILE with the test pictures, for pictures of your own")
    parser.add_argument("--per-class", type=int, default=800, help="pictures of each class (800)")
    parser.add_argument("--test-per-class", type=int, help="test pictures of each class")
    parser.add_argument("--retrain-epochs", type=int, default=6, help="of each training from scratch (6)")
    parser.add_argument("--out", type=Path, help="a .jsonl file that keeps the lines")
    parser.add_argument("--again", type=Path, metavar="FILE", help="run the cheapest line of this record once more")
    options = parser.parse_args(arguments)
    if options.again:
        return again(options.again)
    per_class = {"per_class": options.per_class, "test_per_class": options.test_per_class}
    pictures = data.load(options.data, test_data=options.test_data, **per_class)
    contest = Contest(spaces.get(options.space, **dict(options.sizes)), pictures, options.retrain_epochs)
    measure = partial(contest.measure, budget=options.budget * BILLION)
    show(measured(cases(options), ("search", "seed"), measure, options.out), table)
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    raise SystemExit(main())
