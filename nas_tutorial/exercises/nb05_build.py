"""What is built in notebook 05: one step of REINFORCE on a table of logits."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nas_tutorial.exercises.frame import Exercise, expect


def reinforce(logits, draws, reward, baseline, rate, rng):
    """One step of REINFORCE: draw cells from a table of logits, and make those above the baseline likelier."""
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)  # (decisions, options)
    cells = [tuple(int(rng.choice(len(row), p=row)) for row in p) for _ in range(draws)]
    log_prob = [sum(np.log(row[a]) for row, a in zip(p, cell, strict=True)) for cell in cells]
    gradient = np.zeros_like(p)
    for cell in cells:
        chosen = np.zeros_like(p)
        chosen[range(len(cell)), cell] = 1
        gradient += (reward(cell) - baseline) * (chosen - p) / draws
    return {"cells": cells, "log_prob": log_prob, "gradient": gradient, "logits": logits + rate * gradient}


# --- what a step is given ---------------------------------------------------------------------------------------------
SMALL = np.array([[0.9, -0.7, 0.2], [-0.4, 1.1, 0.1]])  # 9 cells, of which the frequencies are counted
CASES = (SMALL, np.random.default_rng(0).normal(size=(3, 5)), np.random.default_rng(1).normal(size=(4, 2)))
DRAWS, LIMIT = 4_500, 45.0  # chi-squared of fair draws, 8 degrees of freedom: 8 ± 4
FEW, BASELINE, RATE = 6, 0.4, 0.7


def worth(cell: tuple) -> float:
    """A made-up reward from 0 to 1 that depends on every decision."""
    return sum((i + 2) * (int(a) + 1) ** 2 for i, a in enumerate(cell)) % 17 / 16


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


def softmax(logits: np.ndarray, axis: int | None = 1) -> np.ndarray:
    """Probabilities from logits."""
    return np.exp(logits) / np.exp(logits).sum(axis, keepdims=True)


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


def agree(function: Callable[..., Any], key: str, wanted: Callable[..., np.ndarray], mistakes: dict) -> None:
    """Hold one part of what is returned against its formula, on the cells that were drawn.

    wanted, mistakes: functions of (logits, p, cells) that return an array.
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
        where = ", ".join(map(str, at))
        expect(False, f"{key}: at [{where}] it gives {given[at]:.4g}, but {right[at]:.4g} is right")


