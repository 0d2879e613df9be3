"""`python -m benchmarks.recipes`: which course of the learning rate lets short trainings take off.

Twelve cells of the NAS-Bench-201 space (ten random ones, and two on which trainings got stuck), three seeds, as many
steps for each course. Cells are trained on the train split and judged on validation; the test split stays closed.
Courses differ in nothing but the learning rate over time, and in what their name says (Nesterov, AdamW).

Prints one JSON line for each course and seed, then a table. With --out the lines are kept, and those that are there
are not measured again. `--data FILE.npz --per-class 500` takes other pictures than digits.
"""

import argparse
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path

import torch
from torch import nn

from benchmarks.lines import measured, show
from nas_tutorial import data, spaces
from nas_tutorial.measures.ranking import kendall
from nas_tutorial.settings import versions
from nas_tutorial.spaces import Architecture
from nas_tutorial.training import Recipe
from nas_tutorial.training.stacking import train_together

STEPS, SEEDS = 375, (0, 1, 2)
STUCK = (
    "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|none~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_3x3~1|avg_pool_3x3~2|",
)


class AdamWRecipe(Recipe):
    """The same course of the learning rate, followed by AdamW with the weight decay that is usual for it."""

    def optimiser(self, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """AdamW over these weights."""
        return torch.optim.AdamW(weights, self.learning_rate, weight_decay=0.01)


BY_EPOCH = Recipe(nesterov=False, per_step=False, warmup=0.0)
COURSES: dict[str, Recipe] = {
    "by epoch, cosine": BY_EPOCH,
    "by step, cosine": Recipe(nesterov=False, warmup=0.0),
    "by step, cosine, Nesterov": Recipe(warmup=0.0),
    "10 % warm-up, Nesterov": Recipe(warmup=0.1),
    "20 % warm-up, Nesterov": Recipe(),
    "20 % warm-up": Recipe(nesterov=False),
    "40 % warm-up, Nesterov": Recipe(warmup=0.4),
    "20 % warm-up, Nesterov, peak 0.05": Recipe(learning_rate=0.05),
    "20 % warm-up, Nesterov, peak 0.2": Recipe(learning_rate=0.2),
    "20 % warm-up, AdamW, peak 0.003": AdamWRecipe(learning_rate=0.003),
}


def cells() -> list[Architecture]:
    """Ten cells drawn at random, and the two."""
    space, generator = spaces.get("nasbench201"), torch.Generator().manual_seed(1)
    return [space.sample(generator) for _ in range(10)] + [space.parse(text) for text in STUCK]


def measure(course: str, seed: int, pictures: data.Data) -> dict:
    """Validation accuracies of all cells after `STEPS` steps, or the next whole number of epochs."""
    recipe = COURSES[course]
    epochs = -(-STEPS // (len(pictures.train) // recipe.batch_size))
    start = time.process_time()
    found = train_together(cells(), pictures, replace(recipe, epochs=epochs), seed, judged_on=("validation",))
    return {
        "course": course,
        "seed": seed,
        "data": repr(pictures),
        "epochs": epochs,
        "validation": [round(float(a), 4) for a in found["validation"]],
        "cpu_seconds": round(time.process_time() - start, 1),
        "versions": versions(),
    }


def table(found: Sequence[dict]) -> str:
    """A row for each course, in Markdown.

    Worst: the smallest accuracy of a live cell with a 3×3 convolution. τ: Kendall's, between the rankings of two seeds.
    """
    learn = [i for i, cell in enumerate(cells()) if cell.live and not cell.warning]
    rows = ["| learning rate | mean | worst | std between seeds | τ between seeds | CPU s |"]
    rows.append("| --- | --: | --: | --: | --: | --: |")
    for course in dict.fromkeys(line["course"] for line in found):
        runs = [line for line in found if line["course"] == course]
        seeds = [line["validation"] for line in runs]
        mean = statistics.fmean(a for seed in seeds for a in seed)
        worst = min(seed[i] for seed in seeds for i in learn)
        spread = statistics.fmean(statistics.stdev(cell) for cell in zip(*seeds, strict=True)) if seeds[1:] else 0.0
        tau = statistics.fmean(kendall(a, b) for a, b in combinations(seeds, 2)) if seeds[1:] else 1.0
        seconds = sum(line["cpu_seconds"] for line in runs)
        rows.append(f"| {course} | {mean:.3f} | {worst:.3f} | {spread:.3f} | {tau:.2f} | {seconds:.0f} |")
    return "\n".join(rows)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser("benchmarks.recipes", description="Courses: " + "; ".join(COURSES))
    parser.add_argument("--only", default="", metavar="TEXT", help="only courses whose name contains this")
    parser.add_argument("--data", default="digits", help="digits, or a FILE.npz")
    parser.add_argument("--per-class", type=int, default=1000, help="pictures of each class (1000)")
    parser.add_argument("--out", type=Path, help="a .jsonl file that keeps the lines")
    options = parser.parse_args()
    pictures = data.load(options.data, per_class=options.per_class, validation=0.2)
    cases = ((course, seed) for course in COURSES if options.only in course for seed in SEEDS)
    show(measured(cases, ("course", "seed"), partial(measure, pictures=pictures), options.out), table)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
