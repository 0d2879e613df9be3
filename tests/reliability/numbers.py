"""Numbers that are none in the middle of a computation: NaN or infinite loss, α, reward, policy and scores."""

import torch

from nas_tutorial import data, search, spaces
from nas_tutorial.measures import ranking
from nas_tutorial.strategies import darts, enas
from nas_tutorial.training import retrain
from tests.reliability import called, typed

NAN, INF = float("nan"), float("inf")
TINY = spaces.Tiny(2, 1)
STROKES = data.load("strokes", per_class=8, test_per_class=2)
CELL = "'|conv_3x3~0|+|skip~0|conv_3x3~1|'"
DIVERGING = "learning_rate=1e6 weight_decay=1e6 batch_size=2 warmup=0 momentum=0 nesterov=False"
SEARCH = "search --space tiny --channels 2 --data strokes --per-class 8 --epochs 2 --name wild"
WILD = {"learning_rate": 1e6, "weight_decay": 1e6, "batch_size": 2, "epochs": 2, "warmup": 0}


def result_of(strategy: str, **settings):
    """The result of a small search."""
    return search(TINY, STROKES, strategy, **settings).result


def nan_reward(logits, labels, architecture):
    """No number."""
    return NAN


def infinite_reward(logits, labels, architecture):
    """Larger than all numbers."""
    return INF


def enas_with(reward, **settings):
    """The result of a small search by ENAS."""
    return enas.search(TINY, STROKES, reward=reward, epochs=1, updates=1, samples=2, batch_size=8, **settings).result


def darts_with(alpha: float):
    """A search whose α becomes this number before its first epoch."""
    run = darts.search(TINY, STROKES, epochs=1, batch_size=8)
    with torch.no_grad():
        run.subject.alphas["cell"][0, 0] = alpha
    return run.result


def enas_with_policy_of(number: float):
    """A search whose policy has a weight of this number before its first epoch."""
    run = enas.search(TINY, STROKES, epochs=1, updates=1, samples=2, batch_size=8)
    with torch.no_grad():
        next(run.subject.policy.parameters()).fill_(number)
    return run.result


LOST = ("diverged", "step", "epoch 1", "learning_rate")
STATES = ("runs/wild/checkpoints/.lock",)
CASES = [
    *(
        typed(f"{SEARCH} --strategy {strategy} --set {DIVERGING} {more}", *LOST, status=3, may_write=STATES)
        for strategy, more in (
            ("darts", ""),
            ("darts", "alpha_rate=1e6"),
            ("enas", "updates=1 samples=2"),
            ("random", "trial_epochs=1"),
        )
    ),
    typed(f"{SEARCH} --strategy darts --order 2 --set {DIVERGING}", *LOST, status=3, may_write=STATES),
    typed(f"{SEARCH} --strategy random --shared --set {DIVERGING}", *LOST, status=3, may_write=STATES),
    *(called(LOST, result_of, strategy, **WILD) for strategy in ("darts", "enas", "random")),
    called(LOST[:3], retrain, TINY.parse(CELL.strip("'")), STROKES, (0,), **WILD),
    called(("reward", "nan", "diverged"), enas_with, nan_reward),
    called(("reward", "inf", "diverged"), enas_with, infinite_reward),
    *(called(("diverged", "α"), darts_with, number) for number in (NAN, INF, -INF)),
    *(called(("diverged", "policy"), enas_with_policy_of, number) for number in (NAN, INF)),
    *(
        called(("nan",), function, [0.1, NAN, 0.3], [0.1, 0.2, 0.3], *rest)
        for function, rest in ((ranking.kendall, ()), (ranking.regret, ()), (ranking.top_k_overlap, (1,)))
    ),
    *(
        called(("inf",), function, [0.1, 0.2, 0.3], [0.1, INF, 0.3], *rest)
        for function, rest in ((ranking.kendall, ()), (ranking.regret, ()), (ranking.top_k_overlap, (1,)))
    ),
    called("nan", ranking.best_of_n, [NAN, 0.1], 2),
    called("'high'", ranking.kendall, ["high", 0.1], [0.1, 0.2]),
    called("equal length", ranking.kendall, [0.1], [0.1]),
    called("equal length", ranking.kendall, [0.1, 0.2], [0.1, 0.2, 0.3]),
    called("equal length", ranking.kendall, [[0.1, 0.2]], [[0.1, 0.2]]),
    called("k from 1 to 2", ranking.top_k_overlap, [0.1, 0.2], [0.1, 0.2], 0),
    called(("1.5", "k"), ranking.top_k_overlap, [0.1, 0.2], [0.1, 0.2], 1.5),
    called("n", ranking.best_of_n, [0.1, 0.2], 0),
    called(("1.5", "n"), ranking.best_of_n, [0.1, 0.2], 1.5),
    called(("level", "2"), ranking.band, ranking.kendall, [0.1, 0.2], [0.1, 0.2], level=2),
    called(("draws", "0"), ranking.band, ranking.kendall, [0.1, 0.2], [0.1, 0.2], draws=0),
]
