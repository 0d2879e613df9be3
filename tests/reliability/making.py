"""What lies in the folder in which bad inputs are tried: the smallest search, its scores, a table, and pictures."""

import numpy as np

from nas_tutorial import data, spaces, tables
from nas_tutorial.training import Recipe
from tests.reliability import command

CELL = "|conv_3x3~0|+|skip~0|conv_3x3~1|"
DATA = ("--data", "strokes", "--per-class", "20")
SEARCH = ("search", "--space", "tiny", "--strategy", "random", *DATA, "--channels", "2", "--set", "trial_epochs=1")


def everything() -> None:
    """runs/first with its scores, table.json, table.npz, and pictures.npz, in the current folder."""
    assert command(*SEARCH, "--epochs", "1", "--name", "first")[0] == 0
    assert command("retrain", "runs/first", "--seeds", "0", "--epochs", "1")[0] == 0
    few = data.load("strokes", per_class=8, test_per_class=2)
    space = spaces.Tiny(2, 1)
    table = tables.train_all(space, few, Recipe(1), (0,), [space.architecture((2, i, 4)) for i in range(3)])
    table.save("table.json")
    table.save("table.npz")
    rows = np.random.default_rng(0)
    np.savez("pictures.npz", images=rows.integers(0, 256, (40, 8, 8, 3), np.uint8), labels=np.arange(40) % 2)
