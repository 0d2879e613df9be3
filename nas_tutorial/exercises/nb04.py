"""Exercises of notebook 04, Share the weights; its build is in `nb04_build.py`."""

import random
from collections import Counter
from itertools import combinations, product

import torch

from nas_tutorial.exercises import nb04_answers as answers
from nas_tutorial.exercises.cases import compare, judge
from nas_tutorial.exercises.frame import Exercise, Mistake, expect


# --- walk one path ----------------------------------------------------------------------------------------------------
def random_edges(dice):
    """Three edges with the names of the tiny space's operations; the learnt ones scale and shift."""

    def scaled():
        factor, shift = dice.uniform(1, 2), dice.uniform(-1, 1)
        return lambda x: factor * x + shift

    fixed = {"zero": lambda x: x * 0.0, "skip": lambda x: x}
    learnt = ("avg_pool_3x3", "conv_1x1", "conv_3x3")
    return {edge: {**fixed, **{name: scaled() for name in learnt}} for edge in ("1<0", "2<0", "2<1")}


def watched(ops, ran):
    """The same edges; each operation that is called is noted in `ran`."""

    def noted(at, op):
        return lambda y: ran.add(at) or op(y)

    return {edge: {name: noted((edge, name), op) for name, op in named.items()} for edge, named in ops.items()}


def test_walk(function):
    dice, source = random.Random(0), torch.Generator().manual_seed(0)
    ops, x = random_edges(dice), torch.randn(2, 3, generator=source, dtype=torch.float64)
    wrong = {what: answer for what, answer in answers.WALK.items() if what != answers.SEVERAL}
    found, others, idle = [], {what: [] for what in wrong}, False
    for names in [("conv_3x3", "skip", "conv_1x1"), *(dice.choices(list(ops["1<0"]), k=3) for _ in range(20))]:
        active = dict(zip(ops, names, strict=True))
        given, right = x.clone(), answers.walk(x, ops, active)
        got = function(given, watched(ops, ran := set()), active)
        expect(got is not None, "it returns nothing; is there a `return`?")
        expect(not isinstance(got, list | tuple), answers.SEVERAL)
        idle = idle or not ran <= set(active.items())
        expect(torch.equal(given, x), answers.IN_PLACE)
        found.append((torch.as_tensor(got), right, active))
        for what, answer in wrong.items():
            others[what].append(answer(x.clone(), ops, active))
    if all(alike(got, right) for got, right, _ in found):
        return expect(not idle, answers.IDLE)
    for what, outputs in others.items():
        if all(alike(got, other) for (got, _, _), other in zip(found, outputs, strict=True)):
            raise Mistake(what)
    got, right, active = next(row for row in found if not alike(*row[:2]))
    expect(got.shape == right.shape, f"it returns the shape {tuple(got.shape)}, but {tuple(right.shape)} is right")
    at = divmod(int((got - right).abs().argmax()), right.shape[1])
    case = f"for {', '.join(active.values())}, at {list(at)},"
    compare(float(got[at]), float(right[at]), {}, case, parts_of_walk(x, ops, active, at))


def parts_of_walk(x, ops, active, at):
    """The way to an entry of the output of `walk`."""
    node, direct = (answers.run(ops, active, edge, x) for edge in ("1<0", "2<0"))
    over = answers.run(ops, active, "2<1", node)
    return f"node 1 has {node[at]:.4g} there, edge 2<0 gives {direct[at]:.4g} and edge 2<1 gives {over[at]:.4g}"


def alike(a, b):
    """Whether two tensors have the same shape and values."""
    return a.shape == b.shape and torch.allclose(a.double(), b.double(), atol=1e-6)


# --- who learns -------------------------------------------------------------------------------------------------------
def test_learners(function):
    cases = list(product(answers.OPERATIONS, repeat=3))
    random.Random(0).shuffle(cases)
    judge(function, answers.learners, answers.LEARNERS, cases, edge_by_edge)


