"""Exercises of notebook 01, Draw a space of networks."""

import random
from collections.abc import Callable, Mapping, Sequence
from math import comb, prod
from typing import Any

import numpy as np

from nas_tutorial.exercises.frame import Exercise, expect, near
from nas_tutorial.spaces import Tiny

OPERATIONS = Tiny().operations


def diagnose(
    function: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Sequence[tuple],
    mistakes: Mapping[str, Callable[..., Any]],
    read: Callable[[Any, str], Any],
) -> None:
    """Raise `Mistake` unless a function is right in all cases: in the words of a wrong one that agrees in all of them.

    mistakes: sentence → wrong function. read: makes an answer comparable, given it and the case in words; it may raise
    `Mistake`, too.
    """
    got = [read(function(*case), f"for {', '.join(map(repr, case))}") for case in cases]
    right = [reference(*case) for case in cases]
    for sentence, wrong in mistakes.items():
        expect(got == right or got != [wrong(*case) for case in cases], sentence)
    for case, answer, wanted in zip(cases, got, right, strict=True):
        expect(answer == wanted, f"for {', '.join(map(repr, case))} it gives {answer!r}, but {wanted!r} is right")


def returned(answer: Any, case: str) -> Any:
    """The answer, where there is one."""
    expect(answer is not None, f"{case} it returns nothing; is there a `return`?")
    return answer


# --- spell ------------------------------------------------------------------------------------------------------------
def spell(first, second, third):
    """The notation of a tiny cell with these operations on the edges 0 → 1, 0 → 2 and 1 → 2."""
    return f"|{first}~0|+|{second}~0|{third}~1|"


SPELLED = {
    "source: the third edge leaves node 1, so its operation is followed by ~1": (
        lambda a, b, c: f"|{a}~0|+|{b}~0|{c}~0|"
    ),
    "source: the number behind ~ says where an edge comes from, not where it goes; two edges leave node 0": (
        lambda a, b, c: f"|{a}~1|+|{b}~2|{c}~2|"
    ),
    "source: nodes are counted from 0; the input is node 0": lambda a, b, c: f"|{a}~1|+|{b}~1|{c}~2|",
    "order: within node 2 the edge from node 0 is written before the edge from node 1": (
        lambda a, b, c: f"|{a}~0|+|{c}~1|{b}~0|"
    ),
    "order: the second argument is the operation on 0 → 2, the third the one on 1 → 2": (
        lambda a, b, c: f"|{a}~0|+|{c}~0|{b}~1|"
    ),
    "node: a plus sign separates the edge that enters node 1 from those that enter node 2": (
        lambda a, b, c: f"|{a}~0|{b}~0|{c}~1|"
    ),
    "node: two edges enter node 2, so only one plus sign is needed": lambda a, b, c: f"|{a}~0|+|{b}~0|+|{c}~1|",
    "bars: each node's group begins and ends with a bar |, also beside the plus sign": (
        lambda a, b, c: f"|{a}~0+{b}~0|{c}~1|"
    ),
    "bars: the whole text begins and ends with a bar |": lambda a, b, c: f"{a}~0|+|{b}~0|{c}~1",
    "bars: one bar | stands between two edges of the same node": lambda a, b, c: f"|{a}~0|+|{b}~0||{c}~1|",
}


def test_spell(function):
    rng = random.Random(0)
    cases = [tuple(rng.sample(OPERATIONS, 3)) for _ in range(6)]

    def read(answer, case):
        returned(answer, case)
        expect(isinstance(answer, str), f"{case} it returns {answer!r}, which is no text")
        return answer.replace(" ", "").strip()

    got = [read(function(*case), f"for {', '.join(case)}") for case in cases]
    expect("{" not in got[0], "arguments: braces are filled in only if an f stands before the quotation mark")
    expect(len(set(got)) > 1, f"arguments: it gives {got[0]!r} for any operations; put the arguments in")
    diagnose(function, spell, cases, SPELLED, read)


