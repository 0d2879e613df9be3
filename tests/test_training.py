"""Training: schedules, clipping, drop path, auxiliary loss, and who gets to see which pictures."""

import json
import os
import re
from dataclasses import asdict, replace
from itertools import chain, islice, repeat
from math import cos, pi

import numpy as np
import pytest
import torch
from small import SMALL, TINY
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision.ops import StochasticDepth

from nas_tutorial import data, spaces, training
from nas_tutorial.data import Data, Split
from nas_tutorial.networks.edges import set_drop_path
from nas_tutorial.strategies import darts, enas, random, sharing
from nas_tutorial.training import (
    Descent,
    EndlessBatches,
    Meter,
    Recipe,
    Scores,
    batches,
    evaluate,
    fit,
    optimiser_step,
    retrain,
    seeded,
    stacking,
)

CELL = TINY.parse("|conv_3x3~0|+|skip~0|conv_3x3~1|")


@pytest.fixture(scope="module")
def strokes():
    """80 pictures each for training and validation, 40 for testing."""
    return data.load("strokes", per_class=40, test_per_class=10)


def a_network(seed=0):
    """A small network with fresh weights and untouched statistics."""
    torch.manual_seed(seed)
    return TINY.network(CELL, classes=4)


def state_of(network):
    """Copies of weights and statistics."""
    return {name: value.clone() for name, value in network.state_dict().items()}


def unchanged(network, before):
    """Whether weights and statistics are the same bit for bit."""
    return all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


# --- schedules ---
BY_EPOCH = {"per_step": False, "warmup": 0.0}


def rates(recipe, epochs):
    """The learning rate in each epoch."""
    optimiser = recipe.optimiser(iter([nn.Parameter(torch.zeros(1))]))
    schedule, seen = recipe.schedule(optimiser, 1), []
    for _ in range(epochs):
        seen.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return seen


def test_cosine_restarts():
    seen = rates(Recipe(learning_rate=0.05, final_rate=0.0005, restart=10, **BY_EPOCH), 150)
    published = {0: 0.05, 1: 0.048789, 5: 0.02525, 9: 0.001711, 11: 0.049695}
    print({epoch: round(seen[epoch], 6) for epoch in published})
    assert {epoch: round(seen[epoch], 6) for epoch in published} == published
    by_hand = [0.0005 + 0.0495 * (1 + cos(pi * t / period)) / 2 for period in (10, 20, 40, 80) for t in range(period)]
    assert seen == pytest.approx(by_hand, rel=1e-9)


def test_a_single_cosine():
    seen = rates(Recipe(epochs=50, learning_rate=0.025, final_rate=0.001, **BY_EPOCH), 50)
    assert seen == pytest.approx([0.001 + 0.024 * (1 + cos(pi * t / 50)) / 2 for t in range(50)], rel=1e-9)


def test_the_rate_warms_up_and_falls_with_every_step():
    """10 epochs of 5 steps: 10 steps up in equal parts, then half a cosine down to the final rate."""
    recipe, seen = Recipe(epochs=10, learning_rate=0.4, final_rate=0.1, warmup=0.2), []
    descent = Descent([w := nn.Parameter(torch.zeros(1))], recipe, range(5 * recipe.batch_size + 3), range(10**6))
    for _ in range(10):
        for _ in range(5):
            seen.append(descent.optimiser.param_groups[0]["lr"])
            descent.step(w.sum())
        descent.after_epoch()
    rise = [0.04 * (i + 1) for i in range(10)]
    fall = [0.1 + 0.3 * (1 + cos(pi * i / 40)) / 2 for i in range(40)]
    assert seen == pytest.approx(rise + fall, rel=1e-12)


def test_by_epoch_every_step_of_an_epoch_has_the_same_rate():
    recipe, seen = Recipe(epochs=4, learning_rate=0.2, **BY_EPOCH), []
    descent = Descent([w := nn.Parameter(torch.zeros(1))], recipe, range(3 * recipe.batch_size))
    for _ in range(4):
        for _ in range(3):
            seen.append(descent.optimiser.param_groups[0]["lr"])
            descent.step(w.sum())
        descent.after_epoch()
    assert seen == pytest.approx([0.1 * (1 + cos(pi * e / 4)) for e in range(4) for _ in range(3)])


