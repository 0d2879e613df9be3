"""How far repeated runs lie apart: curves with bands, and estimates as dots around what is right."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from nas_tutorial.pictures.plots import POINTS, SERIES, style

LINES = ("-", "--", "-.", ":")


def bands(curves: Mapping[str, Sequence], x: str, y: str, title: str, **settings: object) -> Figure:
    """Mean of several runs as a line, from the lowest to the highest run as a band: {name: (runs, steps)}.

    x, y: labels of the axes; settings: more of matplotlib's `Axes.set`, such as yscale="log". Steps count from 0.
    """
    with style():
        figure = Figure(figsize=(5.6, 2.5))
        axes = figure.subplots()
        for (name, runs), colour, marker, line in zip(curves.items(), SERIES, POINTS, LINES, strict=False):
            runs = np.asarray(runs, float)
            every = max(runs.shape[1] // 5, 1)
            axes.plot(runs.mean(0), line, color=colour, marker=marker, markevery=every, label=name)
            if len(runs) > 1:
                axes.fill_between(range(runs.shape[1]), runs.min(0), runs.max(0), color=colour, alpha=0.2)
        axes.set(xlabel=x, ylabel=y, **settings)
        axes.set_title(title)
        axes.legend()
    return figure


def dots(groups: Mapping[str, Mapping[str, Sequence[float]]], right: float, y: str, shown: int = 80) -> Figure:
    """Estimates of one number: {panel: {column: values}}. Dots are the first values, black lines are means of all.

    right: what is estimated, a dashed line; y: label of the axis; shown: how many dots a column has at most.
    """
    with style():
        figure = Figure(figsize=(7.5, 2.8))
        for panel, (title, columns) in zip(
            figure.subplots(1, len(groups), sharey=True, squeeze=False)[0], groups.items(), strict=True
        ):
            for i, values in enumerate(columns.values()):
                some = np.asarray(values, float)[:shown]
                panel.plot(i + np.linspace(-0.3, 0.3, len(some)), some, ".", color=SERIES[0], markersize=4)
                panel.plot([i - 0.4, i + 0.4], [np.mean(np.asarray(values, float))] * 2, "k-", marker="", linewidth=3)
            panel.axhline(right, color=SERIES[1], linestyle="--", marker="")
            panel.set(xticks=range(len(columns)), xticklabels=list(columns), title=title)
        figure.axes[0].set_ylabel(y)
    return figure
