"""Exercises of notebook 04, Share the weights; its build is in `nb04_build.py`."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import torch

from nas_tutorial.exercises.frame import Exercise, Mistake, compare, expect, near


def numbers(function: Callable[..., Any], cases: Sequence[tuple]) -> list[float]:
    """What a function gives for each case, as numbers; Mistake where it gives something else."""
    found = [function(*case) for case in cases]
    expect(all(got is not None for got in found), "it returns nothing; is there a `return`?")
    expect(not any(isinstance(got, str) for got in found), "it returns text: return the number itself")
    expect(
        not any(isinstance(got, list | tuple | set | dict) for got in found),
        "it returns several things: one number is asked for",
    )
    return [float(got) for got in found]


def judge(
    function: Callable[..., Any],
    right: Callable[..., float],
    wrong: Mapping[str, Callable[..., Any]],
    cases: Sequence[tuple],
) -> None:
    """Raise Mistake unless all cases are right: in the words of the known mistake that gives the same everywhere."""
    found, wanted = numbers(function, cases), [float(right(*case)) for case in cases]

    def same(others: Sequence[Any]) -> bool:
        return all(near(a, b, 1e-9) for a, b in zip(found, others, strict=True))

    if same(wanted):
        return
    for sentence, answer in wrong.items():
        others = [answer(*case) for case in cases]
        if all(isinstance(other, int | float) for other in others) and same(others):
            raise Mistake(sentence)
    for case, got, value in zip(cases, found, wanted, strict=True):
        compare(got, value, {}, f"for {', '.join(map(str, case))}", 1e-9)


# --- walk one path ----------------------------------------------------------------------------------------------------
def walk(x, ops, active):
    """Output of the tiny cell when only the active operation of each edge runs."""
    node = ops["1<0"][active["1<0"]](x)
    return ops["2<0"][active["2<0"]](x) + ops["2<1"][active["2<1"]](node)


def run(ops, active, edge, x):
    """The active operation of an edge."""
    return ops[edge][active[edge]](x)


def walk_all(x, ops, active):
    """All operations of every edge at once."""
    node = sum(op(x) for op in ops["1<0"].values())
    return sum(op(x) for op in ops["2<0"].values()) + sum(op(node) for op in ops["2<1"].values())


def walk_first(x, ops, active):
    """The first operation of every edge."""
    first = {edge: next(iter(ops[edge])) for edge in ops}
    return walk(x, ops, first)


def walk_overwritten(x, ops, active):
    """x is node 1 when the last edge reads it."""
    x = run(ops, active, "1<0", x)
    return run(ops, active, "2<0", x) + run(ops, active, "2<1", x)


def walk_in_place(x, ops, active):
    """Skip returns its input itself, so `+=` writes into it."""
    node = run(ops, active, "1<0", x)
    output = run(ops, active, "2<0", x)
    output += run(ops, active, "2<1", node)
    return output


def walk_mean(x, ops, active):
    """The mean of the two edges."""
    return walk(x, ops, active) / 2


WALK = {
    "every operation runs: that is the whole supernet, keep to the active ones": walk_all,
    "the first operation of every edge runs: `active[edge]` names the one that the path takes": walk_first,
    "edge 2<0 reads node 1, but it begins at the input. Is `x` overwritten? Give node 1 a name of its own": (
        walk_overwritten
    ),
    "the input has another value afterwards: skip returns its input itself, and `+=` writes into it": walk_in_place,
    "edge 2<1 begins at node 1, but it reads the input": lambda x, ops, active: (
        run(ops, active, "2<0", x) + run(ops, active, "2<1", x)
    ),
    "edge 2<0 is missing: the output adds up two edges": lambda x, ops, active: run(
        ops, active, "2<1", run(ops, active, "1<0", x)
    ),
    "the way over node 1 is missing: the output adds up two edges": lambda x, ops, active: run(ops, active, "2<0", x),
    "that is node 1; the output is node 2": lambda x, ops, active: run(ops, active, "1<0", x),
    "a node is the sum of its edges, not their product": lambda x, ops, active: (
        run(ops, active, "2<0", x) * run(ops, active, "2<1", run(ops, active, "1<0", x))
    ),
    "a node is the sum of its edges, not their mean": walk_mean,
    "edges 1<0 and 2<1 are exchanged: the name tells the target first": lambda x, ops, active: (
        run(ops, active, "2<0", x) + run(ops, active, "1<0", run(ops, active, "2<1", x))
    ),
    "it returns several things: add up the edges that enter node 2": lambda x, ops, active: (
        run(ops, active, "2<0", x),
        run(ops, active, "2<1", run(ops, active, "1<0", x)),
    ),
}


def walk_right_by_loop(x, ops, active):
    """Node by node, as a larger cell would need it."""
    nodes = [x]
    for target in (1, 2):
        nodes.append(sum(ops[f"{target}<{s}"][active[f"{target}<{s}"]](nodes[s]) for s in range(target)))
    return nodes[-1]


def random_edges(dice):
    """Three edges with the names of the tiny space's operations; the learnt ones scale and shift."""

    def scaled():
        factor, shift = dice.uniform(1, 2), dice.uniform(-1, 1)
        return lambda x: factor * x + shift

    fixed = {"zero": lambda x: x * 0.0, "skip": lambda x: x}
    learnt = ("avg_pool_3x3", "conv_1x1", "conv_3x3")
    return {edge: {**fixed, **{name: scaled() for name in learnt}} for edge in ("1<0", "2<0", "2<1")}


