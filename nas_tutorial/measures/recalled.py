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

    So are items that the record does not know; the first that it knows is the one that is compared.

    compute: returns finite numbers, of the same shape for all items, which depend on the item alone.
    name: of the record that holds the others. kind: what an item is, in a word. tolerance: how far the first may lie
    from its record on the processor and with the torch that made it; elsewhere the mean of what they differ by may be
    larger by the items' mean standard deviation. Says in a line what was done. Raises ValueError where numbers are not
    finite.
    """
    items, file = {str(item): item for item in items}, folder / f"{name}.json"
    record = None if os.environ.get("NAS_TUTORIAL_RECORD") else _read(file)
    there = record["values"] if record else {}
    known = [key for key in items if key in there]
    first = known[0] if known else next(iter(items))
    values = {first: _numbers(compute(items[first]), name)}
    if known and _agrees(values[first], first, there, tolerance, _made_here(record)):
        values = {key: there[key] for key in known} | values
        gap = np.abs(values[first] - there[first]).max(initial=0)
        here = [key for key in items if key == first or key not in there]
        print(f"{_named(kind, here, known[1:])}; the record is of {record['day']}, and agrees with it to {gap:.1g}")
    elif known:
        print(f"{kind} {first} gives other numbers here than the record, so all are computed:")
    values |= {key: _numbers(compute(item), name) for key, item in items.items() if key not in values}
    found = np.stack([values[key] for key in items])
    if os.environ.get("NAS_TUTORIAL_RECORD"):
        write_whole(file, _text(list(items), found))
    return found


def _numbers(given: Any, name: str) -> np.ndarray:
    """What was computed as an array; ValueError where it is not finite."""
    values = np.asarray(given, float)
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: what was computed for an item holds NaN or infinity, which is not recorded.")
    return values


def _read(file: Path) -> dict[str, Any] | None:
    """A record, with the values by the names of the items; None where there is none."""
    if not file.exists():
        return None
    found = fitting(Recalled, read_json(file), file.name)
    values = (np.asarray(value, float) for value in found["values"])
    return {**found, "values": dict(zip(found["items"], values, strict=True))}


def _agrees(here: np.ndarray, item: str, there: dict[str, np.ndarray], tolerance: float, is_made_here: bool) -> bool:
    """Whether what was computed for an item agrees with its record."""
    if here.shape != there[item].shape:
        return False
    gap = np.abs(here - there[item])
    if is_made_here:
        return bool(gap.max(initial=0) <= tolerance)
    return bool(gap.mean() <= tolerance + np.stack(list(there.values())).std(0).mean())


def _made_here(found: Recalled) -> bool:
    """Whether a record was made with this torch, on such a processor: then numbers come out the same."""
    made = found["versions"]
    return (made["torch"], made.get("processor")) == (versions()["torch"], processor())


def _named(kind: str, here: list[str], read: list[str]) -> str:
    """Which items were computed, and which read; their number alone where they are many."""
    others = ", ".join(read) if len(read) < 5 else f"the other {len(read)}"
    return f"{kind} {', '.join(here)} computed here, {others or 'nothing'} read"


def _text(items: list[Any], values: np.ndarray) -> str:
    """The record's text: numbers with six digits, one item a line."""
    rounded = [to_text(_shortened(value)) for value in values.tolist()]
    made = {"day": str(date.today()), "versions": {**versions(), "processor": processor()}}
    record = {"items": [str(item) for item in items], **made}
    return to_text(record)[:-1] + ', "values": [\n' + ",\n".join(rounded) + "\n]}\n"


def _shortened(value: Any) -> Any:
    """Numbers in nested lists with six digits."""
    return [_shortened(one) for one in value] if isinstance(value, list) else float(f"{value:.6g}")
