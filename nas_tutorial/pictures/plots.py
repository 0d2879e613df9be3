"""Figures: one style, titles that state the finding, and `show`, which puts a figure into a notebook with its alt text.

The functions return a matplotlib `Figure`; a `title` of your own replaces the one worked out from the numbers.
"""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nas_tutorial.pictures.code import source as source
from nas_tutorial.pictures.images import COPY, LIMIT, bundle, image, small_copy, small_png
from nas_tutorial.pictures.probabilities import Question, looks, questions
from nas_tutorial.pictures.style import POINTS, SERIES
from nas_tutorial.settings import one_of

INK = "#222222"
RC = {
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "figure.titlesize": 14,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "text.color": INK,
    "axes.labelcolor": INK,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "hatch.color": "white",
    "figure.facecolor": "white",
    "axes.prop_cycle": matplotlib.cycler(color=SERIES, marker=POINTS),
}


@contextmanager
def style() -> Iterator[None]:
    """The course's look for all that is plotted inside `with style():`."""
    with matplotlib.rc_context(RC):
        yield


# --- showing ----------------------------------------------------------------------------------------------------------
def show(figure: Figure, alt: str, limit: int = LIMIT) -> None:
    """Show a figure in the notebook as an image with alt text, and close it; ValueError where the alt text is empty.

    limit: of the image in bytes; a smaller one costs colours first, and then sharpness.
    """
    from IPython.display import display

    page = html(figure, alt, limit)
    data, metadata = bundle(page, alt, small_copy(partial(_drawn, figure), min(COPY, limit // 2)), _width(figure))
    display(data, metadata=metadata, raw=True)


def html(figure: Figure, alt: str, limit: int = LIMIT) -> str:
    """The figure as an `<img>` that carries its own data, for widgets and reports; closes the figure.

    alt: what the figure shows, in one or two sentences, for readers who do not see it. Raises ValueError if empty.
    """
    if not alt.strip():
        raise ValueError(
            "A figure needs alt text: say in one sentence what it shows, "
            'as in show(figure, "Accuracy rises from 10 % to 60 %.").'
        )
    from matplotlib import pyplot

    element = image(png(figure, limit), "png", alt, _width(figure))
    pyplot.close(figure)
    return element


def _width(figure: Figure) -> int:
    """Width in CSS pixels."""
    return round(96 * figure.get_figwidth())


def png(figure: Figure, limit: int = LIMIT) -> bytes:
    """The figure as a PNG of at most `limit` bytes, with as many dots per inch as fit, 144 at most.

    Raises ValueError where even 40 dots per inch are too large.
    """
    return small_png(partial(_drawn, figure), limit)


def _drawn(figure: Figure, dpi: int) -> bytes:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi, facecolor="white")
    return drawn.getvalue()


# --- figures of a search ----------------------------------------------------------------------------------------------
def curves(histories: Mapping[str, Sequence[Any]], title: str | None = None) -> Figure:
    """Loss and validation accuracy over the epochs of one or more searches: {name: list of events}."""
    with style():
        figure = Figure(figsize=(9.5, 3.8))
        left, right = figure.subplots(1, 2)
        for (name, history), colour, marker in zip(histories.items(), _cycle(SERIES), _cycle(POINTS), strict=False):
            epochs, look = [e.epoch for e in history], {"color": colour, "marker": marker, "label": name}
            left.plot(epochs, [e.loss for e in history], **look)
            right.plot(epochs, [100 * e.validation_accuracy for e in history], **look)
        _label(left, "epoch", "training loss")
        _label(right, "epoch", "validation accuracy (%)")
        right.legend()
        _whole_epochs(left, right)
        figure.suptitle(title or _best_curve(histories), x=0.01, ha="left")
    return figure


def _best_curve(histories: Mapping[str, Sequence[Any]]) -> str:
    last = {name: history[-1].validation_accuracy for name, history in histories.items()}
    best = max(last, key=last.get)
    how = "highest, at" if len(last) > 1 else "at"
    return f"{best} ends {how} {100 * last[best]:.0f} % of the validation pictures"


def alphas_over_time(history: Sequence[Any], name: str | None = None, title: str | None = None) -> Figure:
    """How likely each option of each question is, epoch by epoch: one panel a question, one line an option.

    history: events with probabilities; name: which table of them, such as "normal" (else the first).
    Raises ValueError for an unknown table, or where the search kept no probabilities.
    """
    tables = [event.probabilities for event in history]
    if not tables or not tables[0]:
        raise ValueError("These events hold no probabilities; DARTS and ENAS keep them, random search has none.")
    name = name or next(iter(tables[0]))
    one_of(tuple(tables[0]), name, "The table of probabilities")
    values = np.array([table[name] for table in tables])  # (epochs, questions, options)
    asked = questions(history[0].architecture.space, name)
    with style():
        figure = _panels(values, [event.epoch for event in history], asked)
        figure.suptitle(title or _leader(values[-1], asked), x=0.01, ha="left")
    return figure


def _panels(values: np.ndarray, epochs: Sequence[int], asked: Sequence[Question]) -> Figure:
    columns = min(len(asked), 3 if len(asked) <= 6 else 4)
    rows = -(-len(asked) // columns)
    figure = Figure(figsize=(10, 1.9 * rows + 1.1))
    panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    look, often = looks(asked), {"markersize": 5, "markevery": max(1, len(epochs) // 6)}
    for panel, question, value in zip(panels, asked, values.swapaxes(0, 1), strict=False):  # (epochs, options)
        for option, column in zip(question.options, value.T, strict=False):  # a table may have more columns
            panel.plot(epochs, column, label=option, **look[option], **often)
        panel.set_title(question.title)
    for panel in panels[len(asked) :]:
        panel.set_visible(False)
    for panel in panels[len(asked) - columns : len(asked)]:
        panel.set_xlabel("epoch")
        panel.tick_params(labelbottom=True)
    _whole_epochs(panels[0])  # all panels share their axes
    figure.supylabel("probability", size=12)
    lines = {line.get_label(): line for panel in panels for line in panel.lines}
    figure.legend([lines[option] for option in look], look, loc="outside lower center", ncols=min(len(look), 5))
    return figure


def _leader(final: np.ndarray, asked: Sequence[Question]) -> str:
    """The option that is likeliest on most edges (layers, choices) at the end, in words."""
    winners = Counter(q.options[row.argmax()] for q, row in zip(asked, final, strict=True))
    (option, wins), first = winners.most_common(1)[0], asked[0].title
    what = "edges" if "→" in first else "layers" if first.startswith("layer") else "choices"
    return f"{option} ends likeliest on {wins} of {len(final)} {what}"


# --- figures of comparisons -------------------------------------------------------------------------------------------
def ranking_scatter(
    x: Sequence[float],
    y: Sequence[float],
    *,
    x_label: str = "accuracy with shared weights (%)",
    y_label: str = "accuracy trained alone (%)",
    title: str | None = None,
) -> Figure:
    """Two measurements of the same architectures against each other, with Kendall's τ-b in the title.

    x, y: one accuracy (0 to 1) per architecture. Raises ValueError unless they are equally many, at least 2.
    """
    from scipy.stats import kendalltau

    if len(x) != len(y) or len(x) < 2:
        raise ValueError(f"A scatter needs two values for each of at least 2 architectures; got {len(x)} and {len(y)}.")
    with style():
        figure = Figure(figsize=(6.5, 5))
        axes = figure.subplots()
        axes.scatter(100 * np.asarray(x), 100 * np.asarray(y), s=42, color=SERIES[0], alpha=0.6, edgecolor="white")
        _label(axes, x_label, y_label)
        tau = f"Kendall's τ = {kendalltau(x, y).statistic:.2f} over {len(x)} architectures"
        axes.set_title(f"{title}: {tau}" if title else tau)
    return figure


def bars_with_bands(
    names: Sequence[str],
    means: Sequence[float],
    stds: Sequence[float],
    *,
    x_label: str = "test accuracy (%)",
    points: Sequence[Sequence[float]] | None = None,
    title: str | None = None,
) -> Figure:
    """Mean ± standard deviation of each name as a bar with its band, largest on top; `points` adds the single runs.

    Values are accuracies, 0 to 1. Raises ValueError unless there is one mean and one deviation a name.
    """
    if not len(names) == len(means) == len(stds):
        raise ValueError(
            f"Bars need one mean and one deviation a name; got {len(names)} names, {len(means)} means and "
            f"{len(stds)} deviations."
        )
    order = np.argsort(means, kind="stable")
    mean, std = 100 * np.asarray(means, float)[order], 100 * np.asarray(stds, float)[order]
    with style():
        figure = Figure(figsize=(8, 1.2 + 0.55 * len(names)))
        axes = figure.subplots()
        axes.barh(range(len(names)), mean, height=0.6, color="#BBBBBB")
        axes.errorbar(mean, range(len(names)), xerr=std, fmt="none", ecolor=INK, capsize=5)
        _write_values(axes, mean, std, [] if points is None else [100 * np.asarray(points[i]) for i in order])
        axes.set_yticks(range(len(names)), [names[i] for i in order])
        axes.set_xlim(0, 1.25 * max(mean + std))
        axes.set_xlabel(x_label)
        axes.set_title(title or _lead([names[i] for i in order], mean, std))
    return figure


def _write_values(axes: Axes, mean: np.ndarray, std: np.ndarray, points: Sequence[np.ndarray]) -> None:
    for row, (m, s) in enumerate(zip(mean, std, strict=True)):
        end = max([m + s, *(points[row] if len(points) else ())])  # behind the band and all points
        alone = len(points) > 0 and len(points[row]) < 2  # nobody knows its spread
        axes.annotate(
            f"{m:.0f}" if alone else f"{m:.0f} ± {s:.0f}",
            (end, row),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=12,
        )
    for row, values in enumerate(points):
        axes.plot(values, [row] * len(values), "o", color=SERIES[0], markersize=6, markeredgecolor="white")


def _lead(names: Sequence[str], mean: np.ndarray, std: np.ndarray) -> str:
    """Who leads, and whether the bands tell the first two apart; the last entry is the largest."""
    if len(names) < 2:
        return f"{names[-1]}: {mean[-1]:.0f} ± {std[-1]:.0f}"
    apart = mean[-1] - std[-1] > mean[-2] + std[-2]
    return f"{names[-1]} leads" if apart else f"{names[-1]} and {names[-2]} are too close to call: their bands overlap"


def lines(
    x: Sequence[float],
    rows: Mapping[str, Any],
    *,
    title: str,
    x_label: str,
    y_label: str,
    levels: Mapping[str, float] | None = None,
) -> Figure:
    """Values against x, a line for each name; levels: values to compare with, as dotted lines.

    rows: (N,) numbers each, or (N, runs): then the line is their mean, and a faint mark shows each run.
    """
    with style():
        figure = Figure(figsize=(6.4, 3.2))
        axes = figure.subplots()
        for name, values in rows.items():
            runs = np.asarray(values, float).reshape(len(x), -1)
            (line,) = axes.plot(x, runs.mean(axis=1), label=name)
            if runs.shape[1] > 1:
                axes.plot(x, runs, line.get_marker(), color=line.get_color(), alpha=0.4, markersize=5)
        for name, level in (levels or {}).items():
            axes.axhline(level, color="#777777", linestyle=":", label=name)
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.set_title(title)
        axes.legend()
    return figure


def picture_sheet(
    images: Any, labels: Sequence[int], class_names: Sequence[str], columns: int = 8, title: str | None = None
) -> Figure:
    """Pictures in a grid, the name of its class above each.

    images: uint8 tensor or array (N, C, H, W) with 1 or 3 channels; labels: N class indices.
    """
    pictures = np.asarray(images).transpose(0, 2, 3, 1)  # (N, H, W, C)
    rows = -(-len(pictures) // columns)
    with style():
        figure = Figure(figsize=(1.15 * columns, 1.4 * rows + 0.5))
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
        for panel in panels:
            panel.axis("off")
        for panel, picture, label in zip(panels, pictures, labels, strict=False):
            panel.imshow(
                picture.squeeze(2) if picture.shape[2] == 1 else picture,
                cmap="gray",
                vmin=0,
                vmax=255,
                interpolation="nearest",
            )  # sharp, and small as a PNG
            panel.set_title(class_names[int(label)], size=11, loc="center")
        figure.suptitle(title or f"{len(pictures)} pictures of {len(set(map(int, labels)))} classes", x=0.01, ha="left")
    return figure


def _whole_epochs(*panels: Axes) -> None:
    """No ticks between two epochs."""
    for axes in panels:
        axes.xaxis.get_major_locator().set_params(integer=True)


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _cycle(values: Sequence[Any]) -> Iterator[Any]:
    from itertools import cycle

    return cycle(values)