def test_walk(function):
    dice, source = random.Random(0), torch.Generator().manual_seed(0)
    ops, x = random_edges(dice), torch.randn(2, 3, generator=source, dtype=torch.float64)
    found, others = [], {what: [] for what in WALK}
    for names in [("conv_3x3", "skip", "conv_1x1"), *(dice.choices(list(ops["1<0"]), k=3) for _ in range(20))]:
        active = dict(zip(ops, names, strict=True))
        given, right = x.clone(), walk(x, ops, active)
        got = function(given, ops, active)
        expect(got is not None, "it returns nothing; is there a `return`?")
        expect(not isinstance(got, list | tuple), list(WALK)[-1])
        expect(torch.equal(given, x), list(WALK)[3])
        found.append((torch.as_tensor(got), right, names))
        for what, answer in list(WALK.items())[:-1]:
            others[what].append(answer(x.clone(), ops, active))
    if all(alike(got, right) for got, right, _ in found):
        return
    for what, answers in others.items():
        if answers and all(alike(got, other) for (got, _, _), other in zip(found, answers, strict=True)):
            raise Mistake(what)
    got, right, names = next(row for row in found if not alike(*row[:2]))
    expect(got.shape == right.shape, f"it returns the shape {tuple(got.shape)}, but {tuple(right.shape)} is right")
    compare(float(got[0, 0]), float(right[0, 0]), {}, f"for {', '.join(names)}, in its first entry,")
    raise Mistake(f"for {', '.join(names)} some entries of the output are wrong")


def alike(a, b):
    """Whether two tensors have the same shape and values."""
    return a.shape == b.shape and torch.allclose(a.double(), b.double(), atol=1e-9)


# --- who learns -------------------------------------------------------------------------------------------------------
OPERATIONS = ("zero", "skip", "avg_pool_3x3", "conv_1x1", "conv_3x3")


def learners(first, second, third):
    """How many convolutions of a path learn: operations on the edges 0 → 1, 0 → 2 and 1 → 2."""
    convolutions = ("conv_1x1", "conv_3x3")
    is_heard = first in convolutions and third != "zero"  # its output reaches the loss
    is_fed = third in convolutions and first != "zero"  # something enters it
    return is_heard + (second in convolutions) + is_fed


def is_conv(operation):
    """Whether an operation has weights."""
    return operation.startswith("conv")


