"""Exercises of notebook 05, Learn to sample; what is built there stands in `nb05_build`."""

import random
from itertools import product

import numpy as np

from nas_tutorial.exercises.cases import judge, returned
from nas_tutorial.exercises.frame import Exercise, expect
from nas_tutorial.exercises.patterns import listed


# --- sum up the policy ------------------------------------------------------------------------------------------------
def expected_reward(probabilities, rewards):
    """The mean reward of a policy: Σ π(cell) · R(cell) over all cells.

    probabilities: (decisions, options), a row for each decision; rewards: one for each cell, in the order in which
    cells are listed, the last decision changing fastest.
    """
    cells = product(*probabilities)  # of every cell its probabilities, one per decision
    return sum(np.prod(p) * r for p, r in zip(cells, rewards, strict=True))


def first_fastest(p, r):
    """The cells are listed with the first decision changing fastest."""
    return sum(np.prod(q) * x for q, x in zip(product(*p[::-1]), r, strict=True))


EXPECTED_REWARD = {
    "that is the mean reward of blind dice: weigh each reward by the probability of its cell": (
        lambda p, r: float(np.mean(r))
    ),
    "that is the reward of the likeliest cell only; all cells count": (
        lambda p, r: r[int(np.ravel_multi_index(tuple(np.argmax(p, 1)), (len(p[0]),) * len(p)))]
    ),
    "order: the last decision changes fastest, in yours the first one does": first_fastest,
    "a cell's probability is the product over its decisions; yours is their sum": (
        lambda p, r: sum(np.sum(q) * x for q, x in zip(product(*p), r, strict=True))
    ),
    "a sum over all cells, weighted, is a mean already; do not divide by their number": (
        lambda p, r: expected_reward(p, r) / len(r)
    ),
    "that is the best reward; a policy rarely draws only the best cell": lambda p, r: max(r),
    "that is the sum of the probabilities, 1; multiply each by its reward": (
        lambda p, r: sum(np.prod(q) for q in product(*p))
    ),
}


def test_expected_reward(function):
    source = np.random.default_rng(0)
    # as large as the notebook's, so that three loops of five are right, too
    cases = [(source.dirichlet(np.ones(5), 3), source.random(125)) for _ in range(3)]
    judge(function, expected_reward, EXPECTED_REWARD, cases, two_cells, where=of_table)


def of_table(p, r):
    """A case in words."""
    return f"{of_rows(p)} and {len(r)} rewards"


def two_cells(p, r):
    """The way to `expected_reward`."""
    chances = [float(np.prod(cell)) for cell in product(*p)]
    return (
        f"cell 0 comes with probability {chances[0]:.4g} and has the reward {r[0]:.4g}, cell 1 with {chances[1]:.4g} "
        f"and {r[1]:.4g}; they add {chances[0] * r[0]:.4g} and {chances[1] * r[1]:.4g}"
    )


def by_index(probabilities, rewards):
    """Another style: an outer product."""
    table = np.ones(1)
    for row in np.asarray(probabilities):
        table = np.multiply.outer(table, row)
    return (table.ravel() * np.asarray(rewards)).sum()


# --- move the baseline ------------------------------------------------------------------------------------------------
def advantages(rewards, baseline, decay):
    """R − b of each reward in turn; b moves by (1 − decay) · (R − b) to each reward before it is subtracted."""
    found = []
    for reward in rewards:
        baseline += (1 - decay) * (reward - baseline)
        found.append(reward - baseline)
    return found


def subtracted_first(rewards, baseline, decay):
    """R − b with the old b."""
    found = []
    for reward in rewards:
        found.append(reward - baseline)
        baseline += (1 - decay) * (reward - baseline)
    return found


def baselines(rewards, baseline, decay):
    """The moving baseline itself."""
    return [reward - gain for reward, gain in zip(rewards, advantages(rewards, baseline, decay), strict=True)]


ADVANTAGES = {
    "order: the baseline takes in a reward before that is compared with it": subtracted_first,
    "decay is what stays of the old baseline; it moves by 1 − decay": lambda r, b, d: advantages(r, b, 1 - d),
    "the baseline goes on from where it was; yours starts anew for every reward": (
        lambda r, b, d: [advantages([x], b, d)[0] for x in r]
    ),
    "sign: R − b, a good reward gives a positive number": lambda r, b, d: [-x for x in advantages(r, b, d)],
    "these are the baselines; return what is left, R − b": baselines,
    "the baseline never moves": lambda r, b, d: [x - b for x in r],
    "that is the mean of these rewards as baseline; it is to move from one to the next": (
        lambda r, b, d: [x - sum(r) / len(r) for x in r]
    ),
    "the baseline is missing: that is the rewards again": lambda r, b, d: list(r),
}


