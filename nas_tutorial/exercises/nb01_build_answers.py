"""Answers to the build of notebook 01: the reference, formulas and surveys with one thing wrong, other right ones."""

import random
from collections.abc import Callable
from functools import cache, partial
from itertools import combinations, combinations_with_replacement, permutations, product
from typing import Any


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


@cache
def known_families(nodes: int, operations: tuple) -> list:
    """The families of a space."""
    return list(survey(nodes, operations, None, 0)["families"].values())


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


# --- surveys, wrong and right -----------------------------------------------------------------------------------------
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
    "rng.sample repeats none": with_part(
        "drawn", lambda n, ops, rng, k: rng.sample(list(product(ops, repeat=len(edges_of(n)))), k)
    ),
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
