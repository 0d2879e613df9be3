"""Settings of searches and trainings, by `--set` and in Python: of the wrong kind, out of bounds, unknown, at odds."""

from nas_tutorial.settings import configured
from nas_tutorial.strategies import darts, enas, random
from nas_tutorial.training import RECIPES, Recipe
from tests.reliability import called, typed

CELL = "'|conv_3x3~0|+|skip~0|conv_3x3~1|'"
INF, NAN = float("inf"), float("nan")
COUNTS = (0, -1, 1.5, True, "3", None, NAN, 10**12, [3])
RATES = (-0.1, NAN, INF, -INF, True, "0.1", 10**400, 1j)
SHARES = (-0.1, 1.0, 2, NAN, True, "half")
WRONG = {
    Recipe: {
        "epochs": COUNTS,
        "batch_size": COUNTS,
        "learning_rate": RATES,
        "momentum": SHARES,
        "weight_decay": (-1, NAN),
        "clip": (0, -1, INF, None),
        "warmup": SHARES,
        "cutout": (-1, 1.5, 10**9),
        "drop_path": (2, -0.1, 1.0),
        "auxiliary": (-1, INF),
        "restart": (0, -3, 2.5),
        "nesterov": (1, "yes", None),
        "per_step": (0, "no"),
    },
    darts.Config: {
        "order": (0, 3, "1", True, 1.0),
        "alpha_rate": (-1, NAN),
        "alpha_scale": (-1, INF),
        "alpha_start": (-1, 0.5),
        "r": (0, -0.01, NAN),
        "derive_none": (1, "none"),
        "workers": (-1, 1000),
    },
    enas.Config: {
        "updates": (-1, 0.5),
        "samples": (0, -1),
        "reward_batch": (0, 1.5),
        "hidden": (0, -1, 10**6),
        "temperature": (0, -1, NAN),
        "baseline_decay": (1.5, -0.1),
        "entropy_weight": (-1, INF),
        "adam_rule": ("keras", 1, None),
        "reward_statistics": ("running", 3),
        "candidates": (0, 10**9),
    },
    random.Config: {"trial_epochs": (0, -2, 1.5), "shared": (1, "yes"), "candidates": (0, -1)},
}
TYPED = {
    "search --space tiny --strategy darts --data strokes": (
        "batch_size=1.5 batch_size=0 learning_rate=1e999 learning_rate=-1 clip=-1 clip=0 momentum=2 momentum=x r=0 "
        "alpha_rate=nan cutout=1.5 drop_path=0.5 derive_none=2 weight_decay=[1] epochs=3 seed=1 rate=1 =1 momentum "
        "momentum= data=1"
    ),
    "search --space tiny --strategy enas --data strokes": (
        "samples=0 samples=-1 updates=-1 hidden=0 hidden=1.5 temperature=0 baseline_decay=2 adam_rule=x order=1"
    ),
    "search --space tiny --strategy random --data strokes": "trial_epochs=0 trial_epochs=True candidates=-1 shared=3",
    f"retrain {CELL} --space tiny --data strokes": (
        "epochs=0 epochs=-1 drop_path=2 cutout=1.5 momentum=2 learning_rate=1e999 seeds=3 warmup=1 profile=paper"
    ),
}
AT_ODDS = [
    called(("momentum", "nesterov=False"), Recipe, momentum=0),
    called(("final_rate is 0.2", "0.1"), Recipe, learning_rate=0.1, final_rate=0.2),
    called(("restart is 3", "by step"), Recipe, restart=3),
    called(("warmup is 0.2", "by epoch"), Recipe, per_step=False),
    called(("alpha_start is 3", "at most 2"), darts.Config, epochs=3, alpha_start=3),
    called(("drop_path", "from scratch"), darts.Config, drop_path=0.2),
    called(("'huge'", "small, colab, paper"), configured, RECIPES, "huge", {}),
    called(("'epoch'", "epochs"), configured, RECIPES, "small", {"epoch": 3}),
]

CASES = [
    *(
        called((name, "give "), config, **{name: value})
        for config, settings in WRONG.items()
        for name, values in settings.items()
        for value in values
    ),
    *(
        typed(f"{words} --set {pair}", pair.partition("=")[0])
        for words, pairs in TYPED.items()
        for pair in pairs.split()
    ),
    *AT_ODDS,
]
