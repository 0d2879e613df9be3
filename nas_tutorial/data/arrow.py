"""Parquet and Arrow files with a column of pictures, as the Hugging Face Hub keeps data sets, read by pyarrow."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_tutorial.data.decoding import decode

if TYPE_CHECKING:
    import pyarrow

IMAGES, LABELS = ("image", "img", "images"), ("label", "labels", "fine_label")
INSTALL = "pip install pyarrow"


def read_arrays(path: Path, side: int | None = None) -> dict[str, np.ndarray]:
    """Decode all pictures of a file: `images` (N, H, W, C) uint8, `labels` (N,), and `class_names` where they are told.

    The column of pictures holds encoded files: bytes, or a structure with a field `bytes`. side: see `decoding.decode`.
    Raises ValueError for another file, or where a column is missing.
    """
    table = read_table(path)
    picture, label = (column(table, names, path) for names in (IMAGES, LABELS))
    rows = ((f"{path}, picture {row}", encoded(cell, path, row)) for row, cell in enumerate(table[picture].to_pylist()))
    arrays = {"images": decode(rows, side), "labels": labels_of(table[label], path)}
    names = class_names(table.schema, label)
    return arrays | ({"class_names": np.array(names)} if names else {})


def read_table(path: Path) -> "pyarrow.Table":
    """The whole table of a Parquet or an Arrow file (either of Arrow's two forms)."""
    try:
        import pyarrow
        from pyarrow import ipc, parquet
    except ImportError as error:
        raise ValueError(f"{path} is read by pyarrow, which is not installed: {INSTALL}.") from error
    try:
        if path.suffix == ".parquet":
            return parquet.read_table(path)
        with pyarrow.memory_map(str(path)) as file:
            try:
                return ipc.open_file(file).read_all()
            except pyarrow.ArrowInvalid:
                file.seek(0)
                return ipc.open_stream(file).read_all()
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{path}: cannot be read as a {path.suffix} file ({reason}): bring a whole one.") from error


def column(table: "pyarrow.Table", names: tuple[str, ...], path: Path) -> str:
    """The first of these names that is a column; ValueError where none is."""
    if found := next((name for name in names if name in table.column_names), None):
        return found
    raise ValueError(
        f"{path}: has the columns {', '.join(table.column_names) or 'none'}, expected one of {', '.join(names)}: "
        "rename the one that is meant."
    )


def encoded(cell: Any, path: Path, row: int) -> bytes:
    """The bytes of a picture file in one cell."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if isinstance(content, bytes):
        return content
    raise ValueError(
        f"{path}, picture {row}: holds no bytes of a picture file: save the data set with its pictures in it."
    )


def labels_of(cells: "pyarrow.ChunkedArray", path: Path) -> np.ndarray:
    """The labels as numpy has them: (N,); ValueError where some are missing."""
    if cells.null_count:
        raise ValueError(f"{path}: {cells.null_count} pictures have no label: remove them.")
    return np.array(cells.to_pylist())


def class_names(schema: "pyarrow.Schema", label: str) -> list[str] | None:
    """Names of the classes, where the file tells them as Hugging Face's `datasets` does."""
    try:
        told = json.loads((schema.metadata or {})[b"huggingface"])
        return [str(name) for name in told["info"]["features"][label]["names"]]
    except (KeyError, TypeError, ValueError):
        return None
