"""`python -m benchmarks.figures LINES.jsonl FOLDER`: plots of a scaling study, of its seconds and of its memory."""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from nas_tutorial import ops
from nas_tutorial.plots import style

Rows = Mapping[str, Mapping[str, Any]]  # the lines of a benchmark by name

PATHS = {"slow": ("textbook", "#D55E00", "s"), "fast": ("fast path", "#0072B2", "o")}
SIZES = {
    "channels": "channels of the first cell",
    "cells": "cells",
    "nodes": "nodes of a cell",
    "batch": "pictures in a batch",
}
MEASURES = {"seconds": ("CPU seconds of a step", "cpu_seconds_median"), "memory": ("peak memory, GB", "peak_rss_mb")}


def read(lines: Iterable[str]) -> Rows:
    """JSON lines by name."""
    rows = [json.loads(line) for line in lines if line.strip()]
    return {row["name"]: row for row in rows}


def series(rows: Rows, varied: str, path: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of the size that was varied, and what was measured at them; memory is counted above the floor, in GB."""
    key = MEASURES[measure][1]
    names = [name.split("/") for name in rows if name.startswith(f"scaling/{varied}/") and name.endswith(path)]
    values = sorted(int(value) for _, _, value, _ in names)
    found = np.array([rows[f"scaling/{varied}/{value}/{path}"][key] for value in values], float)
    return np.array(values), (found - rows["scaling/floor"][key]) / 1000 if measure == "memory" else found


def growth(values: np.ndarray, found: np.ndarray) -> float:
    """By what factor a doubling of the size multiplies the cost: 2 to the slope in a plot with two logarithmic axes."""
    return float(2 ** np.polyfit(np.log(values), np.log(found), 1)[0])


def scaling(rows: Rows, measure: str) -> Figure:
    """Five panels, one for each size that was varied."""
    with style():
        figure = Figure(figsize=(13, 8))
        panels = figure.subplot_mosaic([["channels", "cells", "nodes"], ["batch", "operations", "operations"]])
        for varied, axes in panels.items():
            for path, (label, colour, marker) in PATHS.items():
                values, found = series(rows, varied, path, measure)
                axes.plot(values, found, color=colour, marker=marker, label=label)
            _finish(axes, rows, varied, measure)
        panels["channels"].legend()
        figure.suptitle(_finding(rows, measure), x=0.01, ha="left")
    return figure


def _finish(axes: Axes, rows: Rows, varied: str, measure: str) -> None:
    axes.set_ylabel(MEASURES[measure][0] + (" above torch's own" if measure == "memory" else ""))
    values, _ = series(rows, varied, "fast", measure)
    if varied == "operations":
        added = list(ops.DARTS)[: max(values)]
        names = [f"{added[0]}, {added[1]}".replace("_", " ")] + [f"+ {name.replace('_', ' ')}" for name in added[2:]]
        axes.set_xticks(range(2, 2 + len(names)), names, rotation=25, ha="right")
        axes.set_title("Operations of an edge, one more at a time")
        axes.set_ylim(bottom=0)
        return
    slow, fast = (growth(*series(rows, varied, path, measure)) for path in PATHS)
    axes.set(xscale="log", yscale="log", xlabel=SIZES[varied])
    axes.set_title(f"Twice the {varied if varied != 'batch' else 'pictures'}: ×{slow:.1f}, fast ×{fast:.1f}")
    axes.set_xticks(values, [str(value) for value in values])
    axes.xaxis.set_minor_locator(NullLocator())
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if axes.get_ylim()[0] <= tick <= axes.get_ylim()[1]]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.yaxis.set_minor_formatter(NullFormatter())


def _finding(rows: Rows, measure: str) -> str:
    ratios = []
    for varied in (*SIZES, "operations"):
        slow, fast = (series(rows, varied, path, measure)[1] for path in PATHS)
        ratios += list(slow / fast)
    what = "CPU seconds" if measure == "seconds" else "memory"
    return f"One first-order DARTS step: the textbook takes {min(ratios):.1f} to {max(ratios):.1f} times the {what}"


def main() -> None:
    """Draw scaling_seconds.png and scaling_memory.png."""
    parser = argparse.ArgumentParser("benchmarks.figures", description=__doc__)
    parser.add_argument("lines", type=Path, help="what `python -m benchmarks.scaling` printed")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    options = parser.parse_args()
    rows = read(options.lines.read_text().splitlines())
    matplotlib.use("Agg")
    for measure in MEASURES:
        scaling(rows, measure).savefig(options.folder / f"scaling_{measure}.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
