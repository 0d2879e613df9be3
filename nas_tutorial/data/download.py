"""One file from the first of several servers that has it whole."""

import hashlib
import http.client
import os
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

TIMEOUT = 20  # seconds without a byte after which a server counts as dead
CHUNK = 1 << 20  # bytes


def fetch(path: Path, mirrors: Sequence[str], md5: str) -> Path:
    """Make sure that `path` holds the file with the given md5 sum: a good copy is kept, else mirrors are tried in turn.

    Raises ConnectionError that names all that was tried, why it failed, and what to do.
    """
    if path.is_file() and checksum(path) == md5:
        return path
    failures = []
    for url in mirrors:
        try:
            return download(url, path, md5)
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{url} ({error or type(error).__name__})")
    raise ConnectionError(
        f"{path.name} could not be downloaded; tried {', '.join(failures)}: connect to the internet and try again, or "
        f"put the file (md5 {md5}) into {path.parent} by hand, or use the data set 'digits', which needs no download."
    )


def checksum(path: Path) -> str:
    """md5 sum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def download(url: str, path: Path, md5: str) -> Path:
    """Download to a temporary name beside `path`, check the md5 sum, and only then give the file its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    try:
        with os.fdopen(handle, "wb") as file:
            found = copy(url, file)
        if found != md5:
            raise ValueError(f"md5 is {found}, expected {md5}")
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)
    return path


def copy(url: str, file: IO[bytes]) -> str:
    """Write what a server sends into an open file, showing progress; returns its md5 sum."""
    from tqdm import tqdm

    digest = hashlib.md5(usedforsecurity=False)
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        total = int(answer.headers.get("Content-Length") or 0) or None
        with tqdm(total=total, unit="B", unit_scale=True, desc=url.split("/")[2], leave=False) as progress:
            for chunk in chunks(answer):
                file.write(chunk)
                digest.update(chunk)
                progress.update(len(chunk))
    return digest.hexdigest()


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Read a stream to its end, piece by piece."""
    while chunk := stream.read(CHUNK):
        yield chunk


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a checked .tar.gz into a folder; Pythons that know safe filters use the one for data.

    Raises OSError where the folder cannot be written to.
    """
    try:
        with tarfile.open(archive) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            tar.extractall(folder)
    except OSError as error:
        raise OSError(
            f"{archive.name} cannot be unpacked into {folder} ({error}): "
            "move the archive into a folder that can be written to, and pass that folder as root."
        ) from error
