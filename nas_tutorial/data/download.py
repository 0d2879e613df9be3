"""One file from the first of several servers that has it whole, by pooch; what came of it stays for the next try."""

import errno
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from nas_tutorial.files import alone_in

TIMEOUT = 20  # seconds without a byte, after which the next server is tried
GRACE, SLOWEST = 60, 10_000  # seconds after which a server that sent fewer bytes a second on average is left
CHUNK = 1 << 16  # bytes
FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EIO)


class Unwritable(OSError):
    """The folder is at fault, not a server."""


@contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Have a folder, made where it is missing, to oneself; OSError that says so where it cannot be written to."""
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    with alone_in(folder):
        yield


def fetch(path: Path, mirrors: Sequence[str], md5: str, most: int) -> Path:
    """Make sure that `path` holds the file with the given md5 sum: a good copy is kept, else mirrors are tried in turn.

    most: bytes, more than which the file cannot have. Raises ConnectionError that names all that was tried, why it
    failed, and what to do; OSError where the folder cannot be written to, or is full.
    """
    import pooch
    from urllib3.exceptions import HTTPError

    if path.is_file() and pooch.file_hash(str(path), "md5") == md5:
        return path
    failures = []
    for url in mirrors:
        try:
            return retrieve(url, path, md5, most)
        except Unwritable:
            raise
        except (OSError, ValueError, HTTPError) as error:
            failures.append(f"{url} ({reason(error)})")
    raise ConnectionError(
        f"{path.name} could not be downloaded; tried {', '.join(failures)}: connect to the internet and try again, or "
        f"put the file (md5 {md5}) into {path.parent} by hand, or use the data set 'digits', which needs no download, "
        "or pictures of your own in an .npz file."
    )


def retrieve(url: str, path: Path, md5: str, most: int) -> Path:
    """Let pooch download from one server, going on from what an earlier try has left; OSError or ValueError else."""
    import pooch

    aside = path.with_name(f".{path.name}.partial")
    with told(path.parent):
        aside.mkdir(exist_ok=True)
        for left in aside.glob("tmp*"):  # by a process that was killed
            left.unlink(missing_ok=True)
    download = Download(aside / f"{md5}.part", most)
    try:
        pooch.retrieve(url, f"md5:{md5}", path.name, aside, downloader=download)
        with told(path.parent):
            os.replace(aside / path.name, path)
    except ValueError:
        if download.resumed:  # the beginning, from another server or another day, was at fault
            return retrieve(url, path, md5, most)
        raise
    finally:
        if path.exists() or not any(aside.glob("*.part")):
            shutil.rmtree(aside, ignore_errors=True)
    return path


class Download:
    """What pooch calls to download: goes on where an earlier try has stopped, and leaves a server that never ends.

    part: the file that keeps what has come so far. Raises ValueError where a server sends more than `most` bytes, and
    OSError where it is slow or ends early.
    """

    def __init__(self, part: Path, most: int):
        self.part, self.most, self.resumed = part, most, False
        self.folder = part.parent.parent

    def __call__(self, url: str, output: str, _: Any) -> None:
        """Download into the file `output`."""
        import requests

        at = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Accept-Encoding": "identity"}  # the md5 sum is that of the raw bytes
        headers |= {"Range": f"bytes={at}-"} if at else {}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as reply:
            if reply.status_code == 416:  # the part is as long as the file, or longer
                self.part.unlink()
                return self(url, output, _)
            reply.raise_for_status()
            self.resumed = reply.status_code == 206
            self._write(reply, at if self.resumed else 0)
        with told(self.folder):
            os.replace(self.part, output)

    def _write(self, reply: Any, at: int) -> None:
        """Write the body behind the first `at` bytes of the part, with a bar."""
        from tqdm import tqdm

        end = at + int(length) if (length := reply.headers.get("Content-Length", "")).isdecimal() else None
        look = {"initial": at, "total": end, "unit": "B", "unit_scale": True, "leave": False}
        with tqdm(desc="download", **look) as bar, told(self.folder):
            with self.part.open("r+b" if at else "wb") as file:
                file.seek(at)
                for chunk in self._chunks(reply, at, end):
                    file.write(chunk)
                    bar.update(len(chunk))

    def _chunks(self, reply: Any, at: int, end: int | None) -> Iterator[bytes]:
        """The bytes as they come; raises where there are too many, too few, or where they come too slowly."""
        read = getattr(reply.raw, "read1", None) or (lambda _: reply.raw.read(1))
        start, first = time.monotonic(), at
        self._check_size(end or at)
        while chunk := read(CHUNK):
            at += len(chunk)
            self._check_size(at)
            yield chunk
            if (spent := time.monotonic() - start) > GRACE and (at - first) / spent < SLOWEST:
                raise TimeoutError(f"it sent {(at - first) / spent:,.0f} bytes a second, less than {SLOWEST:,}")
        if end and at < end:
            raise ConnectionError(f"it ended after {at:,} of {end:,} bytes")

    def _check_size(self, size: int) -> None:
        if size > self.most:
            self.part.unlink(missing_ok=True)
            raise ValueError(f"it sends more than {self.most:,} bytes, so it is another file")


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Tell faults of the disk within the block from those of a server."""
    try:
        yield
    except OSError as error:
        if error.errno not in (*FULL, *CLOSED):
            raise
        what = "is full: make room" if error.errno in FULL else f"cannot be written to ({error.strerror}): mend that"
        raise Unwritable(f"{folder} {what}, or pass another folder as root (on the command line: --root).") from error


def reason(error: BaseException) -> str:
    """The first sentence of what an error goes back to: "[Errno 111] Connection refused", whatever was made of it."""
    while before := error.__cause__ or error.__context__:
        error = before
    return (str(error) or type(error).__name__).split(". ")[0]


# --- archives ---------------------------------------------------------------------------------------------------------
def unpack(archive: Path, folder: Path) -> None:
    """Unpack a checked .tar.gz aside, then move what it holds into a folder, in place of what has the same name.

    Raises OSError where the folder cannot be written to, ValueError for an archive that would write elsewhere.
    """
    for left in folder.glob(f".{archive.name}.*.unpacked"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{archive.name}.", suffix=".unpacked", dir=folder) as aside:
            _extract(archive, Path(aside))
            for path in Path(aside).iterdir():
                shutil.rmtree(folder / path.name, ignore_errors=True)
                os.replace(path, folder / path.name)
    except OSError as error:
        raise OSError(
            f"{archive.name} cannot be unpacked into {folder} ({error}): "
            "move the archive into a folder that can be written to and has room, and pass that folder as root."
        ) from error


def _extract(archive: Path, folder: Path) -> None:
    """Extract files and folders only, none of them outside the folder; Pythons that know safe filters use them, too."""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            path = PurePosixPath(member.name)
            if not (member.isfile() or member.isdir()) or path.is_absolute() or ".." in path.parts:
                raise ValueError(f"{archive} holds {member.name!r}, which is no file within it: bring another copy.")
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        tar.extractall(folder)
