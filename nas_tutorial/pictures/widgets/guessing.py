"""Guess first: how good an architecture is stays hidden until a guess is locked."""

from collections.abc import Callable

from ipywidgets import Layout, ToggleButton, Widget

from nas_tutorial.measures.tables import Table
from nas_tutorial.pictures.widgets import words
from nas_tutorial.pictures.widgets.frame import toggles
from nas_tutorial.spaces import Architecture

QUARTERS = ("best quarter", "second", "third", "last quarter")


class Guess:
    """A button "Guess first", and four with which one says in which quarter of a table's ranking an architecture is.

    A guess is locked as soon as it is made: it counts, and the truth is shown. changed: called when there is something
    else to show. `controls` are the widgets, `tally` is (right, all) guesses.
    """

    def __init__(self, table: Table, changed: Callable[[], None]):
        self.table, self.changed, self.tally = table, changed, (0, 0)
        self.locked: dict[tuple[int, ...], int] = {}
        self.first = ToggleButton(description="Guess first", layout=Layout(width="auto"))
        self.quarter = toggles([("?", None), *((name, i) for i, name in enumerate(QUARTERS))], None, "I guess")
        self.quarter.layout.display = "none"
        self.first.observe(self._switched, names="value")
        self.quarter.observe(self._guessed, names="value")
        self.shown: Architecture | None = None

    @property
    def controls(self) -> list[Widget]:
        """What is put on the page."""
        return [self.first, self.quarter]

    def said_of(self, architecture: Architecture) -> str:
        """The truth about an architecture, where it is not hidden, and what was guessed."""
        self.shown = architecture
        if not self.first.value or architecture not in self.table.index:
            return words.standing(self.table, architecture)
        if architecture.choices not in self.locked:
            self._put(None)
            return " Guess in which quarter of the ranking it is, and lock your guess by a click."
        guess = self.locked[architecture.choices]
        self._put(guess)
        verdict = "right" if guess == self._true_quarter(architecture) else "not so"
        right, guesses = self.tally
        said = f" You said {QUARTERS[guess]}: {verdict}. {right} of {guesses} right."
        return words.standing(self.table, architecture) + said

    def _true_quarter(self, architecture: Architecture) -> int:
        rank = int((self.table.mean() > self.table.accuracy(architecture)).sum())
        return 4 * rank // len(self.table)

    def _put(self, value: int | None) -> None:
        """Show a guess, without taking it for a new one."""
        self.quarter.unobserve(self._guessed, names="value")
        self.quarter.value = value
        self.quarter.observe(self._guessed, names="value")

    def _switched(self, _: object) -> None:
        self.quarter.layout.display = "" if self.first.value else "none"
        self.changed()

    def _guessed(self, change: dict) -> None:
        seen, guess = self.shown, change["new"]
        if seen is not None and guess is not None and seen.choices not in self.locked:
            self.locked[seen.choices] = guess
            self.tally = (self.tally[0] + (guess == self._true_quarter(seen)), self.tally[1] + 1)
        self.changed()
