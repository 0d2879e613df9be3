"""Answers to the exercises of notebook 02: references, other right answers, and mistakes by what is wrong with them."""

from itertools import combinations

import numpy as np
from scipy.stats import spearmanr


# --- count pairs ------------------------------------------------------------------------------------------------------
def tau(x, y):
    """Kendall's τ where nothing is tied: (pairs in the same order − pairs in opposite order) / pairs."""
    pairs = list(combinations(range(len(x)), 2))
    same = sum((x[i] - x[j]) * (y[i] - y[j]) > 0 for i, j in pairs)
    return (same - (len(pairs) - same)) / len(pairs)


def in_same_order(x, y):
    """Number of pairs in the same order, and of all pairs."""
    pairs = list(combinations(range(len(x)), 2))
    return sum((x[i] < x[j]) == (y[i] < y[j]) for i, j in pairs), len(pairs)


TAU = {
    "subtract: this is the share of pairs in the same order; those in opposite order count against it": lambda x, y: (
        in_same_order(x, y)[0] / in_same_order(x, y)[1]
    ),
    "opposite: this is the share of pairs in opposite order": lambda x, y: (
        1 - in_same_order(x, y)[0] / in_same_order(x, y)[1]
    ),
    "twice: each pair is counted in both directions, but the number of pairs is that of one": lambda x, y: (
        2 * tau(x, y)
    ),
    "pairs: there are N(N − 1)/2 pairs; you divide by N²": lambda x, y: (
        tau(x, y) * in_same_order(x, y)[1] / len(x) ** 2
    ),
    "itself: no entry makes a pair with itself; you divide by N(N + 1)/2": lambda x, y: (
        tau(x, y) * (len(x) - 1) / (len(x) + 1)
    ),
    "divide: this is the difference of two counts; divide by the number of pairs": lambda x, y: (
        tau(x, y) * in_same_order(x, y)[1]
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


# --- how much is luck -------------------------------------------------------------------------------------------------
def noise_share(runs):
    """Share of luck: variance between the seeds of a cell, divided by the variance of all; runs: (N, S).

    Before, each seed's mean is taken out: a shift that all cells share changes no ranking.
    """
    centred = runs - runs.mean(axis=0)  # (N, S)
    return float(centred.var(axis=1, ddof=1).mean() / centred.var(ddof=1))


def centred(runs):
    return runs - runs.mean(axis=0)


NOISE_SHARE = {
    "shift: what all cells of a seed share is still in; subtract from each column its own mean, runs.mean(axis=0)": (
        lambda runs: runs.var(axis=1, ddof=1).mean() / runs.var(ddof=1)
    ),
    "above only: take the shift out of the numbers below the line, too": lambda runs: (
        centred(runs).var(axis=1, ddof=1).mean() / runs.var(ddof=1)
    ),
    "below only: take the shift out of the numbers above the line, too": lambda runs: (
        runs.var(axis=1, ddof=1).mean() / centred(runs).var(ddof=1)
    ),
    "rows: you subtracted each cell's mean, and with it what makes cells differ; subtract each seed's, axis=0": (
        lambda runs: (
            (runs - runs.mean(1, keepdims=True)).var(axis=1, ddof=1).mean()
            / (runs - runs.mean(1, keepdims=True)).var(ddof=1)
        )
    ),
    "axis: one row is one cell, so its seeds lie along axis 1": lambda runs: (
        centred(runs).var(axis=0, ddof=1).mean() / centred(runs).var(ddof=1)
    ),
    "means: this is the variance of the cells' means; luck is the variance inside each row": lambda runs: (
        centred(runs).mean(axis=1).var(ddof=1) / centred(runs).var(ddof=1)
    ),
    "squares: shares are shares of variance, not of standard deviation": lambda runs: (
        centred(runs).std(axis=1, ddof=1).mean() / centred(runs).std(ddof=1)
    ),
    "upside down: luck belongs above the line": lambda runs: 1 / noise_share(runs),
    "rest: this is the share that is not luck": lambda runs: 1 - noise_share(runs),
    "divide: this is the variance of luck; divide by the variance of all": lambda runs: (
        centred(runs).var(axis=1, ddof=1).mean()
    ),
    "ddof: with three seeds divide by two, ddof=1, or luck looks smaller than it is": lambda runs: (
        centred(runs).var(axis=1).mean() / centred(runs).var()
    ),
}


# --- the best of n, without drawing -----------------------------------------------------------------------------------
def expected_best(accuracies, n):
    """Expected best of n architectures drawn independently and uniformly: Σ_k a_(k) · [(k/N)ⁿ − ((k−1)/N)ⁿ]."""
    ordered = np.sort(accuracies)
    at_most = np.arange(len(ordered) + 1) / len(ordered)  # probability that one draw has rank k or less
    return float(np.diff(at_most**n) @ ordered)


def weights(accuracies, n):
    """Probability of each rank, from the worst."""
    return np.diff((np.arange(len(accuracies) + 1) / len(accuracies)) ** n)


EXPECTED_BEST = {
    "sort: the k-th smallest needs the accuracies in ascending order": lambda a, n: weights(a, n) @ a,
    "descending: the largest accuracy must get the largest weight": lambda a, n: weights(a, n) @ np.sort(a)[::-1],
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
    "equal: cells of equal accuracy are drawn one by one, too; `np.unique` keeps one of them": lambda a, n: (
        weights(np.unique(a), n) @ np.unique(a)
    ),
    "many: even after many draws the best of all may be missing": lambda a, n: (
        np.max(a) if n > 20 else weights(a, n) @ np.sort(a)
    ),
}


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


# --- in other styles, right and wrong ---------------------------------------------------------------------------------
def tau_by_signs(x, y):
    x, y = np.asarray(x), np.asarray(y)
    upper = np.triu_indices(len(x), 1)
    return np.sign((x[:, None] - x) * (y[:, None] - y))[upper].mean()


def tau_by_loops(x, y):
    total = 0
    for i in range(len(x)):
        for j in range(len(x)):
            if i != j:
                total += 1 if (x[i] > x[j]) == (y[i] > y[j]) else -1
    return total / (len(x) * (len(x) - 1))


def centres_in_place(runs):
    runs -= runs.mean(axis=0)
    return runs.var(axis=1, ddof=1).mean() / runs.var(ddof=1)


def noise_by_loops(runs):
    columns = [[value - sum(column) / len(column) for value in column] for column in runs.T]
    rows = [np.var(row, ddof=1) for row in zip(*columns, strict=True)]
    return np.mean(rows) / np.var(columns, ddof=1)


def sorts_in_place(accuracies, n):
    accuracies.sort()
    return weights(accuracies, n) @ accuracies


def best_by_sum(accuracies, n):
    size = len(accuracies)
    return sum(a * ((k / size) ** n - ((k - 1) / size) ** n) for k, a in enumerate(sorted(accuracies), start=1))


def draws(accuracies, n):
    return np.mean([np.random.choice(accuracies, n).max() for _ in range(100)])