@pytest.mark.parametrize("wrong", [{"per_step": False}, {"restart": 3}])
def test_a_course_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="the rate changes by"):
        Recipe(**wrong)


@pytest.mark.parametrize("profile", ["paper", "small"])
def test_published_profiles_change_the_rate_by_epoch_and_small_ones_by_step(profile):
    for profiles in (training.RECIPES, darts.PROFILES, enas.PROFILES, random.PROFILES):
        recipe = profiles[profile]
        assert (recipe.per_step, recipe.warmup) == ((True, 0.2) if profile == "small" else (False, 0.0))


def test_the_optimiser_is_what_the_recipe_says():
    group = Recipe(learning_rate=0.3, momentum=0.7, nesterov=True, weight_decay=0.01).optimiser(
        iter([nn.Parameter(torch.zeros(1))])
    ).param_groups[0]  # fmt: skip
    assert (group["lr"], group["momentum"], group["nesterov"], group["weight_decay"]) == (0.3, 0.7, True, 0.01)


def test_the_paper_recipe_is_that_of_darts():
    paper = training.RECIPES["paper"]
    assert (paper.epochs, paper.batch_size, paper.learning_rate, paper.final_rate) == (600, 96, 0.025, 0)
    assert (paper.momentum, paper.weight_decay, paper.clip) == (0.9, 3e-4, 5)
    assert (paper.cutout, paper.drop_path, paper.auxiliary) == (16, 0.2, 0.4)


# --- one step ---
class Watched(torch.optim.SGD):
    """Keeps every gradient that it is asked to follow."""

    def step(self, closure=None):
        self.seen = [p.grad.clone() for group in self.param_groups for p in group["params"]]
        super().step(closure)


@pytest.mark.parametrize(("scale", "clipped"), [(1000.0, True), (1e-3, False)])
def test_the_optimiser_never_sees_more_than_the_bound(scale, clipped):
    a, b = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor([[3.0]]))
    optimiser = Watched([{"params": [a]}, {"params": [b]}], lr=0.1)
    optimiser_step(scale * ((a**2).sum() + (b**2).sum()), optimiser, clip=5.0)
    seen, raw = torch.cat([g.flatten() for g in optimiser.seen]), scale * torch.tensor([2.0, 4.0, 6.0])
    assert seen.norm() <= 5.0 * (1 + 1e-6)
    torch.testing.assert_close(seen, raw * (5 / raw.norm() if clipped else 1.0), rtol=1e-5, atol=0)
    torch.testing.assert_close(a.detach(), torch.tensor([1.0, 2.0]) - 0.1 * seen[:2])


def test_each_step_starts_with_a_fresh_gradient():
    w = nn.Parameter(torch.tensor([1.0]))
    optimiser = Watched([w], lr=0.0)
    for _ in range(3):
        optimiser_step((w * 2).sum(), optimiser, clip=100)
        assert optimiser.seen[0].tolist() == [2.0]


def test_a_meter_weighs_batches_by_their_size():
    meter = Meter()
    meter.add(torch.tensor(1.0), torch.eye(4)[:3], torch.tensor([0, 1, 0]))
    meter.add(torch.tensor(5.0), torch.eye(4)[:1], torch.tensor([0]))
    assert (meter.loss, meter.accuracy) == (2.0, 0.75)
    assert (Meter().loss, Meter().accuracy) == (0.0, 0.0)


# --- fit ---
def test_fit_lowers_the_loss_and_tells_each_epoch(strokes):
    network = a_network()
    epochs = list(fit(network, strokes.train, strokes, Recipe(20, 16), torch.Generator().manual_seed(0)))
    print(f"losses {[round(e.loss, 3) for e in epochs]}")
    assert [(e.epoch, e.epochs) for e in epochs] == [(i + 1, 20) for i in range(20)]
    assert epochs[-1].loss < 0.9 * epochs[0].loss and epochs[-1].accuracy > epochs[0].accuracy


