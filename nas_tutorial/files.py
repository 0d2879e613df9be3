"""Files that are whole or not there: a crash while writing leaves what was there before."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    with _alone_in(path.parent) as alone:
        for left in path.parent.glob(f".{escape(path.name)}.*partial") if alone else ():  # by a process that was killed
            left.unlink(missing_ok=True)
        try:
            with partial.open("xb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    return path


@contextmanager
def _alone_in(folder: Path) -> Iterator[bool]:
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
