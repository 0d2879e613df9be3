"""What is built in notebook 05: one step of REINFORCE on a table of logits."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nas_tutorial.exercises.frame import Exercise, Mistake, expect
from nas_tutorial.exercises.nb05_build_answers import (
    BASELINE,
    FEW,
    GRADIENT,
    LOG_PROB,
    LOGITS,
    RATE,
    WRONG,
    all_at_once,
    gradient,
    logs,
    reinforce,
    softmax,
    with_torch,
    worth,
)
from nas_tutorial.exercises.patterns import listed, pattern, unexplained

# --- what a step is given ---------------------------------------------------------------------------------------------
SMALL = np.array([[0.9, -0.7, 0.2], [-0.4, 1.1, 0.1]])  # 9 cells, of which the frequencies are counted
CASES = (SMALL, np.random.default_rng(0).normal(size=(3, 5)), np.random.default_rng(1).normal(size=(4, 2)))
DRAWS, LIMIT = 4_500, 45.0  # chi-squared of fair draws, 8 degrees of freedom: 8 ± 4


def part(function: Callable[..., Any], key: str, logits: np.ndarray, draws: int = FEW, seed: int = 0) -> Any:
    """What a student's function returns, looked through up to one of its parts."""
    given = logits.copy()
    found = function(given, draws, worth, BASELINE, RATE, np.random.default_rng(seed))
    expect(found is not None, "it returns nothing; is there a `return`?")
    expect(isinstance(found, dict), f"it returns {found!r:.60}; return a dictionary, even if some keys are missing yet")
    expect(key in found, f"{key}: what it returns has no key {key!r} yet: the next step")
    expect(found[key] is not ... and found[key] is not None, f"{key}: it is still empty")
    expect(
        np.array_equal(given, logits),
        "logits: the table that was given has changed; make a new one, logits + …, instead of +=",
    )
    return found


def drawn(found: dict, logits: np.ndarray, draws: int) -> np.ndarray:
    """The cells of a step, (draws, decisions); raises `Mistake` where they are none."""
    given = found["cells"]
    expect(not hasattr(given, "__next__"), "cells: this can be gone through only once; make a list of it, list(…)")
    cells = [tuple(cell) if np.ndim(cell) else (cell,) for cell in given]
    decisions, options = logits.shape
    expect(len(cells) == draws, f"cells: {draws} draws are wanted, {len(cells)} came")
    lengths = {len(cell) for cell in cells}
    expect(lengths == {decisions}, f"cells: a cell has one answer for each of {decisions} decisions; yours {lengths}")
    whole = all(float(a) == int(a) for cell in cells for a in cell)
    expect(whole, f"cells: an answer is the number of an option, such as 0 or 1, not {cells[0][0]}")
    known = all(0 <= a < options for cell in cells for a in cell)
    expect(known, f"cells: options have the numbers 0 to {options - 1}; yours has {max(map(max, cells))}")
    return np.array(cells, int)


# --- the four steps ---------------------------------------------------------------------------------------------------
def test_cells(function):
    for logits in CASES:
        cells = drawn(part(function, "cells", logits), logits, FEW)
        again = drawn(part(function, "cells", logits), logits, FEW)
        expect(np.array_equal(cells, again), "cells: the same generator gave other cells; draw from `rng`")
    seen = drawn(part(function, "cells", SMALL, DRAWS, 1), SMALL, DRAWS)
    other = drawn(part(function, "cells", SMALL, DRAWS, 2), SMALL, DRAWS)
    frozen = np.array_equal(seen, other) and len(np.unique(seen, axis=0)) > 1
    expect(not frozen, "cells: another generator gave the same cells; draw from `rng`, and give it no seed")
    expect(len(np.unique(seen, axis=0)) > 1, "cells: all your cells are the same; draw anew for every cell")
    counts = np.zeros(SMALL.shape[1:] * 2)
    np.add.at(counts, tuple(seen.T), 1)
    for sentence, table in DISTRIBUTIONS.items():
        expect(chi_squared(counts, table) > LIMIT, sentence)
    p = np.multiply.outer(*softmax(SMALL))
    cell = np.unravel_index(np.abs(counts / DRAWS - p).argmax(), p.shape)
    expect(
        chi_squared(counts, p) < LIMIT,
        f"cells: option {cell[0]} and then {cell[1]} should come with probability {p[cell]:.2f}, but came in "
        f"{counts[cell] / DRAWS:.2f} of the draws",
    )


def chi_squared(counts: np.ndarray, p: np.ndarray) -> float:
    """Σ (count − wanted)² / wanted over all cells; infinite where something came that cannot."""
    wanted = DRAWS * p
    if (counts[wanted == 0] > 0).any():
        return np.inf
    return float(((counts - wanted)[wanted > 0] ** 2 / wanted[wanted > 0]).sum())


