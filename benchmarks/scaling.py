"""`python -m benchmarks.scaling`: how one first-order DARTS step grows with the sizes of its space and of its batch.

One size is varied at a time while the others stay as in `BASE`; `floor` is a process that has only loaded torch and the
package. Lines are those of every benchmark, named `scaling/size/value/path`; `python -m benchmarks.figures` plots them.
"""

from collections.abc import Iterator

from benchmarks.frame import Case, Work, case, main
from benchmarks.search_step import search_step, sizes
from nas_tutorial import spaces
from nas_tutorial.networks import ops
from nas_tutorial.training import to_device

BASE = {"channels": 8, "cells": 6, "nodes": 4, "operations": 8, "batch": 16}
VARIED = {
    "channels": (4, 8, 16, 32),
    "cells": (3, 6, 9, 12),  # a third of the way and two thirds: the reductions stay where they are
    "nodes": (2, 3, 4, 5, 6),
    "operations": (2, 3, 4, 5, 6, 7, 8),
    "batch": (8, 16, 32, 64),
}


def resized(operations: int, **sizes: int) -> spaces.DARTS:
    """A DARTS space of these sizes, with only the first `operations` operations of the table."""
    return spaces.DARTS(**sizes, operations=tuple(ops.DARTS)[:operations])


def nothing(device: str) -> Work:
    """The floor."""
    return lambda: None


def cases() -> Iterator[Case]:
    """The floor, then every value of every size on both paths."""
    yield case("scaling/floor", nothing)
    for varied, values in VARIED.items():
        for value in values:
            given = {**BASE, varied: value}
            batch, space = given.pop("batch"), resized(**given)
            for path in ("slow", "fast"):
                build = (search_step, space, batch, 1, to_device if path == "fast" else None)
                yield case(f"scaling/{varied}/{value}/{path}", *build, **sizes(space), batch=batch, order=1)


if __name__ == "__main__":
    main("benchmarks.scaling", cases())
