"""What is said of a wrong answer that no known mistake explains: a pattern in it, and the way to the right one."""

import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from os.path import commonprefix
from typing import Any

RELATIONS: dict[str, Callable[[float], float]] = {
    "it is right but for its sign": lambda right: -right,
    "it is 1 minus that": lambda right: 1 - right,
    "it is 1 divided by that": lambda right: 1 / right,
    "it is the square of that": lambda right: right**2,
    "it is the square root of that": math.sqrt,
    "it is the logarithm of that": math.log,
    "it is 1 too large": lambda right: right + 1,
    "it is 1 too small": lambda right: right - 1,
    **{f"it is {n} times that": (lambda right, n=n: n * right) for n in range(2, 11)},
    **{f"it is that divided by {n}": (lambda right, n=n: right / n) for n in range(2, 11)},
    "what is behind the point is missing": lambda right: float(math.floor(right)),
    **{f"it is rounded to {n} digits": (lambda right, n=n: round(right, n)) for n in range(5)},
}


def unexplained(where: str, got: Any, right: Any, seen: str = "", way: str = "") -> str:
    """The sentence for such an answer.

    where: what was asked, such as "for n = 2"; seen: a pattern; way: intermediate values on the way to the right one.
    """
    digits = next((n for n in range(4, 17) if written(got, n) != written(right, n)), 17)
    said = f"{where} it gives {written(got, digits)}, but {written(right, digits)} is right{seen}"
    return f"{said}. The way there: {way}" if way else said


def written(value: Any, digits: int = 4) -> str:
    """A value in a sentence: numbers with so many digits, whole ones with all of theirs, texts in quotation marks."""
    if isinstance(value, list | tuple):
        inside = listed(value, digits)
        return f"({inside})" if isinstance(value, tuple) else f"[{inside}]"
    if isinstance(value, Integral) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e12):
        return f"{int(value):,}"
    if isinstance(value, float) and 1e3 <= abs(value) < 1e12:
        return f"{value:,.{digits - 3}f}"
    return f"{float(value):.{digits}g}" if isinstance(value, Real) else repr(value)


def listed(values: Any, digits: int = 4, most: int = 12) -> str:
    """Values in a row; of many the first ones."""
    few = list(values)
    return ", ".join([written(value, digits) for value in few[:most]] + ["…"] * (len(few) > most))


def difference(got: Any, right: Any) -> str:
    """Where two texts, or two rows of texts, first differ, in words to add to a sentence; else empty."""
    if isinstance(got, str) and isinstance(right, str):
        same = commonprefix([got, right])
        found, wanted = (text[len(same) :][:8] for text in (got, right))
        return f": {f'behind {same!r}' if same else 'at the beginning'} it has {found!r}, where {wanted!r} is wanted"
    if isinstance(got, list | tuple) and any(isinstance(one, str) for one in got) and len(got) == len(right):
        at = next(i for i, (one, other) in enumerate(zip(got, right, strict=True)) if one != other)
        return f": in place {at}, counted from 0, it has {got[at]!r}"
    return ""


def pattern(got: Sequence[float], right: Sequence[float]) -> str:
    """How all numbers differ from the right ones, in words to add to a sentence; empty where nothing is seen."""
    if len(got) > 1 and len(set(got)) == 1 < len(set(right)):
        return ", and it gives the same in every case: use what the function is called with"
    found = (words for words, relation in RELATIONS.items() if _explains(relation, got, right))
    seen = next(found, None) or _factor(got, right) or _shift(got, right)
    return f": {seen}" + (", in every case" if len(got) > 1 else "") if seen else ""


def _explains(relation: Callable[[float], float], got: Sequence[float], right: Sequence[float]) -> bool:
    """Whether a relation makes every number of the right one."""
    try:
        return all(_alike(value, relation(wanted)) for value, wanted in zip(got, right, strict=True))
    except (ValueError, ZeroDivisionError, OverflowError):
        return False


def _alike(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12)


def _factor(got: Sequence[float], right: Sequence[float]) -> str | None:
    """Whether there are several numbers, all the right ones times one factor."""
    if len(got) < 2 or not all(right):
        return None
    times = [value / wanted for value, wanted in zip(got, right, strict=True)]
    return f"it is {times[0]:.4g} times that" if all(_alike(one, times[0]) for one in times) and times[0] else None


def _shift(got: Sequence[float], right: Sequence[float]) -> str | None:
    """Whether there are several numbers, all off by one amount."""
    off = [value - wanted for value, wanted in zip(got, right, strict=True)]
    if len(off) < 2 or not all(_alike(one, off[0]) for one in off):
        return None
    return f"it is {abs(off[0]):.4g} too {'large' if off[0] > 0 else 'small'}"
