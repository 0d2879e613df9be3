"""A policy in pictures: a table of probabilities as squares, bars of all architectures, a film strip over a search."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nas_tutorial.pictures.plots import INK, style
from nas_tutorial.pictures.probabilities import Question, looks, questions
from nas_tutorial.pictures.style import COLOURS, SERIES, style_of
from nas_tutorial.settings import one_of
from nas_tutorial.spaces import Space

SIDE = 0.94  # of a square with probability 1, where rows and columns are 1 apart


def squares(axes: Axes, rows: Sequence[Sequence[float]], asked: Sequence[Question]) -> None:
    """Draw a table of probabilities: a row for each question, a column for each option, areas are probabilities.

    Colours are those of the operations; below the columns stand their signs, such as 3 for conv_3x3.
    """
    look, options = looks(asked), max((question.options for question in asked), key=len)
    for y, (row, question) in enumerate(zip(rows, asked, strict=True)):
        for x, (p, option) in enumerate(zip(row, question.options, strict=False)):  # a table may have more columns
            side = SIDE * p**0.5
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor="none", edgecolor="#DDDDDD"))
            axes.add_patch(Rectangle((x - side / 2, y - side / 2), side, side, color=look[option]["color"]))
    axes.set(xlim=(-0.5, len(options) - 0.5), ylim=(len(rows) - 0.5, -0.5), aspect="equal")
    signs = [style_of(option).sign if option in COLOURS else option for option in options]
    axes.set_xticks(range(len(options)), signs)
    axes.set_yticks(range(len(rows)), [question.title for question in asked])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def policy_bars(space: Space, rewards: Sequence[float], pi: Sequence[float], title: str) -> Figure:
    """A policy: its probabilities on the edges, and those of all architectures, from the worst to the best.

    rewards, pi: one for each architecture of a space with one table of decisions, in the order of `space.enumerate()`.
    The dashed line is the uniform policy.
    """
    asked, rows, pi = _marginals(space, pi)
    with style():
        figure = Figure(figsize=(8, 2.6))
        left, right = figure.subplots(1, 2, width_ratios=[1, 2])
        squares(left, rows, asked)
        right.bar(range(len(pi)), pi[np.argsort(rewards, kind="stable")], width=1, color=SERIES[0])
        right.axhline(1 / len(pi), color=INK, linestyle="--", linewidth=1, marker="")
        right.set(xlabel=f"{len(pi)} architectures, from the worst to the best", ylabel="probability")
        figure.suptitle(title, x=0.01, ha="left")
    return figure


def _marginals(space: Space, pi: Sequence[float]) -> tuple[list[Question], list[np.ndarray], np.ndarray]:
    """The decisions, the probabilities of each one's options, and π as an array, (N,)."""
    choices, pi = np.array([a.choices for a in space.enumerate()]), np.asarray(pi, float)  # (N, decisions), (N,)
    asked = questions(space, space.decisions[0].table)
    return asked, [np.bincount(column, pi, len(q.options)) for column, q in zip(choices.T, asked, strict=True)], pi


def policy_svg(space: Space, rewards: Sequence[float], pi: Sequence[float], label: str) -> str:
    """The same as `policy_bars` in an SVG of a few kilobytes, for widgets; bars reach the top at 0.6.

    label: what it shows, in words, for readers who do not see it.
    """
    asked, rows, pi = _marginals(space, pi)
    look, drawn = looks(asked), []
    for y, (row, question) in enumerate(zip(rows, asked, strict=True)):
        drawn.append(_text(56, 28 + 46 * y, question.title, "end"))
        for x, (p, option) in enumerate(zip(row, question.options, strict=True)):
            side = 44 * p**0.5
            drawn.append(_rect(86 + 46 * x - side / 2, 23 + 46 * y - side / 2, side, side, look[option]["color"]))
    for x, option in enumerate(asked[0].options):
        sign = style_of(option).sign if option in COLOURS else option
        drawn.append(_text(86 + 46 * x, 46 * len(rows) + 16, sign, "middle"))
    wide, floor = 420 / len(pi), 46 * len(rows)
    heights = np.round(pi[np.argsort(rewards, kind="stable")] * floor / 0.6, 1)
    bars = "".join(f"M{340 + wide * i:.1f} {floor}v-{h:g}h{wide:.1f}v{h:g}" for i, h in enumerate(heights))
    drawn.append(f'<path d="{bars}" fill="{SERIES[0]}"/>')
    drawn.append(_text(340, floor + 16, "worst cell", "start") + _text(760, floor + 16, "best cell", "end"))
    top = floor - floor / 0.6 / len(pi)
    drawn.append(f'<path d="M340 {top:.1f}h420" stroke="{INK}" stroke-dasharray="4 3" fill="none"/>')
    size = f'width="768" height="{floor + 24}" viewBox="0 0 768 {floor + 24}"'
    about = f'role="img" aria-label="{escape(label)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {about}>{"".join(drawn)}</svg>'


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    look = f'font-family="sans-serif" font-size="14" fill="{INK}" text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}" {look}>{escape(words)}</text>'


def film_strip(history: Sequence[Any], name: str | None = None, frames: int = 6, title: str | None = None) -> Figure:
    """A table of probabilities in some epochs of a search, evenly chosen, the first and the last among them.

    history: events with probabilities; name: which table of them (else the first). Raises ValueError for an unknown
    table, or where the search kept no probabilities.
    """
    if not history or not history[0].probabilities:
        raise ValueError("These events hold no probabilities; DARTS and ENAS keep them, random search has none.")
    name = name or next(iter(history[0].probabilities))
    one_of(tuple(history[0].probabilities), name, "The table of probabilities")
    asked, frames = questions(history[0].architecture.space, name), min(frames, len(history))
    chosen = [history[round(i * (len(history) - 1) / max(frames - 1, 1))] for i in range(frames)]
    wide, high = len(max((q.options for q in asked), key=len)), len(asked)
    with style():
        figure = Figure(figsize=(8, 8 / frames * high / wide + 1.1))
        for panel, event in zip(figure.subplots(1, frames, squeeze=False)[0], chosen, strict=True):
            squares(panel, event.probabilities[name], asked)
            panel.set_title(f"epoch {event.epoch}")
            if event is not chosen[0]:
                panel.set_yticks([])
        figure.suptitle(
            title or f"What the policy draws, from epoch {chosen[0].epoch} to {chosen[-1].epoch}", x=0.01, ha="left"
        )
    return figure
