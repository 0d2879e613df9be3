"""Exercises of notebook 07, DARTS: relax, then descend."""

import math
import random

import numpy as np
import torch

from nas_tutorial.exercises.cases import judge, returned
from nas_tutorial.exercises.frame import Exercise, expect
from nas_tutorial.exercises.patterns import listed


# --- how far ahead ----------------------------------------------------------------------------------------------------
def lead(p, others):
    """The α at which an operation has probability p, when `others` more of them stand at α = 0.

    p = exp(α) / (exp(α) + others), so α = log(p · others / (1 − p)).
    """
    return math.log(p * others / (1 - p))


LEAD = {
    "log(p) is α only if the sum below the line were 1; it is exp(α) + others": lambda p, others: math.log(p),
    "that counts one other; each of the others adds exp(0) = 1 below the line": lambda p, others: math.log(p / (1 - p)),
    "that counts one other too many; the operation itself is not among the others": lambda p, others: math.log(
        p * (others + 1) / (1 - p)
    ),
    "sign: an α above 0 is a lead over the others, who stand at 0": lambda p, others: -math.log(p * others / (1 - p)),
    "the logarithm is missing: that is exp(α)": lambda p, others: p * others / (1 - p),
    "use the natural logarithm, as exp does": lambda p, others: math.log10(p * others / (1 - p)),
    "what the others share is 1 − p, and α is a logarithm of a ratio: divide p by it": lambda p, others: math.log(
        p * others * (1 - p)
    ),
    "each other operation counts once: multiply by others, do not divide": lambda p, others: math.log(
        p / (1 - p) / others
    ),
}


def test_lead(function):
    judge(function, lead, LEAD, [(0.9, 4), (0.2, 4), (0.5, 1), (0.35, 7)], below_the_line)


def below_the_line(p, others):
    """The way to `lead`."""
    size = p * others / (1 - p)
    return f"exp(α) has to be {size:.4g}, which is {p:g} of {size + others:.4g}; the others add {others} to that"


# --- the slope through softmax ----------------------------------------------------------------------------------------
def softmax_slope(p, g):
    """∂L/∂α from p = softmax(α) and g = ∂L/∂p: each operation is compared with the mean of all, p · (g − Σ p g)."""
    return p * (g - (p * g).sum())


SOFTMAX_SLOPE = {
    "mean: you forgot that the others shrink when one grows; subtract the mean Σ p g from g first": lambda p, g: p * g,
    "mean: weight it by p; operations with a large share count more": lambda p, g: p * (g - g.mean()),
    "share: multiply the difference by p; an operation with a tiny share hardly moves": lambda p, g: g - (p * g).sum(),
    "sign: g comes first, then the mean is taken away": lambda p, g: p * ((p * g).sum() - g),
    "others: p (1 − p) g is only what an operation does to itself; α moves the other shares, too": lambda p, g: (
        p * (1 - p) * g
    ),
    "one number for each operation: only the mean inside the bracket is summed up": lambda p, g: (
        p * (g - (p * g).sum())
    ).sum(),
    "mean: add up p g, do not take its mean": lambda p, g: p * (g - (p * g).mean()),
    "g is missing: that is what an operation does to its own share": lambda p, g: p * (1 - p),
    "one number for each operation: multiply this matrix of derivatives by g": (
        lambda p, g: torch.diag(p) - torch.outer(p, p)
    ),
}


def numbers(got, where):
    """What came back, as a list of numbers."""
    values = np.asarray(returned(got, where), float)
    expect(values.ndim < 2, "one number for each operation: multiply this matrix of derivatives by g")
    return np.atleast_1d(values).tolist()


def test_softmax_slope(function):
    generator = torch.Generator().manual_seed(0)
    cases = []
    for count in (2, 3, 5, 5):
        p, g = torch.randn(2, count, generator=generator, dtype=torch.float64)
        cases.append((p.softmax(0), 3 * g))
    judge(function, softmax_slope, SOFTMAX_SLOPE, cases, gaps_to_the_mean, read=numbers)


def gaps_to_the_mean(p, g):
    """The way to `softmax_slope`."""
    mean = (p * g).sum()
    return f"the mean of g, weighted by p, is {mean:.4g}, so g is above it by {listed((g - mean).tolist())}"


def slope_with_loops(p, g):
    """Another style: a list, from the matrix of derivatives p_i (δ_ij − p_j)."""
    n = len(p)
    return [sum(float(g[i]) * float(p[i]) * ((i == j) - float(p[j])) for i in range(n)) for j in range(n)]


def slope_by_autograd(p, g):
    """Another style: autograd, as softmax(log p) = p."""
    alpha = p.log().requires_grad_()
    return torch.autograd.grad((alpha.softmax(0) * g).sum(), alpha)[0]


