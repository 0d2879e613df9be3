"""How answers are judged: those to several cases, and a single number."""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from numbers import Real
from typing import Any

import numpy as np

from nas_tutorial.exercises.frame import Mistake, expect, near
from nas_tutorial.exercises.patterns import difference, pattern, unexplained

Function = Callable[..., Any]


def judge(
    function: Function,
    reference: Function,
    mistakes: Mapping[str, Function],
    cases: Sequence[tuple],
    way: Callable[..., str] | None = None,
    *,
    read: Callable[[Any, str], Any] | None = None,
    where: Callable[..., str] | None = None,
) -> None:
    """Raise `Mistake` unless a function agrees with the reference in all cases (the arguments of its calls).

    mistakes: sentence → wrong function; it is said only where it explains what comes in every case. Where none does,
    the sentence shows the first case that fails, what the numbers have in common with the right ones, and the way:
    intermediate values, from the arguments of that case. read: makes an answer comparable, given it and the case in
    words (`number`, if not said); it may raise `Mistake`. where: a case in words; if not said, its arguments by name.
    """
    read, where = read or number, where or by_name(reference)
    asked = [where(*case) for case in cases]
    got, right = answered(function, cases, asked, read), [read(reference(*case), "") for case in cases]
    if alike(got, right):
        return
    again = answered(function, cases, asked, read)
    expect(alike(got, again), "random: called twice with the same, it gives two answers; nothing is to be drawn")
    for sentence, wrong in mistakes.items():
        expect(not alike(got, [attempt(wrong, case, read) for case in cases]), sentence)
    first = next(i for i, (one, other) in enumerate(zip(got, right, strict=True)) if not alike(one, other))
    seen = pattern_in(got, right) or difference(got[first], right[first])
    shown = way(*cases[first]) if way else ""
    raise Mistake(unexplained(asked[first], got[first], right[first], seen, shown))


def compare(got: Any, right: float, mistakes: Mapping[str, float], case: str, way: str = "") -> None:
    """Raise `Mistake` unless a number is right, in the words of the known mistake that leads to the same number.

    mistakes: sentence → the number that this mistake gives; case: what was asked, such as "for n = 1"; way: said where
    no mistake is known, values on the way to the right number.
    """
    value = number(got, case)
    if not near(value, right):
        known = (sentence for sentence, wrong in mistakes.items() if near(value, wrong))
        raise Mistake(next(known, unexplained(case, value, right, pattern([value], [right]), way)))


def answered(function: Function, cases: Sequence[tuple], asked: Sequence[str], read: Function) -> list:
    """What a function gives for copies of the cases, which it must not change."""
    given = [copy.deepcopy(case) for case in cases]
    found = [read(function(*case), where) for case, where in zip(given, asked, strict=True)]
    kept = all(map(np.array_equal, sum(given, ()), sum(cases, ())))
    expect(kept, "input: it changes what it was given, which others still need; work on a copy")
    return found


def number(got: Any, where: str) -> float:
    """An answer as a float; `Mistake` where it is nothing, a text, or more than one number."""
    returned(got, where)
    expect(not isinstance(got, str), f"it returns the text {got!r}; return the number itself")
    count = prod(np.shape(got))
    what = f"{count} numbers" if count != 1 else f"a number in an object of type {type(got).__name__}"
    expect(np.ndim(got) == 0, f"it returns {what}; return a single one")
    return float(got)


def returned(got: Any, where: str) -> Any:
    """An answer, where there is one."""
    expect(got is not None, f"{where} it returns nothing; is there a `return`?")
    return got


def attempt(wrong: Function, case: tuple, read: Function) -> Any:
    """What a known wrong answer gives; an object like no answer where it gives none."""
    try:
        return read(wrong(*copy.deepcopy(case)), "")
    except (Mistake, ArithmeticError, IndexError, TypeError, ValueError):
        return object()


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are the same, numbers up to rounding, rows entry by entry."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, Real) and isinstance(other, Real):
        return near(float(one), float(other))
    return bool(one == other)


def pattern_in(got: list, right: list) -> str:
    """`patterns.pattern` of all numbers in two rows of answers, if they are numbers only, and equally many."""
    flat, wanted = list(entries(got)), list(entries(right))
    numbers = all(isinstance(value, Real) for value in (*flat, *wanted))
    return pattern(flat, wanted) if numbers and len(flat) == len(wanted) else ""


def entries(value: Any) -> Iterator[Any]:
    """What is in rows of rows, one by one."""
    if isinstance(value, list | tuple):
        for one in value:
            yield from entries(one)
    else:
        yield value


def by_name(reference: Function) -> Callable[..., str]:
    """Says a case as "for alpha = 0.3, w = 1"."""
    names = list(inspect.signature(reference).parameters)
    return lambda *case: "for " + ", ".join(f"{n} = {in_words(value)}" for n, value in zip(names, case, strict=True))


def in_words(value: Any) -> str:
    """An argument as it stands in a message."""
    if isinstance(value, Real):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    if isinstance(value, str | list | tuple):
        return str(value)
    with np.printoptions(precision=2, suppress=True, threshold=12, edgeitems=2):
        return np.array2string(np.asarray(value), separator=", ").replace("\n", "")
