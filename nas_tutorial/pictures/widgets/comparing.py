"""A leaderboard whose rows open the cell."""

from collections.abc import Mapping
from html import escape
from statistics import fmean
from typing import Any

from ipywidgets import VBox

from nas_tutorial.pictures.widgets import words
from nas_tutorial.pictures.widgets.frame import figure, toggles, view
from nas_tutorial.pictures.widgets.replaying import history
from nas_tutorial.pictures.widgets.stage import picture

COLUMNS = {
    "accuracy": ("accuracy (%)", "{:.1f}"),
    "parameters": ("parameters", "{:,}"),
    "work": ("multiply-adds", "{:,}"),
    "seconds": ("seconds", "{:,.0f}"),
}
FALLING = ("accuracy",)  # the largest is the best; of all other columns the smallest


def compare(results: Mapping[str, Any], scores: Mapping[str, Any] | None = None) -> VBox:
    """A leaderboard of search results or recordings by name; choose a row to see its cell, and a column to sort by.

    scores: for each name test accuracies of trainings from scratch (0 to 1), such as those of `retrain`; without them
    the leaderboard has the accuracy that each search measured with its own shared weights, and says so. Raises
    ValueError where a name has no score, or without results.
    """
    if not results or (scores is not None and set(results) - set(scores)):
        raise ValueError(
            f"Give at least one result, and a score for each or none; got results {', '.join(results) or 'none'} and "
            f"scores {', '.join(scores or {}) or 'none'}."
        )
    rows = {name: _row(result, None if scores is None else scores[name]) for name, result in results.items()}
    how = "of trainings from scratch" if scores else "of each search's own shared weights, not to be compared"

    def render(order: str, name: str) -> str:
        ranked = sorted(rows, key=lambda other: rows[other][order], reverse=order in FALLING)
        line = (
            f"{escape(name)}, {ranked.index(name) + 1} of {len(ranked)} by {COLUMNS[order][0]}: "
            f"{words.in_words(results[name].architecture)} Accuracies are {how}."
        )
        return _table(ranked, rows, name, order) + figure(picture(results[name].architecture), line)

    orders = [(label.removesuffix(" (%)"), column) for column, (label, _) in COLUMNS.items()]
    return view(
        render,
        order=toggles(orders, "accuracy", "sort by"),
        name=toggles([(name, name) for name in results], next(iter(results)), "show"),
    )


def _row(result: Any, scores: Any) -> dict[str, float]:
    """What stands in a row, by column."""
    last = history(result)[-1]
    accuracy = last.validation_accuracy if scores is None else fmean(_list(scores))
    size, work = words.size_and_work(result.architecture)
    return {"accuracy": 100 * accuracy, "parameters": size, "work": work, "seconds": last.seconds}


def _list(scores: Any) -> list[float]:
    """Accuracies, of `training.Scores` or as numbers."""
    return list(getattr(scores, "accuracies", [scores] if isinstance(scores, float) else scores))


def _table(ranked: list[str], rows: Mapping[str, Mapping[str, float]], chosen: str, order: str) -> str:
    """The leaderboard as an HTML table; the chosen row is bold and marked."""
    cell = 'style="text-align:right;padding:2px 12px"'
    heads = "".join(
        f'<th {cell} scope="col">{label}{" ▾" if column == order else ""}</th>'
        for column, (label, _) in COLUMNS.items()
    )
    body = []
    for name in ranked:
        values = "".join(f"<td {cell}>{form.format(rows[name][c])}</td>" for c, (_, form) in COLUMNS.items())
        mark, weight = ("▸ ", "bold") if name == chosen else ("", "normal")
        body.append(f'<tr style="font-weight:{weight}"><th {cell} scope="row">{mark}{escape(name)}</th>{values}</tr>')
    table = f'<table><tr><th {cell} scope="col">search</th>{heads}</tr>{"".join(body)}</table>'
    scrolls = 'style="overflow-x:auto;contain:inline-size" tabindex="0" role="region" aria-label="leaderboard"'
    return f"<div {scrolls}>{table}</div>"
