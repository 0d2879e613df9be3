"""`python -m benchmarks.late_alpha`: should α start some epochs after the weights, and may it choose "none"?

First-order DARTS in the NAS-Bench-201 space, small profile, several seeds. The same α is rounded with and without
"none"; each cell found is trained from scratch on the train split with three seeds and judged on validation. The test
split stays closed.

Prints one JSON line for each start and search seed, then a table. With --out the lines are kept, and those that are
there are not measured again. `--data FILE.npz --per-class 500` takes other pictures than digits.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.lines import measured, show
from nas_tutorial import data, spaces
from nas_tutorial.settings import versions
from nas_tutorial.spaces import Architecture
from nas_tutorial.strategies import darts
from nas_tutorial.training import Recipe, evaluate, train_from_scratch

TRAININGS = (0, 1, 2)


def measure(start: int, seed: int, pictures: data.Data, epochs: int, recipe: Recipe) -> dict[str, Any]:
    """Search once, and train what the α at its end is rounded to."""
    space, begin = spaces.get("nasbench201"), time.process_time()
    result = darts.search(space, pictures, epochs=epochs, seed=seed, alpha_start=start).result
    searched = time.process_time() - begin
    probabilities = {name: Tensor(rows) for name, rows in result.history[-1].probabilities.items()}
    cells = {with_none: space.derive(probabilities, with_none) for with_none in (False, True)}
    return {
        "alpha_start": start,
        "seed": seed,
        "data": repr(pictures),
        "epochs": epochs,
        "retrained_epochs": recipe.epochs,
        "mixture": round(result.history[-1].validation_accuracy, 4),
        "without none": trained(cells[False], pictures, recipe),
        "with none": trained(cells[True], pictures, recipe),
        "cpu_seconds_of_search": round(searched, 1),
        "versions": versions(),
    }


def trained(cell: Architecture, pictures: data.Data, recipe: Recipe) -> dict[str, Any]:
    """A cell, and its validation accuracies after training it from scratch."""
    networks = [train_from_scratch(cell, pictures.train, pictures, recipe, seed) for seed in TRAININGS]
    accuracies = [round(evaluate(network, pictures.validation, pictures), 4) for network in networks]
    return {"cell": str(cell), "live": cell.live, "validation": accuracies}


def table(found: Sequence[dict[str, Any]]) -> str:
    """A row for each start and rule, in Markdown: mean validation accuracy of what was found, and dead cells."""
    rows = ["| α starts after | derived | mean | by search seed | dead cells |", "| --: | --- | --: | --- | --: |"]
    for start in sorted({line["alpha_start"] for line in found}):
        for rule in ("without none", "with none"):
            cells = [line[rule] for line in found if line["alpha_start"] == start]
            means = [statistics.fmean(cell["validation"]) for cell in cells]
            each = " ".join(f"{mean:.2f}" for mean in means)
            dead = sum(not cell["live"] for cell in cells)
            mean = statistics.fmean(means)
            rows.append(f"| {start} epochs | {rule} | {mean:.3f} | {each} | {dead} of {len(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser("benchmarks.late_alpha")
    parser.add_argument("--starts", type=int, nargs="+", default=[0, 2, 4], help="epochs of the weights alone (0 2 4)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds of the search (0 1 2)")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of a search (10)")
    parser.add_argument("--retrain-epochs", type=int, default=6, help="epochs of a training from scratch (6)")
    parser.add_argument("--data", default="digits", help="digits, or a FILE.npz")
    parser.add_argument("--per-class", type=int, default=800, help="pictures of each class (800)")
    parser.add_argument("--out", type=Path, help="a .jsonl file that keeps the lines")
    options = parser.parse_args()
    pictures = data.load(options.data, per_class=options.per_class)
    settings = {"pictures": pictures, "epochs": options.epochs, "recipe": Recipe(epochs=options.retrain_epochs)}
    cases = ((start, seed) for seed in options.seeds for start in options.starts)
    show(measured(cases, ("alpha_start", "seed"), partial(measure, **settings), options.out), table)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
