"""What wrong numbers share with the right ones where no known mistake explains them: a sign, a factor, a shift."""

import math
from collections.abc import Callable, Sequence

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
