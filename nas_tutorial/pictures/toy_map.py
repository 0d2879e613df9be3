"""The map of the toy bilevel problem of `strategies.toy`, and the paths of searches on it."""

import base64
import html
import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nas_tutorial.pictures.images import palette
from nas_tutorial.pictures.picture import FONT
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


# --- for a slider: the map is drawn once, the path over it every time -------------------------------------------------
class Background(NamedTuple):
    """The map as a PNG (base64) of this size, and the frame of its plane, in CSS pixels; limits: of α and w."""

    png: str
    size: tuple[int, int]
    frame: tuple[float, float, float, float]  # left, top, width, height
    limits: tuple[tuple[float, float], tuple[float, float]]


@lru_cache(maxsize=1)
def background() -> Background:
    """The map without a path."""
    with style():
        figure = Figure(figsize=(6.8, 3.6))
        axes = figure.subplots()
        draw_map(axes)
        limits = (-0.2, 3.2), (-2.3, 3.4)
        axes.set(xlim=limits[0], ylim=limits[1])
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), labelspacing=0.7)
        axes.set_title(" ")  # room for one over the ready map
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=192, bbox_inches=None)
    width, height = (round(96 * side) for side in figure.get_size_inches())
    box = axes.get_position()
    frame = (box.x0 * width, (1 - box.y1) * height, box.width * width, box.height * height)
    return Background(base64.b64encode(palette(drawn.getvalue(), 32)).decode(), (width, height), frame, limits)


def moving(xi: float, title: str, alt: str, **rates: Any) -> str:
    """The path for one ξ as an `<svg>` over the map, quick enough for a slider that is being dragged.

    alt: the picture in words; rates: settings of `toy.search`.
    """
    ground = background()
    (width, height), (x, y, w, h) = ground.size, ground.frame
    (left, right), (low, high) = ground.limits
    places = [(w * (a - left) / (right - left), h * (high - b) / (high - low)) for a, b in toy.search(xi, **rates)]
    line, (u, v), alt = " ".join(f"{u:.1f},{v:.1f}" for u, v in places), places[-1], html.escape(alt)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{alt}" style="max-width:100%;height:auto" font-family="{FONT}"><title>{alt}</title>'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{ground.png}"/>'
        f'<text x="{x:g}" y="{y - 12:g}" font-size="16">{html.escape(title)}</text>'
        f'<svg x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}">'  # cuts off what leaves the plane
        f'<polyline points="{line}" fill="none" stroke="{SERIES[0]}" stroke-width="2.5"/>'
        f'<circle cx="{u:.1f}" cy="{v:.1f}" r="6" fill="{SERIES[0]}"/></svg></svg>'
    )