def test_fit_follows_the_schedule(strokes, monkeypatch):
    seen = []

    def spy(loss, optimiser, clip, scaler):
        seen.append((optimiser.param_groups[0]["lr"], clip))
        optimiser_step(loss, optimiser, clip, scaler)

    monkeypatch.setattr(training.descent, "optimiser_step", spy)
    recipe = Recipe(4, 40, learning_rate=0.2, clip=3.0, **BY_EPOCH)
    list(fit(a_network(), strokes.train, strokes, recipe, torch.Generator()))
    expected = [(0.1 * (1 + cos(pi * epoch / 4)), 3.0) for epoch in range(4) for _ in range(2)]
    assert seen == [pytest.approx(pair) for pair in expected]


def test_drop_path_grows_with_the_epochs(strokes):
    network, seen = a_network(), []

    def note(network, _):
        seen.append({m.p for m in network.modules() if isinstance(m, StochasticDepth)} or {0.0})

    network.register_forward_pre_hook(note)
    for _ in fit(network, strokes.train, strokes, Recipe(4, 80, drop_path=0.2), torch.Generator()):
        assert network.training
    assert all(len(probabilities) == 1 for probabilities in seen)
    assert [p for (p,) in seen] == pytest.approx([0.0, 0.05, 0.1, 0.15])


