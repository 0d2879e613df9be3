"""Exercises of notebook 09, CIFAR-10 on a GPU; what is built there stands in `nb09_build`."""

import statistics

import numpy as np
import torch

from nas_tutorial.exercises.cases import judge, returned
from nas_tutorial.exercises.frame import Exercise, expect
from nas_tutorial.exercises.patterns import listed


# --- hours from a few timed steps -------------------------------------------------------------------------------------
def hours(seconds, steps, epochs):
    """Hours of a search, from the seconds of a few trial steps, of which the first is slower than all others.

    Whatever disturbs a step makes it longer, so the shortest of the others says most. steps: in an epoch.
    """
    return min(seconds[1:]) * steps * epochs / 3600


HOURS = {
    "first: it is left out, as memory is reserved in it, and code compiled": (
        lambda seconds, steps, epochs: sum(seconds) / len(seconds) * steps * epochs / 3600
    ),
    "first: that counts the first step, which is slower; leave it out": (
        lambda seconds, steps, epochs: seconds[0] * steps * epochs / 3600
    ),
    "shortest: whatever disturbs a step makes it longer, so take the shortest, not the mean": (
        lambda seconds, steps, epochs: sum(seconds[1:]) / len(seconds[1:]) * steps * epochs / 3600
    ),
    "shortest: that is the longest of the others": (
        lambda seconds, steps, epochs: max(seconds[1:]) * steps * epochs / 3600
    ),
    "shortest: that is the last step; take the shortest of all but the first": (
        lambda seconds, steps, epochs: seconds[-1] * steps * epochs / 3600
    ),
    "epochs: that is one epoch; there are more": lambda seconds, steps, epochs: min(seconds[1:]) * steps / 3600,
    "steps: an epoch has more than one": lambda seconds, steps, epochs: min(seconds[1:]) * epochs / 3600,
    "hours: those are minutes": lambda seconds, steps, epochs: min(seconds[1:]) * steps * epochs / 60,
    "hours: those are seconds": lambda seconds, steps, epochs: min(seconds[1:]) * steps * epochs,
}


def test_hours(function):
    cases = [((3.0, 0.5, 0.4, 0.6), 390, 50), ((9.0, 0.21, 0.25, 0.22), 39, 15), ((0.8, 0.7, 0.75), 100, 3)]
    judge(function, hours, HOURS, cases, where=of_times, way=all_seconds)


def of_times(seconds, steps, epochs):
    """A case in words."""
    return f"for steps of {listed(seconds)} s, {steps} in an epoch, {epochs} epochs,"


def all_seconds(seconds, steps, epochs):
    """The way to `hours`."""
    return f"the shortest of all but the first is {min(seconds[1:]):g} s, and there are {steps * epochs:,} steps"


# --- gradients of two parts -------------------------------------------------------------------------------------------
def joined(one, other, n, m):
    """The gradient of the mean loss of n + m pictures, from those of the mean losses of n and of m of them."""
    return (n * one + m * other) / (n + m)


JOINED = {
    "sum: the loss is a mean, so its gradient is a mean, too": lambda one, other, n, m: one + other,
    "parts: n and m may differ; a part with more pictures counts more": lambda one, other, n, m: (one + other) / 2,
    "weights: that gives the weight of one part to the other": lambda one, other, n, m: (m * one + n * other) / (n + m),
    "mean: divide by the number of all pictures, n + m": lambda one, other, n, m: n * one + m * other,
    "mean: those are means of n and of m pictures already; weight them, then divide by n + m": (
        lambda one, other, n, m: (one + other) / (n + m)
    ),
    "other: both parts count": lambda one, other, n, m: one,
    "one number for each entry: gradients are averaged entry by entry": (
        lambda one, other, n, m: ((n * one + m * other) / (n + m)).sum()
    ),
}


def entries(got, where):
    """What came back, as a list of numbers."""
    values = returned(got, where)
    return np.atleast_1d(np.asarray(values.detach() if hasattr(values, "detach") else values, float)).tolist()


