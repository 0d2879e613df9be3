"""Exercises of notebook 04, Share the weights."""

import random

from nas_tutorial.exercises.frame import Exercise, compare, expect


# --- walk one path ----------------------------------------------------------------------------------------------------
def walk(x, ops, active):
    """Output of the tiny cell when only the active operation of each edge runs."""
    node = ops["1<0"][active["1<0"]](x)
    return ops["2<0"][active["2<0"]](x) + ops["2<1"][active["2<1"]](node)


def walk_all(x, ops, active):
    """All operations of every edge at once."""
    node = sum(op(x) for op in ops["1<0"].values())
    return sum(op(x) for op in ops["2<0"].values()) + sum(op(node) for op in ops["2<1"].values())


WALK = {
    "every operation runs: that is the whole supernet, keep to the active ones": walk_all,
    "edge 2<1 starts at node 1, not at the input": lambda x, ops, active: (
        ops["2<0"][active["2<0"]](x) + ops["2<1"][active["2<1"]](x)
    ),
    "edge 2<0 is missing: the output adds up two edges": lambda x, ops, active: ops["2<1"][active["2<1"]](
        ops["1<0"][active["1<0"]](x)
    ),
    "node 1 has only the edge into it; the output is not node 1": lambda x, ops, active: ops["1<0"][active["1<0"]](x),
    "a node is the sum of its edges, not their product": lambda x, ops, active: (
        ops["2<0"][active["2<0"]](x) * ops["2<1"][active["2<1"]](ops["1<0"][active["1<0"]](x))
    ),
}


def test_walk(function):
    edge = {"zero": lambda x: 0.0 * x, "skip": lambda x: x, "double": lambda x: 2 * x, "more": lambda x: x + 10}
    ops = {name: edge for name in ("1<0", "2<0", "2<1")}
    for names in (("double", "more", "double"), ("more", "skip", "double")):
        active = dict(zip(ops, names, strict=True))
        mistakes = {what: answer(7, ops, active) for what, answer in WALK.items()}
        compare(function(7, ops, active), walk(7, ops, active), mistakes, f"for x = 7 and {', '.join(names)}")


# --- who learns -------------------------------------------------------------------------------------------------------
CONVOLUTIONS = ("conv_1x1", "conv_3x3")


def learners(first, second, third):
    """How many convolutions of a path learn: operations on the edges 0 → 1, 0 → 2 and 1 → 2."""
    convolutions = ("conv_1x1", "conv_3x3")
    heard = first in convolutions and third != "zero"  # its output reaches the loss
    fed = third in convolutions and first != "zero"  # something enters it
    return heard + (second in convolutions) + fed


LEARNERS = {
    "heard: with zero on 1 → 2, nothing that happens on 0 → 1 reaches the loss": lambda a, b, c: (
        (a in CONVOLUTIONS) + (b in CONVOLUTIONS) + (c in CONVOLUTIONS and a != "zero")
    ),
    "fed: with zero on 0 → 1, the convolution on 1 → 2 sees only zeros, and its gradient is zero": lambda a, b, c: (
        (a in CONVOLUTIONS and c != "zero") + (b in CONVOLUTIONS) + (c in CONVOLUTIONS)
    ),
    "weights: skips, pools and zeros have none": lambda a, b, c: sum(op != "zero" for op in (a, b, c)),
    "supernet: only the sampled operations run, not all six convolutions": lambda a, b, c: 6,
}


def test_learners(function):
    for case in (
        ("skip", "avg_pool_3x3", "conv_1x1"),
        ("conv_3x3", "conv_1x1", "zero"),
        ("zero", "skip", "conv_3x3"),
        ("conv_1x1", "conv_3x3", "conv_3x3"),
    ):
        mistakes = {what: answer(*case) for what, answer in LEARNERS.items()}
        compare(function(*case), learners(*case), mistakes, f"for {', '.join(case)}")


# --- never trained ----------------------------------------------------------------------------------------------------
def never_trained(options, batches):
    """Probability that one of `options` operations is never drawn on its edge in this many batches."""
    return (1 - 1 / options) ** batches


