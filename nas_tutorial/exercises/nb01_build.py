"""What is built in notebook 01: a space of cells, counted by name and by function, and sampled."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from itertools import combinations, product
from typing import Any

from nas_tutorial.exercises import nb01_build_answers as answers
from nas_tutorial.exercises.frame import Exercise, expect

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
        right = answers.survey(nodes, operations, None, 0)["edges"]
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
        edges = answers.survey(nodes, operations, None, 0)["edges"]
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
        if len(edges) > 1:
            check_choices(cells)
        missing = sorted(right - set(cells))
        expect(not missing, f"cells: {case} there are {len(right)}; yours are {len(cells)}, without {missing[:1]}")


def check_choices(cells: list[tuple]) -> None:
    """`Mistake` unless two edges may have the same operation or two, and in either order."""
    repeats = any(len(set(cell)) < len(cell) for cell in cells)
    expect(repeats, "cells: two edges may have the same operation; yours never do")
    mixes = any(len(set(cell)) > 1 for cell in cells)
    expect(mixes, "cells: every edge chooses by itself; yours have the same operation on all edges")
    mixtures = {tuple(sorted(cell)) for cell in cells}
    expect(len(mixtures) < len(cells), "cells: it matters which edge has which operation; you list each mixture once")


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
        right.append(grouping(answers.survey(nodes, operations, None, 0)["families"]))
        cells = Counter(cell for family in grouped[-1] for cell in family)
        expect(len(cells) == len(operations) ** (nodes * (nodes - 1) // 2), "families: every cell belongs to a family")
        expect(max(cells.values()) == 1, "families: every cell belongs to one family only")
    for sentence, wrong in answers.FORMULAS.items():
        same = all(
            grouping(answers.families(wrong, *case)) == found for case, found in zip(CASES, grouped, strict=True)
        )
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


AGAIN = f"drawn: a cell may come twice, {DRAWS} draws are more than there are cells; rng.sample repeats none"


def test_drawn(function):
    draw, operations = partial(part, function, "drawn", *SMALL), SMALL[1]
    try:
        cells = [tuple(cell) for cell in draw(DRAWS, 1)]
    except ValueError as error:
        expect("larger than population" not in str(error), AGAIN)
        raise
    expect(len(cells) == DRAWS, f"drawn: {DRAWS} draws are wanted, {len(cells)} came")
    every = list(product(operations, repeat=3))
    expect(set(cells) <= set(every), f"drawn: {cells[0]} is no cell of this space; draw one operation per edge")
    expect([tuple(cell) for cell in draw(DRAWS, 1)] == cells, "drawn: the same generator gave other cells; use `rng`")
    other = [tuple(cell) for cell in draw(DRAWS, 2)]
    expect(other != cells, "drawn: another generator gave the same cells; draw from `rng`, and give it no seed")
    kinds = {len(set(cell)) for cell in cells}
    expect(kinds != {1}, "drawn: roll the die again for every edge; all your cells have the same operation everywhere")
    expect(kinds != {3}, "drawn: an operation may come again on another edge; rng.choice for each edge, not rng.sample")
    check_chances(Counter(cells), every)


def check_chances(counts: Counter, every: list[tuple]) -> None:
    """`Mistake` unless each of all cells was drawn about equally often, as by chance."""
    fair = chi_squared(counts, dict.fromkeys(every, DRAWS / len(every)))
    expect(fair > EVEN, "drawn: every draw is from all cells, also from those drawn before; yours come in turn")
    expect(
        chi_squared(counts, by_function()) > LIMIT,
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


def by_function() -> dict:
    """How often each cell of `SMALL` would be drawn if first a family is drawn, and then a cell of it."""
    families = answers.known_families(*SMALL)
    return {cell: DRAWS / len(families) / len(family) for family in families for cell in family}


EXERCISES = (
    Exercise(
        answers.survey,
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
        wrong=answers.WRONG,
        right=(answers.nested, answers.by_sets),
        build=True,
    ),
)
