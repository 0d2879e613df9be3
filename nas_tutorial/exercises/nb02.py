"""Exercises of notebook 02, Know the truth. The build, `train_table`, is in `nb02_build.py`.

For each exercise a table: what a known mistake is called, and the function that makes it. A mistake is named only where
it explains what a student's function gives in every case that is tried.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from nas_tutorial.exercises.frame import Exercise, Mistake, expect, near

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
    raise Mistake(next(known, f"for {arguments} it gives {got[worst]:.4g}, but {right[worst]:.4g} is right"))


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


# --- count pairs ------------------------------------------------------------------------------------------------------
def tau(x, y):
    """Kendall's τ where nothing is tied: (pairs in the same order − pairs in opposite order) / pairs."""
    pairs = list(combinations(range(len(x)), 2))
    same = sum((x[i] - x[j]) * (y[i] - y[j]) > 0 for i, j in pairs)
    return (same - (len(pairs) - same)) / len(pairs)


def _same(x, y):
    """Number of pairs in the same order, and of all pairs."""
    pairs = list(combinations(range(len(x)), 2))
    return sum((x[i] < x[j]) == (y[i] < y[j]) for i, j in pairs), len(pairs)


TAU = {
    "subtract: this is the share of pairs in the same order; those in opposite order count against it": lambda x, y: (
        _same(x, y)[0] / _same(x, y)[1]
    ),
    "opposite: this is the share of pairs in opposite order": lambda x, y: 1 - _same(x, y)[0] / _same(x, y)[1],
    "twice: each pair is counted in both directions, but the number of pairs is that of one": lambda x, y: (
        2 * tau(x, y)
    ),
    "pairs: there are N(N − 1)/2 pairs; you divide by N²": lambda x, y: tau(x, y) * _same(x, y)[1] / len(x) ** 2,
    "itself: no entry makes a pair with itself; you divide by N(N + 1)/2": lambda x, y: (
        tau(x, y) * (len(x) - 1) / (len(x) + 1)
    ),
    "divide: this is the difference of two counts; divide by the number of pairs": lambda x, y: (
        tau(x, y) * _same(x, y)[1]
    ),
    "sign: two equal rankings would get −1": lambda x, y: -tau(x, y),
    "whole: // drops what is behind the point; divide with /": lambda x, y: tau(x, y) // 1,
    "values: this is the correlation of the values; only their order counts": lambda x, y: np.corrcoef(x, y)[0, 1],
    "ranks: this is Spearman's correlation of the ranks; count pairs": lambda x, y: spearmanr(x, y).statistic,
    "neighbours: every entry makes a pair with every other, not only with the next one": lambda x, y: np.mean(
        np.sign(np.diff(x) * np.diff(y))
    ),
    "one: this looks at the order of y alone; x is not sorted": lambda x, y: tau(range(len(x)), y),
}


def test_tau(function):
    draw = np.random.default_rng(0)
    arrays = [tuple(draw.normal(size=(2, size))) for size in (5, 6, 9)]
    lists = [([3, 1, 9, 2], [2, 1, 4, 3]), ([0.7, 0.1, 0.4], [6, 8, 7])]
    check_numbers(function, tau, TAU, arrays + lists)


# --- how much is luck -------------------------------------------------------------------------------------------------
def noise_share(runs):
    """Share of luck: variance between the seeds of a cell, divided by the variance of all; runs: (N, S).

    Before, each seed's mean is taken out: a shift that all cells share changes no ranking.
    """
    centred = runs - runs.mean(axis=0)  # (N, S)
    return float(centred.var(axis=1, ddof=1).mean() / centred.var(ddof=1))


def _centred(runs):
    return runs - runs.mean(axis=0)


