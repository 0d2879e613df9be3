"""What stands below a picture: the names of the operations, each beside its colour, and notes."""

import html
import textwrap
from collections.abc import Iterator, Sequence

from nas_tutorial.pictures.places import Layout, Words
from nas_tutorial.pictures.style import style_of

LINE, LETTER = 21, 7.6  # pixels from one line of notes to the next; width of a letter in the widest of usual fonts


def foot(operations: Sequence[str], notes: Sequence[str], places: Layout) -> tuple[str, float]:
    """The names of the operations and the notes as SVG elements, and where they end."""
    rows, y = [], places.height + 6
    for row in _rows(operations, places.width - 30):
        rows += [_swatch(operation, x, y) for operation, x in row]
        y += LINE
    for line in (line for note in notes for line in textwrap.wrap(note, int((places.width - 30) / LETTER))):
        rows.append(written(Words(line, 15, y + 4)))
        y += LINE
    return "".join(rows), y if rows else places.height


def _rows(operations: Sequence[str], width: float) -> Iterator[list[tuple[str, float]]]:
    """Operations with where each begins, as many in a row as fit."""
    row, x = [], 15.0
    for operation in operations:
        wide = 36 + LETTER * len(operation)
        if row and x + wide > width + 15:
            yield row
            row, x = [], 15.0
        row.append((operation, x))
        x += wide
    if row:
        yield row


def _swatch(operation: str, x: float, y: float) -> str:
    return (
        f'<rect x="{x:g}" y="{y - 6:g}" width="16" height="12" fill="{style_of(operation).colour}"/>'
        f'<text x="{x + 21:g}" y="{y + 4.5:g}">{html.escape(operation)}</text>'
    )


def written(words: Words) -> str:
    """Words at their place, as an SVG element."""
    return f'<text x="{words.x:g}" y="{words.y:g}" text-anchor="{words.anchor}">{html.escape(words.text)}</text>'
