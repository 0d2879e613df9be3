"""`python -m benchmarks.real_pictures --data train.npz --test-data test.npz`: the searches compared on photographs.

DARTS, ENAS and random search in the NAS-Bench-201 space at equal budgets, and ten random cells; every cell found is
trained from scratch on train and validation pictures together, with several seeds, and tested on the test pictures.
Everything is kept in the folder --work as it comes: run the same command again after a stop. Writes the file --out.
"""

import argparse
import json
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import nas_tutorial
from nas_tutorial import data, spaces
from nas_tutorial.files import write_whole
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.settings import versions
from nas_tutorial.spaces import Architecture
from nas_tutorial.training import retrain

SPACE = "nasbench201"
EPOCHS = {"darts": 16, "enas": 60, "random": 44}  # meant to cost about as much each
RANDOM_CELLS, TRAININGS, RETRAIN_EPOCHS = 10, (0, 1, 2), 20


def remembered(path: Path, make: Any) -> Any:
    """What a JSON file holds; it is made and written first where there is none."""
    if not path.exists():
        write_whole(path, json.dumps(make()))
    return json.loads(path.read_text())


def searched(strategy: str, seed: int, epochs: int, pictures: data.Data, work: Path) -> dict[str, Any]:
    """One search: what it found, and what it cost; goes on where it stopped."""
    folder = work / f"{strategy}-seed{seed}"
    run = nas_tutorial.search(spaces.get(SPACE), pictures, strategy, epochs=epochs, seed=seed, resume=folder)
    spent = {"multiply_adds": 0, "cpu_seconds": 0.0}
    if run.history:
        spent = json.loads((folder / "cost.json").read_text())
    while len(run.history) < epochs:
        start = time.process_time()
        with MultiplyAddCounter() as counter:
            event = next(run)
        spent["multiply_adds"] += counter.multiply_adds
        spent["cpu_seconds"] += time.process_time() - start
        write_whole(folder / "cost.json", json.dumps(spent))
        print(f"{strategy} seed {seed}: {event}", flush=True)
    result = run.result
    return {
        "strategy": strategy,
        "seed": seed,
        "config": result.config,
        "architecture": str(result.architecture),
        "live": result.architecture.live,
        "warning": result.architecture.warning,
        "validation_in_search": [event.validation_accuracy for event in result.history],
        **spent,
    }


def trained(cell: Architecture, pictures: data.Data, work: Path) -> dict[str, Any]:
    """Test accuracies of a cell trained from scratch, one for each seed."""

    def make() -> dict[str, Any]:
        name, start = "".join(map(str, cell.choices)), time.process_time()
        scores = retrain(cell, pictures, TRAININGS, epochs=RETRAIN_EPOCHS, resume=work / f"states-{name}")
        print(f"{cell}: {scores}", flush=True)
        return {
            "accuracies": scores.accuracies,
            "mean": scores.mean,
            "std": scores.std,
            "parameters": scores.parameters,
            "cpu_seconds_of_training": round(time.process_time() - start, 1),
        }

    return remembered(work / f"scores-{''.join(map(str, cell.choices))}.json", make)


def random_cells(count: int) -> list[Architecture]:
    """Cells that nobody searched for."""
    generator = torch.Generator().manual_seed(1)
    return [spaces.get(SPACE).sample(generator) for _ in range(count)]


def record(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, as plain values."""
    pictures = data.load(options.data, per_class=options.per_class, test_data=options.test_data)
    work, space = options.work, spaces.get(SPACE)
    found = [
        searched(strategy, seed, epochs, pictures, work)
        for seed in options.seeds
        for strategy, epochs in EPOCHS.items()
    ]
    entries = [entry | trained(space.parse(entry["architecture"]), pictures, work) for entry in found]
    drawn = random_cells(RANDOM_CELLS)
    cells = [{"architecture": str(c), "live": c.live, **trained(c, pictures, work)} for c in drawn]
    return {
        "about": f"{options.about}. Test accuracies, fractions; trained from scratch on train and validation pictures.",
        "command": shlex.join(["python", "-m", "benchmarks.real_pictures", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "device": f"{platform.processor() or platform.machine()}, one thread",
        "versions": versions(),
        "data": pictures.record,
        "space": space.to_record(),
        "retrained_epochs": RETRAIN_EPOCHS,
        "searches": entries,
        "random_cells": cells,
        "mean_of_random_cells": statistics.fmean(cell["mean"] for cell in cells),
    }


def table(whole: dict[str, Any]) -> str:
    """The leaderboard in Markdown; costs are multiply-adds of convolutions and linear layers during the search."""
    rows = ["| | seed | test accuracy | multiply-adds, 10⁹ | CPU s | cell |", "| --- | --: | --: | --: | --: | --- |"]
    for entry in sorted(whole["searches"], key=lambda e: -e["mean"]):
        score = f"{100 * entry['mean']:.1f} ± {100 * entry['std']:.1f} %"
        cell = "`" + entry["architecture"].replace("|", "\\|") + "`"
        cost = f"{entry['multiply_adds'] / 1e9:,.0f} | {entry['cpu_seconds']:.0f}"
        rows.append(f"| {entry['strategy']} | {entry['seed']} | {score} | {cost} | {cell} |")
    means = [100 * cell["mean"] for cell in whole["random_cells"]]
    span = f"{min(means):.1f} to {max(means):.1f} %"
    rows.append(f"| {len(means)} random cells, mean | – | {statistics.fmean(means):.1f} % | – | – | {span} |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser("benchmarks.real_pictures")
    parser.add_argument("--data", required=True, help="FILE.npz with the pictures of train and validation")
    parser.add_argument("--test-data", required=True, help="FILE.npz with the test pictures")
    parser.add_argument("--per-class", type=int, default=500, help="pictures of each class (500)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="seeds of the searches (0 1)")
    parser.add_argument("--about", default="Real pictures", help="what the pictures are, in words")
    parser.add_argument("--work", type=Path, default=Path("runs/real_pictures"), help="folder for all states")
    parser.add_argument("--out", type=Path, help="the JSON file to write")
    options = parser.parse_args(arguments)
    whole = record(options)
    if options.out:
        write_whole(options.out, json.dumps(whole, indent=1, ensure_ascii=False))
    print(table(whole))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
