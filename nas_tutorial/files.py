"""Files that are whole or not there: a crash while writing leaves what was there before."""

import os
from pathlib import Path


def write_whole(path: str | Path, content: bytes | str) -> Path:
    """Write a file under another name, which becomes `path` when all of it is on the disk; returns the path.

    Text is written as UTF-8. The folder is made where it is missing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")  # what a crash left is written over
    try:
        with partial.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return path


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk, too; only POSIX systems open folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
