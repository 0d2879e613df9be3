"""Exercises of notebook 06, ENAS at full size.

For each exercise a table: what a known mistake is called, and the function that makes it. Those on
NNI's listing and on rewards are in `nb06_listing`, its build is in `nb06_build`.
"""

from collections.abc import Iterable
from math import log, sqrt

from nas_tutorial.exercises.cases import judge, returned
from nas_tutorial.exercises.frame import Exercise, expect


# --- aim so that the rate is hit --------------------------------------------------------------------------------------
def target_for(rate):
    """The target of the skip penalty that makes the policy draw skips at this rate."""
    odds = sqrt(rate / (1 - rate))  # e^ℓ, as skips are drawn with the odds e^(2ℓ)
    return odds / (1 + odds)


TARGET_FOR = {
    "that is the rate itself; with the target 0.4 skips were drawn at 4/13": lambda rate: rate,
    "that is the way from target to rate; go back": lambda rate: rate**2 / (rate**2 + (1 - rate) ** 2),
    "those are odds, e^ℓ; the target is sigmoid(ℓ) = odds / (1 + odds)": lambda rate: sqrt(rate / (1 - rate)),
    "that is the logit ℓ; the target is its sigmoid": lambda rate: log(rate / (1 - rate)) / 2,
    "the root is taken of the odds, rate / (1 − rate), not of the rate alone": lambda rate: sqrt(rate),
    "sign: that is the target for drawing 1 − rate; skips are the rarer, the lower the target": (
        lambda rate: 1 - target_for(rate)
    ),
    "rate = sigmoid(2ℓ), so ℓ is half its logit; you doubled it": lambda rate: rate**2 / (rate**2 + (1 - rate) ** 2),
    "not in proportion: 0.4 went with 4/13, but another target goes with another ratio": lambda rate: rate * 1.3,
    "it gives the same for every rate: compute it from `rate`": lambda rate: target_for(0.4),
}


def test_target_for(function):
    judge(function, target_for, TARGET_FOR, [(0.4,), (0.1,), (0.8,), (0.5,)], odds_and_logits)


def odds_and_logits(rate):
    """The way to `target_for`."""
    logit = log(rate / (1 - rate))
    return f"sigmoid(2ℓ) is {rate:g} where 2ℓ = {logit:.4g}, so ℓ = {logit / 2:.4g}; that is the logit of the target"


# --- find the loose ends ----------------------------------------------------------------------------------------------
def loose_ends(nodes):
    """The states that no node reads, the two inputs included."""
    read = {source for node in nodes for operation, source in node}
    return [state for state in range(len(nodes) + 2) if state not in read]


PUBLISHED = [  # the reduction cell of the paper
    (("sep_conv_3x3", 1), ("sep_conv_3x3", 1)),
    (("max_pool_3x3", 0), ("avg_pool_3x3", 0)),
    (("sep_conv_5x5", 1), ("sep_conv_5x5", 3)),
    (("sep_conv_3x3", 1), ("skip_connect", 0)),
    (("max_pool_3x3", 0), ("sep_conv_5x5", 1)),
]
CELLS = (
    [(("skip_connect", 0), ("sep_conv_3x3", 0)), (("avg_pool_3x3", 0), ("sep_conv_3x3", 2))],  # input 1 is loose
    PUBLISHED,
    [(("skip_connect", 1), ("skip_connect", 0)), (("avg_pool_3x3", 2), ("sep_conv_3x3", 0))],
    [(("skip_connect", 0), ("skip_connect", 0))] * 3,
)


def sources(nodes, branches=(0, 1)):
    return {node[branch][1] for node in nodes for branch in branches}