def test_advantages(function):
    source = random.Random(0)
    sizes = ((0.3, 0.99, 4), (0.5, 0.9, 3), (0.0, 0.7, 5))
    cases = [([source.random() for _ in range(count)], start, decay) for start, decay, count in sizes]
    judge(function, advantages, ADVANTAGES, cases, first_move, read=row, where=of_rewards)


def row(answer, where):
    """A list of numbers, from whatever holds them."""
    returned(answer, where)
    expect(np.ndim(answer) or hasattr(answer, "__iter__"), "a list is wanted: one R − b for every reward")
    return [float(x) for x in answer]


def of_rewards(rewards, baseline, decay):
    """A case in words."""
    return f"for the rewards {listed(rewards)}, the baseline {baseline} and the decay {decay}"


def first_move(rewards, baseline, decay):
    """The way to `advantages`."""
    moved = baseline + (1 - decay) * (rewards[0] - baseline)
    return (
        f"the first reward moves the baseline from {baseline:.4g} to {moved:.4g}; the second one moves it on from there"
    )


# --- measure doubt ----------------------------------------------------------------------------------------------------
def entropy(probabilities):
    """Entropy of a policy in nats: −Σ p · log p over all decisions and options; an option with p = 0 adds nothing."""
    p = np.asarray(probabilities, float)
    return -sum(x * np.log(x) for x in p.ravel() if x > 0)


def of_cells(p):
    """The entropy that the plain formula gives, nan where a probability is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(-(p * np.log(p)).sum())


ENTROPY = {
    "sign: entropy is never negative": lambda p: -entropy(p),
    "weigh each logarithm by its probability: p · log p": lambda p: float(-np.log(np.asarray(p)[p > 0]).sum()),
    "use the natural logarithm, np.log": lambda p: entropy(p) / np.log(2),
    "the decisions' entropies add up; yours are averaged": lambda p: entropy(p) / len(p),
    "all decisions count; yours is the entropy of the first one": lambda p: entropy(p[:1]),
    "where p is 0, log p is −∞ and p · log p becomes nan; leave that option out, it adds nothing": of_cells,
    "p · log p for each option; p · p is another measure": lambda p: float(1 - (np.asarray(p) ** 2).sum()),
}


def test_entropy(function):
    source = np.random.default_rng(0)
    sure = np.array([[1.0, 0.0, 0.0], [0.5, 0.0, 0.5]])
    cases = [(source.dirichlet(np.ones(5), 3),), (source.dirichlet(np.ones(2), 4),), (sure,)]
    with np.errstate(all="ignore"):
        judge(function, entropy, ENTROPY, cases, row_by_row, where=of_rows)


def of_rows(p):
    """A case in words."""
    return f"for {len(p)} decisions with {len(p[0])} options each"


def row_by_row(p):
    """The way to `entropy`."""
    first = [float(x * np.log(x)) for x in p[0] if x > 0]
    nats = listed(entropy([row]) for row in p)
    return f"p · log p of the first decision is {listed(first)}; the decisions have {nats} nats"


EXERCISES = (
    Exercise(
        expected_reward,
        test_expected_reward,
        title="Sum up the policy",
        difficulty=1,
        minutes=4,
        hints=(
            "itertools.product(*probabilities) goes through all cells in the right order, and gives for each the "
            "probabilities of its answers.",
            "A cell's probability is the product of these: np.prod. Multiply by its reward, and add up.",
        ),
        wrong=EXPECTED_REWARD,
        right=(by_index,),
    ),
    Exercise(
        advantages,
        test_advantages,
        title="Move the baseline",
        difficulty=2,
        minutes=5,
        hints=(
            "One loop over the rewards; the baseline is a number that the loop carries along.",
            "First move it: baseline += (1 - decay) * (reward - baseline). Then append reward - baseline.",
        ),
        wrong=ADVANTAGES,
        right=(
            lambda rewards, baseline, decay: np.array(advantages(rewards, baseline, decay)),
            lambda rewards, baseline, decay: iter(advantages(rewards, baseline, decay)),
        ),
    ),
    Exercise(
        entropy,
        test_entropy,
        title="Measure doubt",
        difficulty=1,
        minutes=3,
        hints=(
            "For each probability p, the term −p · log p; add up all of them, over all rows.",
            "Leave out options with p = 0: select p[p > 0] first.",
        ),
        wrong=ENTROPY,
        right=(lambda probabilities: sum(-x * np.log(x) for row in probabilities for x in row if x),),
    ),
)