LEARNERS = {
    "heard: with zero on 1 → 2, nothing that happens on 0 → 1 reaches the loss": lambda a, b, c: (
        is_conv(a) + is_conv(b) + (is_conv(c) and a != "zero")
    ),
    "fed: with zero on 0 → 1, the convolution on 1 → 2 sees only zeros, and its gradient is zero": lambda a, b, c: (
        (is_conv(a) and c != "zero") + is_conv(b) + is_conv(c)
    ),
    "blocked: that counts all convolutions of the path, but a zero before or behind one keeps it from learning": (
        lambda a, b, c: is_conv(a) + is_conv(b) + is_conv(c)
    ),
    "weights: skips, pools and zeros have none": lambda a, b, c: sum(op != "zero" for op in (a, b, c)),
    "supernet: only the operations of the path run, not all six convolutions": lambda a, b, c: 6,
    "anywhere: a zero does not silence the whole path; the edge 0 → 2 has a way of its own": lambda a, b, c: (
        0 if "zero" in (a, b, c) else sum(map(is_conv, (a, b, c)))
    ),
    "direct: the convolution on 0 → 2 learns, too": lambda a, b, c: (
        (is_conv(a) and c != "zero") + (is_conv(c) and a != "zero")
    ),
    "kinds: the 1×1 convolution has weights, too": lambda a, b, c: (
        (a == "conv_3x3" and c != "zero") + (b == "conv_3x3") + (c == "conv_3x3" and a != "zero")
    ),
    "order: the second operation stands on the edge 0 → 2, the third on 1 → 2": lambda a, b, c: learners(a, c, b),
    "pair: 0 → 1 and 1 → 2 are one way; a convolution learns there beside a skip or a pool, too": lambda a, b, c: (
        2 * (is_conv(a) and is_conv(c)) + is_conv(b)
    ),
    "it returns several things: one number is asked for": lambda a, b, c: [op for op in (a, b, c) if is_conv(op)],
}


def learners_right_by_list(first, second, third):
    """Counting in a list."""
    learn = [second]
    if third != "zero":
        learn.append(first)
    if first != "zero":
        learn += [third]
    return torch.tensor(sum("conv" in name for name in learn))


def test_learners(function):
    cases = list(product(OPERATIONS, repeat=3))
    random.Random(0).shuffle(cases)
    judge(function, learners, LEARNERS, cases)


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
    "that draws without replacement: a path that was drawn may come again, so no batch knows of the others": (
        lambda options, batches: max(0.0, 1 - batches / options)
    ),
    "that is how often it is drawn on average": lambda options, batches: batches / options,
    "the two are exchanged: a batch misses with probability 1 − 1/options, and there are `batches` of them": (
        lambda options, batches: (1 - 1 / batches) ** options
    ),
    "one batch is missing: all of them must miss it": lambda options, batches: (1 - 1 / options) ** (batches - 1),
    "that is for any operation of the edge; asked is a given one": lambda options, batches: (
        options * (1 - 1 / options) ** batches
    ),
    "that is for a whole path of three edges; asked is one operation on one edge": lambda options, batches: (
        (1 - 1 / options**3) ** batches
    ),
    "`//` drops what is behind the point: divide with `/`": lambda options, batches: (1 - 1 // options) ** batches,
    "it returns text: return the number itself": lambda options, batches: f"{(1 - 1 / options) ** batches:.3f}",
}


def never_trained_right_by_loop(options, batches):
    """Batch by batch."""
    probability = torch.ones((), dtype=torch.float64)
    for _ in range(batches):
        probability *= (options - 1) / options
    return probability


def test_never_trained(function):
    dice = random.Random(0)
    cases = [(5, 3), (2, 4), (5, 1), *((dice.randint(2, 9), dice.randint(2, 20)) for _ in range(8))]
    judge(function, never_trained, NEVER_TRAINED, cases)


# --- sample fairly ----------------------------------------------------------------------------------------------------
def fair_round(options, edges, shuffled):
    """Paths, `options` of them, in which every operation of every edge occurs once  (FairNAS, alg. 1)."""
    orders = [shuffled(options) for _ in range(edges)]  # one order for each edge
    return list(zip(*orders, strict=True))


def fair_round_by_steps(options, edges, shuffled):
    """Each edge is one step ahead of the edge before it."""
    first = shuffled(options)
    return [tuple((first[i] + edge) % options for edge in range(edges)) for i in range(options)]