# --- decode -----------------------------------------------------------------------------------------------------------
def decode(number, options):
    """The answers of architecture `number` in a list of all; the last decision changes fastest."""
    choices = []
    for count in reversed(options):
        number, choice = divmod(number, count)
        choices.append(choice)
    return tuple(reversed(choices))


def plain(answer: Any, case: str) -> Any:
    """A tuple of ints, from whatever holds them: a tuple, a list, an array, a generator."""
    returned(answer, case)
    whole = isinstance(answer, int | float | str)
    expect(not whole, f"{case} it returns {answer!r}; return one answer for each decision, in a tuple or a list")
    answers = list(answer)
    expect(not any(isinstance(choice, str) for choice in answers), f"{case} it gives texts, {answers}; give numbers")
    whole = all(choice == int(choice) for choice in answers)
    expect(whole, f"whole numbers: {case} it gives {answers}; // divides without a rest, % is the rest")
    return tuple(int(choice) for choice in answers)


def leading(number, options):
    """Without the zeros in front."""
    answers = decode(number, options)
    while answers and not answers[0]:
        answers = answers[1:]
    return answers


def rest_of_all(number, options):
    """Never divides the number."""
    return tuple(number % count for count in options)


DECODED = {
    "order: the last decision changes fastest, like the last digit of a number; turn the answers around": (
        lambda number, options: decode(number, options)[::-1]
    ),
    "order: begin with the last decision, not with the first": (
        lambda number, options: decode(number, options[::-1])[::-1]
    ),
    "order: each decision has its own number of options; turn around both the options and, at the end, the answers": (
        lambda number, options: decode(number, options[::-1])
    ),
    "counting from 0: number 0 is the first architecture, and its answers are all 0; yours is one behind": (
        lambda number, options: decode((number - 1) % prod(options), options)
    ),
    "counting from 0: number 0 is the first architecture, and its answers are all 0; yours is one ahead": (
        lambda number, options: decode((number + 1) % prod(options), options)
    ),
    "counting from 0: the options of a decision are 0, 1, …, not 1, 2, …": (
        lambda number, options: tuple(choice + 1 for choice in decode(number, options))
    ),
    "options: you take five options for every decision; `options` says how many each one has": (
        lambda number, options: decode(number, (5,) * len(options))
    ),
    "options: yours has three decisions of five options built in; `options` says how many there are, and how large": (
        lambda number, options: (number // 25, number % 25 // 5, number % 5)
    ),
    "options: you take the options of the last decision for all; each decision has its own number": (
        lambda number, options: decode(number, (options[-1],) * len(options))
    ),
    "options: you take the options of the first decision for all; each decision has its own number": (
        lambda number, options: decode(number, (options[0],) * len(options))
    ),
    "length: zeros in front are answers, too; there is one answer for every decision": leading,
    "division: after each answer go on with what is left, number // count; you take the rest of the same number": (
        rest_of_all
    ),
}


def test_decode(function):
    rng = random.Random(0)
    cases = [(0, (2, 3, 4)), (23, (2, 3, 4)), (1, (5, 5, 5))]
    for length in (3, 3, 4, 6):
        options = tuple(rng.randint(2, 7) for _ in range(length))
        cases.append((rng.randrange(prod(options)), options))
    diagnose(function, decode, cases, DECODED, plain)


# --- darts_size -------------------------------------------------------------------------------------------------------
def darts_size(nodes, operations):
    """How many pairs of cells there are: each node reads two different earlier states, by one operation each.

    Node k = 0, 1, … can choose among k + 2 states; the two cells are chosen independently.
    """
    one_cell = prod(comb(k + 2, 2) * operations**2 for k in range(nodes))
    return one_cell**2


class Size(float):
    """A size of a space; two are equal if they differ by rounding only, such as that of a float."""

    def __eq__(self, other):
        return near(self / max(1, other), other / max(1, other), 1e-9)

    __hash__ = float.__hash__

    def __repr__(self):
        return f"{float(self):,.0f}" if self < 1e12 else f"{float(self):.4g}"


def size_of(answer: Any, case: str) -> Size:
    """A number to compare."""
    returned(answer, case)
    expect(not isinstance(answer, str), f"{case} it returns the text {answer!r}; return a number")
    expect(not hasattr(answer, "__len__"), f"{case} it returns {answer!r}; return one number, the product of all")
    return Size(answer)


def pairs_of_cells(inputs, each=lambda operations: operations**2):
    """A size of which one part is counted differently: pairs of inputs of node k, or operations of a node."""
    return lambda nodes, operations: prod(inputs(k) * each(operations) for k in range(nodes)) ** 2


SIZES = {
    "cells: you counted one; the other is chosen independently, and choices multiply": (
        lambda nodes, operations: prod(comb(k + 2, 2) * operations**2 for k in range(nodes))
    ),
    "cells: choices of the two cells multiply, they do not add up": (
        lambda nodes, operations: 2 * prod(comb(k + 2, 2) * operations**2 for k in range(nodes))
    ),
    "nodes: choices of the nodes multiply, they do not add up": (
        lambda nodes, operations: sum(comb(k + 2, 2) * operations**2 for k in range(nodes)) ** 2
    ),
    "pairs: the two states differ, and inputs 0 and 1 are the same pair as inputs 1 and 0: comb(k + 2, 2)": (
        pairs_of_cells(lambda k: (k + 2) ** 2)
    ),
    "pairs: inputs 0 and 1 are the same pair as inputs 1 and 0, so there are half as many": (
        pairs_of_cells(lambda k: (k + 2) * (k + 1))
    ),
    "pairs: comb(k + 3, 2) is too many; node k = 0, 1, … has k + 2 states, and takes no state twice": (
        pairs_of_cells(lambda k: comb(k + 3, 2))
    ),
    "pairs: which states a node reads is a choice, too; you counted only the operations": pairs_of_cells(lambda k: 1),
    "states: you chose two of 3 states at every node; node k = 0, 1, … has k + 2 of them": (
        pairs_of_cells(lambda k: comb(3, 2))
    ),
    "states: each node has its own number of them; you gave all nodes those of the last": (
        lambda nodes, operations: (comb(nodes + 1, 2) * operations**2) ** (2 * nodes)
    ),
    "nodes: you counted only the last one; the choices of all nodes multiply": (
        lambda nodes, operations: (comb(nodes + 1, 2) * operations**2) ** 2
    ),
    "nodes: one is missing; range(nodes) gives k = 0 to nodes − 1": (
        lambda nodes, operations: prod(comb(k + 2, 2) * operations**2 for k in range(nodes - 1)) ** 2
    ),
    "nodes: there is one too many; range(nodes) gives k = 0 to nodes − 1": (
        lambda nodes, operations: prod(comb(k + 2, 2) * operations**2 for k in range(nodes + 1)) ** 2
    ),
    "operations: a node has two edges, each with an operation of its own: operations**2": (
        pairs_of_cells(lambda k: comb(k + 2, 2), lambda operations: operations)
    ),
    "operations: two edges can have the same operation, and it matters which edge has which: operations**2": (
        pairs_of_cells(lambda k: comb(k + 2, 2), lambda operations: comb(operations, 2))
    ),
    "operations: a node has two edges, and choices multiply: operations**2, not 2 · operations": (
        pairs_of_cells(lambda k: comb(k + 2, 2), lambda operations: 2 * operations)
    ),
    "operations: every node chooses its own, so operations**2 belongs inside the product over the nodes": (
        lambda nodes, operations: (prod(comb(k + 2, 2) for k in range(nodes)) * operations**2) ** 2
    ),
}


def test_darts_size(function):
    rng = random.Random(0)
    cases = [(2, 3), (4, 7), (1, 4), *((rng.randint(2, 4), rng.randint(3, 6)) for _ in range(3))]
    diagnose(function, darts_size, cases, SIZES, size_of)


# --- sees -------------------------------------------------------------------------------------------------------------
def sees(first, second, third):
    """How many input pixels reach one output pixel, with these operations on 0 → 1, 0 → 2 and 1 → 2."""
    window = {"skip": 1, "conv_1x1": 1, "avg_pool_3x3": 3, "conv_3x3": 3}  # sides; zero has none
    sides = [window.get(second, 0)]
    if first in window and third in window:
        sides.append(window[first] + window[third] - 1)
    return max(sides) ** 2


def viewed(windows=("avg_pool_3x3", "conv_3x3"), zeros=("zero",), over=lambda a, b: a + b - 1, both=max):
    """A view of which one part is counted differently: what has a window, what blocks, one after the other, both."""

    def view(first, second, third):
        side = {name: 0 if name in zeros else 3 if name in windows else 1 for name in OPERATIONS}
        road = over(side[first], side[third]) if side[first] and side[third] else 0
        return both(side[second], road) ** 2

    return view


VIEWS = {
    "side: that is the side of the square; a square of side 3 has 9 pixels": lambda *ops: round(sees(*ops) ** 0.5),
    "pool: an average pool looks at 3×3 pixels like a convolution; it only has no weights": viewed(("conv_3x3",)),
    "1×1: a convolution of 1×1 looks at one pixel only": viewed(("avg_pool_3x3", "conv_3x3", "conv_1x1")),
    "zero: an edge that does zero lets no pixel through": viewed(zeros=()),
    "zero: a road over node 1 needs both its edges; if one of them is zero, nothing comes that way": (
        lambda a, b, c: max(viewed()(a, b, c), viewed()("zero", a, "zero"), viewed()("zero", c, "zero"))
    ),
    "in a row: the second 3×3 adds one pixel on each side, so the square grows from 3 to 5, not to 6": (
        viewed(over=lambda a, b: a + b if min(a, b) == 3 else max(a, b))
    ),
    "in a row: the second 3×3 adds one pixel on each side, so the square grows from 3 to 5, not to 9": (
        viewed(over=lambda a, b: a * b)
    ),
    "in a row: two 3×3 one after the other see more than one of them": viewed(over=max),
    "in a row: add the sides, not the areas; two 3×3 in a row see 5×5": (
        lambda a, b, c: max(viewed()("zero", b, "zero"), 18 if viewed()(a, "zero", c) == 25 else viewed()(a, "zero", c))
    ),
    "side by side: two squares with the same middle lie one on the other; their pixels do not add up": (
        lambda a, b, c: viewed()("zero", b, "zero") + viewed()(a, "zero", c)
    ),
    "side by side: only edges in a row widen the view; 0 → 2 stands beside the road over node 1": (
        viewed(both=lambda direct, road: direct + road - 1 if direct and road else direct or road)
    ),
    "roads: you look at 0 → 2 only; there is a second road, over node 1": lambda a, b, c: viewed()("zero", b, "zero"),
    "roads: you look at the road over node 1 only; 0 → 2 leads to the output, too": (
        lambda a, b, c: viewed()(a, "zero", c)
    ),
    "roads: the larger of the two views counts, not the smaller": viewed(both=min),
}


def pixels(answer: Any, case: str) -> Any:
    """A number to compare."""
    returned(answer, case)
    number = hasattr(answer, "__float__") and not isinstance(answer, bool)
    expect(number, f"{case} it returns {answer!r}; return a number of pixels")
    return float(answer) if float(answer) % 1 else int(answer)


def test_sees(function):
    cases = [(a, b, c) for a in OPERATIONS for b in OPERATIONS for c in OPERATIONS]
    random.Random(0).shuffle(cases)
    diagnose(function, sees, cases, VIEWS, pixels)


# --- the catalogue ----------------------------------------------------------------------------------------------------
def lists_of_answers(number, options):
    """`decode` in another style: place values, and a list."""
    return [number // prod(options[i + 1 :]) % count for i, count in enumerate(options)]


def searched_views(first, second, third):
    """`sees` in another style: spreads a pixel over the picture."""
    reach = {"zero": [], "skip": [0], "conv_1x1": [0]}
    steps = [reach.get(operation, [-1, 0, 1]) for operation in (first, second, third)]
    seen = {(i, j) for i in steps[1] for j in steps[1]}
    seen |= {(i + k, j + m) for i in steps[0] for j in steps[0] for k in steps[2] for m in steps[2]}
    return len(seen)


EXERCISES = (
    Exercise(
        spell,
        test_spell,
        title="Spell a cell",
        difficulty=1,
        minutes=3,
        hints=(
            "Look at the printed cell above: one group per node, the groups joined by a plus sign.",
            "Two edges enter node 2: the first of them leaves the input, the other one node 1.",
            'An f-string does it: f"|{first}~0|+…|".',
        ),
        wrong=SPELLED
        | {
            "which is no text": lambda first, second, third: [f"{first}~0", f"{second}~0", f"{third}~1"],
            "it returns nothing": lambda first, second, third: None,
            "for any operations": lambda first, second, third: "|skip~0|+|zero~0|conv_1x1~1|",
            "only if an f stands": lambda first, second, third: "|{first}~0|+|{second}~0|{third}~1|",
            "is right": lambda first, second, third: f"|{first}->0|+|{second}->0|{third}->1|",
        },
        right=(
            lambda first, second, third: "|" + first + "~0| + |" + second + "~0|" + third + "~1|",
            lambda first, second, third: "|%s~0|+|%s~0|%s~1|" % (first, second, third),  # noqa: UP031
        ),
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
        wrong=DECODED
        | {
            "it returns nothing": lambda number, options: print(end=""),
            "one answer for each decision": lambda number, options: number // 5,
            "whole numbers:": lambda number, options: tuple(number / prod(options[i + 1 :]) for i in range(3)),
            "is right": lambda number, options: tuple(int(d) for d in f"{number:0{len(options)}d}")[: len(options)],
        },
        right=(
            lists_of_answers,
            lambda number, options: (choice for choice in decode(number, options)),
            lambda number, options: np.array(decode(number, options)),
            lambda number, options: np.unravel_index(number, options),
        ),
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
        wrong=SIZES
        | {
            "it returns nothing": lambda nodes, operations: None,
            "return one number": lambda nodes, operations: [comb(k + 2, 2) * operations**2 for k in range(nodes)],
            "is right": lambda nodes, operations: (nodes * operations) ** 2,
        },
        right=(
            lambda nodes, operations: float(darts_size(nodes, operations)),
            lambda nodes, operations: prod((k + 2) * (k + 1) // 2 * operations**2 for k in range(nodes)) ** 2.0,
        ),
    ),
    Exercise(
        sees,
        test_sees,
        title="Say what a cell sees",
        difficulty=2,
        minutes=6,
        hints=(
            "Two roads lead to the output: 0 → 2 directly, and 0 → 1 → 2. Find the side of the square that each sees.",
            "A skip and a 1×1 have side 1, pool and 3×3 side 3. In a row: side + side − 1. A zero closes its road.",
            "Both squares have the same middle, so the larger one holds the smaller: take the maximum, and square it.",
        ),
        wrong=VIEWS
        | {
            "it returns nothing": lambda first, second, third: None,
            "return a number of pixels": lambda first, second, third: (5, 5),
            "is right": lambda first, second, third: 9,
        },
        right=(searched_views, lambda first, second, third: float(sees(first, second, third))),
    ),
)
