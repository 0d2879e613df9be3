"""Numbers that are none end a computation in a sentence; unusual ones that are allowed end nothing."""

import json
import math
import pickle

import pytest
import torch
from small import TINY

from nas_tutorial import data, retrain, search, spaces
from nas_tutorial.data.pictures import Split, describe
from nas_tutorial.settings import Diverged, to_text
from nas_tutorial.strategies import darts, enas
from nas_tutorial.training import Meter, Recipe

WILD = {"learning_rate": 1e6, "weight_decay": 1e6, "batch_size": 2, "warmup": 0}
QUICK = {"epochs": 1, "batch_size": 8, "device": "cpu"}


@pytest.fixture(scope="module")
def strokes():
    """Sixteen pictures to train on, sixteen to validate."""
    return data.load("strokes", per_class=8, test_per_class=2)


def made(labels, classes):
    """Pictures of noise with these labels, others in each split."""
    noise = torch.Generator().manual_seed(0)
    images = (torch.randint(256, (len(labels), 3, 8, 8), dtype=torch.uint8, generator=noise) for _ in range(3))
    splits = tuple(Split(each, torch.tensor(labels)) for each in images)
    return describe("noise", splits, tuple(map(str, range(classes))), flip=False, crop=0)


# --- the first step that is none ---
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_meter_names_the_first_step_whose_loss_is_no_number(bad):
    meter = Meter()
    for loss in (0.5, bad, math.nan):
        meter.add(torch.tensor(loss), torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(Diverged, match=rf"loss is {bad} in step 2 of 3: .*learning_rate below 0.1"):
        meter.check(Recipe(learning_rate=0.1))


def test_a_divergence_passes_from_process_to_process():
    fault = Diverged("x is nan", "less").within(", epoch 2 of 3", "this search", "epoch 1 is kept")
    again = pickle.loads(pickle.dumps(fault))
    assert (
        str(again)
        == str(fault)
        == ("x is nan, epoch 2 of 3: this search has diverged; epoch 1 is kept; run it again with less.")
    )
    assert again.exit_status == 3


@pytest.mark.parametrize("strategy", ["darts", "enas", "random"])
def test_a_search_that_diverges_says_where_and_what_is_kept(strategy, strokes, tmp_path):
    run = search(TINY, strokes, strategy, epochs=3, resume=tmp_path, device="cpu", **WILD)
    says = r"loss is (nan|inf) in step \d of \d, epoch 1 of 3: this search has diverged; no epoch is kept; .*rate below"
    for _ in range(2):  # the result is not finished, however often it is asked for
        with pytest.raises(Diverged, match=says):
            _ = run.result
    assert run.history == [] and not (tmp_path / "result.json").exists()


def test_the_epochs_before_are_kept(strokes, tmp_path, monkeypatch):
    run = darts.search(TINY, strokes, resume=tmp_path, **QUICK | {"epochs": 3})
    next(run)
    with torch.no_grad():
        run.subject.alphas["cell"].fill_(math.nan)
    with pytest.raises(Diverged, match=f"epoch 2 of 3: .*; epoch 1 is kept in {tmp_path}.*alpha_rate below"):
        next(run)
    with pytest.raises(Diverged):
        _ = run.result
    assert len(run.so_far.history) == 1 and len(list(run)) == 2  # another try begins at the epoch that is kept
    assert len(run.result.history) == 3


@pytest.mark.parametrize("reward", [math.nan, math.inf])
def test_a_reward_that_is_no_number_stops_the_search(reward, strokes):
    run = enas.search(TINY, strokes, reward=lambda *_: reward, updates=1, samples=2, **QUICK)
    with pytest.raises(Diverged, match=f"reward of an architecture is {reward}.*finite"):
        next(run)


# --- unusual, but allowed ---
def test_a_constant_reward_teaches_nothing_and_ends_nothing(strokes):
    (event,) = enas.search(TINY, strokes, reward=lambda *_: 0.5, updates=2, samples=2, candidates=2, **QUICK)
    assert event.info["reward"] == 0.5 and math.isfinite(event.loss)


@pytest.mark.parametrize(
    "pictures",
    [made([0] * 8, 1), made([0, 1] * 4, 3)],
    ids=["one class", "a class without a picture"],
)
@pytest.mark.parametrize("strategy", ["darts", "enas", "random"])
def test_labels_of_few_classes_are_no_fault(strategy, pictures):
    few = {"updates": 1, "samples": 2, "candidates": 2} if strategy == "enas" else {}
    (event,) = search(TINY, pictures, strategy, **QUICK, **few)
    json.loads(to_text(event.to_record()))
    assert math.isfinite(event.loss) and 0 <= event.validation_accuracy <= 1


def test_batches_of_one_picture_are_trained_on(strokes):
    (event,) = darts.search(TINY, strokes, **QUICK | {"batch_size": 1})
    assert math.isfinite(event.loss)


def test_a_cell_that_lets_nothing_through_is_at_chance_and_warned_of():
    cell = spaces.Tiny(2, nodes=3).parse("|zero~0|+|zero~0|zero~1|")
    assert "dead" in cell.warning
    assert retrain(cell, made([0, 1] * 4, 2), (0,), epochs=1, batch_size=4).accuracies == (0.5,)


def test_json_holds_no_number_that_is_none():
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match="not JSON compliant"):
            to_text({"loss": value})
