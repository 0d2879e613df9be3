"""The page of recorded results: tables in docs/results.md, made from records in benchmarks/results and the package.

To bring the page up to date: `python -m tools.results`.
"""

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import late_alpha, leaderboard, recipes, table_noise

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "results.md"
FOLDER = ROOT / "benchmarks" / "results"
IN_PACKAGE = ROOT / "nas_tutorial" / "measures"  # notebook 07 reads it, wherever only the package is installed
HEAD = """# Recorded results, with their controls

Made from the files in [benchmarks/results](../benchmarks/results) by `python -m tools.results`; do not edit. Each file
holds the settings, the versions and every single training.
"""


class Section(NamedTuple):
    """A part of the page: what was compared, the file with the record, its command, and what makes the table of it."""

    title: str
    text: str
    file: str
    command: str
    table: Callable[[Any], str]
    folder: Path = FOLDER

    @property
    def path(self) -> Path:
        """Where the record is."""
        return self.folder / self.file


def demo_table(whole: dict[str, Any]) -> str:
    """A row for each strategy, a column for each seed of its search; below, the random cells."""
    names = sorted(whole["strategies"], key=lambda name: -whole["strategies"][name]["mean"])
    seeds = [record["seed"] for record in whole["seeds"]]
    rows = ["| | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean | above random, least |"]
    rows.append("| --- |" + " --: |" * (len(seeds) + 2))
    for name in names:
        entries = [next(e for e in record["found"] if e["name"] == name) for record in whole["seeds"]]
        cells = " | ".join(f"{100 * e['mean']:.0f} ± {100 * e['std']:.0f} %" for e in entries)
        total = whole["strategies"][name]
        rows.append(f"| {name} | {cells} | {100 * total['mean']:.0f} % | {total['least_points']:+.0f} points |")
    means = sorted(100 * cell["mean"] for cell in whole["random_cells"])
    each = " ".join(f"{mean:.0f}" for mean in means)
    rows.append(f"\nTen random cells, one training each: {each}; mean {statistics.fmean(means):.0f} %.")
    return "\n".join(rows)


DIGITS = "Cluttered digits, NAS-Bench-201 space in its small size."


def contest(space: str, sizes: str, pictures: int, budget: int, epochs: int) -> Section:
    """Three searches on real pictures at one price, see `REAL`."""
    file = f"leaderboard_cifar10_{space}.jsonl"
    return Section(
        f"Three searches on real pictures, {space} space: CIFAR-10 (JPEG q75 copy)",
        f"{pictures} pictures of each class to search and to train, 3,000 test pictures; small sizes. Each search "
        f"ended within a tenth of {budget} · 10⁹ multiply-adds, with the settings of the small profile; two search "
        f"seeds, and four cells that nobody searched for; each cell trained from scratch three times, {epochs} epochs. "
        "Two seeds and few pictures prove little.",
        file,
        f"python -m benchmarks.leaderboard --data train.npz --test-data test.npz --space {space} --sizes {sizes} "
        f"--per-class {pictures} --test-per-class 300 --budget {budget} --seeds 0 1 --searches "
        f'"DARTS, first order" ENAS "random search" --random-cells 4 --retrain-epochs {epochs} '
        f"--out nas_tutorial/measures/{file}",
        leaderboard.table,
        IN_PACKAGE,
    )


REAL = (("nasbench201", "channels=4", 300, 300, 12), ("darts", "channels=4 cells=3", 100, 200, 8))
"""Contests on real pictures: space, sizes, pictures of each class, budget in 10⁹ multiply-adds, epochs of training."""

SECTIONS = (
    Section(
        "The demo, five search seeds",
        f"{DIGITS} Three searches at similar cost (multiply-adds in the file), each found cell trained from scratch "
        "with three seeds; test accuracy ± standard deviation between trainings. The ten random cells are the same for "
        "all seeds.",
        "demo_seeds_0_to_4.json",
        "python -m benchmarks.demo --out benchmarks/results/demo_seeds_0_to_4.json",
        demo_table,
    ),
    Section(
        "The learning rate of short trainings",
        f"{DIGITS} Twelve cells, three seeds, 375 steps, validation accuracy. Only the course of the learning rate "
        "differs, and what the name says. Worst: the smallest accuracy of a live cell with a 3×3 convolution; guessing "
        "gives 0.1. Small profiles use 20 % warm-up with Nesterov's momentum and a peak of 0.1. (The higher peak does "
        "better still on these pictures; it was not tried on others, and everything below was made with 0.1.)",
        "recipes_digits.jsonl",
        "python -m benchmarks.recipes --out benchmarks/results/recipes_digits.jsonl",
        recipes.table,
    ),
    Section(
        "The tiny table: how well its seeds agree",
        "All 125 cells, three seeds, validation accuracy on strokes. The first row is how the table was made before.",
        "table_noise.jsonl",
        "python -m benchmarks.table_noise --out benchmarks/results/table_noise.jsonl",
        table_noise.table,
    ),
    Section(
        "When α starts, and whether it may choose none: digits",
        f"{DIGITS} First-order DARTS, 10 epochs; what the same α is rounded to by both rules, trained from scratch "
        "with three seeds; validation accuracy.",
        "late_alpha_digits.jsonl",
        "python -m benchmarks.late_alpha --starts 0 3 --out benchmarks/results/late_alpha_digits.jsonl",
        late_alpha.table,
    ),
    Section(
        "When α starts, and whether it may choose none: CIFAR-10 (JPEG q75 copy)",
        "The same with 500 pictures of each class, half of them for validation; 8 epochs of search. A late start "
        "brings nothing here, so small profiles start α at once; none costs much, so it is left out.",
        "late_alpha_cifar10_jpeg.jsonl",
        "python -m benchmarks.late_alpha --data train.npz --per-class 500 --epochs 8 --starts 0 3 --seeds 0 1 "
        "--retrain-epochs 12 --out benchmarks/results/late_alpha_cifar10_jpeg.jsonl",
        late_alpha.table,
    ),
    Section(
        "Five searches, three seeds each",
        f"{DIGITS} Each ended within a tenth of 800 · 10⁹ multiply-adds: a search that did not was run again with "
        "other epochs, whatever it had found. All searches have the settings of the small profile, none was tuned for "
        "this. Every cell is trained from scratch with three seeds. Said by the search: accuracy of the blend (DARTS), "
        "or of the best cell. At inherited weights: of the found cell at the shared weights, before any new training.",
        "leaderboard_digits.jsonl",
        "python -m benchmarks.leaderboard --out nas_tutorial/measures/leaderboard_digits.jsonl",
        leaderboard.table,
        IN_PACKAGE,
    ),
    *(contest(*real) for real in REAL),
)


def read(path: Path) -> Any:
    """What a record holds: a JSON value, or the list of those in its lines."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)


def page(sections: Sequence[Section] = SECTIONS) -> str:
    """The whole page."""
    parts = [HEAD]
    for section in sections:
        table = section.table(read(section.path))
        link = f"[{section.file}](../{section.path.relative_to(ROOT).as_posix()})"
        parts.append(f"## {section.title}\n\n{section.text}\n\n{table}\n\n{link}: `{section.command}`\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{len(SECTIONS)} records in {PAGE.relative_to(ROOT)}")
