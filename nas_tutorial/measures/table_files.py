"""Files of tables: a `.json` that holds everything, or a compact `.npz` with what a query needs.

The 15,625 cells of NAS-Bench-201 (Dong & Yang, ICLR 2020) with 12 accuracies each fit into an `.npz` of less than a
megabyte.
"""

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NotRequired

import numpy as np
from pydantic import Field

from nas_tutorial import spaces
from nas_tutorial.data import arrays
from nas_tutorial.settings import Accuracy, Record, one_of, read_json, to_text
from nas_tutorial.spaces import Architecture, Space

if TYPE_CHECKING:
    from nas_tutorial.measures.tables import Table

COMPACT = ("edges", "ops", "acc_x100", "columns")
"""The arrays of a compact table."""

Runs = Annotated[list[Accuracy], Field(min_length=1)]


class TableRecord(Record):
    """What a `.json` table holds: the space, how the table was made, and the accuracies of each architecture."""

    space: str
    sizes: dict[str, int]
    operations: NotRequired[list[str]]
    about: dict[str, Any]
    rows: Annotated[dict[str, Annotated[dict[str, Runs], Field(min_length=1)]], Field(min_length=1)]


Contents = tuple[tuple[Architecture, ...], Mapping[str, np.ndarray], Mapping[str, Any]]
"""What a table is made of: its architectures, its columns, and how they were made."""


# --- files: JSON ------------------------------------------------------------------------------------------------------
def to_json(table: "Table") -> str:
    """The table as JSON, one architecture per line."""
    head = {**table.space.to_record(), "about": dict(table.about)}
    rows = (
        json.dumps(str(a)) + ": " + to_text({name: values[i].tolist() for name, values in table.columns.items()})
        for i, a in enumerate(table.architectures)
    )
    return to_text(head, indent=1, ensure_ascii=False)[:-2] + ',\n "rows": {\n' + ",\n".join(rows) + "\n}}\n"


def from_json(path: Path, space: Space | None = None) -> Contents:
    """Read what `to_json` made; ValueError that says what is wrong with the file, or that it is of another space."""
    try:
        content = read_json(path, TableRecord, "it")
        own, rows = spaces.from_record(content), content["rows"]
        contents = each_once(own.parse(text) for text in rows), columns_of(rows), content["about"]
    except ValueError as error:
        raise ValueError(f"{path.name} is no table that `Table.save` wrote: {error}") from error
    if space and not space.asks_like(own):
        raise ValueError(f"{path.name} is a table of {own}, not of {space}: leave the space out, or bring its table.")
    return contents


def columns_of(rows: Mapping[str, Mapping[str, list[float]]]) -> dict[str, np.ndarray]:
    """The columns (N, S) of some rows; ValueError unless all have the same ones, of one length."""
    first = next(iter(rows.values()))
    form = {name: len(values) for name, values in first.items()}
    for text, row in rows.items():
        if (other := {name: len(values) for name, values in row.items()}) != form:
            raise ValueError(f"row {text!r} has the columns (and seeds) {other}, but the first row {form}.")
    return {name: np.array([row[name] for row in rows.values()], dtype=float) for name in form}


def each_once(architectures: Iterable[Architecture]) -> tuple[Architecture, ...]:
    """The architectures; ValueError where one is there twice."""
    found = tuple(architectures)
    if twice := [architecture for architecture, times in Counter(found).items() if times > 1]:
        raise ValueError(f"{twice[0]} stands there twice.")
    return found


# --- files: npz -------------------------------------------------------------------------------------------------------
def to_npz(table: "Table") -> bytes:
    """The accuracies as a compact `.npz`, as `from_npz` reads it: every seed a column of its own.

    Raises ValueError for a space with other decisions than one operation per edge.
    """
    check_one_cell(table.space)
    runs = {f"{name}_{s}": column for name, values in table.columns.items() for s, column in enumerate(values.T)}
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        edges=np.array([a.choices for a in table.architectures], dtype=np.uint8),  # (N, edges)
        ops=np.array(table.space.operations),
        acc_x100=np.stack([np.rint(10_000 * column) for column in runs.values()], 1).astype(np.uint16),  # (N, K)
        columns=np.array(list(runs)),
    )
    return buffer.getvalue()


