"""Profiles name all knobs of a run, and what a search will take is said before it begins, without changing it."""

from dataclasses import FrozenInstanceError, replace

import pytest
import torch
from small import SMALL, TINY

from nas_tutorial import data, profiles, search, spaces
from nas_tutorial.cli import arguments, choices, sources
from nas_tutorial.strategies import SUMMARIES, darts, enas, random
from nas_tutorial.strategies.estimates import Estimate
from nas_tutorial.training import memory, retrain
from nas_tutorial.training.recipes import RECIPES

CPU = torch.device("cpu")
SEARCHES = {
    "darts": (darts, {"order": 1}),
    "enas": (enas, {"updates": 1, "samples": 2, "candidates": 2}),
    "random": (random, {"trial_epochs": 1}),
    "shared": (random, {"shared": True, "candidates": 2}),
}


@pytest.fixture(scope="module")
def strokes():
    """20 pictures each for training and validation."""
    return replace(data.load("strokes", per_class=10, test_per_class=2), crop=1, flip=True)


# --- profiles ---
@pytest.mark.parametrize("name", profiles.PROFILES)
@pytest.mark.parametrize("strategy", SUMMARIES)
@pytest.mark.parametrize("space", spaces.BY_NAME)
def test_a_profile_knows_every_knob(name, strategy, space):
    profile = profiles.get(name, space, strategy)
    shown = " ".join(str(profile).split())
    knobs = {**profile.space.sizes, **vars(profile.config), **vars(profile.recipe)}
    for knob, value in knobs.items():
        assert value is None or f"{knob} {value}" in shown
    assert profile.space == spaces.get(space, name) and profile.recipe == RECIPES[name]
    with pytest.raises(FrozenInstanceError):
        profile.name = "other"


def test_knobs_go_where_they_belong():
    profile = profiles.get("colab", "darts", channels=8, epochs=3, per_class=20)
    assert (profile.space.channels, profile.space.cells, profile.config.epochs) == (8, 5, 3)
    assert profile.pictures == {"name_or_path": "cifar10", "per_class": 20}
    with pytest.raises(ValueError, match="'chanels'"):
        profile.changed(chanels=3)
    with pytest.raises(ValueError, match="'huge'; expected one of small, colab, paper"):
        profiles.get("huge")


def test_paper_is_what_was_published():
    paper = profiles.get("paper", "darts", "darts")
    assert (paper.space.channels, paper.space.cells, paper.config) == (16, 8, darts.Config())
    found = paper.for_retraining(paper.space.parse("DARTS_V2"))
    assert (found.space.channels, found.space.cells) == (36, 20) and "sep_conv_3x3" in str(found)
    recipe = paper.recipe
    assert (recipe.epochs, recipe.batch_size, recipe.cutout) == (600, 96, 16)
    assert (recipe.drop_path, recipe.auxiliary, recipe.precision) == (0.2, 0.4, "float32")
    assert profiles.get("paper", "enas_micro", "enas").config == enas.MICRO_PAPER


