"""The leaderboard of the demonstration, as text and as one HTML file that needs nothing beside it."""

import statistics
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from nas_tutorial.data import Data
from nas_tutorial.pictures import drawing, plots

BILLION = 10**9


def is_random(entry: Any) -> bool:
    """Whether nobody searched for this architecture."""
    return entry.search is None


def random_mean(entries: Sequence[Any]) -> float:
    """Mean test accuracy of the architectures that nobody searched for."""
    return statistics.fmean(entry.scores.mean for entry in entries if is_random(entry))


def leaderboard(entries: Sequence[Any]) -> str:
    """The leaderboard as text, best first, the mean of the random architectures below."""
    lines = [f"{'':<16}{'test accuracy':>15}  {'parameters':>10}  {'search':>8}  {'cost':>8}  architecture"]
    for entry in entries:
        seconds = f"{entry.search.seconds:.0f} s" if entry.search else "–"
        cost = f"{entry.multiply_adds / BILLION:,.0f} G" if entry.search else "–"
        lines.append(
            f"{entry.name:<16}{percent(entry):>15}  {entry.scores.parameters:>10,}  {seconds:>8}  {cost:>8}  "
            f"{entry.architecture}"
        )
    mean = f"{100 * random_mean(entries):.0f} %"
    warnings = [f"{entry.name}: {entry.architecture.warning}" for entry in entries if entry.architecture.warning]
    return "\n".join((*lines, f"{'random, mean':<16}{mean:>15}", "", budget(entries), *warnings))


def percent(entry: Any) -> str:
    """Mean and deviation between seeds, such as "68 ± 3 %"."""
    return f"{100 * entry.scores.mean:.0f} ± {100 * entry.scores.std:.0f} %"


def budget(entries: Sequence[Any]) -> str:
    """What "equal budgets" means, and how equal they are."""
    costs = [entry.multiply_adds for entry in entries if entry.search]
    return (
        f"Equal budgets: each search may compute about as much, {min(costs) / BILLION:,.0f} to "
        f"{max(costs) / BILLION:,.0f} billion (G) multiply-adds of convolutions and linear layers, counted while it "
        "ran (a backward pass as two forward passes). Seconds depend on the machine."
    )


def verdict(entries: Sequence[Any]) -> str:
    """What came out, in one sentence."""
    found = [entry for entry in entries if entry.search]
    mean, best, worst = 100 * random_mean(entries), found[0], found[-1]
    if 100 * worst.scores.mean > mean:
        return f"All three searches beat the average random cell ({mean:.0f} %); best: {best.name}, {percent(best)}"
    losers = ", ".join(entry.name for entry in found if 100 * entry.scores.mean <= mean)
    return f"{losers}: no better than the average random cell ({mean:.0f} %); best search: {best.name}, {percent(best)}"


def page(entries: Sequence[Any], digits: Data) -> str:
    """The report as one HTML document."""
    template = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
    found = [entry for entry in entries if entry.search]
    return template.substitute(
        verdict=escape(verdict(entries)),
        bars="".join(bar(entry) for entry in entries),
        mean=f"{100 * random_mean(entries):.1f}",
        chance=f"{100 / digits.classes:.0f}",
        seeds=len(entries[0].scores.accuracies),
        pictures=examples(digits),
        cells="".join(cell(entry) for entry in found),
        random_cells="".join(cell(entry) for entry in entries if is_random(entry)),
        curves=curves(found),
        rows="".join(row(entry) for entry in entries),
        budget=escape(budget(entries)),
        size=f"{entries[0].architecture.space.size:,}",
    )


def bar(entry: Any) -> str:
    """A row of the chart: name, bar, accuracy."""
    mean, std = 100 * entry.scores.mean, 100 * entry.scores.std
    kind = "random" if is_random(entry) else "found"
    return (
        f'<div class="name">{escape(entry.name)}</div><div class="track"><div class="bar {kind}" '
        f'style="width:{mean:.1f}%"></div><div class="band" style="left:{max(mean - std, 0):.1f}%;'
        f'width:{min(mean + std, 100) - max(mean - std, 0):.1f}%"></div></div><div class="value">{percent(entry)}</div>'
    )


def cell(entry: Any) -> str:
    """The drawing of an architecture under its name and score; below it a warning, where there is one."""
    warning = entry.architecture.warning
    return (
        f"<figure><figcaption><b>{escape(entry.name)}</b>: {percent(entry)}</figcaption>"
        f'<div class="drawing">{drawing.svg(entry.architecture)}</div><code>{escape(str(entry.architecture))}</code>'
        f"{warning and f'<p>{escape(warning)}</p>'}</figure>"
    )


def row(entry: Any) -> str:
    """A row of the table."""
    values = (
        entry.name,
        percent(entry),
        " ".join(f"{100 * a:.1f}" for a in entry.scores.accuracies),
        f"{entry.scores.parameters:,}",
        f"{entry.search.seconds:.0f}" if entry.search else "–",
        f"{entry.multiply_adds / BILLION:,.0f}" if entry.search else "–",
        f"{100 * entry.search.history[-1].validation_accuracy:.0f} %" if entry.search else "–",
    )
    return "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in values) + "</tr>"


def curves(found: Sequence[Any]) -> str:
    """Loss and validation accuracy of each search, one figure each as their epochs differ."""
    return "".join(
        plots.html(
            plots.curves({entry.name: entry.search.history}, title=f"{entry.name}"),
            f"{entry.name}: training loss and validation accuracy over {len(entry.search.history)} "
            f"{'architectures' if entry.search.strategy == 'random' else 'epochs'}; the accuracy ends at "
            f"{100 * entry.search.history[-1].validation_accuracy:.0f} %.",
        )
        for entry in found
    )


def examples(digits: Data) -> str:
    """Some training pictures."""
    figure = plots.picture_sheet(
        digits.train.images[:12], digits.train.labels[:12].tolist(), digits.class_names, columns=6, title="Which digit?"
    )
    return plots.html(figure, "Twelve training pictures: a coloured handwritten digit among fragments of others.")
