"""A museum of bugs: each is put back into our code by a small patch, and a check must notice.

Many were found in widely used implementations of ENAS and DARTS, where nobody noticed for years. To add one:

1. Choose the module by its subject (`networks`, `policies`, …) or make a new one with a list called `MUTANTS`, and name
   the new module in `test_mutants.MODULES`.
2. Write the check: a function without arguments that asserts what must hold, through public functions only. Several
   mutants may share one check. Fix its seeds.
3. Write the patch: a function of pytest's `monkeypatch` that replaces one of our own functions or methods by a version
   with the bug, as small as it can be. Patch a name where it is looked up: what another module imported by name must be
   replaced in that module.
4. Append `Mutant(name, where_seen, patch, check)`. Where nobody is known to have made the mistake, say `SLIP`.

The test runs every check on healthy code, where it must pass, and on its mutant, where it must fail by an
AssertionError: a mutant that merely crashes, or makes the check crash, has not been caught.
"""

from collections.abc import Callable
from typing import NamedTuple

from pytest import MonkeyPatch

SLIP = "an easy slip; not known from any project"


class Mutant(NamedTuple):
    """One bug: what it is, where it was seen, how to put it in, and the check that must fail with it."""

    name: str
    where_seen: str
    patch: Callable[[MonkeyPatch], None]
    check: Callable[[], None]

    def is_caught(self) -> bool:
        """Whether the check fails on the code as it is now."""
        try:
            self.check()
        except AssertionError:
            return True
        return False
