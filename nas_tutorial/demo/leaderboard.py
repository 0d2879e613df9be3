"""What came out of the demonstration: what three searches found, beside cells that nobody searched for."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nas_tutorial.spaces import Architecture
from nas_tutorial.strategies.results import SearchResult
from nas_tutorial.training import Scores

BILLION = 10**9
COUNTED = (
    "multiply-adds of convolutions and linear layers, counted while the search ran (a backward pass as two forward "
    "passes)"
)


@dataclass(frozen=True)
class Entry:
    """An architecture, its test accuracies, and the search that found it (None: drawn at random) with what it cost."""

    name: str
    architecture: Architecture
    scores: Scores
    search: SearchResult | None = None
    multiply_adds: int = 0

    @property
    def percent(self) -> str:
        """Mean and standard deviation between trainings, such as "68 ± 3 %"; of one training "68 %"."""
        spread = f" ± {100 * self.scores.std:.0f}" if len(self.scores.accuracies) > 1 else ""
        return f"{100 * self.scores.mean:.0f}{spread} %"

    def to_record(self) -> dict[str, Any]:
        """Plain values; accuracies are fractions."""
        return {
            "name": self.name,
            "architecture": str(self.architecture),
            "warning": self.architecture.warning,
            "parameters": self.scores.parameters,
            "accuracies": list(self.scores.accuracies),
            "mean": self.scores.mean,
            "std": self.scores.std,
        }


@dataclass(frozen=True)
class Leaderboard:
    """What the searches found, best first, and the random cells in the order in which they were drawn.

    classes: of the pictures. facts: how all this came about, as plain values.
    """

    found: tuple[Entry, ...]
    random_cells: tuple[Entry, ...]
    classes: int
    facts: Mapping[str, Any]

    @property
    def random_accuracies(self) -> list[float]:
        """One test accuracy for each random cell, in ascending order."""
        return sorted(cell.scores.mean for cell in self.random_cells)

    @property
    def random_mean(self) -> float:
        """Mean test accuracy of the random cells."""
        return statistics.fmean(self.random_accuracies)

    @property
    def random_line(self) -> str:
        """The random cells in a few words: "mean 56 % (21 … 77)"."""
        least, *_, most = (100 * accuracy for accuracy in self.random_accuracies)
        return f"mean {100 * self.random_mean:.0f} % ({least:.0f} … {most:.0f})"

    def points(self, entry: Entry) -> float:
        """By how many percentage points an architecture is better than the mean of the random cells."""
        return 100 * (entry.scores.mean - self.random_mean)

    def beaten(self, entry: Entry) -> int:
        """How many of the random cells have a lower accuracy than the mean of this architecture's trainings."""
        return sum(accuracy < entry.scores.mean for accuracy in self.random_accuracies)

    @property
    def verdict(self) -> str:
        """What came out, in one sentence: each search against the mean of the random cells."""
        ahead = ", ".join(f"{entry.name} {signed(self.points(entry))}" for entry in self.found)
        return f"{ahead} points, compared with the mean of {self.random_name} ({100 * self.random_mean:.0f} %)"

    @property
    def random_name(self) -> str:
        """How many random cells there are: "ten random cells"."""
        return f"{'ten' if len(self.random_cells) == 10 else len(self.random_cells)} random cells"

    def detail(self, entry: Entry) -> str:
        """What one search is worth; a sentence more where the cell that it found lets little or nothing through."""
        line = (
            f"{entry.name}: {entry.percent}, {signed(self.points(entry))} points; "
            f"better than {self.beaten(entry)} of the {self.random_name}."
        )
        return f"{line} {entry.architecture.warning}".rstrip()

    @property
    def budget(self) -> str:
        """What "equal budgets" means, and how equal they are."""
        costs = [entry.multiply_adds for entry in self.found]
        equal = max(costs) <= 1.1 * min(costs)
        head = "Equal budgets: each search computes about as much," if equal else "Budgets differ: the searches compute"
        return (
            f"{head} {min(costs) / BILLION:,.0f} to {max(costs) / BILLION:,.0f} billion (G) {COUNTED}. "
            "Seconds depend on the machine."
        )

    def __str__(self) -> str:
        """The leaderboard as text: the searches, best first, and a line for the random cells."""
        head = f"{'':<18}{'test accuracy':>13}  {'parameters':>10}  {'search':>8}  {'cost':>8}  architecture"
        rows = [
            f"{e.name:<18}{e.percent:>13}  {e.scores.parameters:>10,}  {f'{e.search.seconds:.0f} s':>8}  "
            f"{f'{e.multiply_adds / BILLION:,.0f} G':>8}  {e.architecture}"
            for e in self.found
        ]
        random_row = f"{self.random_name:<18}{self.random_line}; one training each, guessing {100 / self.classes:.0f} %"
        return "\n".join((head, *rows, random_row, "", *map(self.detail, self.found), "", self.budget))

    def to_record(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            **self.facts,
            "counted": COUNTED,
            "random_mean": self.random_mean,
            "found": [self._found_record(entry) for entry in self.found],
            "random_cells": [cell.to_record() for cell in self.random_cells],
        }

    def _found_record(self, entry: Entry) -> dict[str, Any]:
        return {
            **entry.to_record(),
            "points": self.points(entry),
            "beaten": self.beaten(entry),
            "multiply_adds": entry.multiply_adds,
            "seconds": entry.search.seconds,
            "validation_accuracy": entry.search.history[-1].validation_accuracy,
        }


def signed(points: float) -> str:
    """Whole points with their sign, "+24" or "−3"; "±0" where they round to 0."""
    whole = round(points)
    return f"{whole:+d}".replace("-", "−") if whole else "±0"