FAIR_ROUND = {
    "turn: these are as many rows as edges; a path takes one entry of every row": lambda options, edges, shuffled: [
        tuple(shuffled(options)) for _ in range(edges)
    ],
    "fair: on some edge an operation occurs twice and another one never, as if drawn with replacement": (
        lambda options, edges, shuffled: [
            tuple(shuffled(options)[0] for _ in range(edges)) for _ in range(options)
        ]  # the rule of ENAS
    ),
    "length: a path has one operation for each edge": lambda options, edges, shuffled: [
        (choice,) for choice in shuffled(options)
    ],
    "count: a round has as many paths as an edge has operations": lambda options, edges, shuffled: [
        tuple(shuffled(options)[0] for _ in range(edges))
    ],
    "mixed: all edges share one order, so each path has the same operation everywhere": (
        lambda options, edges, shuffled: list(zip(*[shuffled(options)] * edges, strict=True))
    ),
    "luck: the round is the same each time; `shuffled` brings the chance": lambda options, edges, shuffled: [
        tuple((i + edge) % options for edge in range(edges)) for i in range(options)
    ],
    "pairs: some operations of two edges never meet, however many rounds: shuffle each edge by itself": (
        fair_round_by_steps
    ),
    "from 0: operations are numbered from 0 to options − 1": lambda options, edges, shuffled: [
        tuple(choice + 1 for choice in path) for path in fair_round(options, edges, shuffled)
    ],
    "it returns numbers where paths should be": lambda options, edges, shuffled: shuffled(options),
}


def fair_round_right_by_rows(options, edges, shuffled):
    """Lists instead of tuples."""
    rows = [shuffled(options) for _ in range(edges)]
    return [[row[i] for row in rows] for i in range(options)]


def fair_round_right_by_tensor(options, edges, shuffled):
    """A tensor of paths."""
    return torch.tensor([shuffled(options) for _ in range(edges)]).T


def one_by_one(options, edges, shuffled):
    """A generator."""
    left = [list(shuffled(options)) for _ in range(edges)]
    for _ in range(options):
        yield tuple(row.pop() for row in left)


def test_fair_round(function):
    turn, fair, length, count, mixed, luck, pairs, from_0, numbers_only = FAIR_ROUND
    source = random.Random(0)
    for options, edges in ((5, 3), (3, 3), (4, 2)):
        rounds, met = [], Counter()
        for _ in range(80):
            paths = function(options, edges, lambda n: source.sample(range(n), n))
            expect(paths is not None, "it returns nothing; is there a `return`?")
            paths = list(paths)
            expect(all(hasattr(path, "__len__") and getattr(path, "ndim", 1) for path in paths), numbers_only)
            paths = [tuple(int(choice) for choice in path) for path in paths]
            expect(options == edges or [len(path) for path in paths] != [options] * edges, turn)
            expect(len(paths) == options, count)
            expect(all(len(path) == edges for path in paths), length)
            expect(all(0 <= choice < options for path in paths for choice in path), from_0)
            expect(all(len(set(edge)) == options for edge in zip(*paths, strict=True)), fair)
            rounds.append(paths)
            met.update((i, j, path[i], path[j]) for path in paths for i in range(edges) for j in range(i))
        expect(any(len(set(path)) > 1 for paths in rounds for path in paths), mixed)
        expect(any(paths != rounds[0] for paths in rounds), luck)
        expect(len(met) == options**2 * edges * (edges - 1) // 2, pairs)


EXERCISES = (
    Exercise(
        walk,
        test_walk,
        title="Walk one path",
        difficulty=1,
        minutes=4,
        hints=(
            'Node 1 first: `active["1<0"]` names an operation, `ops["1<0"]` holds it under that name; call it with x.',
            "The output is a sum of two: edge 2<0 applied to x, and edge 2<1 applied to node 1.",
        ),
        wrong=WALK,
        right=(walk_right_by_loop,),
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
        right=(learners_right_by_list,),
    ),
    Exercise(
        never_trained,
        test_never_trained,
        title="Count the misses",
        difficulty=1,
        minutes=2,
        hints=("With what probability is the operation missed by one batch?", "All batches must miss it: multiply."),
        wrong=NEVER_TRAINED,
        right=(never_trained_right_by_loop,),
    ),
    Exercise(
        fair_round,
        test_fair_round,
        title="Draw a fair round",
        difficulty=2,
        minutes=5,
        hints=(
            "Shuffle the operations of each edge, separately for every edge.",
            "Path number i takes the i-th operation of each edge's order: zip turns rows into columns.",
        ),
        wrong=FAIR_ROUND,
        right=(fair_round_right_by_rows, fair_round_right_by_tensor, one_by_one),
    ),
)