LOOSE_ENDS = {
    "those are all states; the source is the second of a branch, (operation, source)": (
        lambda nodes: list(range(len(nodes) + 2))
    ),
    "those are the states that are read; loose are the others": lambda nodes: sorted(sources(nodes)),
    "the two inputs are states, too; an input that nobody reads is a loose end": (
        lambda nodes: [i for i in loose_ends(nodes) if i > 1]
    ),
    "nodes count from 2, behind the two inputs; yours from 0": (
        lambda nodes: [i - 2 for i in loose_ends(nodes) if i > 1]
    ),
    "the last node is a state, too, and nobody can read it": lambda nodes: loose_ends(nodes)[:-1],
    "a node has two branches; you look at the first only": (
        lambda nodes: [i for i in range(len(nodes) + 2) if i not in sources(nodes, [0])]
    ),
    "a node has two branches; you look at the second only": (
        lambda nodes: [i for i in range(len(nodes) + 2) if i not in sources(nodes, [1])]
    ),
    "there are len(nodes) + 2 states; yours go on": lambda nodes: [*loose_ends(nodes), len(nodes) + 2],
}


def test_loose_ends(function):
    judge(function, loose_ends, LOOSE_ENDS, [(nodes,) for nodes in CELLS], read_by_nodes, read=states_of)


def read_by_nodes(nodes):
    """The way to `loose_ends`."""
    return "; ".join(f"node {i} reads {a} and {b}" for i, ((_, a), (_, b)) in enumerate(nodes, start=2))


def states_of(got, where):
    """What a student's function returns, as a sorted list of numbers."""
    returned(got, where)
    expect(not isinstance(got, int), f"that is a number, {got}; return the states themselves, such as [2, 4, 5, 6]")
    expect(isinstance(got, Iterable) and not isinstance(got, str), f"return a list of numbers, not {got!r}")
    found = list(got)
    expect(not any(isinstance(state, bool | tuple) for state in found), f"return numbers of states, not {found}")
    expect(not any(isinstance(state, str) for state in found), f"states are numbers, not names: {found}")
    states = sorted(int(state) for state in found)
    expect(len(set(states)) == len(states), f"each state once: {states}")
    return states


# --- all of them ------------------------------------------------------------------------------------------------------
def aimed(rate):
    """By the quadratic formula: 2ℓ is the logit of the rate."""
    return 1 / (1 + ((1 - rate) / rate) ** 0.5)


EXERCISES = (
    Exercise(
        target_for,
        test_target_for,
        title="Aim so that the rate is hit",
        difficulty=2,
        minutes=6,
        hints=(
            "Two equations: the penalty brings sigmoid(ℓ) to the target, skips are drawn at sigmoid(2ℓ).",
            "Work with odds: sigmoid(2ℓ) = rate says e^(2ℓ) = rate / (1 − rate). What is e^ℓ?",
            "The target is sigmoid(ℓ) = e^ℓ / (1 + e^ℓ), with e^ℓ the root of rate / (1 − rate).",
        ),
        wrong={key: value for key, value in TARGET_FOR.items() if "doubled" not in key},
        right=(aimed,),
    ),
    Exercise(
        loose_ends,
        test_loose_ends,
        title="Find the loose ends",
        difficulty=1,
        minutes=5,
        hints=(
            "Collect the sources of all branches of all nodes in a set.",
            "States are numbered 0, 1 (the inputs), 2, 3, … (the nodes): `range(len(nodes) + 2)`.",
        ),
        wrong={
            "states that are read": LOOSE_ENDS["those are the states that are read; loose are the others"],
            "return the states themselves": lambda nodes: len(loose_ends(nodes)),
            "not [False, ": lambda nodes: [i in loose_ends(nodes) for i in range(len(nodes) + 2)],
            **{key: value for key, value in LOOSE_ENDS.items() if "are read; loose" not in key},
        },
        right=(
            lambda nodes: set(range(len(nodes) + 2)) - {source for node in nodes for _, source in node},
            lambda nodes: tuple(i for i in range(2 + len(nodes)) if all(a[1] != i and b[1] != i for a, b in nodes)),
        ),
    ),
)
