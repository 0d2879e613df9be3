"""Answers to the exercises of notebook 01: references, other right answers, and mistakes by what is wrong with them."""

from math import comb, prod

from nas_tutorial.spaces import Tiny

OPERATIONS = Tiny().operations


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


# --- decode -----------------------------------------------------------------------------------------------------------
def decode(number, options):
    """The answers of architecture `number` in a list of all; the last decision changes fastest."""
    choices = []
    for count in reversed(options):
        number, choice = divmod(number, count)
        choices.append(choice)
    return tuple(reversed(choices))


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


# --- darts_size -------------------------------------------------------------------------------------------------------
def darts_size(nodes, operations):
    """How many pairs of cells there are: each node reads two different earlier states, by one operation each.

    Node k = 0, 1, … can choose among k + 2 states; the two cells are chosen independently.
    """
    one_cell = prod(comb(k + 2, 2) * operations**2 for k in range(nodes))
    return one_cell**2


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


# --- other right answers ----------------------------------------------------------------------------------------------
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