@pytest.mark.parametrize("gpu", [False, True])
def test_the_machine_picks_and_says_why(gpu, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
    profile = profiles.pick("tiny", channels=4)
    assert (profile.name, profile.space.channels) == ("colab" if gpu else "small", 4)
    assert ("Tesla T4" if gpu else "no GPU") in str(profile).splitlines()[0]


def test_a_profile_is_searched_and_retrained_with(strokes):
    profile = profiles.get("small", "tiny", channels=4, epochs=1, batch_size=10)
    run = search(profile.space, strokes, profile=profile, device="cpu", alpha_rate=0.5)
    assert run.config == {**vars(profile.config), "alpha_rate": 0.5}
    with pytest.raises(ValueError, match="settings of darts; make one for enas"):
        search(profile.space, strokes, "enas", profile=profile)
    found = profile.for_retraining(run.result.architecture)
    scores = retrain(found, strokes, (0,), replace(profile.recipe, epochs=1), "cpu", batch_size=20)
    assert (scores.about["recipe"]["epochs"], scores.about["recipe"]["batch_size"]) == (1, 20)


@pytest.mark.parametrize(("command", "sizes"), [("retrain", (36, 20)), ("describe", (16, 8))])
def test_retraining_as_published_takes_the_sizes_of_the_evaluation(command, sizes):
    typed = [command, "DARTS_V2", "--space", "darts", "--profile", "paper"]
    space = choices.chosen(arguments.parser().parse_args(typed)).architecture.space
    assert (space.channels, space.cells) == sizes
    changed = choices.chosen(arguments.parser().parse_args([*typed, "--channels", "8"])).architecture.space
    assert (changed.channels, changed.cells) == (8, sizes[1])


def test_a_profile_brings_its_pictures_unless_others_are_given(monkeypatch):
    asked = []
    monkeypatch.setattr(sources.records, "load_again", lambda what, root: asked.append(what))
    for more in ([], ["--per-class", "7"], ["--data", "digits"]):
        typed = ["search", "--space", "darts", "--strategy", "darts", "--profile", "colab", *more]
        sources.pictures(arguments.parser().parse_args(typed))
    cifar = {"source": "cifar10", "per_class": 500}
    assert asked == [cifar, {**cifar, "per_class": 7}, {"source": "digits"}]


# --- estimates ---
@pytest.mark.parametrize("name", SEARCHES)
def test_trial_steps_change_no_bit_of_a_search(name, strokes):
    module, more = SEARCHES[name]

    def run(forecast):
        torch.manual_seed(5)
        found = module.search(TINY, strokes, epochs=2, batch_size=10, seed=3, device="cpu", **more)
        for _ in range(2):
            if forecast:
                before = torch.get_rng_state()
                assert found.estimate().seconds > 0 and torch.equal(before, torch.get_rng_state())
            next(found)
        return found

    plain, forecast = run(False), run(True)
    assert [replace(e, seconds=0.0) for e in plain.history] == [replace(e, seconds=0.0) for e in forecast.history]
    weights, others = plain.weights, forecast.weights
    assert weights and all(torch.equal(weights[n], others[n]) for n in weights)
    assert forecast.estimate().epochs == 0


def test_the_work_of_an_epoch_is_counted_right(strokes, monkeypatch):
    """As many steps as the epoch makes; and each piece is one step, whose weights are not those of the search."""
    search_of = darts.DARTS(TINY, strokes, darts.Config(batch_size=10), 0, CPU)
    (steps, step), (share, _) = search_of.work()
    calls = []
    monkeypatch.setattr(search_of, "step_weights", lambda *_: calls.append(1))
    step()
    monkeypatch.setattr(search_of, "check", lambda *_: None)
    assert len(calls) == 1
    search_of.epoch()
    assert len(calls) == 1 + steps == 3 and share == 2
    alone = random.Alone(TINY, strokes, random.Config(batch_size=10, trial_epochs=3), 0, CPU)
    assert [times for times, _ in alone.work()] == [6, 2]


@pytest.mark.parametrize("space", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize("kind", ["mixture", "path"])
def test_counted_memory_is_that_of_what_the_layers_give(space, kind, strokes):
    """Hooks on a real network that computes, instead of one without numbers."""
    path = space.sample(torch.Generator().manual_seed(0))
    choice = space.relax(space.alphas(torch.Generator().manual_seed(0))) if kind == "mixture" else None
    network = space.supernet(strokes.classes) if choice else space.network(path, strokes.classes)
    given = []

    def count(module, x, y):
        given.append(y.numel() if torch.is_tensor(y) and y is not x[0] else 0)

    for module in network.modules():
        if not any(module.children()):
            module.register_forward_hook(count)
    network.eval()(torch.randn(2, 3, strokes.side, strokes.side), *([choice] if choice else []))
    runs = "mixture" if choice else path
    recipe = replace(RECIPES["small"], batch_size=2)
    assert memory.activations(space, strokes, recipe, runs) == 4 * sum(given)


def test_an_estimate_says_what_would_fit():
    long = Estimate(epochs=50, seconds=3600.0, memory=2 * 10**9, most=16 * 10**9, device=CPU)
    assert str(long) == "about 60 min for 50 epochs on cpu, at least 2.0 of 16.0 GB"
    assert long.too_long(15) == "This will take about 60 min, longer than the 15 min meant: --epochs 12 fits."
    assert long.too_long(None) == long.too_long(61) == ""
    assert "fewer pictures (--per-class)" in replace(long, epochs=1).too_long(15)
    assert "time unknown" in str(replace(long, seconds=None)) and not replace(long, seconds=None).too_long(1)


def test_what_does_not_fit_says_which_knob_helps(strokes, monkeypatch):
    monkeypatch.setattr(darts.DARTS, "step", lambda *_: (_ for _ in ()).throw(torch.cuda.OutOfMemoryError("x")))
    run = darts.search(TINY, strokes, epochs=1, batch_size=10, device="cpu")
    with pytest.raises(ValueError, match=r"more memory than cpu has left: give fewer channels .* \(batch_size\)"):
        run.estimate()