def coupled(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How often two answers come together where one random number, looked up in both rows, decides both."""
    a, b = (np.r_[0, row.cumsum()] for row in (first, second))
    overlap = np.minimum.outer(a[1:], b[1:]) - np.maximum.outer(a[:-1], b[:-1])
    return np.maximum(overlap, 0)


DISTRIBUTIONS = {  # mistake → how often each cell of `SMALL` then comes
    "cells: all options come equally often; the logits decide how often, by softmax": np.full((3, 3), 1 / 9),
    "cells: sign: a larger logit makes an option likelier, not rarer": np.multiply.outer(*softmax(-SMALL)),
    "cells: all decisions are answered from the first row; every decision has its own": (
        np.multiply.outer(softmax(SMALL)[0], softmax(SMALL)[0])
    ),
    "cells: one random number answers all decisions; draw anew for each of them": coupled(*softmax(SMALL)),
}


def agree(
    function: Callable[..., Any],
    key: str,
    wanted: Callable[..., np.ndarray],
    mistakes: dict,
    way: Callable[..., str],
) -> None:
    """Hold one part of what is returned against its formula, on the cells that were drawn.

    wanted, mistakes: functions of (logits, p, cells) that return an array; way: with a place in that, too.
    """
    for logits in CASES:
        found = part(function, key, logits)
        cells = drawn(found, logits, FEW)
        expect(not hasattr(found[key], "__next__"), f"{key}: make a list of it, list(…)")
        given, p = np.asarray(found[key], float), softmax(logits)
        right = wanted(logits, p, cells)
        if given.shape == right.shape and np.allclose(given, right, atol=1e-6):
            continue
        for sentence, wrong in mistakes.items():
            answer = wrong(logits, p, cells)
            expect(given.shape != answer.shape or not np.allclose(given, answer, atol=1e-6), f"{key}: {sentence}")
        expect(given.shape == right.shape, f"{key}: its shape is {given.shape}; {right.shape} is wanted")
        at = np.unravel_index(np.abs(given - right).argmax(), right.shape)
        seen, shown = pattern(given.ravel().tolist(), right.ravel().tolist()), way(logits, p, cells, at)
        where = f"{key}: at [{', '.join(map(str, at))}]"
        raise Mistake(unexplained(where, float(given[at]), float(right[at]), seen, shown))


# --- the ways to the right numbers ------------------------------------------------------------------------------------
def probabilities_of(logits: np.ndarray, p: np.ndarray, cells: np.ndarray, at: tuple) -> str:
    """The way to log π of a cell."""
    return f"the answers of cell {at[0]} have the probabilities {listed(np.exp(logs(logits, p, cells))[at[0]])}"


def pushes(logits: np.ndarray, p: np.ndarray, cells: np.ndarray, at: tuple) -> str:
    """The way to an entry of the gradient."""
    gains = np.array([worth(tuple(cell)) - BASELINE for cell in cells])
    chosen = cells[:, at[0]] == at[1]
    return (
        f"its p is {p[at]:.4g}; cells that have it: {chosen.sum()}, with R − b of {listed(gains[chosen]) or 'none'}; "
        f"the others: {listed(gains[~chosen]) or 'none'}"
    )


def parts_of_a_step(logits: np.ndarray, p: np.ndarray, cells: np.ndarray, at: tuple) -> str:
    """The way to an entry of the new logits."""
    slope = gradient(logits, p, cells)[at]
    return f"the old logit is {logits[at]:.4g}, the gradient {slope:.4g} and the rate {RATE:g}"


EXERCISES = (
    Exercise(
        reinforce,
        {
            "step 1, cells: drawn with the probabilities of the table": test_cells,
            "step 2, log_prob: log π of every cell": partial(
                agree, key="log_prob", wanted=lambda *x: logs(*x).sum(1), mistakes=LOG_PROB, way=probabilities_of
            ),
            "step 3, gradient: the mean of (R − b) · ∇ log π": partial(
                agree, key="gradient", wanted=gradient, mistakes=GRADIENT, way=pushes
            ),
            "step 4, logits: a step uphill": partial(
                agree,
                key="logits",
                wanted=lambda x, p, c: x + RATE * gradient(x, p, c),
                mistakes=LOGITS,
                way=parts_of_a_step,
            ),
        },
        title="Learn from draws",
        difficulty=3,
        minutes=18,
        hints=(
            "Softmax of each row: p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True).",
            "Cells: rng.choice(len(row), p=row) once for every row of p makes one cell; draws such cells.",
            "log_prob of a cell: np.log(p[i, a]), summed over its decisions i and answers a.",
            "Gradient: begin with np.zeros_like(p). For every cell make a table of zeros with a 1 at each answer, "
            "subtract p, multiply by reward(cell) − baseline, and add a draws-th of it.",
            "Logits: logits + rate * gradient, a new table.",
        ),
        wrong=WRONG,
        right=(with_torch, all_at_once),
        build=True,
    ),
)
