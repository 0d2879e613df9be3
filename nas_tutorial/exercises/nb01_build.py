"""What is built in notebook 01: a space of cells, counted by name and by function, and sampled."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, partial
from itertools import combinations, combinations_with_replacement, permutations, product
from typing import Any

from nas_tutorial.exercises.frame import Exercise, expect


def survey(nodes, operations, rng, draws):
    """A space of cells: its edges, its cells, the cells by what they compute, and some drawn at random."""
    edges = [(source, target) for target in range(1, nodes) for source in range(target)]
    cells = list(product(operations, repeat=len(edges)))
    families = {}
    for cell in cells:
        terms = {0: ["x"]} | {node: [] for node in range(1, nodes)}  # what arrives at each node
        for (source, target), operation in zip(edges, cell, strict=True):
            if operation == "skip":
                terms[target] += terms[source]
            elif operation != "zero" and terms[source]:
                terms[target].append(f"{operation}({' + '.join(sorted(terms[source]))})")
        formula = " + ".join(sorted(terms[nodes - 1])) or "0"
        families.setdefault(formula, []).append(cell)
    drawn = [tuple(rng.choice(operations) for _ in edges) for _ in range(draws)]
    return {"edges": edges, "cells": cells, "families": families, "drawn": drawn}


# --- the four steps ---------------------------------------------------------------------------------------------------
SMALL = (3, ("zero", "skip", "blur"))  # nodes, operations: 27 cells
CASES = (SMALL, (2, ("skip", "blur", "zero", "sharpen")), (4, ("zero", "skip", "blur")))
DRAWS, EVEN, LIMIT = 5_400, 4.0, 80.0  # chi-squared of fair draws, 26 degrees of freedom: 26 ± 7


def part(function: Callable[..., Any], key: str, nodes: int, operations: tuple, draws: int = 0, seed: int = 0) -> Any:
    """One part of what a student's function returns."""
    found = function(nodes, operations, random.Random(seed), draws)
    expect(found is not None, "it returns nothing; is there a `return`?")
    expect(isinstance(found, dict), f"it returns {found!r:.60}; return a dictionary, even if some keys are missing yet")
    expect(key in found, f"{key}: what it returns has no key {key!r} yet: the next step")
    expect(found[key] is not ... and found[key] is not None, f"{key}: it is still empty")
    again = not hasattr(found[key], "__next__")
    expect(again, f"{key}: this can be gone through only once; make a list of it, list(…)")
    return found[key]


def test_edges(function):
    for nodes, operations in CASES:
        right = survey(nodes, operations, None, 0)["edges"]
        got = [tuple(edge) for edge in part(function, "edges", nodes, operations)]
        case = f"for {nodes} nodes it gives {got}"
        expect({(b, a) for a, b in got} != set(right), "edges: write (source, target), with the earlier node first")
        loops = [edge for edge in got if edge[0] == edge[1]]
        expect(not loops, f"edges: no edge leads from a node to itself, but there is {loops[:1]}")
        expect(all(a < b for a, b in got), f"edges: an edge leads from an earlier node to a later one; {case}")
        expect(len(set(got)) == len(got), f"edges: each edge once; {case}")
        beyond = [edge for edge in got if edge[1] >= nodes]
        expect(not beyond, f"edges: the last of {nodes} nodes has the number {nodes - 1}, but there is {beyond[:1]}")
        missing = sorted(set(right) - set(got))
        expect(not missing, f"edges: every earlier node has an edge to every later one; {case}, without {missing[:1]}")
        expect(got == right, f"edges: the order is target by target, as in the notation: {right}; {case}")