# --- round the blend --------------------------------------------------------------------------------------------------
def round_cell(table, operations):
    """For each edge the name of its likeliest operation other than "none".

    table: a row of probabilities for each edge, in the order of `operations`.
    """
    allowed = [i for i, name in enumerate(operations) if name != "none"]
    return [operations[max(allowed, key=lambda i: row[i])] for row in table]


def shifted(table, operations):
    """The number of the winner among those that remain is read in the whole list."""
    allowed = [i for i, name in enumerate(operations) if name != "none"]
    return [operations[int(np.argmax([row[i] for i in allowed]))] for row in table]


ROUND_CELL = {
    "none: an edge may not become none, even where none is likeliest": lambda table, operations: [
        operations[int(np.argmax(row))] for row in table
    ],
    "shift: you left out none, and then read the winner's number in the whole list of names": shifted,
    "names: you give numbers, look their names up": lambda table, operations: [
        operations.index(name) for name in round_cell(table, operations)
    ],
    "edges: one name for each row of the table": lambda table, operations: round_cell(table, operations)[0],
    "largest: yours takes the second of all, but where none is not the largest, the largest stays": (
        lambda table, operations: [operations[int(np.argsort(row)[-2])] for row in table]
    ),
    "largest: you take the least likely operation": lambda table, operations: [
        min((p, name) for p, name in zip(row, operations, strict=True) if name != "none")[1] for row in table
    ],
    "each edge for itself: yours has the same operation, the best on average, on every edge": (
        lambda table, operations: (
            [max((sum(row[i] for row in table), name) for i, name in enumerate(operations) if name != "none")[1]]
            * len(table)
        )
    ),
    "columns: a row of the table is an edge, a column is an operation": lambda table, operations: [
        operations[int(np.argmax([row[i] for row in table]))] for i in range(len(operations))
    ],
}


def test_round_cell(function):
    rng, names = random.Random(0), ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
    cases = []
    for place in (0, 0, 3, 4):
        table = [[rng.random() for _ in names] for _ in range(4)]
        table[1][place] = 2.0  # none is likeliest here
        cases.append((table, names[1 : place + 1] + names[:1] + names[place + 1 :]))
    judge(function, round_cell, ROUND_CELL, cases, largest_left, read=names_of_edges, where=of_table)


def of_table(table, operations):
    """A case in words."""
    return f"for operations {operations} and rows {np.round(table, 2).tolist()}"


def names_of_edges(got, where):
    """What came back, as a list of names; a single name stays what it is."""
    names = returned(got, where) if isinstance(got, str) else list(returned(got, where))
    numbers = not isinstance(names, str) and any(not isinstance(name, str) for name in names)
    expect(not numbers, "names: you give numbers, look their names up")
    return names


def largest_left(table, operations):
    """The way to `round_cell`."""
    left = (max(p for p, name in zip(row, operations, strict=True) if name != "none") for row in table)
    return f"without none the largest of each row is {listed(left)}"


def round_with_arrays(table, operations):
    """Another style: numpy, and a tuple of names."""
    table = np.array(table, float)
    table[:, list(operations).index("none")] = -1
    return tuple(operations[i] for i in table.argmax(1))


def round_by_sorting(table, operations):
    """Another style: pairs, sorted."""
    return [
        sorted((p, name) for p, name in zip(row, operations, strict=True) if name != "none")[-1][1] for row in table
    ]


EXERCISES = (
    Exercise(
        lead,
        test_lead,
        title="How far ahead?",
        difficulty=1,
        minutes=3,
        hints=(
            "With the others at 0, p = exp(α) / (exp(α) + others). Solve for exp(α) first.",
            "exp(α) · (1 − p) = p · others. Then take the natural logarithm.",
        ),
        wrong=LEAD,
        right=(lambda p, others: np.log(others * p) - np.log1p(-p), lambda p, others: math.log(others / (1 / p - 1))),
    ),
    Exercise(
        softmax_slope,
        test_softmax_slope,
        title="The slope through softmax",
        difficulty=2,
        minutes=5,
        hints=(
            "Raising α of one operation adds p (1 − p) to its own share, and takes p · (its share) from every other.",
            "Write ∂L/∂α of operation j as a sum over all i of g_i p_i (δ_ij − p_j), and pull p_j out.",
            "What is left in the bracket is g_j minus the mean of g, weighted by p: p * (g − (p * g).sum()).",
        ),
        wrong=SOFTMAX_SLOPE,
        right=(slope_with_loops, slope_by_autograd),
    ),
    Exercise(
        round_cell,
        test_round_cell,
        title="Round the blend",
        difficulty=1,
        minutes=4,
        hints=(
            'Go through the rows; among all operations but "none", find the one with the largest probability.',
            "max(allowed, key=lambda i: row[i]) gives its number, if `allowed` holds the numbers of all but none.",
        ),
        wrong=ROUND_CELL,
        right=(round_with_arrays, round_by_sorting),
    ),
)
