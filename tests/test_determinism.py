"""The same seed gives the same search, bit for bit, whoever else draws numbers and however pictures are loaded."""

import random as python_random
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import TINY, unlisted

from nas_tutorial import data, spaces, training
from nas_tutorial.strategies import darts, enas, random
from nas_tutorial.training import Recipe

MACRO = spaces.ENASMacro(4, layers=3)
FEW = {"updates": 2, "samples": 3, "candidates": 4}
SEARCHES = {
    "darts, order 1": (darts, TINY, {"order": 1}),
    "darts, order 2": (darts, TINY, {"order": 2}),
    "darts, its own space": (darts, spaces.DARTS(2, 3, nodes=2), {"batch_size": 80}),
    "enas, tiny": (enas, TINY, FEW),
    "enas, macro": (enas, MACRO, FEW),
    "enas, micro": (enas, spaces.ENASMicro(4, 1, nodes=2), {**FEW, "batch_size": 80, "reward_batch": 20}),
    "random, alone": (random, TINY, {"trial_epochs": 1}),
    "random, alone, dropped paths": (random, MACRO, {"trial_epochs": 1}),
    "random, shared": (random, TINY, {"shared": True, "candidates": 4}),
}
SEARCHES |= {module.__name__: (module, TINY, {}) for module in unlisted(row[0] for row in SEARCHES.values())}
every_search = pytest.mark.parametrize("name", SEARCHES)


@pytest.fixture(scope="module")
def strokes():
    """80 pictures each for training and validation, cropped and mirrored at random."""
    return replace(data.load("strokes", per_class=40, test_per_class=5), crop=1, flip=True)


def found(name, strokes, seed=3, disturb=False, **settings):
    """Two epochs of a search; `disturb` draws from every global generator in between."""
    module, space, own = SEARCHES[name]
    run = module.search(space, strokes, epochs=2, seed=seed, device="cpu", **own, **settings)
    for _ in run:
        if disturb:
            torch.rand(7), np.random.rand(7), python_random.random()
    return run.result


def facts(result):
    """The history without the time it took."""
    return [replace(event, seconds=0.0) for event in result.history]


def assert_same(a, b):
    """Equal histories, and α, controller and weights equal bit for bit."""
    assert facts(a) == facts(b) and len(a.history) == 2
    assert a.architecture == b.architecture
    assert a.weights.keys() == b.weights.keys()
    assert a.weights and all(torch.equal(a.weights[name], b.weights[name]) for name in a.weights)


@every_search
def test_the_same_seed_gives_the_same_search(name, strokes):
    torch.manual_seed(1)
    first = found(name, strokes)
    torch.manual_seed(2)
    assert_same(first, found(name, strokes, disturb=True))
    assert facts(first) != facts(found(name, strokes, seed=4))


@pytest.mark.parametrize("name", ["darts, order 2", "enas, tiny", "random, alone", "random, shared"])
def test_the_number_of_loader_workers_changes_nothing(name, strokes):
    alone = found(name, strokes)
    for workers in (1, 2):
        with_workers = found(name, strokes, workers=workers)
        assert with_workers.config["workers"] == workers
        assert_same(alone, with_workers)


@pytest.mark.parametrize("name", [name for name in SEARCHES if "own" not in name and "micro" not in name])
def test_a_search_leaves_the_callers_generators_alone(name, strokes):
    torch.manual_seed(7)
    np.random.seed(7)
    python_random.seed(7)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), python_random.getstate()
    found(name, strokes)
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all() and before[2] == python_random.getstate()


def test_two_searches_taken_in_turns_do_not_mix(strokes):
    runs = [enas.search(MACRO, strokes, epochs=2, seed=3, device="cpu", **FEW) for _ in range(2)]
    for _ in zip(*runs, strict=True):
        pass
    assert_same(runs[0].result, runs[1].result)
    assert_same(runs[0].result, found("enas, macro", strokes))


def test_retraining_repeats_itself_and_seeds_differ(strokes):
    architecture = TINY.parse("|conv_3x3~0|+|zero~0|conv_3x3~1|")
    torch.manual_seed(7)
    before = torch.get_rng_state()
    networks = [
        training.train_from_scratch(architecture, strokes.train, strokes, Recipe(2), seed=s, device="cpu")
        for s in (0, 0, 1)
    ]
    assert torch.equal(before, torch.get_rng_state())
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["stem.conv.weight"], states[2]["stem.conv.weight"])
    scores = [training.retrain(architecture, strokes, (0, 1), epochs=1, device="cpu") for _ in range(2)]
    assert scores[0] == scores[1]
