"""What the page of a replay knows of one recording: texts, tables and places as plain values, ready to be drawn."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from nas_tutorial.pictures import probabilities
from nas_tutorial.pictures.layout import layout
from nas_tutorial.pictures.places import Layout
from nas_tutorial.pictures.replay_plan import STEPS, Looks, likely, plan
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies.recordings import Recording
from nas_tutorial.strategies.results import Event, Probabilities, Sampled

MEASURES = {"reward": "reward", "accuracy": "accuracy", "log_prob": "log π", "entropy": "entropy"}
"""What is known of a sampled architecture, in the order of the columns."""
UNBROKEN = "\N{NO-BREAK SPACE}"  # within a number and what belongs to it


def view(recording: Recording) -> dict[str, Any]:
    """Everything that is drawn or said of a recording, as plain values for JSON."""
    space, tables = recording.space, shapes(recording.epochs)
    known = Looks()
    places = layout(space)
    return {
        "title": title(recording),
        "facts": facts(recording),
        "grids": [grid(space, name, width) for name, width in tables.items() if name != "skip"],  # has its squares
        "plan": plan(places),
        "operations": list(space.operations),
        "measures": [[i, MEASURES[name]] for i, name in enumerate(MEASURES) if _is_known(recording.epochs, name)],
        "epochs": [epoch(event, len(recording.epochs), known, places, list(tables)) for event in recording.epochs],
        "looks": known.to_record(),
    }


def title(recording: Recording) -> str:
    """Strategy, space and seed."""
    return f"{recording.strategy} on {recording.space.name}, seed {recording.seed}"


def facts(recording: Recording) -> list[list[str]]:
    """Where the recording comes from: (what, value) pairs."""
    sizes = ", ".join(f"{name} {value}" for name, value in recording.space.sizes.items())
    versions = ", ".join(f"{name} {value}" for name, value in recording.versions.items())
    return [["pictures", recording.data], ["sizes", sizes], ["made by", recording.command], ["versions", versions]]


# --- an epoch ---------------------------------------------------------------------------------------------------------
def epoch(event: Event, epochs: int, known: Looks, places: Layout, tables: Sequence[str]) -> dict[str, Any]:
    """An epoch: numbers, its sentence, its architecture as a word, tables of probabilities, samples."""
    space, numbers = event.architecture.space, ("loss", "train_accuracy", "validation_accuracy")
    return {
        **{name: finite(getattr(event, name)) for name in numbers},
        "epoch": event.epoch,
        "says": sentence(event, epochs),
        "architecture": str(event.architecture),
        "warning": event.architecture.warning,
        "drawn": known.word(event.architecture, places),
        "p": {n: [round(STEPS * p) for row in t for p in row] for n, t in (event.probabilities or {}).items()},
        "on": likely(space, places, event.probabilities),
        "picked": picked(event.architecture, tables),
        "samples": [
            [*measures(sample), known.word(space.architecture(sample.choices), places)] for sample in event.samples
        ],
    }


def measures(sample: Sampled) -> list[float | None]:
    """What is known of a sampled architecture, in the order of `MEASURES`."""
    return [finite(getattr(sample, name)) for name in MEASURES]


def finite(number: float | None) -> float | None:
    """The number, None where it is none."""
    return number if number is not None and math.isfinite(number) else None


def sentence(event: Event, epochs: int) -> str:
    """What the picture of an epoch says."""
    numbers = [
        f"loss {figure(event.loss, '.2f')}",
        f"training accuracy {figure(event.train_accuracy, '.0%')}",
        f"validation accuracy {figure(event.validation_accuracy, '.0%')}",
        *(f"{name.replace('_', ' ')} {figure(value, '.3g')}" for name, value in event.info.items()),
    ]
    head = f"Epoch {event.epoch} of {epochs}: {', '.join(numbers)}."
    return " ".join((head, counted(event.architecture), *sureness(event.architecture.space, event.probabilities)))


def figure(number: float, form: str) -> str:
    """A number in this form, percentages with a space that does not break a line."""
    return format(number, form).replace("%", f"{UNBROKEN}%") if math.isfinite(number) else "unknown"


def counted(architecture: Architecture) -> str:
    """How many edges have which operation."""
    edges = [edge.operation for cell in architecture.cells.values() for edge in cell.edges if edge.operation]
    skips = sum("skip" in operation for operation in edges)
    others = Counter(operation for operation in edges if "skip" not in operation)
    listed = "".join(f", {count}{UNBROKEN}×{UNBROKEN}{operation}" for operation, count in others.most_common())
    return f"Derived now: {skips} skip{'' if skips == 1 else 's'}{listed}."


def sureness(space: Space, tables: Probabilities | None) -> Iterator[str]:
    """The surest and the least sure answer, where there are probabilities."""
    answers = [
        (max(row), f"{asked.title}: {asked.options[row.index(max(row))]}")
        for name, table in (tables or {}).items()
        for asked, row in zip(probabilities.questions(space, name), table, strict=True)
        if len(asked.options) > 1
    ]
    if answers:
        (most, sure), (least, unsure) = (choice(answers, key=lambda answer: answer[0]) for choice in (max, min))
        yield f"Surest: {sure} ({figure(most, '.0%')}); least sure: {unsure} ({figure(least, '.0%')})."


# --- tables -----------------------------------------------------------------------------------------------------------
def shapes(epochs: Sequence[Event]) -> dict[str, int]:
    """The tables of probabilities in a recording, with the length of their rows."""
    tables = next((event.probabilities for event in epochs if event.probabilities), {})
    return {name: len(table[0]) for name, table in tables.items()}


def options(space: Space, table: str) -> Sequence[str]:
    """What the columns of a table stand for, in its longest row."""
    rows = [decision.options for decision in space.decisions if decision.table == table]
    return max(rows, key=len) if rows else space.operations


def grid(space: Space, table: str, width: int) -> dict[str, Any]:
    """A table as a heat map: names of rows and columns, and for each square its place in the table, −1 for none."""
    rows = probabilities.questions(space, table)
    longest_first = sorted(rows, key=lambda row: -len(row.options))
    columns = list(dict.fromkeys(option for row in longest_first for option in row.options))
    places = [
        r * width + row.options.index(option) if option in row.options else -1
        for r, row in enumerate(rows)
        for option in columns
    ]
    return {
        "table": table,
        "title": f"{table}: probabilities in per cent",
        "rows": [row.title for row in rows],
        "columns": columns,
        "places": places,
    }


def picked(architecture: Architecture, tables: Sequence[str]) -> dict[str, list[int]]:
    """Where in each table the answers of an architecture stand."""
    space, found = architecture.space, {table: [] for table in tables}
    rows = Counter()
    for decision, choice in zip(space.decisions, architecture.choices, strict=True):
        if decision.table in found:
            found[decision.table].append(rows[decision.table] * len(options(space, decision.table)) + choice)
            rows[decision.table] += 1
    for table in set(tables) - set(rows):  # of DARTS, which rates all operations on every edge
        active = architecture.active_ops[table]
        places = enumerate(name for name, *_ in space.edge_names)
        width = len(space.operations)
        found[table] = [row * width + space.operations.index(active[n]) for row, n in places if n in active]
    return found


def _is_known(epochs: Sequence[Event], measure: str) -> bool:
    return any(getattr(sample, measure) is not None for event in epochs for sample in event.samples)
