"""A bilevel problem with sliders: how far a step of α looks ahead, where the search starts, and its path."""

from collections.abc import Sequence
from itertools import pairwise

from ipywidgets import FloatSlider, VBox

from nas_tutorial.pictures.style import SERIES
from nas_tutorial.pictures.widgets.chart import Chart
from nas_tutorial.pictures.widgets.frame import figure, sliding, view
from nas_tutorial.strategies import toy
from nas_tutorial.strategies.toy import Position

LEVELS = (0.1, 1, 4, 9, 16)  # of the training loss (w − α)², of which the contours are pairs of straight lines
ALPHAS, WEIGHTS = (-0.5, 4.0), (-3.0, 4.0)


def explore_bilevel() -> VBox:
    """The toy bilevel problem: choose ξ, the rate of w and the start, and see the path of the search at once."""

    def render(xi: float, weight_rate: float, alpha: float, w: float) -> str:
        path = toy.search(xi, weight_rate=weight_rate, start=(alpha, w))
        rest, right, steps = path[-1][0], max(a for a, _ in path), settled(path)
        when = "still on its way" if steps is None else f"within 0.01 of it from step {steps} on"
        line = (
            f"ξ = {xi:.2f}: from (α, w) = ({alpha:.1f}, {w:.1f}) as far right as α = {right:.2f}, after "
            f"{len(path) - 1} steps at α = {rest:.3f}, w = {path[-1][1]:.3f} ({when}). The best is α = 1; "
            f"with w = α the slope vanishes at 2 / (1 + 2ξ) = {toy.resting_point(xi):.3f}."
        )
        return figure(_map(path, line), line)

    sliders = {
        "xi": FloatSlider(0.2, min=0, max=1, step=0.05, description="look ahead ξ"),
        "weight_rate": FloatSlider(0.1, min=0.05, max=0.95, step=0.05, description="rate of w"),
        "alpha": FloatSlider(2, min=-0.5, max=3.5, step=0.1, description="start α"),
        "w": FloatSlider(-2, min=-3, max=4, step=0.1, description="start w"),
    }
    return view(render, **{name: sliding(slider) for name, slider in sliders.items()})


def settled(path: Sequence[Position], near: float = 0.01) -> int | None:
    """The first step from which on α stays this near to where it ends; None where that is only the last."""
    end = path[-1][0]
    away = [step for step, (alpha, _) in enumerate(path) if abs(alpha - end) > near]
    first = away[-1] + 1 if away else 0
    return first if first < len(path) - 1 else None


def _map(path: Sequence[Position], words: str) -> str:
    """The plane of α and w: contours of the training loss, its valley w = α, the best place, and the path."""
    chart = Chart(ALPHAS, WEIGHTS, words, x_label="architecture α", y_label="weight w")
    for level in LEVELS:
        for side in (-(level**0.5), level**0.5):
            chart.line([(a, a + side) for a in ALPHAS], width=1, faint=True)
    chart.line([(a, a) for a in ALPHAS], dashes="2 4")
    chart.words(2.7, 2.7, "trained: w = α", below=True)
    chart.line(thinned(path), colour=SERIES[0], width=2.5)
    chart.dot(*path[0], colour=SERIES[0], hollow=True)
    chart.dot(*path[-1], colour=SERIES[0])
    chart.words(*path[0], "start", above=path[0][1] > 0)
    chart.star(1, 1)
    chart.words(1, 1, "best: α = 1", below=True)
    return chart.svg()


def thinned(path: Sequence[Position], least: float = 0.01) -> list[Position]:
    """The positions of a path that are at least so far apart, its two ends among them."""
    kept = [path[0]]
    for _, place in pairwise(path):
        if max(abs(place[0] - kept[-1][0]), abs(place[1] - kept[-1][1])) >= least:
            kept.append(place)
    return [*kept, path[-1]]
