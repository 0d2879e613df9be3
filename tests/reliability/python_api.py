"""Calls from Python: texts for spaces and pictures, seeds that are none, impossible epochs, unknown names."""

import torch

from nas_tutorial import data, retrain, search, spaces, tables
from nas_tutorial.measures import describe
from nas_tutorial.strategies import SearchResult, darts, enas, random
from nas_tutorial.training import RECIPES, Recipe, best_device, train_from_scratch
from tests.reliability import called

TINY = spaces.Tiny(2, 1)
CELL = TINY.parse("|conv_3x3~0|+|skip~0|conv_3x3~1|")
STROKES = data.load("strokes", per_class=8, test_per_class=2)
SEEDS = (-1, 1.5, True, "0", None, 2**63, 2**70, float("nan"))

CASES = [
    called(("channels", "True"), spaces.get, "tiny", channels=True),
    *(called(("seed", "whole number"), search, TINY, STROKES, "random", seed=seed) for seed in SEEDS),
    *(called(("seeds", "whole number"), retrain, CELL, STROKES, [seed]) for seed in SEEDS),
    *(called("seeds", retrain, CELL, STROKES, seeds) for seeds in (0, None, "0", (), (1, 1))),
    *(called(("epochs", "from 1 to"), retrain, CELL, STROKES, epochs=n) for n in (-2, 0, 1.5, True, "3", 10**12)),
    called(("The architecture is", "parse"), retrain, str(CELL), STROKES),
    called(("The architecture is", "parse"), retrain, None, STROKES),
    called(("The data are 'strokes'", "data.load"), retrain, CELL, "strokes"),
    called(("The data are None", "data.load"), retrain, CELL, None),
    called(("'huge'", "small, colab, paper"), retrain, CELL, STROKES, profile="huge"),
    called(("'epoch'", "epochs"), retrain, CELL, STROKES, epoch=3),
    called(("The device is 'tpu'", "cpu"), retrain, CELL, STROKES, device="tpu"),
    *(called(("The device is", "cpu"), best_device, device) for device in ("", "cuda", "cuda:7", "nonsense", 3.5, [])),
    *(
        called(says, strategy.search, space, pictures)
        for strategy in (darts, enas, random)
        for space, pictures, says in (
            ("tiny", STROKES, ("The space is 'tiny'", "spaces.get")),
            (TINY, "strokes", ("The data are 'strokes'", "data.load")),
            (STROKES, TINY, ("The space is", "spaces.get")),
            (None, None, ("The space is None", "spaces.get")),
        )
    ),
    called(("'dart'", "darts"), search, TINY, STROKES, "dart"),
    called(("3", "darts"), search, TINY, STROKES, 3),
    called(("'lerning_rate'", "learning_rate"), search, TINY, STROKES, lerning_rate=1),
    called(("'huge'", "small"), search, TINY, STROKES, profile="huge"),
    called("empty", search, TINY, STROKES, resume=""),
    called(("The recipe is", "Recipe"), train_from_scratch, CELL, STROKES.train, STROKES, {"epochs": 1}),
    called(("The split is", "train"), train_from_scratch, CELL, STROKES, STROKES, Recipe()),
    called(("The recipe is", "Recipe"), tables.train_all, TINY, STROKES, RECIPES),
    called(("at_once", "0"), tables.train_all, TINY, STROKES, Recipe(), at_once=0),
    called("no architecture", tables.train_all, TINY, STROKES, Recipe(), architectures=[]),
    called("The architecture is '|'", tables.train_all, TINY, STROKES, Recipe(), architectures=["|"]),
    called("gone", SearchResult.load, "gone"),
    called(("No epoch", "iterate"), lambda run: run.so_far, search(TINY, STROKES, "random")),
    *(called(("side", "from 1 to"), describe.stand_alone, CELL, side=side) for side in (0, -1, 1.5, 10**12)),
    *(called(("classes", "from 1 to"), describe.stand_alone, CELL, classes=n) for n in (0, True, 10**12)),
    *(called(("side", "from 1 to"), describe.supernet, TINY, side=side) for side in (0, 10**12)),
    called("too many", spaces.DARTS().enumerate),
    called(("generator", "None"), TINY.sample, None),
    called(("scale", "-1"), TINY.alphas, torch.Generator(), -1),
    called(("scale", "nan"), TINY.alphas, torch.Generator(), float("nan")),
]
