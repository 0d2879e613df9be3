"""Tables of probabilities in words: what their rows ask, and how their columns look in a figure."""

import re
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from nas_tutorial.pictures.style import COLOURS, POINTS, SERIES, style_of
from nas_tutorial.spaces import Space


class Question(NamedTuple):
    """A row of a table of probabilities: a title for its panel, and the options that it has."""

    title: str
    options: tuple[str, ...]


def questions(space: Space, table: str) -> list[Question]:
    """The rows of a table: the decisions that name it, or the edges of a cell, of which DARTS rates all operations."""
    decisions = [decision for decision in space.decisions if decision.table == table]
    if not decisions:
        return [Question(title(name), space.operations) for name, *_ in space.edge_names]
    return [Question(title(d.name), tuple(map(in_words, d.options))) for d in decisions]


def title(name: str) -> str:
    """A decision's name in words, with the numbers that the drawings use: layers from 1, a cell's inputs 0 and 1."""
    if found := re.fullmatch(r"(\d+)<(\d+)", name):
        return f"{found[2]} → {found[1]}"
    if found := re.fullmatch(r"(\d+)\.op", name):
        return f"layer {int(found[1]) + 1}"
    if found := re.fullmatch(r"(\d+)\.skip\.(\d+)", name):
        return f"{'stem' if found[2] == '0' else found[2]} → {int(found[1]) + 1}"
    if found := re.fullmatch(r"\w+\.(\d+)\.(\w+)", name):
        return f"node {int(found[1]) + 2}, {found[2].replace('_', ' ')}"
    return name


def in_words(option: str) -> str:
    """An option in words: "0" and "1" are the inputs of a cell, "2" its first node."""
    if option.isdigit():
        return f"{'input' if int(option) < 2 else 'node'} {option}"
    return {"no": "no skip", "yes": "skip"}.get(option, option.replace(",", " and "))


def looks(asked: Sequence[Question]) -> dict[str, dict[str, str]]:
    """Colour, line and marker of every option: those of the operation, or one after another where it is none."""
    options = list(dict.fromkeys(option for question in asked for option in question.options))
    if set(options) <= set(COLOURS):
        styles = [style_of(option) for option in options]
        plain = [{"color": style.colour, "linestyle": style.line, "marker": style.marker} for style in styles]
    else:
        pairs = product(("solid", "dashed", "dotted"), zip(SERIES, POINTS, strict=True))
        plain = [{"color": colour, "linestyle": line, "marker": marker} for line, (colour, marker) in pairs]
    return {option: plain[i % len(plain)] for i, option in enumerate(options)}
