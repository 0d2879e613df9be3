"""`python -m benchmarks.table_noise`: how well the seeds of the tiny table agree, for several recipes.

All 125 cells, three seeds, validation accuracies; the test split stays closed. Prints one JSON line for each recipe,
then a table. With --out the lines are kept, and those that are there are not measured again.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.lines import measured, show
from nas_tutorial import data
from nas_tutorial.data import Data
from nas_tutorial.measures import tables
from nas_tutorial.measures.ranking import kendall
from nas_tutorial.settings import versions
from nas_tutorial.training import Recipe, stacking

USEFUL = 0.5  # chance is 0.25; at most 0.32 without a 3×3 convolution on a path
RECIPES: dict[str, Recipe] = {
    "by epoch, no warm-up, batches of 64": Recipe(epochs=3, nesterov=False, per_step=False, warmup=0.0),
    "warm-up, batches of 64": Recipe(epochs=3),
    "warm-up, batches of 32: that of the table": tables.TINY_RECIPE,
    "warm-up, batches of 64, peak 0.2": Recipe(epochs=3, learning_rate=0.2),
}


def accuracies(recipe: Recipe, pictures: Data) -> np.ndarray:
    """Validation accuracies of all cells, (125, seeds)."""
    cells = list(tables.TINY_SPACE.enumerate())
    groups = [cells[i : i + 25] for i in range(0, len(cells), 25)]
    parts = [
        [stacking.train_together(group, pictures, recipe, seed, judged_on=("validation",)) for group in groups]
        for seed in tables.SEEDS
    ]
    columns = [torch.cat([part["validation"] for part in column]) for column in parts]
    return torch.stack(columns, 1).numpy()


def agreement(found: np.ndarray) -> list[float]:
    """Kendall's τ of each pair of seeds: (N, S) accuracies → S(S − 1)/2 numbers."""
    return [round(kendall(found[:, a], found[:, b]), 3) for a, b in combinations(range(found.shape[1]), 2)]


def measure(name: str, pictures: Data) -> dict[str, Any]:
    """What one recipe gives."""
    start = time.process_time()
    found = accuracies(RECIPES[name], pictures)
    useful = found[found.mean(1) > USEFUL]
    return {
        "recipe": name,
        "mean": round(float(found.mean()), 4),
        "best": round(float(found.mean(1).max()), 4),
        "std between seeds": round(float(found.std(1, ddof=1).mean()), 4),
        "tau": agreement(found),
        "useful cells": len(useful),
        "tau among them": agreement(useful),
        "cpu_seconds": round(time.process_time() - start, 1),
        "versions": versions(),
    }


def table(found: Sequence[dict[str, Any]]) -> str:
    """A row for each recipe, in Markdown."""
    rows = ["| recipe | mean | std between seeds | τ between seeds | cells above 50 % | τ among these | CPU s |"]
    rows.append("| --- | --: | --: | --: | --: | --: | --: |")
    for line in found:
        taus = [statistics.fmean(line[name]) for name in ("tau", "tau among them")]
        rows.append(
            f"| {line['recipe']} | {line['mean']:.3f} | {line['std between seeds']:.3f} | {taus[0]:.2f} | "
            f"{line['useful cells']} | {taus[1]:.2f} | {line['cpu_seconds']:.0f} |"
        )
    return "\n".join(rows)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser("benchmarks.table_noise")
    parser.add_argument("--out", type=Path, help="a .jsonl file that keeps the lines")
    pictures = data.load(**tables.TINY_DATA)
    cases = ((name,) for name in RECIPES)
    show(measured(cases, ("recipe",), partial(measure, pictures=pictures), parser.parse_args().out), table)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
