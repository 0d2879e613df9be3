"""Compact tables of benchmarks: the accuracies of a whole space of one-cell architectures in one small `.npz` file.

A file holds what a query needs, and nothing of the training logs: the 15,625 cells of NAS-Bench-201 (Dong & Yang,
ICLR 2020) with 12 accuracies each fit into less than a megabyte.
"""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from nas_tutorial.measures.tables import Table
from nas_tutorial.spaces import Space


def write(table: Table, path: str | Path) -> None:
    """Write a table as a compact `.npz`, as `read` reads it: every seed a column of its own."""
    runs = {f"{name}_{s}": column for name, values in table.columns.items() for s, column in enumerate(values.T)}
    np.savez_compressed(
        path,
        edges=np.array([a.choices for a in table.architectures], dtype=np.uint8),  # (N, edges)
        ops=np.array(table.space.operations),
        acc_x100=np.stack([np.rint(10_000 * column) for column in runs.values()], 1).astype(np.uint16),  # (N, K)
        columns=np.array(list(runs)),
    )


def read(path: str | Path, space: Space) -> Table:
    """Read a compact table of a space with one cell, such as NAS-Bench-201's: no download, you bring the file.

    The `.npz` holds `edges` (N, edges): for each edge, in the order of `space.decisions` (1<0, 2<0, 2<1, …), an index
    into `ops`, the names of the operations; `acc_x100` (N, K): accuracies in hundredths of a per cent; `columns`: K
    names.
    Raises FileNotFoundError, or ValueError that says what is wrong with the file.
    """
    with open_archive(path) as file:
        if missing := {"edges", "ops", "acc_x100", "columns"} - set(file):
            raise ValueError(f"{Path(path).name} lacks {', '.join(sorted(missing))}; it is no compact table.")
        edges, ops, accuracies = file["edges"], [str(op) for op in file["ops"]], file["acc_x100"]
        names = [str(name) for name in file["columns"]]
    check(edges, ops, accuracies, names, space)
    number = np.array([space.operations.index(op) for op in ops])
    columns = {name: column[:, None] / 10_000 for name, column in zip(names, accuracies.T, strict=True)}  # (N, 1)
    return Table(tuple(space.architecture(row) for row in number[edges]), columns, {"file": Path(path).name})


def open_archive(path: str | Path) -> np.lib.npyio.NpzFile:
    """The arrays of an `.npz` file; FileNotFoundError, or ValueError for a file that is none."""
    try:
        file = np.load(path)
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{Path(path).name} is no .npz archive; bring one that holds arrays by name.") from error
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise ValueError(f"{Path(path).name} holds a single array; bring an .npz archive that holds arrays by name.")
    return file


def check(edges: np.ndarray, ops: list[str], accuracies: np.ndarray, names: list[str], space: Space) -> None:
    """Raise ValueError that names what does not fit together in a compact table, or to the space."""
    if unknown := set(ops) - set(space.operations):
        raise ValueError(f"{space.name} has no operation {', '.join(sorted(unknown))}; is it the table of this space?")
    if edges.ndim != 2 or edges.shape[1] != len(space.decisions):
        raise ValueError(
            f"{space.name} has {len(space.decisions)} edges, but the array `edges` has shape {edges.shape}."
        )
    if accuracies.shape != (len(edges), len(names)):
        raise ValueError(f"{len(edges)} cells and {len(names)} columns, but accuracies of shape {accuracies.shape}.")
    if len(edges) == 0 or edges.max() >= len(ops) or accuracies.max() > 10_000:
        raise ValueError(
            f"There must be cells, edges below {len(ops)}, accuracies of at most 10,000 (hundredths of 1 %)."
        )
