"""Answers to the build of notebook 05: the reference, what known mistakes lead to, and other answers."""

from collections.abc import Callable
from typing import Any

import numpy as np


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


# --- what the tests know of a step ------------------------------------------------------------------------------------
FEW, BASELINE, RATE = 6, 0.4, 0.7  # draws, and what a step is given


def worth(cell: tuple) -> float:
    """A made-up reward from 0 to 1 that depends on every decision."""
    return sum((i + 2) * (int(a) + 1) ** 2 for i, a in enumerate(cell)) % 17 / 16


def softmax(logits: np.ndarray, axis: int | None = 1) -> np.ndarray:
    """Probabilities from logits."""
    return np.exp(logits) / np.exp(logits).sum(axis, keepdims=True)


# --- mistakes ---------------------------------------------------------------------------------------------------------
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
    "take the natural logarithm, np.log, not that to the base of 2": lambda *x: logs(*x).sum(1) / np.log(2),
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
    "sign: the baseline is subtracted, R − b": lambda _, p, c: slope(p, c, score, lambda r: r + BASELINE),
    "that is log π, not its slope: 1 − p at each answer, −p at all other options": (
        lambda logits, p, c: slope(p, c, lambda chosen, p: chosen * logs(logits, p, c).sum(1)[:, None, None])
    ),
    "at options that were not drawn, −p is missing": lambda _, p, c: slope(p, c, lambda chosen, p: chosen * (1 - p)),
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


# --- answers, right and wrong -----------------------------------------------------------------------------------------
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