def test_cells(function):
    for nodes, operations in CASES:
        given = part(function, "cells", nodes, operations)
        edges = survey(nodes, operations, None, 0)["edges"]
        right = set(product(operations, repeat=len(edges)))
        case = f"for {len(edges)} edges and {len(operations)} operations"
        expect(not isinstance(given, int), "cells: list the cells themselves, not only how many there are")
        expect(not any(isinstance(cell, str) for cell in given), "cells: a cell is a tuple of operations, not a text")
        cells = [tuple(cell) for cell in given]
        expect(cells, f"cells: {case} there are {len(right)}; your list is empty")
        lengths = {len(cell) for cell in cells}
        expect(lengths <= {len(edges)}, f"cells: a cell has one operation per edge, {len(edges)}; yours {lengths}")
        known = all(operation in operations for cell in cells for operation in cell)
        expect(known, f"cells: a cell is a tuple of operations such as {next(iter(right))}, not {cells[0]}")
        expect(len(set(cells)) == len(cells), f"cells: each cell once; {case} {cells[0]} is there more often")
        repeats = any(len(set(cell)) < len(cell) for cell in cells)
        mixes = any(len(set(cell)) > 1 for cell in cells) or len(edges) == 1
        expect(repeats or len(edges) == 1, "cells: two edges may have the same operation; yours never do")
        expect(mixes, "cells: every edge chooses by itself; yours have the same operation on all edges")
        ordered = {tuple(sorted(cell)) for cell in cells}
        expect(
            len(ordered) < len(cells) or len(edges) == 1,
            "cells: it matters which edge has which operation; you list each mixture once",
        )
        missing = sorted(right - set(cells))
        expect(not missing, f"cells: {case} there are {len(right)}; yours are {len(cells)}, without {missing[:1]}")


def grouping(families: Any) -> frozenset:
    """Which cells are together, whatever the keys are."""
    expect(isinstance(families, dict), "families: make a dictionary, formula → the cells that have it")
    counts = any(isinstance(family, int) for family in families.values())
    expect(not counts, "families: keep the cells themselves under each formula, not only how many there are")
    return frozenset(frozenset(tuple(cell) for cell in family) for family in families.values())