def test_joined(function):
    generator = torch.Generator().manual_seed(0)
    sizes = ((32, 32), (48, 16), (10, 30))
    cases = [(*torch.randn(2, 5, generator=generator, dtype=torch.float64), n, m) for n, m in sizes]
    judge(function, joined, JOINED, cases, shares, read=entries)


def shares(one, other, n, m):
    """The way to `joined`."""
    return f"the first part has {n / (n + m):.4g} of all pictures, the second {m / (n + m):.4g}"


# --- a band ---------------------------------------------------------------------------------------------------------
def band(scores):
    """(mean, standard deviation with n − 1) of the scores of several seeds."""
    return statistics.fmean(scores), statistics.stdev(scores)


BAND = {
    "mean: that is the best seed; report the mean of all": lambda scores: (max(scores), statistics.stdev(scores)),
    "mean: that is the seed in the middle; the mean is asked for": lambda scores: (
        statistics.median(scores),
        statistics.stdev(scores),
    ),
    "n − 1: the mean was taken from the same scores, so divide by n − 1 (ddof=1, or statistics.stdev)": lambda scores: (
        statistics.fmean(scores),
        statistics.pstdev(scores),
    ),
    "deviation: that is the variance; take its root": lambda scores: (
        statistics.fmean(scores),
        statistics.variance(scores),
    ),
    "deviation: that is the error of the mean; the spread of single seeds is asked for": lambda scores: (
        statistics.fmean(scores),
        statistics.stdev(scores) / len(scores) ** 0.5,
    ),
    "deviation: that is the range, which grows with the number of seeds": lambda scores: (
        statistics.fmean(scores),
        max(scores) - min(scores),
    ),
    "order: the mean first, then the deviation": lambda scores: (statistics.stdev(scores), statistics.fmean(scores)),
}


def two_numbers(got, where):
    """What came back, as two numbers."""
    values = [float(value) for value in returned(got, where)]
    expect(len(values) == 2, f"return two numbers, (mean, deviation); yours are {len(values)}")
    return tuple(values)


def test_band(function):
    cases = [([0.91, 0.92, 0.9],), ([0.5, 0.7, 0.9, 0.4],), ([0.25, 0.3],)]
    judge(function, band, BAND, cases, off_the_mean, read=two_numbers)


def off_the_mean(scores):
    """The way to `band`."""
    mean = statistics.fmean(scores)
    return f"the scores are off their mean by {listed([score - mean for score in scores])}"


EXERCISES = (
    Exercise(
        hours,
        test_hours,
        title="How many hours?",
        difficulty=1,
        minutes=4,
        hints=(
            "seconds[1:] are all trial steps but the first. Which of them was disturbed least?",
            "The shortest of them, times the steps of an epoch, times the epochs, divided by 3600.",
        ),
        wrong=HOURS,
        right=(
            lambda seconds, steps, epochs: sorted(seconds[1:])[0] / 60 / 60 * (steps * epochs),
            lambda seconds, steps, epochs: np.min(np.array(seconds)[1:]) * steps * epochs / 3600,
        ),
    ),
    Exercise(
        joined,
        test_joined,
        title="One gradient from two parts",
        difficulty=1,
        minutes=4,
        hints=(
            "n times the mean over n pictures is their sum. Add both sums up.",
            "Then divide by the number of all pictures: (n * one + m * other) / (n + m).",
        ),
        wrong=JOINED,
        right=(
            lambda one, other, n, m: one + (other - one) * m / (n + m),
            lambda one, other, n, m: [(n * a + m * b) / (n + m) for a, b in zip(one, other, strict=True)],
        ),
    ),
    Exercise(
        band,
        test_band,
        title="A band, not the best of three",
        difficulty=1,
        minutes=4,
        hints=(
            "sum(scores) / len(scores) is the mean. Then the root of the mean squared distance from it, but …",
            "… divided by n − 1, not n. np.std(scores, ddof=1) and statistics.stdev(scores) do so.",
        ),
        wrong=BAND,
        right=(
            lambda scores: (np.mean(scores), np.std(scores, ddof=1)),
            lambda scores: [sum(scores) / len(scores), float(torch.tensor(scores, dtype=torch.float64).std())],
        ),
    ),
)