def test_fit_augments_and_cuts(strokes):
    """A cutout of 4 pixels blanks up to 16 of 100; without augmentation a stroke has no exact zeros."""
    network, blank = a_network(), []
    network.register_forward_pre_hook(lambda module, args: blank.append((args[0] == 0).sum((1, 2, 3)) // 3))
    list(fit(network, strokes.train, strokes, Recipe(1, 80, cutout=4), torch.Generator().manual_seed(0)))
    assert blank[0].max() == 16 and blank[0].min() >= 4


# --- the auxiliary head ---
class TwoHeads(nn.Module):
    """Logits that are trained, and a second head that would rather have other ones."""

    def __init__(self):
        super().__init__()
        self.main = nn.Parameter(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.auxiliary = nn.Linear(1, 4)
        self.calls = {"alone": 0, "both": 0}

    def forward(self, images):
        """(B, …) → (B, 4)."""
        self.calls["alone"] += 1
        return self.main.expand(len(images), 4)

    def with_auxiliary(self, images):
        """(B, …) → two times (B, 4)."""
        self.calls["both"] += 1
        return self.main.expand(len(images), 4), self.auxiliary(images[:, 0, 0, :1])


def test_the_auxiliary_loss_counts_with_its_weight(strokes):
    network = TwoHeads()
    images, labels = next(iter(batches(strokes.train, strokes, 10)))
    both, logits = training.loss_of(network, images, labels, 0.4)
    alone, _ = training.loss_of(network, images, labels, 0.0)
    side = cross_entropy(network.auxiliary(images[:, 0, 0, :1]), labels)
    torch.testing.assert_close(both, cross_entropy(logits, labels) + 0.4 * side)
    torch.testing.assert_close(alone, cross_entropy(logits, labels))
    assert network.calls == {"alone": 1, "both": 1}


def test_the_auxiliary_head_is_trained_but_not_asked_in_evaluation(strokes):
    network = TwoHeads()
    before = network.auxiliary.weight.detach().clone()
    (epoch,) = fit(network, strokes.train, strokes, Recipe(1, 20, auxiliary=0.4), torch.Generator().manual_seed(0))
    assert network.calls == {"alone": 0, "both": 4}
    assert not torch.equal(before, network.auxiliary.weight)
    evaluate(network, strokes.validation, strokes)
    assert network.calls == {"alone": 1, "both": 4}


def test_the_auxiliary_head_of_a_darts_network_learns():
    space = spaces.DARTS(2, 3)
    network = space.network(space.named["DARTS_V2"], classes=4)
    images = torch.randint(256, (8, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    split = Split(images, torch.arange(8) % 4)
    pictures = Data("noise", split, split, split, tuple("abcd"), torch.full((3,), 0.5), torch.full((3,), 0.3), True, 0)
    before = {n: p.detach().clone() for n, p in network.auxiliary.named_parameters()}
    list(fit(network, split, pictures, Recipe(1, 8, weight_decay=0.0, auxiliary=0.4), torch.Generator()))
    assert all(not torch.equal(before[n], p) for n, p in network.auxiliary.named_parameters())


def test_parameters_are_counted_without_the_auxiliary_head():
    space = spaces.DARTS(2, 3)
    network = space.network(space.named["DARTS_V2"])
    everything = sum(p.numel() for p in network.parameters())
    head = sum(p.numel() for p in network.auxiliary.parameters())
    assert head > 100_000
    assert training.count_parameters(network) == everything - head
    small = a_network()
    # stem 3·4 + BN 8; two convolutions 4·4·9 with BN 8 each; BN 8; classifier 4·4 + 4
    assert training.count_parameters(small) == 20 + 2 * (144 + 8) + 8 + 20


# --- evaluation ---
@pytest.mark.parametrize("mode", [True, False])
def test_evaluation_leaves_network_and_generators_alone(strokes, mode):
    network = a_network().train(mode)
    before, state = state_of(network), torch.get_rng_state()
    evaluate(network, strokes.test, strokes)
    assert unchanged(network, before) and torch.equal(state, torch.get_rng_state())
    assert all(m.training is mode for m in network.modules())
    assert all(p.grad is None for p in network.parameters())


def test_accuracy_is_the_fraction_of_hits_whatever_the_batches(strokes):
    network = a_network()
    list(fit(network, strokes.train, strokes, Recipe(4, 20), torch.Generator().manual_seed(0)))
    found = {evaluate(network, strokes.test, strokes, batch_size=size) for size in (1, 7, 40, 500)}
    network.eval()
    logits = network(data.normalise(strokes.test.images, strokes))
    assert found == {int((logits.argmax(-1) == strokes.test.labels).sum()) / 40}
    assert 0 < found.pop() < 1


def test_evaluating_a_supernet_needs_a_choice(strokes):
    torch.manual_seed(0)
    supernet = TINY.supernet(4)
    alphas = {"cell": torch.full((3, 5), -50.0)}
    for row, choice in enumerate(CELL.choices):
        alphas["cell"][row, choice] = 50.0
    assert evaluate(supernet, strokes.test, strokes, CELL) == evaluate(
        supernet, strokes.test, strokes, TINY.relax(alphas)
    )
    with pytest.raises(ValueError, match="needs to know what to run"):
        evaluate(supernet, strokes.test, strokes)


def test_a_path_is_judged_by_the_statistics_of_its_batch(strokes):
    torch.manual_seed(0)
    supernet = TINY.supernet(4)
    images, labels = next(iter(batches(strokes.validation, strokes, 80)))
    expected = float((supernet(images, CELL).argmax(-1) == labels).float().mean())  # in training mode
    for norm in (m for m in supernet.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.running_mean.fill_(1e3)
    before = state_of(supernet)
    assert sharing.evaluate_path(supernet, images, labels, CELL) == expected
    assert unchanged(supernet, before)


@pytest.mark.parametrize("block", [training.frozen_statistics, training.batch_statistics])
def test_statistics_move_again_behind_the_block_even_after_an_error(block):
    network, x = a_network().train(), torch.randn(4, 3, 8, 8)
    before = state_of(network)
    with pytest.raises(RuntimeError), block(network):
        network(x)
        raise RuntimeError
    assert unchanged(network, before) and network.training
    network(x)
    assert not unchanged(network, before)


# --- who sees which pictures ---
GREY = {"train": 50, "validation": 150, "test": 250}


def grey_pictures():
    """Each split has a grey value of its own, so that a batch tells where it is from; crops let black come in."""
    splits = [Split(torch.full((24, 3, 8, 8), grey, dtype=torch.uint8), torch.arange(24) % 4) for grey in GREY.values()]
    return Data("grey", *splits, tuple("abcd"), torch.full((3,), 0.0), torch.full((3,), 1.0), True, 2)


class Witness:
    """Notes the pictures that a network is shown: of which split, changed or as they are, with or without learning."""

    def __init__(self, monkeypatch):
        self.seen = set()
        for maker in ("network", "supernet"):
            monkeypatch.setattr(spaces.Tiny, maker, self.watched(getattr(spaces.Tiny, maker)))

    def watched(self, make):
        """A maker of networks whose every forward pass is noted."""

        def made(*args, **kwargs):
            network = make(*args, **kwargs)
            network.register_forward_pre_hook(self.note)
            return network

        return made

    def note(self, network, args):
        """(split, changed, whether the network is in training mode)."""
        for image in args[0]:
            split = next(name for name, grey in GREY.items() if abs(float(image.max()) - grey / 255) < 1e-6)
            self.seen.add((split, bool(image.min() != image.max()), network.training))


SEARCHES = {
    "darts, order 1": (darts, {}),
    "darts, order 2": (darts, {"order": 2}),
    "enas": (enas, {"updates": 2, "samples": 2, "candidates": 2}),
    "random, alone": (random, {"trial_epochs": 1}),
    "random, shared": (random, {"shared": True, "candidates": 2}),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_changes_training_pictures_only_and_never_sees_test_pictures(name, monkeypatch):
    witness, (module, settings) = Witness(monkeypatch), SEARCHES[name]
    list(module.search(TINY, grey_pictures(), epochs=2, batch_size=12, **settings))
    learning, judged = {("train", True, True)}, {("validation", False, False)}
    in_training_mode = {("validation", False, True)} if module is darts else set()  # α learns from these
    by_chance = {("train", False, True)}  # one crop in 25 lets no black in
    assert witness.seen - by_chance == learning | judged | in_training_mode


def test_retraining_learns_from_all_but_the_test_pictures(monkeypatch):
    witness = Witness(monkeypatch)
    retrain(CELL, grey_pictures(), seeds=(0,), epochs=2, batch_size=12)
    by_chance = {("train", False, True), ("validation", False, True)}
    assert witness.seen - by_chance == {("train", True, True), ("validation", True, True), ("test", False, False)}


def test_retraining_tests_once_per_seed(strokes, monkeypatch):
    asked, fitted, reports = [], [], []
    home, evaluated, train = training.retraining, training.retraining.evaluate, training.retraining.Training
    monkeypatch.setattr(home, "evaluate", lambda n, split, d: asked.append(split) or evaluated(n, split, d))
    monkeypatch.setattr(home, "Training", lambda n, split, *rest: fitted.append(len(split)) or train(n, split, *rest))
    scores = retrain(CELL, strokes, seeds=(3, 4), epochs=2, report=reports.append)
    assert len(asked) == 2 and all(split is strokes.test for split in asked)
    assert fitted == [160, 160]  # training and validation pictures together
    assert [r.epoch for r in reports] == [1, 2, 1, 2]
    assert scores.parameters == training.count_parameters(a_network())


def test_nothing_is_trained_where_the_test_pictures_were_learnt_from(strokes, monkeypatch):
    monkeypatch.setattr(training.retraining, "Training", lambda *_: pytest.fail("trained before it was measured"))
    seen = replace(strokes, test=strokes.validation)
    with pytest.raises(ValueError, match="80 of the 80 test pictures of strokes .* weights are trained on, so"):
        retrain(CELL, seen)
    with pytest.raises(ValueError, match="40 of the 40 test pictures .* or the architecture was searched on"):
        retrain(CELL, strokes, searched=replace(strokes, train=strokes.test))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"profile": "huge"}, "'huge'.*small, colab, paper"),
        ({"epoch": 3}, "'epoch'.*epochs"),
        ({"seeds": ()}, r"seeds are \[\]; give one or more"),
        ({"seeds": (1, 2, 1)}, r"seeds are \[1, 2, 1\]; .*each once"),
    ],
)
def test_a_wrong_setting_of_retraining_is_a_clear_error(strokes, settings, message):
    with pytest.raises(ValueError, match=message):
        retrain(CELL, strokes, **settings)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"architecture": str(CELL)}, r"The architecture is '\|conv_3x3~0\|.*; give .* space.parse\(text\)"),
        ({"architecture": TINY}, "The architecture is Tiny.*; give an architecture"),
        ({"data": "strokes"}, r"The data are 'strokes'; give loaded pictures, such as data.load\("),
        ({"data": None}, "The data are None; give loaded pictures"),
        ({"data": grey_pictures().test}, "The data are Split.*; give loaded pictures"),
        ({"searched": "strokes"}, r"The data searched on \(searched\) are 'strokes'; give loaded pictures"),
        *(({"seeds": s}, "The seeds are .*; give a list") for s in (0, None, "0", 0.5, True, torch.Generator())),
        *(({"seeds": [s]}, "One of the seeds is .*; give a whole number") for s in (-1, 2**63, "0", 0.5, True, None)),
        ({"seeds": np.array([0.0, 1.0])}, "One of the seeds is 0.0; give a whole number"),
    ],
)
def test_what_cannot_be_retrained_is_said_in_a_sentence(strokes, wrong, message):
    with pytest.raises(ValueError, match=message):
        retrain(**{"architecture": CELL, "data": strokes, "epochs": 1} | wrong)


