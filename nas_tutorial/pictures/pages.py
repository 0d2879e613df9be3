"""Pages that the package writes: HTML files, each known by its generator, so that no other file is overwritten."""

from collections.abc import Callable
from pathlib import Path

import nas_tutorial
from nas_tutorial.files import write_whole


def generator(kind: str) -> str:
    """What stands in `<meta name="generator">` of a page of this kind, such as "replay"."""
    return f"nas_tutorial {kind} {nas_tutorial.__version__}"


def write(path: str | Path, kind: str, make: Callable[[], str]) -> Path:
    """Write a page of a kind, such as "replay", to a file; returns its path. make: makes the page.

    Raises ValueError where the path is a folder, cannot be written, or is a file that is no page of this kind: such a
    file is never overwritten.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise ValueError(f"{path} is a folder; give the name of a file in it, such as {path / f'{kind}.html'}.")
        if path.exists() and not is_ours(path, kind):
            raise ValueError(f"{path} is there already and is no {kind} page; give the name of a new file.")
        return write_whole(path, make())
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}); give another file.") from error


def is_ours(path: Path, kind: str) -> bool:
    """Whether a file is a page of this kind, by its generator."""
    if not path.is_file():  # to read from a pipe would wait forever
        return False
    with path.open("rb") as file:
        return f'<meta name="generator" content="nas_tutorial {kind} '.encode() in file.read(1000)