def edge_by_edge(first, second, third):
    """The way to `learners`."""
    said = []
    for edge, operation, other, cut in (
        ("0 → 1", first, third, "its output goes nowhere"),
        ("0 → 2", second, "", ""),
        ("1 → 2", third, first, "only zeros enter it"),
    ):
        learns = "has no weights" if not answers.is_conv(operation) else cut if other == "zero" else "it learns"
        said.append(f"{operation} on {edge}: {learns}")
    return "; ".join(said)


# --- never trained ----------------------------------------------------------------------------------------------------
def test_never_trained(function):
    dice = random.Random(0)
    cases = [(5, 3), (2, 4), (5, 1), *((dice.randint(2, 9), dice.randint(2, 20)) for _ in range(8))]
    judge(function, answers.never_trained, answers.NEVER_TRAINED, cases, one_miss)


def one_miss(options, batches):
    """The way to `never_trained`."""
    return f"one batch misses it with probability {1 - 1 / options:.4g}, and every batch draws anew"


# --- sample fairly ----------------------------------------------------------------------------------------------------
def test_fair_round(function):
    turn, fair, length, count, mixed, luck, pairs, shifted, from_0, numbers_only = answers.FAIR_ROUND
    source = random.Random(0)
    for options, edges in ((5, 3), (3, 3), (4, 2)):
        rounds, met, matched = [], Counter(), set()
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
            for i, j in combinations(range(edges), 2):
                matched.add((i, j, tuple(sorted((path[i], path[j]) for path in paths))))
            met.update((i, j, path[i], path[j]) for path in paths for i in range(edges) for j in range(i))
        expect(any(len(set(path)) > 1 for paths in rounds for path in paths), mixed)
        expect(any(paths != rounds[0] for paths in rounds), luck)
        expect(len(met) == options**2 * edges * (edges - 1) // 2, pairs)
        expect(options != 3 or len(matched) == 6 * edges * (edges - 1) // 2, shifted)  # all 3! ways to match two edges


# --- all of them ------------------------------------------------------------------------------------------------------
EXERCISES = (
    Exercise(
        answers.walk,
        test_walk,
        title="Walk one path",
        difficulty=1,
        minutes=4,
        hints=(
            'Node 1 first: `active["1<0"]` names an operation, `ops["1<0"]` holds it under that name; call it with x.',
            "The output is a sum of two: edge 2<0 applied to x, and edge 2<1 applied to node 1.",
        ),
        wrong=answers.WALK,
        right=(answers.walk_right_by_loop,),
    ),
    Exercise(
        answers.learners,
        test_learners,
        title="Who learns",
        difficulty=2,
        minutes=5,
        hints=(
            "A weight learns if its output reaches the loss and its input is not zero.",
            "The edge 0 → 2 always does both. The other two depend on each other.",
            "0 → 1 is heard unless 1 → 2 is zero; 1 → 2 is fed unless 0 → 1 is zero.",
        ),
        wrong=answers.LEARNERS,
        right=(answers.learners_right_by_list,),
    ),
    Exercise(
        answers.never_trained,
        test_never_trained,
        title="Count the misses",
        difficulty=1,
        minutes=2,
        hints=("With what probability is the operation missed by one batch?", "All batches must miss it: multiply."),
        wrong=answers.NEVER_TRAINED,
        right=(answers.never_trained_right_by_loop,),
    ),
    Exercise(
        answers.fair_round,
        test_fair_round,
        title="Draw a fair round",
        difficulty=2,
        minutes=5,
        hints=(
            "Shuffle the operations of each edge, separately for every edge.",
            "Path number i takes the i-th operation of each edge's order: zip turns rows into columns.",
        ),
        wrong=answers.FAIR_ROUND,
        right=(answers.fair_round_right_by_rows, answers.fair_round_right_by_tensor, answers.one_by_one),
    ),
)
