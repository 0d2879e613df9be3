"""What an exercise is, and the four words that a notebook uses.

@exercise                     # the name of the function says which exercise it is
def regret(table, found):
    ...                       # until what stands here is right, calls are answered by the reference solution

check(regret)                 # names the mistake, if there is one
hint(regret)                  # each call shows one hint more
solution(regret)              # the source of the reference, folded
"""

import dis
import inspect
import io
import math
import pkgutil
import random
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache, update_wrapper
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import torch

from nas_tutorial.exercises.answers import Watched
from nas_tutorial.exercises.endless import Endless, limit
from nas_tutorial.pictures import code

Test = Callable[[Callable[..., Any]], None]
"""Called with a student's function; raises `Mistake`, which names the mistake, where that is not right."""


class Mistake(Exception):
    """What is wrong with a student's function, in one sentence."""


@dataclass(frozen=True)
class Exercise:
    """A function to write.

    reference: the solution; its name is the exercise's name. test: how a student's function is judged, or such a test
    for each step, under its name, in the order in which the steps are written. difficulty: 1 to 3. wrong: known wrong
    answers, each under a part of the message it gets. right: other right answers. build: whether this is the one of
    its notebook in which the student writes the core of the lesson.
    """

    reference: Callable[..., Any]
    test: Test | Mapping[str, Test]
    title: str
    difficulty: int
    minutes: int
    hints: tuple[str, ...]
    wrong: Mapping[str, Callable[..., Any]]
    right: Sequence[Callable[..., Any]] = ()
    build: bool = False

    @property
    def name(self) -> str:
        """Name of the function to write."""
        return self.reference.__name__

    @property
    def notebook(self) -> str:
        """Number of its notebook: "02" where the reference is in a module `nb02…`."""
        return self.reference.__module__.rpartition(".")[2][2:4]

    @property
    def header(self) -> str:
        """The heading's text in the notebook, such as "Exercise: Measure regret · ★★☆ · 5 min"."""
        stars = "★" * self.difficulty + "☆" * (3 - self.difficulty)
        return f"{'Build' if self.build else 'Exercise'}: {self.title} · {stars} · {self.minutes} min"

    @property
    def source(self) -> str:
        """Source of the reference solution."""
        return inspect.getsource(self.reference)

    @property
    def steps(self) -> dict[str, Test]:
        """The tests by their names; the only one of an exercise without steps has none, ""."""
        return dict(self.test) if isinstance(self.test, Mapping) else {"": self.test}

    def judge(self, function: Callable[..., Any]) -> tuple[list[str], str | None]:
        """The names of the steps that are right up to the first mistake, and the mistake in words, None if none.

        Random numbers drawn by a test, or by a student's function in it, leave torch's, numpy's and Python's
        generators as they were: what comes after a check does not depend on it.
        """
        passed: list[str] = []
        with same_random_numbers():
            for name, test in self.steps.items():
                watched = Watched(function)
                try:
                    with limit():
                        test(watched)
                except Mistake as mistake:
                    return passed, str(mistake)
                except (Exception, SystemExit, Endless) as error:  # whatever a student's function may raise
                    return passed, watched.fault(error, self.reference)
                passed.append(name)
        return passed, None

    def mistake(self, function: Callable[..., Any]) -> str | None:
        """The mistake in a function, in words; None where it is right."""
        return self.judge(function)[1]


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """Give torch, numpy and Python their generators back as they were."""
    ours, numpys = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        yield
    random.setstate(ours)
    np.random.set_state(numpys)


def modules() -> list[ModuleType]:
    """The modules that hold `EXERCISES`: nb01, nb01_build, nb02, …, those of the answers left out."""
    package = import_module("nas_tutorial.exercises")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    wanted = [name for name in names if name.startswith("nb") and not name.endswith("_answers")]
    return [import_module(f"{package.__name__}.{name}") for name in wanted]


@cache
def catalogue() -> dict[str, Exercise]:
    """All exercises by name."""
    return {found.name: found for module in modules() for found in module.EXERCISES}


class Attempt:
    """A student's function. Called, it answers by itself where it is right; until then the reference answers."""

    def __init__(self, function: Callable[..., Any]):
        if function.__name__ not in catalogue():
            raise ValueError(f"There is no exercise {function.__name__!r}; there are {', '.join(catalogue())}.")
        update_wrapper(self, function)
        self.function, self.exercise, self.hints_shown = function, catalogue()[function.__name__], 0
        self.is_right: bool | None = None  # not judged yet
        self.is_being_judged = False

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self.is_being_judged:  # a function that calls itself
            return self.function(*args, **named)
        if self.is_right is None:
            self.judge_quietly()
        if not self.is_right:
            return self.exercise.reference(*args, **named)
        try:
            return self.function(*args, **named)
        except Exception as error:  # the notebook goes on
            print(f"Your {self.exercise.name} stops with {type(error).__name__}: {error}. The reference stands in.")
            return self.exercise.reference(*args, **named)

    def judge(self) -> tuple[list[str], str | None]:
        """See `Exercise.judge`; from here on calls are answered accordingly."""
        self.is_being_judged = True
        try:
            passed, mistake = self.exercise.judge(self.function)
        finally:
            self.is_being_judged = False
        self.is_right = mistake is None
        return passed, mistake

    def judge_quietly(self) -> None:
        """Judge before the first call, and say so in a line where the function is written, but not right."""
        self.is_right = False
        if unwritten(self.function):
            return
        with redirect_stdout(io.StringIO()):
            self.judge()
        if not self.is_right:
            name = self.exercise.name
            print(f"Your {name} is not right yet, so the reference stands in; check({name}) names the mistake.")


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
        return
    passed, mistake = attempt.judge()
    for step in filter(None, passed):
        print(f"✓ {step}")
    print(f"✗ {name}: {mistake}" if mistake else f"✓ {name} is right.")


def hint(attempt: Attempt) -> None:
    """Print the hints shown so far and one more."""
    hints = attempt.exercise.hints
    attempt.hints_shown = min(attempt.hints_shown + 1, len(hints))
    for number, text in enumerate(hints[: attempt.hints_shown], start=1):
        print(textwrap.fill(f"Hint {number} of {len(hints)}: {text}", 100))


def solution(attempt: Attempt) -> None:
    """Show the tested source of the reference solution, folded: click to open."""
    code.show_folded(f"Solution of {attempt.exercise.name}", attempt.exercise.source)


# --- for checks -------------------------------------------------------------------------------------------------------
def expect(condition: bool, mistake: str) -> None:
    """Raise `Mistake` with this sentence unless the condition holds."""
    if not condition:
        raise Mistake(mistake)


def near(a: float, b: float, tolerance: float = 1e-6) -> bool:
    """Whether two numbers agree, relative to the larger of 1 and their size; nan agrees with nan."""
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance) or (math.isnan(a) and math.isnan(b))
