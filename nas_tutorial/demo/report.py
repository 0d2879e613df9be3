"""The report of the demonstration: one HTML file that needs nothing beside it."""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from nas_tutorial.data import Data
from nas_tutorial.demo.leaderboard import BILLION, Entry, Leaderboard, signed
from nas_tutorial.pictures import drawing, plots


def page(board: Leaderboard, digits: Data) -> str:
    """The report as one HTML document."""
    template = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
    random_cells = sorted(board.random_cells, key=lambda cell: -cell.scores.mean)
    return template.substitute(
        verdict=escape(board.verdict),
        details="".join(f"<li>{escape(board.detail(entry))}</li>" for entry in board.found),
        chart=chart(board),
        pictures=examples(digits),
        cells="".join(cell(entry) for entry in board.found),
        random_cells="".join(cell(entry) for entry in random_cells),
        curves="".join(curves(entry) for entry in board.found),
        rows="".join(row(board, entry) for entry in (*board.found, *random_cells)),
        random_name=board.random_name,
        budget=escape(board.budget),
        size=f"{board.found[0].architecture.space.size:,}",
        trainings=len(board.found[0].scores.accuracies),
        **{name: str(value) for name, value in board.facts.items() if name in ("seed", "finished")},
    )


# --- the chart --------------------------------------------------------------------------------------------------------
def chart(board: Leaderboard) -> str:
    """A bar for each search, a line of dots for the random cells; a dot is a training."""
    mean, chance = 100 * board.random_mean, 100 / board.classes
    rows = [bar(entry) for entry in board.found]
    rows.append(track(board.random_name, dots(board.random_cells), board.random_line))
    scale = "".join(mark(tick, f"{tick} %") for tick in range(0, 101, 20))
    return (
        f'<div class="chart" role="img" aria-label="{escape(spoken(board))}" '
        f'style="--mean:{mean:.1f}%;--chance:{chance:.1f}%">'
        + band("over", mark(mean, f"mean of the {board.random_name}: {mean:.0f} %"))
        + "".join(rows)
        + band("scale", scale)
        + band("under", mark(chance, f"guessing: {chance:.0f} %"))
        + "</div>"
    )


def bar(entry: Entry) -> str:
    """The row of a search: its mean as a bar, its trainings as dots."""
    length = f'<div class="bar" style="width:{100 * entry.scores.mean:.1f}%"></div>'
    return track(entry.name, length + dots([entry]), entry.percent)


def dots(entries: Iterable[Entry]) -> str:
    """A dot for each training of these."""
    return "".join(
        f'<i class="dot" style="left:{100 * accuracy:.1f}%" title="{escape(entry.name)}: {100 * accuracy:.1f} %"></i>'
        for entry in entries
        for accuracy in entry.scores.accuracies
    )


def track(name: str, content: str, value: str) -> str:
    """A row of the chart: name, what is drawn from 0 to 100 %, value."""
    return (
        f'<div class="name">{escape(name)}</div><div class="track">{content}</div>'
        f'<div class="value">{escape(value)}</div>'
    )


def band(kind: str, marks: str) -> str:
    """A row of the chart that only holds words."""
    return f'<div></div><div class="{kind}">{marks}</div><div></div>'


def mark(percent: float, text: str) -> str:
    """Words above or below a place between 0 and 100 %."""
    return f'<span style="left:{percent:.1f}%">{escape(text)}</span>'


def spoken(board: Leaderboard) -> str:
    """The chart in words."""
    bars = "; ".join(f"{entry.name} {entry.percent} ({each(entry)})" for entry in board.found)
    return f"Test accuracies: {bars}; {board.random_name} {board.random_line}; guessing {100 / board.classes:.0f} %."


def each(entry: Entry) -> str:
    """The accuracy of each training in percent."""
    return " ".join(f"{100 * accuracy:.1f}" for accuracy in entry.scores.accuracies)


# --- what follows below -----------------------------------------------------------------------------------------------
def cell(entry: Entry) -> str:
    """The drawing of an architecture under its name and score, and what is to be feared of it."""
    warning = f'<p class="warning">⚠ {escape(entry.architecture.warning)}</p>' if entry.architecture.warning else ""
    return (
        f"<figure><figcaption><b>{escape(entry.name)}</b>: {entry.percent}</figcaption>{warning}"
        f'<div class="drawing">{drawing.svg(entry.architecture)}</div><code>{escape(str(entry.architecture))}</code>'
        "</figure>"
    )


def row(board: Leaderboard, entry: Entry) -> str:
    """A row of the table."""
    values = [entry.name, entry.percent, each(entry), signed(board.points(entry)), f"{entry.scores.parameters:,}"]
    if entry.search:
        values[4:4] = [f"{board.beaten(entry)} of {len(board.random_cells)}"]
        values += [f"{entry.search.seconds:.0f}", f"{entry.multiply_adds / BILLION:,.0f}"]
        values += [f"{100 * entry.search.history[-1].validation_accuracy:.0f} %"]
    else:
        values[4:4], values[6:] = ["–"], ["–"] * 3
    return "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in values) + "</tr>"


def curves(entry: Entry) -> str:
    """Loss and validation accuracy of a search, a figure of its own as their epochs differ."""
    history = entry.search.history
    return plots.html(
        plots.curves({entry.name: history}, title=f"{entry.name}"),
        f"{entry.name}: training loss and validation accuracy over {len(history)} "
        f"{'architectures' if entry.search.strategy == 'random' else 'epochs'}; the accuracy ends at "
        f"{100 * history[-1].validation_accuracy:.0f} %.",
    )


def examples(digits: Data) -> str:
    """Some training pictures."""
    figure = plots.picture_sheet(
        digits.train.images[:12], digits.train.labels[:12].tolist(), digits.class_names, columns=6, title="Which digit?"
    )
    return plots.html(figure, "Twelve training pictures: a coloured handwritten digit among fragments of others.")
