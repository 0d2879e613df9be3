"""What a file must hold to be a recording: names, and what kind of value each of them has."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nas_tutorial.spaces import Space

FORMAT = "nas_tutorial recording 1"

NUMBER = (float, None)  # null: not known, or not finite
SAMPLE = {"choices": [int], "log_prob": NUMBER, "entropy": NUMBER, "reward": NUMBER, "accuracy": NUMBER}
EPOCH = {
    "epoch": int,
    "seconds": float,
    "loss": NUMBER,
    "train_accuracy": NUMBER,
    "validation_accuracy": NUMBER,
    "architecture": str,
    "choices": [int],
    "warning": str,
    "probabilities": ({str: [[float]]}, None),
    "info": {str: NUMBER},
    "samples": [SAMPLE],
}
RECORDING = {
    "format": str,
    "strategy": str,
    "space": dict,
    "size": int,
    "seed": int,
    "config": dict,
    "data": str,
    "versions": {str: str},
    "command": str,
    "decisions": [{"name": str, "options": [str], "table": str, "row": int}],
    "epochs": [EPOCH],
}
"""The shape of a recording: {name: shape} are exactly these names, {str: shape} any, [shape] any number of values."""

KINDS = {str: "a text", int: "a whole number", float: "a number", dict: "an object", list: "a list"}


def check(content: Any) -> None:
    """Raise ValueError that names the first fault where JSON values have not the shape of a recording."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f'it does not say "format": "{FORMAT}"')
    fits(content, RECORDING, "it")
    if not content["epochs"]:
        raise ValueError("it holds no epoch")


def fits(value: Any, shape: Any, where: str) -> None:
    """Raise ValueError, in which the value is called `where`, unless it has this shape."""
    match shape:
        case (inner, None):
            if value is not None:
                fits(value, inner, where)
        case [inner]:
            of_kind(value, list, where)
            for i, each in enumerate(value):
                fits(each, inner, f"{where}[{i}]")
        case dict():
            of_kind(value, dict, where)
            shapes = dict.fromkeys(value, shape[str]) if str in shape else shape
            if odd := value.keys() ^ shapes.keys():
                raise ValueError(f"{where} has {', '.join(sorted(odd))} amiss")
            for name, each in value.items():
                fits(each, shapes[name], f"{where}.{name}".removeprefix("it."))
        case _:
            of_kind(value, shape, where)


def of_kind(value: Any, kind: type, where: str) -> None:
    """Raise ValueError unless a JSON value is of this kind; every whole number is a number, too."""
    right = isinstance(value, int | float if kind is float else kind) and not isinstance(value, bool)
    if not right:
        raise ValueError(f"{where} is {str(value)[:40]!r}, not {KINDS[kind]}")
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{where} is not finite")


def check_tables(tables: Mapping[str, Sequence[Sequence[float]]], space: Space) -> None:
    """Raise ValueError where a table of probabilities has not the shape that its name has in this space."""
    rows = space.tabulate([[0.0] * len(decision.options) for decision in space.decisions])
    shapes = {name: {(len(table), len(table[0]))} for name, table in rows.items()}
    for name, shape in space.alpha_shapes.items():
        shapes.setdefault(name, set()).add(tuple(shape))
    for name, table in tables.items():
        found = {(len(table), len(row)) for row in table}
        if len(found) != 1 or not found <= shapes.get(name, found):
            raise ValueError(f"the table {name!r} of probabilities does not fit to this space")