@pytest.mark.parametrize("seeds", [np.arange(2), torch.arange(2), range(2), (s for s in (0, 1)), [np.int64(0), 1]])
def test_seeds_are_whole_numbers_of_any_kind(seeds, strokes):
    scores = retrain(CELL, strokes, seeds, epochs=1, batch_size=80)
    assert scores == retrain(CELL, strokes, [0, 1], epochs=1, batch_size=80)
    json.dumps(scores.about)


def test_scores_tell_how_they_were_made(strokes):
    about = retrain(CELL, strokes, (2,), epochs=1, batch_size=80).about
    assert Recipe(**about["recipe"]) == replace(training.RECIPES["small"], epochs=1, batch_size=80)
    assert (about["profile"], about["seeds"]) == ("small", [2])
    assert about["versions"]["torch"] == torch.__version__


def test_a_training_that_diverged_has_no_score(strokes):
    says = r"loss is (nan|inf) in step \d+ of \d+, epoch 1 of 2: .* diverged; no epoch .* learning_rate below 1e\+06"
    with pytest.raises(ValueError, match=says):
        retrain(CELL, strokes, (0,), epochs=2, learning_rate=1e6, weight_decay=1e6, warmup=0, batch_size=16)


def test_scores_by_hand():
    scores = Scores((0.5, 0.7, 0.9), 100)
    assert (scores.mean, scores.std) == (pytest.approx(0.7), pytest.approx(0.2))
    assert str(scores) == "0.70 ± 0.20"
    assert str(Scores((0.5,), 100)) == "0.50 ± 0.00"