def test_families(function):
    grouped, right = [], []
    for nodes, operations in CASES:
        grouped.append(grouping(part(function, "families", nodes, operations)))
        right.append(grouping(survey(nodes, operations, None, 0)["families"]))
        cells = Counter(cell for family in grouped[-1] for cell in family)
        expect(len(cells) == len(operations) ** (nodes * (nodes - 1) // 2), "families: every cell belongs to a family")
        expect(max(cells.values()) == 1, "families: every cell belongs to one family only")
    for sentence, wrong in FORMULAS.items():
        same = all(grouping(families(wrong, *case)) == found for case, found in zip(CASES, grouped, strict=True))
        expect(grouped == right or not same, sentence)
    for (nodes, _), found, wanted in zip(CASES, grouped, right, strict=True):
        together, apart = pair_in(found, wanted), pair_in(wanted, found)
        expect(
            not apart,
            f"families: {' and '.join(map(str, apart))} compute the same with {nodes} nodes, but are in two families",
        )
        expect(
            not together,
            f"families: {' and '.join(map(str, together))} differ with {nodes} nodes, but are in one family",
        )


def pair_in(ones: Iterable[frozenset], others: Iterable[frozenset]) -> tuple:
    """Two cells that are in one family of the first, but not of the second; none, if there are none."""
    home = {cell: i for i, family in enumerate(others) for cell in family}
    for family in sorted(ones, key=lambda family: (len(family), min(family))):
        for one, other in combinations(sorted(family), 2):
            if home[one] != home[other]:
                return one, other
    return ()


def test_drawn(function):
    draw, operations = partial(part, function, "drawn", *SMALL), SMALL[1]
    cells = [tuple(cell) for cell in draw(DRAWS, 1)]
    expect(len(cells) == DRAWS, f"drawn: {DRAWS} draws are wanted, {len(cells)} came")
    every = list(product(operations, repeat=3))
    expect(set(cells) <= set(every), f"drawn: {cells[0]} is no cell of this space; draw one operation per edge")
    expect([tuple(cell) for cell in draw(DRAWS, 1)] == cells, "drawn: the same generator gave other cells; use `rng`")
    other = [tuple(cell) for cell in draw(DRAWS, 2)]
    expect(other != cells, "drawn: another generator gave the same cells; draw from `rng`, and give it no seed")
    counts = Counter(cells)
    kinds = {len(set(cell)) for cell in cells}
    expect(kinds != {1}, "drawn: roll the die again for every edge; all your cells have the same operation everywhere")
    expect(kinds != {3}, "drawn: an operation may come again on another edge; rng.choice for each edge, not rng.sample")
    fair = chi_squared(counts, dict.fromkeys(every, DRAWS / len(every)))
    expect(fair > EVEN, "drawn: every draw is from all cells, also from those drawn before; yours come in turn")
    chances = by_function()
    expect(
        chi_squared(counts, chances) > LIMIT,
        "drawn: you draw every function equally often; draw every cell (every name) equally often",
    )
    rare, often = min(every, key=counts.__getitem__), max(every, key=counts.__getitem__)
    expect(
        fair < LIMIT,
        f"drawn: every cell should come about {DRAWS // len(every)} times in {DRAWS}, but {rare} came {counts[rare]} "
        f"and {often} {counts[often]} times",
    )


def chi_squared(counts: Counter, wanted: dict) -> float:
    """Σ (count − wanted)² / wanted over all cells."""
    return sum((counts[cell] - mean) ** 2 / mean for cell, mean in wanted.items())


@cache
def known_families(nodes: int, operations: tuple) -> list:
    """The families of a space."""
    return list(survey(nodes, operations, None, 0)["families"].values())


def by_function() -> dict:
    """How often each cell of `SMALL` would be drawn if first a family is drawn, and then a cell of it."""
    families = known_families(*SMALL)
    return {cell: DRAWS / len(families) / len(family) for family in families for cell in family}


# --- wrong formulas ---------------------------------------------------------------------------------------------------
def families(formula: Callable[[int, list, tuple], Any], nodes: int, operations: tuple) -> dict:
    """The cells of a space by a formula of one's own."""
    found = survey(nodes, operations, None, 0)
    made: dict = {}
    for cell in found["cells"]:
        made.setdefault(formula(nodes, found["edges"], cell), []).append(cell)
    return made


def formula(nodes, edges, cell, zero="", nothing="", skip="", join=sorted, of=None):
    """A cell's formula, of which one part may be wrong.

    zero, nothing: what an edge with zero, and an operation on nothing, leave behind; skip: what stands for a copy;
    join: how terms are put in order; of: which nodes are read, None for the output.
    """
    terms = {0: ("x",)} | {node: () for node in range(1, nodes)}
    for (source, target), operation in zip(edges, cell, strict=True):
        inside = " + ".join(join(terms[source]))
        if operation == "zero":
            terms[target] += (zero,) if zero else ()
        elif operation == "skip" and not skip:
            terms[target] += terms[source]
        elif inside or nothing:
            terms[target] += (f"{operation}({inside})",)
    return " + ".join(join(terms[nodes - 1])) if of is None else str([join(terms[node]) for node in of(nodes)])


def copied_whole(nodes, edges, cell):
    """A skip hands on a sum in one piece, so that its terms are not put in order with the others."""
    sums = {0: ["x"]} | {node: [] for node in range(1, nodes)}
    for (source, target), operation in zip(edges, cell, strict=True):
        inside = " + ".join(sorted(sums[source]))
        if inside and operation != "zero":
            sums[target].append(inside if operation == "skip" else f"{operation}({inside})")
    return " + ".join(sorted(sums[nodes - 1]))


def last_edge_only(nodes, edges, cell):
    """A node is what its last edge brings, instead of a sum."""
    state = {0: "x"}
    for (source, target), operation in zip(edges, cell, strict=True):
        inside = state[source]
        state[target] = inside if operation == "skip" else inside and operation != "zero" and f"{operation}({inside})"
    return state[nodes - 1]


FORMULAS: dict[str, Callable[[int, list, tuple], Any]] = {
    "zero: an edge with zero adds nothing to the sum; leave its term out": partial(formula, zero="0"),
    "nothing: an operation applied to nothing gives nothing; leave its term out, too": partial(formula, nothing="0"),
    "skip: it hands on what arrives at its source, term by term; it is no operation of its own": (
        partial(formula, skip="skip")
    ),
    "order: the order in a sum does not matter; sort the terms before you join them": partial(formula, join=list),
    "order: keep a list of terms for each node; a copied sum in one piece, 'a + c', is not sorted in with 'b'": (
        copied_whole
    ),
    "sum: x + x is not x; keep a term as often as it arrives (a set forgets that)": (
        partial(formula, join=lambda terms: sorted(set(terms)))
    ),
    "sum: a node is the sum of all edges that enter it; yours keeps only the last one": last_edge_only,
    "output: only what arrives at the last node counts; other nodes may be idle": (
        partial(formula, of=lambda nodes: range(1, nodes))
    ),
    "output: the last node has the number nodes − 1; you look at the node before": (
        partial(formula, of=lambda nodes: [nodes - 2])
    ),
    "formula: where an operation stands matters, too, not only how often it occurs": (
        lambda nodes, edges, cell: tuple(sorted(cell))
    ),
    "formula: here every cell has a family of its own; the operations are its name, not what it computes": (
        lambda nodes, edges, cell: cell
    ),
}


# --- the exercise -----------------------------------------------------------------------------------------------------
def with_part(key: str, made: Callable[..., Any]) -> Callable[..., dict]:
    """The reference with one part of what it returns made differently."""

    def wrong(nodes, operations, rng, draws):
        return survey(nodes, operations, rng, draws) | {key: made(nodes, operations, rng, draws)}

    return wrong


def edges_of(nodes: int) -> range:
    """As many as a cell has edges."""
    return range(nodes * (nodes - 1) // 2)


def only_edges(nodes, operations, rng, draws):
    """A build that is written as far as the first step."""
    return {"edges": [(source, target) for target in range(nodes) for source in range(target)]}


def nested(nodes, operations, rng, draws):
    """Another style: recursion, formulas that are tuples, cells as lists."""
    edges = tuple((a, b) for b in range(nodes) for a in range(b))
    cells = [[]]
    for _ in edges:
        cells = [[*cell, operation] for cell in cells for operation in operations]

    def arrives(cell, node):
        if not node:
            return ("x",)
        terms = []
        for (a, b), operation in zip(edges, cell, strict=True):
            if b == node and operation != "zero":
                inside = arrives(cell, a)
                terms += inside if operation == "skip" else [(operation, inside)] if inside else []
        return tuple(sorted(terms, key=repr))

    families = {}
    for cell in cells:
        families.setdefault(arrives(cell, nodes - 1), []).append(cell)
    return {"edges": edges, "cells": cells, "families": families, "drawn": [rng.choice(cells) for _ in range(draws)]}


def by_sets(nodes, operations, rng, draws):
    """Another style: families are sets, draws by `choices`."""
    found = survey(nodes, operations, rng, 0)
    families = {formula: set(family) for formula, family in found["families"].items()}
    return found | {"families": families, "drawn": rng.choices(found["cells"], k=draws)}


WRONG_FAMILIES = {
    sentence: with_part("families", lambda n, ops, rng, k, f=f: families(f, n, ops)) for sentence, f in FORMULAS.items()
}

WRONG: dict[str, Callable[..., Any]] = {
    "it returns nothing": lambda nodes, operations, rng, draws: None,
    "cells: what it returns has no key": only_edges,
    "the earlier node first": with_part("edges", lambda n, ops, rng, k: [(b, a) for b in range(n) for a in range(b)]),
    "from a node to itself": with_part(
        "edges", lambda n, ops, rng, k: [(a, b) for b in range(n) for a in range(b + 1)]
    ),
    "target by target": with_part("edges", lambda n, ops, rng, k: list(combinations(range(n), 2))),
    "only once": with_part("cells", lambda n, ops, rng, k: product(ops, repeat=len(edges_of(n)))),
    "yours never do": with_part("cells", lambda n, ops, rng, k: list(permutations(ops, len(edges_of(n))))),
    "each mixture once": with_part(
        "cells", lambda n, ops, rng, k: list(combinations_with_replacement(ops, len(edges_of(n))))
    ),
    "keep the cells themselves": with_part(
        "families", lambda n, ops, rng, k: {f: len(c) for f, c in survey(n, ops, rng, 0)["families"].items()}
    ),
    **{sentence: WRONG_FAMILIES[sentence] for sentence in list(WRONG_FAMILIES)[:7]},
    "use `rng`": with_part(
        "drawn", lambda n, ops, rng, k: [tuple(random.choice(ops) for _ in edges_of(n)) for _ in range(k)]
    ),
    "the same operation everywhere": with_part(
        "drawn", lambda n, ops, rng, k: [(rng.choice(ops),) * len(edges_of(n)) for _ in range(k)]
    ),
    "not rng.sample": with_part(
        "drawn", lambda n, ops, rng, k: [tuple(rng.sample(ops, min(len(ops), len(edges_of(n))))) for _ in range(k)]
    ),
    "draw every cell": with_part(
        "drawn",
        lambda n, ops, rng, k: [rng.choice(rng.choice(known_families(n, ops))) for _ in range(k)],
    ),
}

RARER: dict[str, Callable[..., Any]] = {
    **{sentence: WRONG_FAMILIES[sentence] for sentence in list(WRONG_FAMILIES)[7:]},
    "return a dictionary": lambda nodes, operations, rng, draws: ([], [], {}, []),
    "edges: every earlier node": with_part("edges", lambda n, ops, rng, k: [(b - 1, b) for b in range(1, n)]),
    "has the number": with_part("edges", lambda n, ops, rng, k: [(a, b) for b in range(n + 1) for a in range(b)]),
    "one operation per edge, 3; yours {2}": with_part("cells", lambda n, ops, rng, k: list(product(ops, repeat=2))),
    "not only how many": with_part("cells", lambda n, ops, rng, k: len(ops) ** len(edges_of(n))),
    "the same operation on all edges": with_part(
        "cells", lambda n, ops, rng, k: [(op,) * len(edges_of(n)) for op in ops]
    ),
    "but are in two families": with_part(
        "families",
        lambda n, ops, rng, k: families(lambda n, e, c: formula(n, e, c) + ("!" if c[-1] == "zero" else ""), n, ops),
    ),
    "but are in one family": with_part(
        "families", lambda n, ops, rng, k: families(lambda n, e, c: len(formula(n, e, c)), n, ops)
    ),
    "draws are wanted": with_part("drawn", lambda n, ops, rng, k: [rng.choice(ops) for _ in edges_of(n)]),
    "give it no seed": with_part("drawn", lambda n, ops, rng, k: survey(n, ops, random.Random(0), k)["drawn"]),
    "every draw is from all cells": with_part(
        "drawn",
        lambda n, ops, rng, k: (lambda c: rng.sample(c * (k // len(c) + 1), k))(survey(n, ops, rng, 0)["cells"]),
    ),
    "but ('zero'": with_part(
        "drawn", lambda n, ops, rng, k: [tuple(rng.choice((*ops, ops[-1])) for _ in edges_of(n)) for _ in range(k)]
    ),
}
"""Mistakes that are named, too; the notebook is not run with each of them."""


EXERCISES = (
    Exercise(
        survey,
        {
            "step 1, edges: every pair of nodes, target by target": test_edges,
            "step 2, cells: every way to put one operation on each edge": test_cells,
            "step 3, families: cells that compute the same are together": test_families,
            "step 4, drawn: every cell equally often, from the generator given": test_drawn,
        },
        title="Survey a space",
        difficulty=3,
        minutes=18,
        hints=(
            "Edges: two loops, the outer one over targets 1 to nodes − 1, the inner one over sources below the target.",
            "Cells: itertools.product(operations, repeat=len(edges)), made into a list.",
            "Families, for one cell: keep a list of terms for every node, {0: ['x'], 1: [], …}. Go through the edges; "
            "a skip adds all terms of its source, another operation adds one new term, 'conv_3x3(x)', around the "
            "sorted terms of its source; zero adds none.",
            "Families, for all cells: the formula is ' + '.join(sorted(terms of the last node)); "
            "families.setdefault(formula, []).append(cell).",
            "Drawn: rng.choice(operations) once for every edge, that makes one cell; draws such cells.",
        ),
        wrong=WRONG,
        right=(nested, by_sets),
        build=True,
    ),
)
