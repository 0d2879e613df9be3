"""Files that are whole or not there: a crash while writing leaves what was there before."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def write_whole(path: str | Path, content: bytes | str) -> Path:
    """Write a file under another name, which becomes `path` when all of it is on the disk; returns the path.

    Text is written as UTF-8. The folder is made where it is missing. Processes that write the same file do so in turn.
    Raises OSError where it cannot be written; what was there before is then left as it was.
    """
    path = Path(path)
    write_together(path.parent, {path.name: content})
    return path


def write_together(folder: Path, contents: Mapping[str, bytes | str]) -> None:
    """Write files that belong together: all of them are on the disk before the first one gets its name, in this order.

    So a full disk leaves all of them as they were. Otherwise as `write_whole`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone_in(folder) as alone:
            if alone:
                _remove_left(folder, contents)
            _replace(folder, contents)
    except OSError as error:
        raise OSError(
            f"{' and '.join(contents)} cannot be written into {folder} ({error.strerror or error}), and what was there "
            "before is left as it was: make room, or choose a folder that can be written to."
        ) from error


def _remove_left(folder: Path, names: Iterable[str]) -> None:
    """Remove what processes that were killed left of files with these names."""
    for name in names:
        for file in folder.glob(f".{escape(name)}.*partial"):
            file.unlink(missing_ok=True)


def _replace(folder: Path, contents: Mapping[str, bytes | str]) -> None:
    """Write all files under other names, then give them their own."""
    partial = {name: folder / f".{name}.{uuid4().hex}.partial" for name in contents}
    try:
        for name, content in contents.items():
            _write_through(partial[name], content)
        for name, file in partial.items():
            os.replace(file, folder / name)
    finally:
        for file in partial.values():
            file.unlink(missing_ok=True)


def _write_through(path: Path, content: bytes | str) -> None:
    """Write a new file, and wait until it is on the disk."""
    with path.open("xb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Wait until no other process writes to a folder, and bring its new names to the disk in the end.

    Yields whether that is certain: only POSIX systems open and lock folders, and not on every disk.
    """
    if fcntl is None:
        yield False
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield _locked(handle)
        os.fsync(handle)
    finally:
        os.close(handle)  # which opens the lock


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


def writable_folder(path: str | Path) -> Path:
    """A folder that can be written to, made where it is missing; ValueError where that cannot be."""
    if not str(path):
        raise ValueError("The name of the folder is empty; give one, such as runs/my_search, or None to keep nothing.")
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise ValueError(f"Nothing can be kept in {folder} ({error.strerror}); choose another folder.") from error


def new_folder(candidates: Iterable[Path]) -> Path:
    """Make the first folder that is not there yet: two processes that ask at once get two."""
    for folder in candidates:
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise ValueError("All names for a new folder are taken; choose one yourself.")


def claim(folder: Path) -> FileLock:
    """Keep other processes from a folder as long as what is returned lives; ValueError where another one has it.

    Within one process a folder may be claimed again and again.
    """
    lock = FileLock(folder / ".lock", timeout=0, thread_local=False, is_singleton=True)
    try:
        lock.acquire()
    except Timeout:
        raise ValueError(
            f"{folder} is in use by another process, perhaps a notebook that is still open: "
            "end that one first, or choose another folder."
        ) from None
    except (OSError, NotImplementedError):
        pass  # a disk without locks
    return lock