# --- batches ---
def test_prepared_batches(strokes):
    in_order = list(batches(strokes.test, strokes, 16))
    assert [len(labels) for _, labels in in_order] == [16, 16, 8]
    torch.testing.assert_close(
        torch.cat([images for images, _ in in_order]), data.normalise(strokes.test.images, strokes)
    )
    shuffled = list(batches(strokes.test, strokes, 16, generator=torch.Generator().manual_seed(0)))
    assert [len(labels) for _, labels in shuffled] == [16, 16]  # all of one size
    assert shuffled[0][1].tolist() != in_order[0][1].tolist()
    assert len(list(batches(strokes.test, strokes, 1000, generator=torch.Generator()))[0][1]) == 40
    assert in_order[0][0].is_contiguous(memory_format=torch.channels_last)


def test_pictures_are_changed_only_on_request():
    pictures = grey_pictures()
    for augmented in (False, True):
        generator = torch.Generator().manual_seed(0)
        images, _ = next(iter(batches(pictures.train, pictures, 24, generator=generator, augmented=augmented)))
        assert bool((images.amax((1, 2, 3)) != images.amin((1, 2, 3))).any()) is augmented


@pytest.mark.parametrize("size", [7, 30, 80, 1000])
def test_endless_batches_are_shuffled_passes_one_after_the_other(strokes, size):
    """As many as two passes and a bit, with the rests left out, from the same random numbers."""
    one, two = (torch.Generator().manual_seed(3) for _ in range(2))
    endless = EndlessBatches(strokes.validation, strokes, size, one, torch.device("cpu"))
    passes = chain.from_iterable(batches(strokes.validation, strokes, size, generator=two) for _ in repeat(None))
    for ours, theirs in islice(zip(endless, passes, strict=False), 2 * (80 // min(size, 80)) + 1):
        assert torch.equal(ours[0], theirs[0]) and torch.equal(ours[1], theirs[1])
    assert torch.equal(torch.rand(3, generator=one), torch.rand(3, generator=two))


def test_endless_batches_go_on_from_a_state_in_the_middle_of_a_pass(strokes):
    def begun():
        generator = torch.Generator().manual_seed(3)
        return generator, EndlessBatches(strokes.validation, strokes, 30, generator, torch.device("cpu"))

    generator, endless = begun()
    next(endless)
    state, position = endless.state_dict(), generator.get_state()
    to_come = [labels.tolist() for _, labels in islice(endless, 5)]
    generator, endless = begun()
    endless.load_state_dict(state)
    generator.set_state(position)
    assert [labels.tolist() for _, labels in islice(endless, 5)] == to_come


# --- stacks of networks ---
def not_stackable():
    """Networks that cannot be laid side by side, and what is said about them."""
    one = {"architecture": CELL, "classes": 4}
    dropping = TINY.network(**one)
    set_drop_path(dropping, 0.2)
    pairs = {
        name: SMALL[name].sample(torch.Generator().manual_seed(0)) for name in ("darts", "enas_macro", "enas_micro")
    }
    staged = SMALL["nasbench201"].network(SMALL["nasbench201"].sample(torch.Generator().manual_seed(0)), 4)
    return [
        *(([a.space.network(a)] * 2, "Network cannot be stacked: train .* one by one") for a in pairs.values()),
        ([TINY.network(**one), staged], "needs the same parts and sizes: make them from one space"),
        ([TINY.network(**one), TINY.resized(cells=2).network(CELL, 4)], "needs the same parts and sizes"),
        ([TINY.network(**one), TINY.resized(channels=5).network(CELL, 4)], "needs the same parts and sizes"),
        ([TINY.network(**one), TINY.network(CELL, 5)], "needs the same parts and sizes"),
        ([TINY.network(**one), TINY.network(**one, evaluation=False)], "needs the same parts and sizes"),
        ([TINY.network(**one), TINY.network(**one, dropout=0.2)], "needs the same parts and sizes"),
        ([TINY.network(**one, dropout=0.2)], "A Dropout cannot be stacked"),
        ([TINY.supernet(4)] * 2, "Only stand-alone networks .* an edge has 5 operations"),
        ([dropping], "without drop path .* StochasticDepth"),
        ([training.to_device(TINY.network(**one))], "cannot be stacked"),
        ([], "There is no network to stack"),
    ]


@pytest.mark.parametrize("networks, fault", not_stackable(), ids=range(len(not_stackable())))
def test_networks_that_cannot_be_stacked_are_refused_in_a_sentence(networks, fault):
    with pytest.raises(ValueError, match=fault):
        stacking.stack(networks)


@pytest.mark.parametrize("name", ["darts", "enas_macro", "enas_micro"])
def test_different_architectures_with_different_parts_are_refused(name):
    space, generator = SMALL[name], torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="cannot be stacked|needs the same parts"):
        stacking.stack([space.network(space.sample(generator)) for _ in range(3)])


# --- randomness and places ---
def test_seeded_gives_the_generator_back():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    drawn = []
    for _ in range(2):
        with seeded(1) as generator:
            drawn.append((torch.rand(3).tolist(), torch.rand(3, generator=generator).tolist()))
    with pytest.raises(RuntimeError), seeded(1):
        torch.rand(3)
        raise RuntimeError
    assert torch.equal(before, torch.get_rng_state())
    assert drawn[0] == drawn[1]
    with seeded(2):
        assert torch.rand(3).tolist() != drawn[0][0]


def test_a_network_is_placed_with_channels_last():
    network = training.to_device(a_network(), "cpu")
    weight = network.body[0].edges["1<0"].ops["conv_3x3"].conv.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) and weight.device.type == "cpu"
    assert training.best_device("cpu").type == "cpu"