NEVER_TRAINED = {
    "that is the probability of being drawn every time": lambda options, batches: (1 / options) ** batches,
    "that is the probability of being drawn at least once": lambda options, batches: 1 - (1 - 1 / options) ** batches,
    "that is one batch only: the draws are independent, so multiply": lambda options, batches: 1 - 1 / options,
    "probabilities of misses multiply, they do not shrink in a straight line": lambda options, batches: (
        1 - batches / options
    ),
    "that is how often it is drawn on average": lambda options, batches: batches / options,
}


def test_never_trained(function):
    for case in ((5, 3), (2, 4), (5, 1)):
        mistakes = {what: answer(*case) for what, answer in NEVER_TRAINED.items()}
        compare(function(*case), never_trained(*case), mistakes, f"for {case[0]} options and {case[1]} batches")


# --- sample fairly ----------------------------------------------------------------------------------------------------
def fair_round(options, edges, shuffled):
    """Paths, `options` of them, in which every operation of every edge occurs once  (FairNAS, §3.3).

    shuffled: shuffled(n) returns the numbers 0 to n − 1 in random order, as a list.
    """
    orders = [shuffled(options) for _ in range(edges)]  # one order for each edge
    return list(zip(*orders, strict=True))


def drawn_uniformly(options, edges, shuffled):
    """Independent draws."""
    return [tuple(shuffled(options)[0] for _ in range(edges)) for _ in range(options)]


def same_for_all(options, edges, shuffled):
    """One order for all edges."""
    return [(choice,) * edges for choice in shuffled(options)]


FAIR_ROUND = {
    "turn: this is a row for each edge; a path takes one entry of every row": lambda options, edges, shuffled: [
        tuple(shuffled(options)) for _ in range(edges)
    ],
    "fair: on some edge an operation occurs twice and another one never": drawn_uniformly,
    "mixed: all edges share one order, so each path has the same operation everywhere": same_for_all,
}


def test_fair_round(function):
    turn, fair, mixed = FAIR_ROUND
    source, mixtures = random.Random(0), 0
    for _ in range(20):
        paths = function(5, 3, lambda n: source.sample(range(n), n))
        expect(paths is not None, "it returns nothing; is there a `return`?")
        paths = [tuple(path) for path in paths]
        expect([len(path) for path in paths] == [3] * 5, turn)
        expect(all(sorted(edge) == list(range(5)) for edge in zip(*paths, strict=True)), fair)
        mixtures += any(len(set(path)) > 1 for path in paths)
    expect(mixtures > 0, mixed)


EXERCISES = (
    Exercise(
        walk,
        test_walk,
        title="Walk one path",
        difficulty=1,
        minutes=3,
        hints=(
            "Node 1 first: look up the operations of edge 1<0, and among them the picked one; call it with x.",
            "The output is a sum of two: edge 2<0 applied to x, and edge 2<1 applied to node 1.",
        ),
        wrong=WALK,
    ),
    Exercise(
        learners,
        test_learners,
        title="Who learns",
        difficulty=2,
        minutes=5,
        hints=(
            "A weight learns if its output reaches the loss and its input is not zero.",
            "The edge 0 → 2 always does both. The other two depend on each other.",
            "0 → 1 is heard unless 1 → 2 is zero; 1 → 2 is fed unless 0 → 1 is zero.",
        ),
        wrong=LEARNERS,
    ),
    Exercise(
        never_trained,
        test_never_trained,
        title="Count the misses",
        difficulty=1,
        minutes=2,
        hints=("With what probability is the operation missed by one batch?", "All batches must miss it: multiply."),
        wrong=NEVER_TRAINED,
    ),
    Exercise(
        fair_round,
        test_fair_round,
        title="Sample fairly",
        difficulty=2,
        minutes=5,
        hints=(
            "Shuffle the operations of each edge, separately for every edge.",
            "Path number i takes the i-th operation of each edge's order: zip turns rows into columns.",
        ),
        wrong=FAIR_ROUND,
    ),
)