def from_npz(path: Path, space: Space | None) -> Contents:
    """Read a compact table of a space with one cell, such as NAS-Bench-201's: no download, you bring the file.

    The `.npz` holds `edges` (N, edges): for each edge, in the order of `space.decisions` (1<0, 2<0, 2<1, …), an index
    into `ops`, the names of the operations; `acc_x100` (N, K): accuracies in hundredths of a per cent; `columns`: K
    names. Raises FileNotFoundError, or ValueError that says what is wrong with the file.
    """
    found = read_arrays(path)
    if missing := {*COMPACT} - set(found):
        raise ValueError(f"{path.name} lacks {', '.join(sorted(missing))}; it is no compact table.")
    if space is None:
        raise ValueError(f"{path.name} does not name its space: give it, as in Table.load(path, spaces.NASBench201()).")
    edges, accuracies = found["edges"], found["acc_x100"]
    if flat := [key for key in ("ops", "columns") if found[key].ndim != 1]:
        raise ValueError(f"{path.name} is no table of {space.name}: {flat[0]!r} is no row of names.")
    ops, names = ([str(name) for name in found[key]] for key in ("ops", "columns"))
    try:
        check(edges, ops, accuracies, names, space)
    except ValueError as error:
        raise ValueError(f"{path.name} is no table of {space.name}: {error}") from error
    number = np.array([space.operations.index(op) for op in ops])
    columns = {name: column[:, None] / 10_000 for name, column in zip(names, accuracies.T, strict=True)}  # (N, 1)
    try:
        return each_once(space.architecture(row) for row in number[edges]), columns, {"file": path.name}
    except ValueError as error:
        raise ValueError(f"{path.name} is no table of {space.name}: {error}") from error


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by name; FileNotFoundError, or ValueError for a file that is none."""
    try:
        return arrays.read(path, COMPACT)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {str(path)!r}; give the path of a table.") from None
    except arrays.TooLarge as error:
        raise ValueError(f"{path.name}: {error}") from error
    except arrays.UNREADABLE as error:
        raise ValueError(f"{path.name} is no .npz archive; bring one that holds arrays by name.") from error


def check(edges: np.ndarray, ops: list[str], accuracies: np.ndarray, names: list[str], space: Space) -> None:
    """Raise ValueError that names what does not fit together in a compact table, or to the space."""
    check_one_cell(space)
    for what, given in (("operations", ops), ("columns", names)):
        if len(set(given)) < len(given):
            raise ValueError(f"the {what} are {', '.join(given)}, but each can stand there only once.")
    if unknown := set(ops) - set(space.operations):
        raise ValueError(f"{space.name} has no operation {', '.join(sorted(unknown))}; give the space of this table.")
    if edges.ndim != 2 or edges.shape[1] != len(space.decisions):
        raise ValueError(
            f"{space.name} has {len(space.decisions)} edges, but the array `edges` has shape {edges.shape}."
        )
    if accuracies.shape != (len(edges), len(names)):
        raise ValueError(f"{len(edges)} cells and {len(names)} columns, but accuracies of shape {accuracies.shape}.")
    if not (whole_numbers(edges, len(ops) - 1) and whole_numbers(accuracies, 10_000)):
        raise ValueError(
            f"There must be cells, edges below {len(ops)}, accuracies of at most 10,000 (hundredths of 1 %), all of "
            "them whole numbers from 0."
        )


def check_one_cell(space: Space) -> None:
    """Raise ValueError for a space whose decisions are other than one operation per edge."""
    if any(decision.options != space.operations for decision in space.decisions):
        raise ValueError(f"A .npz table holds one operation per edge, but {space.name} asks more: use a .json file.")


def whole_numbers(values: np.ndarray, largest: int) -> bool:
    """Whether there are values, all of them integers from 0 to the largest."""
    return values.dtype.kind in "iu" and values.size > 0 and values.min() >= 0 and values.max() <= largest


FORMATS = {".json": (to_json, from_json), ".npz": (to_npz, from_npz)}


def file_format(path: str | Path) -> tuple:
    """How tables are written to and read from a file with this suffix; ValueError for another one."""
    one_of(tuple(FORMATS), Path(path).suffix, "The suffix of a table's file")
    return FORMATS[Path(path).suffix]