def test_tests_run_on_the_cpu_whatever_the_machine_has():
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "" and torch.cuda.device_count() == 0
    assert training.best_device().type == "cpu"


@pytest.mark.parametrize("device", ["foo", "", "cuda", "cuda:7", "mps"])
def test_a_device_that_is_not_there_is_refused_in_a_sentence(device):
    with pytest.raises(ValueError, match=f"The device is '{device}', but this machine has cpu"):
        training.best_device(device)


WRONG = {
    "epochs": (0, -1, 2.5, True, "3", float("nan"), None),
    "batch_size": (0, 1.5, False, None),
    "learning_rate": (float("nan"), float("inf"), -0.1, True, "0.1"),
    "momentum": (1, 1.5, -0.1),
    "drop_path": (1.0, -0.1),
    "cutout": (-1, 2.5),
    "clip": (-1, 0, float("nan")),
    "weight_decay": (-1e-4,),
    "warmup": (1.0, -0.1),
    "restart": (0, 2.5, True),
    "nesterov": (1, "yes"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_setting_out_of_bounds_is_refused_by_its_name(name, value):
    expected = (
        "True or False" if name == "nesterov" else "a whole number from|a finite number (of at least|above|from) 0"
    )
    with pytest.raises(ValueError, match=f"{name} is {re.escape(repr(value))}; give ({expected})"):
        replace(Recipe(per_step=False, warmup=0.0), **{name: value})


def test_numbers_of_numpy_are_numbers():
    recipe = Recipe(np.int64(3), learning_rate=np.float32(0.5), weight_decay=0)
    assert recipe == Recipe(3, learning_rate=0.5, weight_decay=0.0)
    json.dumps(asdict(recipe))


@pytest.mark.parametrize(
    ("strategy", "setting"),
    [
        (darts, {"epochs": 0}),
        (darts, {"alpha_rate": -1}),
        (darts, {"alpha_start": 0.5}),
        (darts, {"r": 0}),
        (enas, {"temperature": 0}),
        (enas, {"baseline_decay": 1.5}),
        (enas, {"samples": 0}),
        (enas, {"temperature": float("nan")}),
        (random, {"trial_epochs": 0}),
        (random, {"shared": 1}),
        (random, {"workers": -1}),
    ],
)
def test_the_settings_of_a_search_have_bounds_too(strategy, setting, strokes):
    ((name, value),) = setting.items()
    with pytest.raises(ValueError, match=f"{name} is {value}; give "):
        strategy.search(TINY, strokes, **setting)


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        (Recipe, {"momentum": 0}, "momentum is 0, but nesterov needs momentum above 0: set nesterov=False"),
        (Recipe, {"learning_rate": 0.1, "final_rate": 0.2}, "final_rate is 0.2, above learning_rate, 0.1: lower it"),
        (darts.Config, {"epochs": 3, "alpha_start": 3}, "alpha_start is 3 of 3 epochs, so α would stay .* at most 2"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(config, settings, message):
    with pytest.raises(ValueError, match=message):
        config(**settings)


def test_the_report_of_an_epoch_counts_its_pictures(strokes):
    """Loss and accuracy are means over the training pictures seen, not over the last batch."""
    network = a_network()
    recipe = replace(Recipe(1, 80), learning_rate=0.0)
    (epoch,) = fit(network, strokes.train, strokes, recipe, torch.Generator())
    logits = a_network()(data.normalise(strokes.train.images, strokes))
    assert epoch.loss == pytest.approx(float(cross_entropy(logits, strokes.train.labels).detach()), rel=1e-5)
    assert epoch.accuracy == float((logits.argmax(-1) == strokes.train.labels).float().mean())