NOISE_SHARE = {
    "shift: what all cells of a seed share is still in; subtract from each column its own mean, runs.mean(axis=0)": (
        lambda runs: runs.var(axis=1, ddof=1).mean() / runs.var(ddof=1)
    ),
    "above only: take the shift out of the numbers below the line, too": lambda runs: (
        _centred(runs).var(axis=1, ddof=1).mean() / runs.var(ddof=1)
    ),
    "below only: take the shift out of the numbers above the line, too": lambda runs: (
        runs.var(axis=1, ddof=1).mean() / _centred(runs).var(ddof=1)
    ),
    "rows: you subtracted each cell's mean, and with it what makes cells differ; subtract each seed's, axis=0": (
        lambda runs: (
            (runs - runs.mean(1, keepdims=True)).var(axis=1, ddof=1).mean()
            / (runs - runs.mean(1, keepdims=True)).var(ddof=1)
        )
    ),
    "axis: one row is one cell, so its seeds lie along axis 1": lambda runs: (
        _centred(runs).var(axis=0, ddof=1).mean() / _centred(runs).var(ddof=1)
    ),
    "means: this is the variance of the cells' means; luck is the variance inside each row": lambda runs: (
        _centred(runs).mean(axis=1).var(ddof=1) / _centred(runs).var(ddof=1)
    ),
    "squares: shares are shares of variance, not of standard deviation": lambda runs: (
        _centred(runs).std(axis=1, ddof=1).mean() / _centred(runs).std(ddof=1)
    ),
    "upside down: luck belongs above the line": lambda runs: 1 / noise_share(runs),
    "rest: this is the share that is not luck": lambda runs: 1 - noise_share(runs),
    "divide: this is the variance of luck; divide by the variance of all": lambda runs: (
        _centred(runs).var(axis=1, ddof=1).mean()
    ),
    "ddof: with three seeds divide by two, ddof=1, or luck looks smaller than it is": lambda runs: (
        _centred(runs).var(axis=1).mean() / _centred(runs).var()
    ),
}


def test_noise_share(function):
    draw = np.random.default_rng(0)
    cases = []
    for cells, seeds in ((7, 3), (4, 5), (12, 2)):
        cases.append((draw.normal(size=(cells, 1)) + draw.normal(size=seeds) + 0.5 * draw.normal(size=(cells, seeds)),))
    check_numbers(function, noise_share, NOISE_SHARE, cases)


# --- the best of n, without drawing -----------------------------------------------------------------------------------
def expected_best(accuracies, n):
    """Expected best of n architectures drawn independently and uniformly: Σ_k a_(k) · [(k/N)ⁿ − ((k−1)/N)ⁿ]."""
    ordered = np.sort(accuracies)
    at_most = np.arange(len(ordered) + 1) / len(ordered)  # probability that one draw has rank k or less
    return float(np.diff(at_most**n) @ ordered)


def _weights(accuracies, n):
    return np.diff((np.arange(len(accuracies) + 1) / len(accuracies)) ** n)


EXPECTED_BEST = {
    "sort: the k-th smallest needs the accuracies in ascending order": lambda a, n: _weights(a, n) @ a,
    "descending: the largest accuracy must get the largest weight": lambda a, n: _weights(a, n) @ np.sort(a)[::-1],
    "difference: (k/N)ⁿ is the probability of rank k or less; subtract that of k − 1": lambda a, n: (
        (np.arange(1, len(a) + 1) / len(a)) ** n @ np.sort(a)
    ),
    "count: k runs from 1 to N, Python's range(N) from 0 to N − 1": lambda a, n: sum(
        x * ((k / len(a)) ** n - ((k - 1) / len(a)) ** n) for k, x in enumerate(sorted(a))
    ),
    "mean: this is the mean, which is right for n = 1 only": lambda a, n: np.mean(a),
    "certain: this is the best of all, as if you drew everything": lambda a, n: np.max(a),
    "back: the same architecture may be drawn twice": lambda a, n: np.mean(
        [max(some) for some in combinations(a, min(n, len(a)))]
    ),
    "power: all n draws have rank k or less with probability (k/N) to the power n, not times n": lambda a, n: (
        np.diff(np.arange(len(a) + 1) / len(a) * n) @ np.sort(a)
    ),
    "first: this is the best of the first n entries, not of n draws": lambda a, n: max(a[:n]),
}


def test_expected_best(function):
    draw = np.random.default_rng(0)
    cases = [(draw.random(size), n) for size, n in ((3, 2), (5, 4), (8, 1), (8, np.int64(7)), (9, 20))]
    check_numbers(function, expected_best, EXPECTED_BEST, cases)


# --- report what you found --------------------------------------------------------------------------------------------
def honest_report(validation, test):
    """The number to publish: test accuracy of the architecture that is best on validation."""
    return float(test[np.argmax(validation)])


HONEST_REPORT = {
    "peeking: you took the highest test accuracy, so the test has chosen": lambda v, t: np.max(t),
    "both: the test took part in the choice; let validation choose alone": lambda v, t: t[np.argmax(v + t)],
    "both: the test took part in the choice, and you report a mean with the number that chose": lambda v, t: (
        np.max(v + t) / 2
    ),
    "chosen by: this number made the choice, so it is too good; report the test accuracy of what was chosen": (
        lambda v, t: np.max(v)
    ),
    "crossed: you chose by test accuracy and report validation; it is the other way round": lambda v, t: v[
        np.argmax(t)
    ],
    "half: the validation accuracy of the winner has chosen it, and has no place in the report": lambda v, t: (
        (np.max(v) + t[np.argmax(v)]) / 2
    ),
    "mean: this is the mean of all architectures; report the chosen one": lambda v, t: np.mean(t),
    "index: this is the number of the architecture; report its accuracy": lambda v, t: np.argmax(v),
    "worst: you chose the architecture that is worst on validation": lambda v, t: t[np.argmin(v)],
    "order: this is the last entry; the best on validation may stand anywhere": lambda v, t: t[-1],
    "order: this is the first entry; the best on validation may stand anywhere": lambda v, t: t[0],
}