def logs(logits: np.ndarray, p: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """log p of every answer, (draws, decisions)."""
    return np.log(p[np.arange(len(p)), cells])


LOG_PROB = {
    "sign: log π is never positive; this is −log π, the cross-entropy": lambda *x: -logs(*x).sum(1),
    "this is π itself; take the logarithm": lambda *x: np.exp(logs(*x).sum(1)),
    "probabilities multiply, so their logarithms add up; yours are multiplied": lambda *x: logs(*x).prod(1),
    "add up the probabilities' logarithms; this is the logarithm of their sum": (
        lambda *x: np.log(np.exp(logs(*x)).sum(1))
    ),
    "sum over the decisions, do not average: probabilities multiply": lambda *x: logs(*x).mean(1),
    "one number for each cell: sum over its decisions": logs,
    "one number for each cell: do not sum over the cells": lambda *x: logs(*x).sum(),
    "these are the logits of the answers; take the logarithm of their softmax": (
        lambda logits, p, cells: logits[np.arange(len(p)), cells].sum(1)
    ),
    "only the first decision counts; sum over all": lambda *x: logs(*x)[:, 0],
    "only the last decision counts; sum over all": lambda *x: logs(*x)[:, -1],
}


def slope(p: np.ndarray, cells: np.ndarray, push: Callable, weigh: Callable = lambda r: r - BASELINE) -> np.ndarray:
    """Mean over the cells of weight · push: push(one-hot answers, p), weigh(rewards)."""
    chosen = np.zeros((len(cells), *p.shape))
    chosen[np.arange(len(cells))[:, None], np.arange(len(p)), cells] = 1
    weights = weigh(np.array([worth(tuple(cell)) for cell in cells]))  # (draws,)
    return (weights[:, None, None] * push(chosen, p)).mean(0)


def score(chosen: np.ndarray, p: np.ndarray) -> np.ndarray:
    """∇ log π: 1 − p at the answer given, −p at all others."""
    return chosen - p


def gradient(logits: np.ndarray, p: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The right one."""
    return slope(p, cells, score)


GRADIENT = {
    "the baseline is missing: R − b": lambda _, p, c: slope(p, c, score, lambda r: r),
    "sign: a reward above the baseline makes the drawn answers rarer": lambda _, p, c: -slope(p, c, score),
    "average over the draws; this is their sum": lambda _, p, c: FEW * slope(p, c, score),
    "the rewards are missing: weigh each cell by R − b": lambda _, p, c: slope(p, c, score, np.ones_like),
    "−p is missing: where an answer gains, all options of its decision pay": (
        lambda _, p, c: slope(p, c, lambda chosen, p: chosen)
    ),
    "weigh by R − b, not by its sign": lambda _, p, c: slope(p, c, score, lambda r: np.sign(r - BASELINE)),
    "each cell has its own R − b; yours all have the mean one": (
        lambda _, p, c: slope(p, c, score, lambda r: np.full(len(r), r.mean() - BASELINE))
    ),
    "do not multiply by π: a likely cell is drawn more often as it is": (
        lambda logits, p, c: slope(p, c, score, lambda r: (r - BASELINE) * np.exp(logs(logits, p, c).sum(1)))
    ),
    "only the last cell counts; add up all of them": lambda _, p, c: slope(p, c[-1:], score) / FEW,
    "only the last cell counts; average over all of them": lambda _, p, c: slope(p, c[-1:], score),
}
LOGITS = {
    "sign: climb, add rate · gradient; we want more reward": lambda x, p, c: x - RATE * gradient(x, p, c),
    "the rate is missing: rate · gradient": lambda x, p, c: x + gradient(x, p, c),
    "this is the step only; add it to the old logits": lambda x, p, c: RATE * gradient(x, p, c),
    "nothing has moved: old logits + rate · gradient": lambda x, p, c: x,
    "add the step to the logits, not to the probabilities": lambda x, p, c: p + RATE * gradient(x, p, c),
    "the gradient is a mean already; do not divide by the draws once more": (
        lambda x, p, c: x + RATE * gradient(x, p, c) / FEW
    ),
}


def with_part(key: str, made: Callable[..., Any]) -> Callable[..., dict]:
    """The reference with one part of what it returns made differently, from (logits, p, cells)."""

    def wrong(logits, draws, reward, baseline, rate, rng):
        step = reinforce(logits, draws, reward, baseline, rate, rng)
        return step | {key: made(logits, softmax(logits), np.array(step["cells"]))}

    return wrong


def with_cells(made: Callable[..., Any]) -> Callable[..., dict]:
    """A step that draws its cells by made(p, draws, rng)."""
    return lambda logits, draws, reward, baseline, rate, rng: {"cells": made(softmax(logits), draws, rng)}


def by_row(p: np.ndarray, draws: int, rng: np.random.Generator) -> list:
    """Cells, each row drawn on its own."""
    return [tuple(rng.choice(len(row), p=row) for row in p) for _ in range(draws)]


def in_place(logits, draws, reward, baseline, rate, rng):
    """The step is added to the table that was given."""
    step = reinforce(logits, draws, reward, baseline, rate, rng)
    logits += rate * step["gradient"]
    return step | {"logits": logits}


def with_torch(logits, draws, reward, baseline, rate, rng):
    """Another style: numbers looked up in a cumulative sum, and autograd."""
    import torch

    table = torch.tensor(np.asarray(logits), requires_grad=True)
    log_p = table.log_softmax(1)
    limits = log_p.detach().exp().cumsum(1).numpy()
    options = limits.shape[1] - 1
    cells = [[min(int((row < rng.random()).sum()), options) for row in limits] for _ in range(draws)]
    log_prob = torch.stack([log_p[range(len(cell)), cell].sum() for cell in cells])
    returns = torch.tensor([float(reward(tuple(cell))) for cell in cells])
    (log_prob * (returns - baseline)).mean().backward()
    moved = (table + rate * table.grad).detach()
    return {"cells": cells, "log_prob": log_prob.detach(), "gradient": table.grad, "logits": moved}


def all_at_once(logits, draws, reward, baseline, rate, rng):
    """Another style: arrays, a stable softmax, no loop over the cells."""
    e = np.exp(logits - logits.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    cells = np.stack([rng.choice(len(row), size=draws, p=row) for row in p], 1)  # (draws, decisions)
    chosen = cells[..., None] == np.arange(p.shape[1])  # (draws, decisions, options)
    gains = np.array([reward(tuple(cell)) for cell in cells.tolist()]) - baseline
    gradient = np.einsum("n,ndo->do", gains, chosen - p) / draws
    log_prob = np.log(p[np.arange(len(p)), cells]).sum(1)
    return {"cells": cells, "log_prob": log_prob, "gradient": gradient, "logits": logits + rate * gradient}


WRONG: dict[str, Callable[..., Any]] = {
    "it returns nothing": lambda logits, draws, reward, baseline, rate, rng: None,
    "return a dictionary": lambda logits, draws, reward, baseline, rate, rng: logits,
    "log_prob: what it returns has no key": with_cells(by_row),
    "draws are wanted": with_cells(lambda p, draws, rng: by_row(p, 1, rng)),
    "one answer for each of": with_cells(lambda p, draws, rng: by_row(p[:1], draws, rng)),
    "the number of an option": with_cells(lambda p, draws, rng: [tuple(rng.random(len(p))) for _ in range(draws)]),
    "options have the numbers 0 to": with_cells(
        lambda p, draws, rng: [tuple(a + 1 for a in cell) for cell in by_row(p, draws, rng)]
    ),
    "draw from `rng`": with_cells(lambda p, draws, rng: by_row(p, draws, np.random)),
    "give it no seed": with_cells(lambda p, draws, rng: by_row(p, draws, np.random.default_rng(0))),
    "draw anew for every cell": with_cells(lambda p, draws, rng: [tuple(p.argmax(1))] * draws),
    "the logits decide how often": with_cells(lambda p, draws, rng: rng.integers(p.shape[1], size=(draws, len(p)))),
    "a larger logit makes an option likelier": with_cells(
        lambda p, draws, rng: by_row(1 / p / (1 / p).sum(1, keepdims=True), draws, rng)
    ),
    "from the first row": with_cells(
        lambda p, draws, rng: [tuple(rng.choice(p.shape[1], p=p[0]) for _ in p) for _ in range(draws)]
    ),
    "one random number answers all": with_cells(
        lambda p, draws, rng: [tuple(int((row.cumsum()[:-1] < u).sum()) for row in p) for u in rng.random(draws)]
    ),
    "should come with probability": with_cells(
        lambda p, draws, rng: by_row(p**2 / (p**2).sum(1, keepdims=True), draws, rng)
    ),
    **{f"log_prob: {what}": with_part("log_prob", made) for what, made in LOG_PROB.items()},
    **{f"gradient: {what}": with_part("gradient", made) for what, made in GRADIENT.items() if "add up all" not in what},
    **{f"logits: {what}": with_part("logits", made) for what, made in LOGITS.items()},
    "the table that was given has changed": in_place,
}


EXERCISES = (
    Exercise(
        reinforce,
        {
            "step 1, cells: drawn with the probabilities of the table": test_cells,
            "step 2, log_prob: log π of every cell": partial(
                agree, key="log_prob", wanted=lambda *x: logs(*x).sum(1), mistakes=LOG_PROB
            ),
            "step 3, gradient: the mean of (R − b) · ∇ log π": partial(
                agree, key="gradient", wanted=gradient, mistakes=GRADIENT
            ),
            "step 4, logits: a step uphill": partial(
                agree, key="logits", wanted=lambda x, p, c: x + RATE * gradient(x, p, c), mistakes=LOGITS
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
