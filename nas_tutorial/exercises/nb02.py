"""Exercises of notebook 02, Know the truth. The build, `train_table`, is in `nb02_build.py`.

For each exercise a table: what a known mistake is called, and the function that makes it. A mistake is named only where
it explains what a student's function gives in every case that is tried.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nas_tutorial.exercises import nb02_answers as answers
from nas_tutorial.exercises.frame import Exercise, Mistake, expect, near
from nas_tutorial.exercises.patterns import pattern

Function = Callable[..., Any]


# --- how all of them are judged ---------------------------------------------------------------------------------------
def check_numbers(
    function: Function, reference: Function, mistakes: Mapping[str, Function], cases: Sequence[tuple]
) -> None:
    """Hold a function that returns one number against the reference; `Mistake` in the words that explain all cases."""
    given = [copy.deepcopy(case) for case in cases]
    got = [one_number(function(*case)) for case in given]
    expect(
        all(map(np.array_equal, sum(given, ()), sum(cases, ()))),
        "input: it changes the numbers it was given, which others still need; work on a copy",
    )
    right = [reference(*case) for case in cases]
    if agree(got, right):
        return
    again = [one_number(function(*copy.deepcopy(case))) for case in cases]
    expect(
        agree(got, again), "random: called twice with the same numbers, it gives two answers; nothing is to be drawn"
    )
    known = (what for what, wrong in mistakes.items() if agree(got, [attempt(wrong, case) for case in cases]))
    worst = next(i for i in range(len(cases)) if not agree(got[i : i + 1], right[i : i + 1]))
    arguments = ", ".join(in_words(value) for value in cases[worst])
    said = f"for {arguments} it gives {got[worst]:.4g}, but {right[worst]:.4g} is right{pattern(got, right)}"
    raise Mistake(next(known, said))


def one_number(got: Any) -> float:
    """What a function returned as a float; `Mistake` where it is nothing, a text, or more than one number."""
    expect(got is not None, "it returns nothing; is there a `return`?")
    expect(not isinstance(got, str), f"it returns the text {got!r}; return the number itself")
    expect(np.ndim(got) == 0, f"it returns {np.size(got)} numbers; return a single one")
    return float(got)


def attempt(wrong: Function, case: tuple) -> float:
    """What a known wrong answer gives; nan where it gives no single number."""
    try:
        return one_number(wrong(*copy.deepcopy(case)))
    except (Mistake, ArithmeticError, IndexError, TypeError, ValueError):
        return np.nan


def agree(got: Sequence[float], wanted: Sequence[float]) -> bool:
    """Whether two rows of numbers are the same up to rounding."""
    return all(near(a, b, 1e-6) for a, b in zip(got, wanted, strict=True))


def in_words(value: Any) -> str:
    """An argument as it stands in a message."""
    return np.array2string(np.asarray(value), precision=2, separator=", ").replace("\n", "")


def test_tau(function):
    draw = np.random.default_rng(0)
    arrays = [tuple(scale * draw.normal(size=(2, size))) for size, scale in ((5, 1), (6, 1), (9, 1), (7, 5e-4))]
    lists = [([3, 1, 9, 2], [2, 1, 4, 3]), ([0.7, 0.1, 0.4], [6, 8, 7])]
    check_numbers(function, answers.tau, answers.TAU, arrays + lists)


def test_noise_share(function):
    draw = np.random.default_rng(0)
    cases = []
    for cells, seeds in ((7, 3), (4, 5), (12, 2)):
        cases.append((draw.normal(size=(cells, 1)) + draw.normal(size=seeds) + 0.5 * draw.normal(size=(cells, seeds)),))
    check_numbers(function, answers.noise_share, answers.NOISE_SHARE, cases)


def test_expected_best(function):
    draw = np.random.default_rng(0)
    cases = [(draw.random(size), n) for size, n in ((3, 2), (5, 4), (8, 1), (8, np.int64(7)), (9, 20), (40, 50))]
    cases.append((draw.choice(draw.random(4), size=11), 3))  # equal accuracies
    check_numbers(function, answers.expected_best, answers.EXPECTED_BEST, cases)


def test_honest_report(function):
    draw = np.random.default_rng(0)
    check_numbers(
        function,
        answers.honest_report,
        answers.HONEST_REPORT,
        [tuple(draw.random((2, size))) for size in (5, 9, 6, 12)],
    )


EXERCISES = (
    Exercise(
        answers.tau,
        test_tau,
        title="Count pairs",
        difficulty=2,
        minutes=6,
        hints=(
            "`combinations(range(len(x)), 2)` gives every pair of positions once.",
            "A pair is in the same order if x and y both rise or both fall, so if a certain product is positive.",
            "Nothing is tied, so a pair that is not in the same order is in opposite order.",
        ),
        wrong=dict(answers.TAU)
        | {
            "returns nothing": lambda x, y: print(end=""),
            "returns 2 numbers": lambda x, y: answers.in_same_order(x, y),
        },
        right=(answers.tau_by_signs, answers.tau_by_loops),
    ),
    Exercise(
        answers.noise_share,
        test_noise_share,
        title="How much is luck?",
        difficulty=2,
        minutes=6,
        hints=(
            "Begin with `centred = runs - runs.mean(axis=0)`: no seed is better than another any more.",
            "`centred.var(axis=1, ddof=1)` is the variance between the seeds of each cell. Average it.",
            "Divide by the variance of all entries of `centred`, again with ddof=1.",
        ),
        wrong=dict(answers.NOISE_SHARE)
        | {
            "input:": answers.centres_in_place,
            "returns 7 numbers": lambda runs: answers.centred(runs).var(axis=1, ddof=1),
        },
        right=(answers.noise_by_loops,),
    ),
    Exercise(
        answers.expected_best,
        test_expected_best,
        title="The best of n, without drawing",
        difficulty=3,
        minutes=8,
        hints=(
            "The best of n draws has rank k or less exactly if all n draws have: probability (k/N)ⁿ.",
            "The probability of rank exactly k is that of at most k, minus that of at most k − 1: `np.diff`.",
            "Sort the accuracies, and take the sum of accuracy times probability: `@`.",
        ),
        wrong=dict(answers.EXPECTED_BEST)
        | {
            "input:": answers.sorts_in_place,
            "random:": answers.draws,
            "returns 3 numbers": lambda a, n: answers.weights(a, n) * np.sort(a),
        },
        right=(answers.best_by_sum,),
    ),
    Exercise(
        answers.honest_report,
        test_honest_report,
        title="Report what you found",
        difficulty=1,
        minutes=3,
        hints=(
            "Two steps: choose, then look. Which of the two numbers may choose?",
            "`np.argmax(validation)` is the number of the chosen architecture.",
        ),
        wrong=dict(answers.HONEST_REPORT) | {"returns 2 numbers": lambda v, t: (np.max(v), t[np.argmax(v)])},
        right=(
            lambda validation, test: max(zip(validation, test, strict=True))[1],
            lambda validation, test: test[list(validation).index(max(validation))],
        ),
    ),
)
