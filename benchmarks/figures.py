"""`python -m benchmarks.figures LINES.jsonl FOLDER`: plots of a scaling study, of its seconds and of its memory."""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from nas_tutorial.networks import ops
from nas_tutorial.pictures.plots import style

Rows = Mapping[str, Mapping[str, Any]]  # the lines of a benchmark by name
Found = Mapping[str, tuple[np.ndarray, np.ndarray]]  # path → values of a size, and what was measured at them

PATHS = {"slow": "textbook", "fast": "fast path"}
SIZES = {
    "channels": "channels of the first cell",
    "cells": "cells",
    "nodes": "nodes of a cell",
    "batch": "pictures in a batch",
}
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


class Measure(NamedTuple):
    """What a plot shows: the name in its title, the label of its axis, the key of the lines, and its unit."""

    name: str
    label: str
    key: str
    unit: float


MEASURES = {
    "seconds": Measure("CPU seconds", "CPU seconds of a step", "cpu_seconds_median", 1),
    "memory": Measure("memory", "peak memory, GB above torch's own", "peak_rss_mb", 1000),
}


def read(lines: Iterable[str]) -> Rows:
    """JSON lines by name."""
    rows = [json.loads(line) for line in lines if line.strip()]
    return {row["name"]: row for row in rows}


def series(rows: Rows, varied: str, path: str, measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Values of the size that was varied, and what was measured at them above the floor."""
    start, end = f"scaling/{varied}/", f"/{path}"
    values = sorted(int(name[len(start) : -len(end)]) for name in rows if name.startswith(start) and name.endswith(end))
    found = np.array([rows[f"{start}{value}{end}"][measure.key] for value in values])
    return np.array(values), (found - rows["scaling/floor"][measure.key]) / measure.unit


def growth(values: np.ndarray, found: np.ndarray) -> float:
    """By what factor a doubling of the size multiplies the cost: 2 to the slope in a plot with two logarithmic axes."""
    return float(2 ** np.polyfit(np.log(values), np.log(found), 1)[0])


def scaling(rows: Rows, measure: Measure) -> Figure:
    """Five panels, one for each size that was varied."""
    with style():
        figure = Figure(figsize=(13, 8))
        panels = figure.subplot_mosaic([["channels", "cells", "nodes"], ["batch", "operations", "operations"]])
        found = {varied: {path: series(rows, varied, path, measure) for path in PATHS} for varied in panels}
        for varied, axes in panels.items():
            for path, label in PATHS.items():
                axes.plot(*found[varied][path], label=label)
            axes.set_ylabel(measure.label)
            finish = _finish_operations if varied == "operations" else _finish_size
            finish(axes, varied, found[varied])
        panels["channels"].legend()
        ratios = np.concatenate([paths["slow"][1] / paths["fast"][1] for paths in found.values()])
        finding = f"the textbook takes {ratios.min():.1f} to {ratios.max():.1f} times the {measure.name}"
        figure.suptitle(f"One first-order DARTS step: {finding}", x=0.01, ha="left")
    return figure


def _finish_operations(axes: Axes, varied: str, found: Found) -> None:
    values, _ = found["fast"]
    names = [name.replace("_", " ") for name in ops.DARTS]
    labels = [", ".join(names[:value]) if value == values[0] else f"+ {names[value - 1]}" for value in values]
    axes.set_xticks(values, labels, rotation=25, ha="right")
    axes.set_title("Operations of an edge, one more at a time")
    axes.set_ylim(bottom=0)


def _finish_size(axes: Axes, varied: str, found: Found) -> None:
    values, _ = found["fast"]
    slow, fast = (growth(*found[path]) for path in PATHS)
    axes.set(xscale="log", yscale="log", xlabel=SIZES[varied])
    axes.set_title(f"Twice the {'pictures' if varied == 'batch' else varied}: ×{slow:.1f}, fast ×{fast:.1f}")
    axes.set_xticks(values, [str(value) for value in values])
    axes.xaxis.set_minor_locator(NullLocator())
    low, high = axes.get_ylim()
    ticks = [tick for tick in TICKS if low <= tick <= high]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.yaxis.set_minor_formatter(NullFormatter())


def main() -> None:
    """Draw scaling_seconds.png and scaling_memory.png."""
    parser = argparse.ArgumentParser("benchmarks.figures", description=__doc__)
    parser.add_argument("lines", type=Path, help="what `python -m benchmarks.scaling` printed")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    options = parser.parse_args()
    rows = read(options.lines.read_text().splitlines())
    for name, measure in MEASURES.items():
        scaling(rows, measure).savefig(options.folder / f"scaling_{name}.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
