"""Easy slips, known from no project: each is put into our code by a small patch, and an ordinary test must notice.

Bugs that can be read in a public project hang in `nas_tutorial.museum`; slips and they are tested in one way, by
`tests/test_museum.py`. To add one:

1. Choose the module by its subject (`policies`, `gradients`, …). A bug with a public address becomes an exhibit: add it
   to a module of `nas_tutorial/museum`, with `@exhibit(place)`, and its name to the museum's `__init__.py`.
2. Write a function that replaces one of our functions or methods, by `museum.replaced`, and yields once. Make it as
   small as it can be; its docstring says what goes wrong.
3. Name the ordinary tests that shall notice: `@slip("test_enas.py::test_the_loss_by_hand")` in front of the function,
   or, for an exhibit, an entry of `WITNESSES` in `tests/test_museum.py`. If there is no such test yet, write one in
   the test file of the subject: it has to stand without the bug, as all tests do.

At least one of the tests named must fail, by an AssertionError: a bug that merely crashes has not been caught. Tests
that take long, that draw from hypothesis or that keep files are not suited: each is run once more for every bug.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple


class Slip(NamedTuple):
    """A block of code in which a bug is in place, and the ordinary tests of which one must fail in it."""

    block: Callable[[], AbstractContextManager[None]]
    witnesses: tuple[str, ...]


SLIPS: dict[str, Slip] = {}
"""All slips by name."""


def slip(*witnesses: str):
    """Enter a function under its name, together with its witnesses, ids of tests below the folder of tests."""

    def enter(function: Callable[[], Iterator[None]]):
        SLIPS[function.__name__] = Slip(contextmanager(function), witnesses)
        return function

    return enter
