"""Exercises of notebook 02, Know the truth. The build, `train_table`, is in `nb02_build.py`."""

import numpy as np

from nas_tutorial.exercises import nb02_answers as answers
from nas_tutorial.exercises.cases import judge
from nas_tutorial.exercises.frame import Exercise
from nas_tutorial.exercises.patterns import listed


# --- count pairs ------------------------------------------------------------------------------------------------------
def test_tau(function):
    draw = np.random.default_rng(0)
    arrays = [tuple(scale * draw.normal(size=(2, size))) for size, scale in ((5, 1), (6, 1), (9, 1), (7, 5e-4))]
    lists = [([3, 1, 9, 2], [2, 1, 4, 3]), ([0.7, 0.1, 0.4], [6, 8, 7])]
    judge(function, answers.tau, answers.TAU, arrays + lists, pairs_by_order)


def pairs_by_order(x, y):
    """The way to `tau`."""
    same, pairs = answers.in_same_order(x, y)
    return f"of {pairs} pairs {same} are in the same order, {pairs - same} in opposite order"


# --- how much is luck -------------------------------------------------------------------------------------------------
def test_noise_share(function):
    draw = np.random.default_rng(0)
    cases = []
    for cells, seeds in ((7, 3), (4, 5), (12, 2)):
        cases.append((draw.normal(size=(cells, 1)) + draw.normal(size=seeds) + 0.5 * draw.normal(size=(cells, seeds)),))
    judge(function, answers.noise_share, answers.NOISE_SHARE, cases, two_variances)


def two_variances(runs):
    """The way to `noise_share`."""
    left = answers.centred(runs)
    inside, all_of_it = left.var(axis=1, ddof=1).mean(), left.var(ddof=1)
    return (
        f"without the seeds' means (the first is {runs.mean(axis=0)[0]:.3g}) the variance within a cell is "
        f"{inside:.4g} on average, and that of all entries {all_of_it:.4g}"
    )


# --- the best of n, without drawing -----------------------------------------------------------------------------------
def test_expected_best(function):
    draw = np.random.default_rng(0)
    cases = [(draw.random(size), n) for size, n in ((3, 2), (5, 4), (8, 1), (8, np.int64(7)), (9, 20), (40, 50))]
    cases.append((draw.choice(draw.random(4), size=11), 3))  # equal accuracies
    judge(function, answers.expected_best, answers.EXPECTED_BEST, cases, chances_of_ranks)


def chances_of_ranks(accuracies, n):
    """The way to `expected_best`."""
    chances = answers.weights(accuracies, n)
    return (
        f"sorted they are {listed(np.sort(accuracies), 2, 5)}; the largest is the best of the draws with probability "
        f"{chances[-1]:.3g}, the next one with {chances[-2]:.3g}"
    )


# --- report what you found --------------------------------------------------------------------------------------------
def test_honest_report(function):
    draw = np.random.default_rng(0)
    cases = [tuple(draw.random((2, size))) for size in (5, 9, 6, 12)]
    judge(function, answers.honest_report, answers.HONEST_REPORT, cases, winner)


def winner(validation, test):
    """The way to `honest_report`."""
    best = np.argmax(validation)
    return f"the best on validation is number {best}, counted from 0, with {validation[best]:.4g}"


# --- all of them ------------------------------------------------------------------------------------------------------


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
