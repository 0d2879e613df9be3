"""What a search leaves behind besides its result: pictures, made without endangering it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from nas_tutorial.files import write_whole
from nas_tutorial.pictures import drawing
from nas_tutorial.strategies.results import SearchResult

PICTURES = ("cell.svg", "curves.png")


def keep_pictures(result: SearchResult, folder: Path) -> None:
    """Draw the architecture and the curves; whatever cannot be drawn is said, and nothing else is lost."""
    with without_loss("cell.svg"):
        drawing.save(result.architecture, folder / "cell.svg")
    with without_loss("curves.png"):
        from nas_tutorial.pictures import plots

        drawn = BytesIO()
        plots.curves({result.strategy: result.history}).savefig(drawn, dpi=144, format="png")
        write_whole(folder / "curves.png", drawn.getvalue())


@contextmanager
def without_loss(name: str) -> Iterator[None]:
    """Say on stderr that a file is missing, and why, instead of stopping."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, results that took hours must outlive it
        print(f"{name} could not be made: {error}", file=sys.stderr)


def listing(folder: Path) -> str:
    """The files of a folder in words."""
    return ", ".join(sorted(path.name for path in folder.iterdir()))
