"""Tables of probabilities as heat maps that are drawn in a millisecond."""

from collections.abc import Sequence

from nas_tutorial.pictures.probabilities import Question, questions
from nas_tutorial.pictures.style import COLOURS, contrast, style_of
from nas_tutorial.pictures.widgets.chart import svg, text
from nas_tutorial.spaces import Space

CELL, ROW, LABEL, HEAD = 62, 20, 130, 24  # pixels: width and height of a field, room for words on the left and above
DARKEST = (0x00, 0x5A, 0x9E)

Rows = Sequence[Sequence[float]]


def heat_map(space: Space, name: str, rows: Rows, before: Rows | None = None) -> str:
    """A table of probabilities in per cent: a row a decision, a column an option, the darker the likelier.

    The largest of each row has a frame. before: the same table earlier; then fields tell by how much they changed.
    """
    asked = questions(space, name)
    options = max((question.options for question in asked), key=len)
    parts = [text(LABEL + CELL * (x + 0.5), 16, _sign(option), "middle") for x, option in enumerate(options)]
    for y, (question, row) in enumerate(zip(asked, rows, strict=True)):
        top, best = HEAD + ROW * y, likeliest(question, row)
        parts.append(text(LABEL - 8, top + 15, question.title, "end"))
        for x, p in enumerate(row[: len(question.options)]):
            change = None if before is None else p - before[y][x]
            parts.append(_field(LABEL + CELL * x, top, p, x == best, change))
    return svg((LABEL + CELL * len(options) + 4, HEAD + ROW * len(asked) + 4), in_words(name, asked, rows), parts)


def likeliest(question: Question, row: Sequence[float]) -> int:
    """The number of the likeliest option."""
    return max(range(len(question.options)), key=lambda x: row[x])


def in_words(name: str, asked: Sequence[Question], rows: Rows) -> str:
    """The likeliest option of each row, for readers who do not see the map."""
    each = (
        f"{question.title} {question.options[best := likeliest(question, row)]} {100 * row[best]:.0f} %"
        for question, row in zip(asked, rows, strict=True)
    )
    return f"Probabilities, {name}: {'; '.join(each)}."


def _field(left: float, top: float, p: float, best: bool, change: float | None) -> str:
    shade = "#{:02x}{:02x}{:02x}".format(*(round(255 + p * (c - 255)) for c in DARKEST))
    ink = max("#000000", "#FFFFFF", key=lambda ink: contrast(ink, shade))
    frame = 'stroke="#D55E00" stroke-width="2.5"' if best else 'stroke="#BBBBBB" stroke-width="0.5"'
    box = f'<rect x="{left + 1.5:g}" y="{top + 1.5:g}" width="{CELL - 3}" height="{ROW - 3}" fill="{shade}" {frame}/>'
    words = f"{100 * p:.0f}" if change is None else f"{100 * p:.0f} {100 * change:+.1f}"
    return box + text(left + CELL / 2, top + 15, words, "middle", ink)


def _sign(option: str) -> str:
    """The head of a column: short names of operations, other options in full."""
    return style_of(option).sign if option in COLOURS else option
