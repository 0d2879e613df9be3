"""The map of the toy bilevel problem of `strategies.toy`, and the paths of searches on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nas_tutorial.pictures.plots import style
from nas_tutorial.pictures.style import POINTS, SERIES
from nas_tutorial.strategies import toy


def paths(xis: Sequence[float], title: str, **rates: Any) -> Figure:
    """The path of a search for each ξ in the plane of α and w; a marker where it comes to rest.

    rates: settings of `toy.search`.
    """
    with style():
        figure = Figure(figsize=(6.8, 3.4))
        axes = figure.subplots()
        draw_map(axes)
        for xi, colour, marker in zip(xis, SERIES, POINTS, strict=False):
            end = {"marker": marker, "markevery": [-1], "markersize": 11}
            alphas, weights = zip(*toy.search(xi, **rates), strict=True)
            axes.plot(alphas, weights, color=colour, label=f"ξ = {xi:g}", **end)
        axes.set_title(title)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), labelspacing=0.7)
    return figure


def draw_map(axes: Axes) -> None:
    """The plane of α and w: heights of the training loss, its valley, and the best place."""
    a, w = np.meshgrid(np.linspace(-0.2, 3.2, 80), np.linspace(-2.3, 3.4, 80))
    axes.contour(a, w, toy.training_loss(a, w), [0.1, 1, 4, 9, 16], colors="#CCCCCC", linewidths=1)
    axes.axline((0, 0), slope=1, color="#777777", linestyle=":", label="trained: w = α")
    axes.plot(1, 1, "k*", markersize=24, mfc="white", label="best: α = 1", linestyle="")
    axes.set(xlabel="architecture α", ylabel="weight w")
