"""What takes too long for a lesson: numbers that are read from records, of which the first is computed each time.

A record is believed only as long as it comes out again: `recalled` computes the first item of a list, compares it with
the record, and computes all of them where it differs, because the code or the pictures have changed. Another processor
or another torch rounds otherwise, and training makes much of little: there the first may differ from its record as much
as the items differ from each other.

With NAS_TUTORIAL_RECORD=1 in the environment, everything is computed, and the record is written.
"""

import os
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from nas_tutorial.files import write_whole
from nas_tutorial.settings import Record, fitting, processor, read_json, to_text, versions

RECORDS = Path(__file__).with_name("recalled")


class Recalled(Record):
    """The items, what was computed for each, on which day, with which versions and on which processor."""

    items: list[str]
    values: list[Any]
    day: str
    versions: dict[str, str]


def recalled(
    name: str,
    compute: Callable[[Any], Any],
    items: Iterable[Any],
    kind: str = "seed",
    *,
    tolerance: float = 0.02,
    folder: Path = RECORDS,
) -> np.ndarray:
    """`compute(item)` for each item, such as a seed, stacked: (items, ...); only the first is computed here.

    compute: returns finite numbers, of the same shape for all items, which depend on the item alone.
    name: of the record that holds the others. kind: what an item is, in a word. tolerance: how far the first may lie
    from its record on the processor and with the torch that made it; elsewhere the mean of what they differ by may be
    larger by the items' mean standard deviation. Says in a line what was done. Raises ValueError where numbers are not
    finite.
    """
    items = list(items)
    file, first = folder / f"{name}.json", _numbers(compute(items[0]), name)
    found = None if os.environ.get("NAS_TUTORIAL_RECORD") else _read(file, items)
    if found is not None:
        there = np.asarray(found["values"], float)
        if _agrees(first, there, tolerance, _made_here(found)):
            gap = np.abs(first - there[0]).max(initial=0)
            print(f"{_named(items, kind)}; the record is of {found['day']}, and agrees with it to {gap:.1g}")
            return np.stack([first, *there[1:]])
        print(f"{kind} {items[0]} gives other numbers here than the record, so all are computed:")
    values = np.stack([first, *(_numbers(compute(item), name) for item in items[1:])])
    if os.environ.get("NAS_TUTORIAL_RECORD"):
        write_whole(file, _text(items, values))
    return values


def _numbers(given: Any, name: str) -> np.ndarray:
    """What was computed as an array; ValueError where it is not finite."""
    values = np.asarray(given, float)
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: what was computed for an item holds NaN or infinity, which is not recorded.")
    return values


def _read(file: Path, items: list[Any]) -> Recalled | None:
    """What a record holds; None where there is none, or it is about other items."""
    if not file.exists():
        return None
    found = fitting(Recalled, read_json(file), file.name)
    return found if found["items"] == [str(item) for item in items] else None


def _agrees(here: np.ndarray, there: np.ndarray, tolerance: float, is_made_here: bool) -> bool:
    """Whether what was computed for the first item agrees with its record; there: (items, ...)."""
    if here.shape != there.shape[1:]:
        return False
    gap = np.abs(here - there[0])
    if is_made_here:
        return bool(gap.max(initial=0) <= tolerance)
    return bool(gap.mean() <= tolerance + there.std(0).mean())


def _made_here(found: Recalled) -> bool:
    """Whether a record was made with this torch, on such a processor: then numbers come out the same."""
    made = found["versions"]
    return (made["torch"], made.get("processor")) == (versions()["torch"], processor())


def _named(items: list[Any], kind: str) -> str:
    """Which items were computed, and which read; their number alone where they are many."""
    others = [str(item) for item in items[1:]]
    read = ", ".join(others) if len(others) < 5 else f"the other {len(others)}"
    return f"{kind} {items[0]} was computed here, {read} were read"


def _text(items: list[Any], values: np.ndarray) -> str:
    """The record's text: numbers with six digits, one item a line."""
    rounded = [to_text(_shortened(value)) for value in values.tolist()]
    made = {"day": str(date.today()), "versions": {**versions(), "processor": processor()}}
    record = {"items": [str(item) for item in items], **made}
    return to_text(record)[:-1] + ', "values": [\n' + ",\n".join(rounded) + "\n]}\n"


def _shortened(value: Any) -> Any:
    """Numbers in nested lists with six digits."""
    return [_shortened(one) for one in value] if isinstance(value, list) else float(f"{value:.6g}")
