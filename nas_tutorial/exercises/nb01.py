"""Exercises of notebook 01, Draw a space of networks."""

from math import comb, prod

from nas_tutorial.exercises.frame import Exercise, compare, expect
from nas_tutorial.spaces import Tiny


def spell(first, second, third):
    """The notation of a tiny cell with these operations on the edges 0 → 1, 0 → 2 and 1 → 2."""
    return f"|{first}~0|+|{second}~0|{third}~1|"


def test_spell(function):
    got, right = function("skip", "zero", "conv_3x3"), "|skip~0|+|zero~0|conv_3x3~1|"
    expect(isinstance(got, str), f"it returns {got!r}, which is no text")
    expect("conv_3x3~0" not in got, "source: the third edge leaves node 1, so its operation is followed by ~1")
    expect(got.count("+") == 1, "node: a plus sign separates what enters node 1 from what enters node 2")
    expect(got == right, f"it gives {got!r}, but {right!r} is right")


def decode(number, options):
    """The answers of architecture `number` in a list of all; the last decision changes fastest."""
    choices = []
    for count in reversed(options):
        number, choice = divmod(number, count)
        choices.append(choice)
    return tuple(reversed(choices))


def test_decode(function):
    for number, options, right in ((7, (5, 5, 5), (0, 1, 2)), (22, (2, 3, 4), (1, 2, 2))):
        got = function(number, options)
        case = f"number {number} of {options}"
        expect(got is not None, f"for {case} it returns nothing; is there a `return`?")
        got = tuple(int(choice) for choice in got)
        expect(got != right[::-1], "order: the last decision changes fastest, like the last digit of a number")
        expect(len(got) == len(options), f"length: {case} has {len(options)} decisions, but {len(got)} answers came")
        expect(got == right, f"{case} gives {got}, but {right} is right; each decision has its own number of options")


def darts_size(nodes, operations):
    """How many pairs of cells there are: each node reads two different earlier states, by one operation each.

    Node k = 0, 1, … can choose among k + 2 states; the two cells are chosen independently.
    """
    one_cell = prod(comb(k + 2, 2) * operations**2 for k in range(nodes))
    return one_cell**2


def test_darts_size(function):
    mistakes = {
        "cells: you counted one; the other is chosen independently, and choices multiply": 243,
        "cells: choices multiply, they do not add up": 486,
        "pairs: inputs 0 and 1 are the same pair as inputs 1 and 0": 944_784,
        "operations: both edges of a node have one of their own": 729,
    }
    compare(function(2, 3), 59_049, mistakes, "for two nodes and three operations")
    compare(function(4, 7), 1_076_746_950_455_072_400, {}, "for four nodes and seven operations", 1e-12)


def useful(cell):
    """The edges, as (source, target), over which something of the input reaches the output."""
    alive = [(edge.source, edge.target) for edge in cell.edges if edge.operation not in ("zero", "none")]
    fed, read = {"input"}, {"output"}
    for source, target in alive:  # in topological order
        if source in fed:
            fed.add(target)
    for source, target in reversed(alive):
        if target in read:
            read.add(source)
    return {(source, target) for source, target in alive if source in fed and target in read}


STRAIGHT, FIRST, LAST = ("input", "output"), ("input", "node 1"), ("node 1", "output")


def test_useful(function):
    for text, right, mistake in (
        ("|zero~0|+|skip~0|zero~1|", {STRAIGHT}, "zero: an edge that does zero carries nothing"),
        ("|zero~0|+|skip~0|skip~1|", {STRAIGHT}, "forward: an edge is useless if nothing reaches its source"),
        ("|skip~0|+|skip~0|zero~1|", {STRAIGHT}, "backward: an edge is useless if nobody reads its target"),
        ("|skip~0|+|zero~0|skip~1|", {FIRST, LAST}, "roads: both edges of the road over node 1 are useful"),
    ):
        got = function(Tiny(nodes=3).parse(text).cells["cell"])
        expect(got is not None, "it returns nothing; is there a `return`?")
        expect(set(got) == right, f"{mistake}; for {text} it gives {sorted(got)}")


def _alive(cell):
    return {(source, target) for source, target, operation in cell.edges if operation != "zero"}


def _fed(cell):
    """Forgets to look whether anybody reads the target."""
    fed = {"input"} | {target for source, target in _alive(cell) if source == "input"}
    return {(source, target) for source, target in _alive(cell) if source in fed}


EXERCISES = (
    Exercise(
        spell,
        test_spell,
        title="Spell a cell",
        difficulty=1,
        minutes=3,
        hints=(
            "Look at the printed cells above: one group per node, the groups joined by a plus sign.",
            "Two edges enter node 2: the second one leaves the input, the third one node 1.",
            'An f-string does it: f"|{first}~0|+…|".',
        ),
        wrong={
            "source:": lambda first, second, third: f"|{first}~0|+|{second}~0|{third}~0|",
            "node:": lambda first, second, third: f"|{first}~0|{second}~0|{third}~1|",
            "is right": lambda first, second, third: f"{first}~0+{second}~0|{third}~1",
        },
    ),
    Exercise(
        decode,
        test_decode,
        title="Find a cell by its number",
        difficulty=2,
        minutes=5,
        hints=(
            "How do you find the digits of 125 when you can only divide? The last digit is the rest of 125 / 10.",
            "divmod(number, count) gives what is left for the other decisions, and the answer to this one.",
            "Begin with the last decision, collect the answers, and turn the list around at the end.",
        ),
        wrong={
            "order:": lambda number, options: decode(number, options)[::-1],
            "its own number of options": lambda number, options: decode(number, (options[-1],) * len(options)),
            "length:": lambda number, options: decode(number, options)[1:],
        },
    ),
    Exercise(
        darts_size,
        test_darts_size,
        title="Count the space of DARTS",
        difficulty=2,
        minutes=5,
        hints=(
            "Begin with one node: how many pairs of inputs, and how many operations for each edge?",
            "math.comb(k + 2, 2) counts the pairs that node k may read. Multiply over the nodes.",
            "The normal and the reduction cell are chosen independently of each other.",
        ),
        wrong={
            "cells: you counted one": lambda nodes, operations: darts_size(nodes, operations) ** 0.5,
            "cells: choices multiply": lambda nodes, operations: 2 * darts_size(nodes, operations) ** 0.5,
            "pairs:": lambda nodes, operations: darts_size(nodes, operations) * 2 ** (2 * nodes),
            "operations:": lambda nodes, operations: darts_size(nodes, operations) // operations ** (2 * nodes),
        },
    ),
    Exercise(
        useful,
        test_useful,
        title="Find the edges that matter",
        difficulty=3,
        minutes=8,
        hints=(
            'First leave out the edges whose operation is "zero". Each edge has .source, .target and .operation.',
            "Walk forward: which nodes does anything of the input reach? cell.edges come in topological order.",
            "Walk backward from the output in the same way. An edge is useful if its source was reached on the way "
            "forward and its target on the way back.",
        ),
        wrong={
            "zero:": lambda cell: {(edge.source, edge.target) for edge in cell.edges},
            "forward:": _alive,
            "backward:": _fed,
            "roads:": lambda cell: _alive(cell) & {STRAIGHT},
        },
    ),
)