def test_honest_report(function):
    draw = np.random.default_rng(0)
    check_numbers(function, honest_report, HONEST_REPORT, [tuple(draw.random((2, size))) for size in (5, 9, 6, 12)])


# --- the list ---------------------------------------------------------------------------------------------------------
def _tau_by_signs(x, y):
    x, y = np.asarray(x), np.asarray(y)
    upper = np.triu_indices(len(x), 1)
    return np.sign((x[:, None] - x) * (y[:, None] - y))[upper].mean()


def _tau_by_loops(x, y):
    total = 0
    for i in range(len(x)):
        for j in range(len(x)):
            if i != j:
                total += 1 if (x[i] > x[j]) == (y[i] > y[j]) else -1
    return total / (len(x) * (len(x) - 1))


def _centres_in_place(runs):
    runs -= runs.mean(axis=0)
    return runs.var(axis=1, ddof=1).mean() / runs.var(ddof=1)


def _noise_by_loops(runs):
    columns = [[value - sum(column) / len(column) for value in column] for column in runs.T]
    rows = [np.var(row, ddof=1) for row in zip(*columns, strict=True)]
    return np.mean(rows) / np.var(columns, ddof=1)


def _sorts_in_place(accuracies, n):
    accuracies.sort()
    return _weights(accuracies, n) @ accuracies


def _best_by_sum(accuracies, n):
    size = len(accuracies)
    return sum(a * ((k / size) ** n - ((k - 1) / size) ** n) for k, a in enumerate(sorted(accuracies), start=1))


def _draws(accuracies, n):
    return np.mean([np.random.choice(accuracies, n).max() for _ in range(100)])


EXERCISES = (
    Exercise(
        tau,
        test_tau,
        title="Count pairs",
        difficulty=2,
        minutes=6,
        hints=(
            "`combinations(range(len(x)), 2)` gives every pair of positions once.",
            "A pair is in the same order if x and y both rise or both fall, so if a certain product is positive.",
            "Nothing is tied, so a pair that is not in the same order is in opposite order.",
        ),
        wrong=dict(TAU)
        | {
            "returns nothing": lambda x, y: print(end=""),
            "returns 2 numbers": lambda x, y: _same(x, y),
        },
        right=(_tau_by_signs, _tau_by_loops),
    ),
    Exercise(
        noise_share,
        test_noise_share,
        title="How much is luck?",
        difficulty=2,
        minutes=6,
        hints=(
            "Begin with `centred = runs - runs.mean(axis=0)`: no seed is better than another any more.",
            "`centred.var(axis=1, ddof=1)` is the variance between the seeds of each cell. Average it.",
            "Divide by the variance of all entries of `centred`, again with ddof=1.",
        ),
        wrong=dict(NOISE_SHARE)
        | {"input:": _centres_in_place, "returns 7 numbers": lambda runs: _centred(runs).var(axis=1, ddof=1)},
        right=(_noise_by_loops,),
    ),
    Exercise(
        expected_best,
        test_expected_best,
        title="The best of n, without drawing",
        difficulty=3,
        minutes=8,
        hints=(
            "The best of n draws has rank k or less exactly if all n draws have: probability (k/N)ⁿ.",
            "The probability of rank exactly k is that of at most k, minus that of at most k − 1: `np.diff`.",
            "Sort the accuracies, and take the sum of accuracy times probability: `@`.",
        ),
        wrong=dict(EXPECTED_BEST)
        | {
            "input:": _sorts_in_place,
            "random:": _draws,
            "returns 3 numbers": lambda a, n: _weights(a, n) * np.sort(a),
        },
        right=(_best_by_sum,),
    ),
    Exercise(
        honest_report,
        test_honest_report,
        title="Report what you found",
        difficulty=1,
        minutes=3,
        hints=(
            "Two steps: choose, then look. Which of the two numbers may choose?",
            "`np.argmax(validation)` is the number of the chosen architecture.",
        ),
        wrong=dict(HONEST_REPORT) | {"returns 2 numbers": lambda v, t: (np.max(v), t[np.argmax(v)])},
        right=(
            lambda validation, test: max(zip(validation, test, strict=True))[1],
            lambda validation, test: test[list(validation).index(max(validation))],
        ),
    ),
)
