"""A report on searches: one HTML page with their settings, courses, cells and scores, and what papers report."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from nas_tutorial.measures import papers
from nas_tutorial.pictures import drawing, pages, plots
from nas_tutorial.pictures.report_runs import Gathered, Reported, gather
from nas_tutorial.strategies.recordings import in_words

MOST_PANELS = 16
"""So many panels a figure of probabilities has at most; larger tables are left to the replay."""


def save(folders: Sequence[str | Path], path: str | Path) -> tuple[str, ...]:
    """Write a report on the searches in these folders; returns a sentence for each that was left out.

    Raises ValueError where none of them holds a finished search, or the page cannot be written, see `pages.write`.
    """
    gathered = gather(folders)
    pages.write(path, "report", lambda: page(gathered))
    return gathered.left_out


def page(gathered: Gathered) -> str:
    """The report as one HTML document."""
    runs = ranked(gathered.runs)
    template = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
    return template.substitute(
        generator=pages.generator("report"),
        title=escape(title(runs)),
        lead=escape(lead(runs)),
        chart=chart(runs),
        notes="".join(f"<li>{escape(note)}</li>" for note in notes(runs, gathered.left_out)),
        rows="".join(map(row, runs)),
        papers="".join(map(paper, papers())),
        runs="".join(map(section, runs)),
    )


def ranked(runs: Iterable[Reported]) -> list[Reported]:
    """Best mean accuracy first, those that were not retrained last."""
    return sorted(runs, key=lambda run: -run.scores.mean if run.scores else 1)


# --- what is said -----------------------------------------------------------------------------------------------------
def title(runs: Sequence[Reported]) -> str:
    """What the page is about."""
    return runs[0].name if len(runs) == 1 else f"{len(runs)} searches, compared"


def lead(runs: Sequence[Reported]) -> str:
    """The result in a sentence."""
    if not (scored := [run for run in runs if run.scores]):
        return "Nothing was trained from scratch yet, so nobody can say how good the architectures are."
    first = f"{scored[0].name}: {percent(scored[0])} of the test pictures right, trained from scratch"
    if len(scored) == 1:
        return f"{first}."
    if not same_settings(scored):
        return f"{first}. The trainings differ in pictures or settings, so this is no ranking."
    one, two = scored[0].scores, scored[1].scores
    if one.mean - one.std > two.mean + two.std:
        return f"{first}; the next, {scored[1].name}, {percent(scored[1])}."
    return f"{first}; {scored[1].name}, {percent(scored[1])}, is too close to tell them apart."


def percent(run: Reported) -> str:
    """Mean and standard deviation between seeds, such as "68.1 ± 3.0 %"; "–" where there are no scores."""
    if not run.scores:
        return "–"
    spread = f" ± {100 * run.scores.std:.1f}" if len(run.scores.accuracies) > 1 else ""
    return f"{100 * run.scores.mean:.1f}{spread} %"


def same_settings(runs: Sequence[Reported]) -> bool:
    """Whether all were retrained on the same pictures by the same recipe."""
    return all(run.setting == runs[0].setting for run in runs)


def notes(runs: Sequence[Reported], left_out: Sequence[str]) -> Iterable[str]:
    """What a reader should know before comparing, and what is not shown."""
    scored = [run for run in runs if run.scores]
    if not same_settings(scored):
        yield "Not all were retrained on the same pictures by the same recipe: compare only those that were."
    if alone := [run.name for run in scored if len(run.scores.accuracies) == 1]:
        yield f"Trained with a single seed, so nothing is known of the spread: {', '.join(alone)}."
    for run in runs:
        if not run.scores:
            yield f"{run.name} was not trained from scratch yet: nas-tutorial retrain {run.folder}"
    yield from left_out


# --- what is compared -------------------------------------------------------------------------------------------------
def chart(runs: Sequence[Reported]) -> str:
    """Test accuracies as bars with bands, a dot for each training; nothing where there are none."""
    if not (scored := [run for run in runs if run.scores]):
        return ""
    names, scores = [short(run.name) for run in scored], [run.scores for run in scored]
    figure = plots.bars_with_bands(
        names, [s.mean for s in scores], [s.std for s in scores], points=[s.accuracies for s in scores],
        title="Test accuracy, trained from scratch: mean ± std; a dot is a training",
    )  # fmt: skip
    said = "; ".join(f"{run.name} {percent(run)}" for run in scored)
    return card(plots.html(figure, f"Test accuracies, trained from scratch: {said}."))


def short(name: str, letters: int = 28) -> str:
    """A name that fits beside a bar; dollars would begin a formula."""
    return (name if len(name) <= letters else f"{name[: letters - 1]}…").replace("$", r"\$")


def row(run: Reported) -> str:
    """A line of the leaderboard."""
    result, scores = run.result, run.scores
    values = [
        run.name, result.strategy, result.space.name, f"{result.seed}", percent(run),
        " ".join(f"{100 * a:.1f}" for a in scores.accuracies) if scores else "–",
        f"{scores.parameters:,}" if scores else "–",
        f"{100 * result.history[-1].validation_accuracy:.1f} %", f"{len(result.history)}", f"{result.seconds:,.0f}",
    ]  # fmt: skip
    return cells(values)


def cells(values: Iterable[str]) -> str:
    """A row of a table; its first cell is its heading."""
    first, *others = map(escape, values)
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{value}</td>" for value in others) + "</tr>"


def paper(record: Mapping[str, Any]) -> str:
    """A published number with a link to its source."""
    spread = f" ± {record['std']:.2f}" if record["std"] is not None else ""
    first = cells([record["method"], record["measure"], f"{record['value']:.2f}{spread}", record["parameters"] or "–"])
    source = f'<td><a href="{escape(record["url"])}">{escape(record["source"])}</a></td>'
    return first.replace("</tr>", f"{source}</tr>")


# --- each search ------------------------------------------------------------------------------------------------------
def section(run: Reported) -> str:
    """All of one search: what it found, how it went, its settings."""
    result = run.result
    warning = f'<p class="warning">⚠ {escape(result.architecture.warning)}</p>' if result.architecture.warning else ""
    return (
        f"<section><h2>{escape(run.name)}</h2><p>{escape(course(run))}</p>{warning}"
        f'<div class="drawing card">{drawing.svg(result.architecture)}</div>'
        f"<p><code>{escape(str(result.architecture))}</code></p>"
        f"<h3>Course</h3>{curves(run)}{probabilities(run)}"
        '<details><summary>Settings</summary><table class="settings"><tbody>'
        f"{''.join(map(cells, settings(run)))}</tbody></table></details></section>"
    )


def course(run: Reported) -> str:
    """What was searched, how, and what came out, in a sentence."""
    result = run.result
    alone = result.strategy == "random" and not result.config.get("shared")
    after = f" {percent(run)} of the test pictures right when trained from scratch." if run.scores else ""
    return (
        f"{result.strategy} on {result.space.name}, seed {result.seed}: {len(result.history)} "
        f"{'architectures' if alone else 'epochs'} in {result.seconds:,.0f} s. The search ended at "
        f"{100 * result.history[-1].validation_accuracy:.0f} % of the validation pictures, which is not final "
        f"accuracy.{after}"
    )


def curves(run: Reported) -> str:
    """Loss and validation accuracy over the epochs."""
    history = run.result.history
    last = history[-1]
    said = (
        f"Training loss and validation accuracy over {len(history)} epochs; they end at {last.loss:.2f} and "
        f"{100 * last.validation_accuracy:.0f} %."
    )
    figure = plots.curves({run.result.strategy: history}, title=f"{short(run.name)}, epoch by epoch")
    return card(plots.html(figure, said))


def probabilities(run: Reported) -> str:
    """How the probabilities of all options went, a figure for each table."""
    history = run.result.history
    figures = []
    for name, table in (history[-1].probabilities or {}).items():
        if len(table) > MOST_PANELS:
            figures.append(
                f"<p>The table {escape(repr(name))} has {len(table)} rows: record the search (--record), and look at "
                "them with <code>nas-tutorial replay</code>.</p>"
            )
            continue
        sure = sum(max(row) > 0.5 for row in table)
        said = f"Probabilities {name!r}, epoch by epoch: in the end {sure} of {len(table)} are above one half."
        figures.append(card(plots.html(plots.alphas_over_time(history, name, title=f"Probabilities: {name}"), said)))
    return "".join(figures)


def settings(run: Reported) -> Iterable[tuple[str, str]]:
    """How the search was made, as pairs."""
    result = run.result
    yield "pictures", in_words(result.data)
    yield "space", ", ".join([result.space.name, *(f"{name} {size}" for name, size in result.space.sizes.items())])
    yield "seed", f"{result.seed}"
    yield from ((name, f"{value}") for name, value in result.config.items())
    yield "versions", ", ".join(f"{name} {version}" for name, version in result.versions.items())


def card(content: str) -> str:
    """A picture on white paper, whatever the colours of the page."""
    return f'<div class="card">{content}</div>'
