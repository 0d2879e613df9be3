"""Downloads of CIFAR-10 from servers that refuse, send another file, half, too much or too slowly; folders at fault."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

from nas_tutorial.data import cifar10, download
from tests import mirrors
from tests.reliability import Case

WAYS_OUT = ("tried", "by hand", "'digits'", ".npz")
HERE = "http://127.0.0.1"
ARCHIVE = "cifar-10-python.tar.gz"

HALF = ("short", "silent", "trickle")
FAULTS = {
    "missing": "404",
    "forbidden": "403",
    "broken": "500",
    "circle": "redirects",
    "corrupt": "hash",
    "short": "IncompleteRead",
    "silent": "timed out",
    "huge": "more than",
    "endless": "more than",
    "trickle": "second",
}


@cache
def original() -> tuple[bytes, type]:
    """The archive that good mirrors have, and a reader that knows its md5 sums."""
    with tempfile.TemporaryDirectory() as folder:
        archive, reader = mirrors.miniature(Path(folder))
        return archive.read_bytes(), reader


@contextmanager
def impatient(most: int) -> Iterator[None]:
    """Less time and room than usual, so that tries are short."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, no_proxy="127.0.0.1"))
        for owner, name, value in ((download, "TIMEOUT", 0.5), (download, "GRACE", 0.1), (cifar10, "MOST", most)):
            stack.enter_context(mock.patch.object(owner, name, value))
        yield


def load(*names: str, root: str = "cifar") -> Any:
    """Load CIFAR-10 where these are the mirrors: of the server here, or addresses."""
    body, reader = original()
    with mirrors.serving(body) as server, impatient(2 * len(body)):
        urls = tuple(name if ":" in name or not name else f"{server.address}/{name}" for name in names)
        return cifar10.load(root=root, mirrors=urls, reader=reader)


def fails(number: int) -> Callable[[], Any]:
    """Load from a good mirror while every file that is to be put in its place meets this error of the disk."""
    error = OSError(number, os.strerror(number))

    def attempt() -> Any:
        with mock.patch.object(download.os, "replace", side_effect=error):
            return load("good")

    return attempt


def part() -> tuple[str, ...]:
    """What has come of the file stays there, so that the next try goes on with it."""
    return (f"cifar/.{ARCHIVE}.partial/{original()[1].tgz_md5}.part",)


def asked(*names: str, says: tuple[str, ...] = ()) -> Case:
    """A download from these mirrors; none of them has the file."""
    given = f"cifar10.load(mirrors=[{', '.join(names)}])"
    return Case(given, partial(load, *names), (*WAYS_OUT, *says), may_write=part() if names[0] in HALF else ())


CASES = [
    *(asked(name, says=(f"/{name} (", reason)) for name, reason in FAULTS.items()),
    asked(f"{HERE}:9/dead", says=(f"{HERE}:9/dead", "refused")),
    asked("no:address", says=("no:address",)),
    asked("missing", "corrupt", "broken", says=("/missing (", "404", "/corrupt (", "hash", "/broken (", "500")),
    *(
        Case(f"cifar10.load() where the disk {says}", fails(number), ("cifar", says, "root"), may_write=part())
        for number, says in ((errno.ENOSPC, "is full"), (errno.EROFS, "cannot be written to"))
    ),
    Case("cifar10.load(root=FILE/here)", partial(load, "good", root="table.json/here"), ("table.json/here", "root")),
    Case(
        "cifar10.load() where a file is in the folder's place",
        partial(load, "good"),
        ("cannot be unpacked into", "root"),
        prepare=lambda: (Path("cifar").mkdir(), Path("cifar/cifar-10-batches-py").write_text("mine")),
        may_write=(f"cifar/{ARCHIVE}",),
    ),
]
