"""What an exercise is, and the four words that a notebook uses.

@exercise                     # the name of the function says which exercise it is
def regret(table, found):
    ...                       # until something is written here, calls are answered by the reference solution

check(regret)                 # names the mistake, if there is one
hint(regret)                  # each call shows one hint more
solution(regret)              # the source of the reference, folded
"""

import dis
import html
import inspect
import math
import pkgutil
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, update_wrapper
from importlib import import_module
from itertools import pairwise
from typing import Any


class Mistake(Exception):
    """What is wrong with a student's function, in one sentence."""


@dataclass(frozen=True)
class Exercise:
    """A function to write.

    reference: the solution; its name is the exercise's name. test: called with a student's function, raises `Mistake`
    that names the mistake. difficulty: 1 to 3. wrong: known wrong answers, each under a part of the message it gets.
    """

    reference: Callable[..., Any]
    test: Callable[[Callable[..., Any]], None]
    title: str
    difficulty: int
    minutes: int
    hints: tuple[str, ...]
    wrong: Mapping[str, Callable[..., Any]]

    @property
    def name(self) -> str:
        """Name of the function to write."""
        return self.reference.__name__

    @property
    def header(self) -> str:
        """The heading's text in the notebook, such as "Exercise: Measure regret · ★★☆ · 5 min"."""
        stars = "★" * self.difficulty + "☆" * (3 - self.difficulty)
        return f"Exercise: {self.title} · {stars} · {self.minutes} min"

    @property
    def source(self) -> str:
        """Source of the reference solution."""
        return inspect.getsource(self.reference)

    def mistake(self, function: Callable[..., Any]) -> str | None:
        """The mistake in a function, in words; None where it is right."""
        try:
            self.test(function)
        except Mistake as mistake:
            return str(mistake)
        except Exception as error:  # whatever a student's function may raise
            return f"it stops with {type(error).__name__}: {error}"
        return None


@cache
def catalogue() -> dict[str, Exercise]:
    """All exercises by name, from the modules nb01, nb02, …"""
    package = import_module("nas_tutorial.exercises")
    names = [module.name for module in pkgutil.iter_modules(package.__path__) if module.name.startswith("nb")]
    modules = [import_module(f"{package.__name__}.{name}") for name in sorted(names)]
    return {found.name: found for module in modules for found in module.EXERCISES}


class Attempt:
    """A student's function: called, it answers by itself, or by the reference while it is unwritten or fails."""

    def __init__(self, function: Callable[..., Any]):
        if function.__name__ not in catalogue():
            raise ValueError(f"There is no exercise {function.__name__!r}; there are {', '.join(catalogue())}.")
        update_wrapper(self, function)
        self.function, self.exercise, self.hints_shown = function, catalogue()[function.__name__], 0

    def __call__(self, *args: Any, **named: Any) -> Any:
        if unwritten(self.function):
            return self.exercise.reference(*args, **named)
        try:
            return self.function(*args, **named)
        except Exception as error:  # the notebook goes on; `check` tells more
            print(f"Your {self.exercise.name} stops with {type(error).__name__}: {error}. The reference stands in.")
            return self.exercise.reference(*args, **named)


def unwritten(function: Callable[..., Any]) -> bool:
    """Whether a function is still a stub: it does nothing, has a `...` where a value should be, or says so itself."""
    steps = list(dis.get_instructions(function))
    nothing = all(step.opname in ("RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST") for step in steps)
    empty = nothing and all(step.argval is None or step.argval is ... for step in steps if step.opname != "RESUME")
    stored = any(a.argval is ... and b.opname.startswith(("STORE_FAST", "RETURN")) for a, b in pairwise(steps))
    return empty or stored or any(step.argval in ("NotImplementedError", NotImplementedError) for step in steps)


def exercise(function: Callable[..., Any]) -> Attempt:
    """Decorate the function that solves (or will solve) the exercise of its name; ValueError for an unknown name."""
    return Attempt(function)


def check(attempt: Attempt | Callable[..., Any]) -> None:
    """Print whether a function is right, and if not, what the mistake is."""
    attempt = attempt if isinstance(attempt, Attempt) else Attempt(attempt)
    name = attempt.exercise.name
    if unwritten(attempt.function):
        print(f"○ {name} is not written yet; until then the reference solution stands in.")
    elif mistake := attempt.exercise.mistake(attempt.function):
        print(f"✗ {name}: {mistake}")
    else:
        print(f"✓ {name} is right.")


def hint(attempt: Attempt) -> None:
    """Print the hints shown so far and one more."""
    hints = attempt.exercise.hints
    attempt.hints_shown = min(attempt.hints_shown + 1, len(hints))
    for number, text in enumerate(hints[: attempt.hints_shown], start=1):
        print(textwrap.fill(f"Hint {number} of {len(hints)}: {text}", 100))


def solution(attempt: Attempt) -> None:
    """Show the tested source of the reference solution, folded: click to open."""
    from IPython.display import HTML, display

    code = html.escape(attempt.exercise.source)
    display(HTML(f"<details><summary>Solution of {attempt.exercise.name}</summary><pre>{code}</pre></details>"))


# --- for checks -------------------------------------------------------------------------------------------------------
def expect(condition: bool, mistake: str) -> None:
    """Raise `Mistake` with this sentence unless the condition holds."""
    if not condition:
        raise Mistake(mistake)


def compare(got: Any, right: float, mistakes: Mapping[str, float], case: str, tolerance: float = 1e-6) -> None:
    """Raise `Mistake` unless a number is right, in the words of the known mistake that leads to the same number.

    mistakes: sentence → the number that this mistake gives; case: what was asked, such as "for n = 1".
    """
    expect(got is not None, f"{case} it returns nothing; is there a `return`?")
    value = float(got)
    if not near(value, right, tolerance):
        known = (sentence for sentence, wrong in mistakes.items() if near(value, wrong, tolerance))
        raise Mistake(next(known, f"{case} it gives {value:.4g}, but {right:.4g} is right"))


def near(a: float, b: float, tolerance: float) -> bool:
    """Whether two numbers agree, relative to the larger of 1 and their size; nan agrees with nan."""
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance) or (math.isnan(a) and math.isnan(b))
