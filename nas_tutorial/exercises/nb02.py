"""Exercises of notebook 02, Know the truth."""

from itertools import combinations

import numpy as np

from nas_tutorial.exercises.frame import Exercise, compare


def tau(x, y):
    """Kendall's τ where nothing is tied: (pairs in the same order − pairs in opposite order) / pairs."""
    pairs = list(combinations(range(len(x)), 2))
    same = sum((x[i] - x[j]) * (y[i] - y[j]) > 0 for i, j in pairs)
    return (same - (len(pairs) - same)) / len(pairs)


def test_tau(function):
    mistakes = {
        "subtract: this is the share of pairs in the same order; those in opposite order count against it": 5 / 6,
        "twice: each pair is counted in both directions": 8 / 6,
        "pairs: divide by the number of pairs, N(N − 1)/2, not by N²": 4 / 16,
        "sign: two equal rankings would get −1": -4 / 6,
        "values: only the order counts, not how far apart two values are": np.corrcoef([1, 2, 3, 9], [1, 2, 4, 3])[
            0, 1
        ],
    }
    compare(function([1, 2, 3, 9], [1, 2, 4, 3]), 4 / 6, mistakes, "for five pairs in the same order and one swapped")
    compare(function([1, 2, 3], [6, 5, 4]), -1, {}, "for a reversed ranking")


def expected_best(accuracies, n):
    """Expected best of n architectures drawn independently and uniformly: Σ_k a_(k) · [(k/N)ⁿ − ((k−1)/N)ⁿ]."""
    ordered = np.sort(accuracies)
    at_most = np.arange(len(ordered) + 1) / len(ordered)  # probability that one draw has rank k or less
    return float(np.diff(at_most**n) @ ordered)


def test_expected_best(function):
    mistakes = {
        "sort: the k-th smallest needs the accuracies in ascending order": (0.9 + 3 * 0.1 + 5 * 0.5) / 9,
        "difference: (k/N)ⁿ is the probability of rank k or less; subtract that of k − 1": (0.1 + 4 * 0.5 + 9 * 0.9)
        / 9,
        "n: this is the mean, which is the answer for n = 1 only": 0.5,
        "back: the same architecture may be drawn twice": (0.5 + 0.9 + 0.9) / 3,
        "descending: the largest accuracy must get the largest weight": (0.9 + 3 * 0.5 + 5 * 0.1) / 9,
        "certain: this is the best of all, as if you drew everything": 0.9,
    }
    accuracies = np.array([0.9, 0.1, 0.5])
    compare(function(accuracies, 2), (0.1 + 3 * 0.5 + 5 * 0.9) / 9, mistakes, "for two draws out of 0.9, 0.1, 0.5")
    compare(function(accuracies, 1), 0.5, {}, "for a single draw")
    compare(function(accuracies, 100), 0.9, {}, "for a hundred draws")


def honest_report(validation, test):
    """The number to publish: test accuracy of the architecture that is best on validation."""
    return float(test[np.argmax(validation)])


def test_honest_report(function):
    mistakes = {
        "peeking: you chose by test accuracy, so the test was part of the search": 0.8,
        "validation: the number that made the choice is too good; report the test accuracy of what was chosen": 0.9,
        "mean: report the chosen architecture, not all of them": 0.6,
    }
    validation, test = np.array([0.5, 0.9, 0.7]), np.array([0.3, 0.7, 0.8])
    compare(function(validation, test), 0.7, mistakes, "for validation 0.5, 0.9, 0.7 and test 0.3, 0.7, 0.8")


def noise_share(runs):
    """Variance between seeds (mean over the architectures) divided by the variance of all single runs; runs: (N, S)."""
    return float(runs.var(axis=1, ddof=1).mean() / runs.var(ddof=1))


def test_noise_share(function):
    runs = np.array([[0.2, 0.4, 0.3], [0.7, 0.9, 0.5], [0.5, 0.5, 0.4], [0.1, 0.3, 0.5]])
    seeds, total = runs.var(axis=1, ddof=1).mean(), runs.var(ddof=1)
    mistakes = {
        "axis: one row is one architecture, so the seeds are along axis 1": runs.var(axis=0, ddof=1).mean() / total,
        "squares: shares are shares of variance, not of standard deviation": runs.std(axis=1, ddof=1).mean()
        / total**0.5,
        "upside down: the noise belongs above the line": total / seeds,
        "rest: this is the share that is not noise": 1 - seeds / total,
        "ddof: with three seeds divide by two, ddof=1, or the noise looks smaller than it is": runs.var(axis=1).mean()
        / runs.var(),
    }
    compare(function(runs), seeds / total, mistakes, "for four architectures with three seeds")


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
        wrong={
            "subtract:": lambda x, y: np.mean(
                [(x[i] < x[j]) == (y[i] < y[j]) for i, j in combinations(range(len(x)), 2)]
            ),
            "twice:": lambda x, y: 2 * tau(x, y),
            "pairs:": lambda x, y: tau(x, y) * (len(x) - 1) / 2 / len(x),
            "sign:": lambda x, y: -tau(x, y),
            "values:": lambda x, y: np.corrcoef(x, y)[0, 1],
        },
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
        wrong={
            "sort:": lambda a, n: np.diff((np.arange(len(a) + 1) / len(a)) ** n) @ a,
            "difference:": lambda a, n: ((np.arange(1, len(a) + 1) / len(a)) ** n) @ np.sort(a),
            "n:": lambda a, n: np.mean(a),
            "back:": lambda a, n: np.mean([max(some) for some in combinations(a, min(n, len(a)))]),
            "descending:": lambda a, n: np.diff((np.arange(len(a) + 1) / len(a)) ** n) @ np.sort(a)[::-1],
            "certain:": lambda a, n: np.max(a),
        },
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
        wrong={
            "peeking:": lambda validation, test: np.max(test),
            "validation:": lambda validation, test: np.max(validation),
            "mean:": lambda validation, test: np.mean(test),
        },
    ),
    Exercise(
        noise_share,
        test_noise_share,
        title="How much is luck?",
        difficulty=2,
        minutes=6,
        hints=(
            "`runs.var(axis=1, ddof=1)` is the variance between the seeds of each architecture.",
            "Average it over the architectures; then divide by the variance of all numbers in the table.",
        ),
        wrong={
            "axis:": lambda runs: runs.var(axis=0, ddof=1).mean() / runs.var(ddof=1),
            "squares:": lambda runs: runs.std(axis=1, ddof=1).mean() / runs.std(ddof=1),
            "upside down:": lambda runs: 1 / noise_share(runs),
            "rest:": lambda runs: 1 - noise_share(runs),
            "ddof:": lambda runs: runs.var(axis=1).mean() / runs.var(),
        },
    ),
)
