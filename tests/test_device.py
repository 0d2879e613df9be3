"""On a device: nothing waits for it within a step, 16 bits are used where asked for, pictures lie there as bytes."""

from dataclasses import replace

import pytest
import torch
from small import TINY

from nas_tutorial import data, spaces
from nas_tutorial.strategies import darts, enas, random, searching
from nas_tutorial.strategies.sharing import train_paths
from nas_tutorial.training import Meter, Recipe, Training, train_from_scratch
from nas_tutorial.training.devices import half, resident, to_device

META = torch.device("meta")  # it has shapes but no numbers: whoever reads a number from it gets an error
NETWORKS = {"tiny": TINY, "darts": spaces.DARTS(2, 3, nodes=2), "enas_macro": spaces.ENASMacro(4, layers=3)}


@pytest.fixture(scope="module")
def strokes():
    """40 pictures each for training and validation, cropped and mirrored at random."""
    return replace(data.load("strokes", per_class=20, test_per_class=5), crop=1, flip=True)


@pytest.mark.parametrize(("space", "order"), [("tiny", 1), ("tiny", 2), ("darts", 1)])
def test_no_number_is_read_from_the_device_within_a_step_of_darts(space, order, strokes):
    config = darts.Config(batch_size=20, order=order, cutout=3, epochs=2)
    search = darts.DARTS(NETWORKS[space], strokes.to(META), config, 0, META)
    meter, steps = Meter(), 0
    for pair in search.pairs_of_batches():
        search.step(*pair, meter)
        steps += 1
    assert steps == 2 == len(meter.losses)
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):  # the control: this reads
        meter.loss  # noqa: B018


@pytest.mark.parametrize("kind", [random.Shared, enas.ENAS], ids=["random", "enas"])
def test_no_number_is_read_within_a_step_of_shared_weights(kind, strokes, monkeypatch):
    monkeypatch.setattr(Meter, "check", lambda *_: None)  # it reads, once an epoch
    config = {random.Shared: random.Config, enas.ENAS: enas.Config}[kind](batch_size=20, cutout=3, epochs=2)
    search = kind(NETWORKS["enas_macro"], strokes.to(META), config, 0, META)
    draw = search.sample if kind is random.Shared else search.draw_one
    meter = train_paths(search.supernet, draw, search.data, search.descent, search.generator)
    assert len(meter.losses) == 2


def test_no_number_is_read_within_a_step_of_retraining(strokes, monkeypatch):
    monkeypatch.setattr(Meter, "check", lambda *_: None)
    recipe = Recipe(epochs=2, batch_size=20, cutout=3, drop_path=0.3)
    network = to_device(TINY.network(TINY.sample(torch.Generator().manual_seed(0))), META, recipe)
    training = Training(network, strokes.train.to(META), strokes, recipe, torch.Generator())
    training.epochs_done = 1  # so that paths are dropped
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        training.epoch()  # its report reads, behind the last step
    assert training.descent.schedule.last_epoch == 2


def test_what_is_drawn_does_not_depend_on_where_the_pictures_lie(strokes):
    from nas_tutorial.training import batches

    generators = [torch.Generator().manual_seed(1) for _ in range(2)]
    moved = strokes.to(META)
    for place, generator in zip((strokes, moved), generators, strict=True):
        drawn = list(batches(place.train, place, 8, generator=generator, augmented=True, cutout=3))
        assert [images.shape for images, _ in drawn] == [(8, 3, 10, 10)] * 5
    assert torch.equal(*(generator.get_state() for generator in generators))
    assert moved.train.images.dtype == torch.uint8 and moved.test.images.device.type == "cpu"
    assert resident(strokes, torch.device("cpu")) is strokes


@pytest.mark.parametrize("module, more", [(darts, {}), (random, {"shared": True, "candidates": 2})])
def test_16_bits_search_much_like_32(module, more, strokes):
    def found(precision):
        settings = {"epochs": 1, "batch_size": 20, "device": "cpu", "seed": 1, **more}
        run = module.search(TINY, strokes, precision=precision, **settings)
        return run.subject, run.result

    (_, one), (coarse, other) = found("float32"), found("bf16")
    network = coarse.network if module is darts else coarse.supernet
    assert network.half is torch.bfloat16 and {w.dtype for w in network.parameters()} == {torch.float32}
    assert 0 < abs(one.history[0].loss - other.history[0].loss) < 0.05
    assert other.config["precision"] == "bf16"


def test_fp16_scales_the_loss_and_goes_on(strokes, tmp_path):
    settings = {"epochs": 2, "batch_size": 20, "device": "cpu", "seed": 1, "precision": "fp16"}
    whole = darts.search(TINY, strokes, **settings)
    state = whole.subject.state_dict()
    assert state["scaler"] and state["descent"]["scaler"]
    next(darts.search(TINY, strokes, resume=tmp_path, **settings))
    again = darts.search(TINY, strokes, resume=tmp_path, **settings)
    assert len(again.log) == 1
    ours, theirs = whole.result.weights, again.result.weights
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    moved = ours["alpha.cell"] - darts.search(TINY, strokes, **settings).weights["alpha.cell"]
    assert 0 < moved.abs().max() < 1  # the gradient is unscaled again, and some step was made


def test_an_infinite_gradient_in_fp16_moves_neither_weights_nor_alpha(strokes):
    search = darts.DARTS(TINY, strokes, darts.Config(batch_size=20, precision="fp16"), 0, torch.device("cpu"))
    before = [tensor.clone() for tensor in (search.alphas["cell"], *search.network.parameters())]
    for scaler in (search.scaler, search.descent.scaler):
        scaler.load_state_dict({**scaler.state_dict(), "scale": 3e38})
    search.step(*next(search.pairs_of_batches()), Meter())
    after = [search.alphas["cell"], *search.network.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_order_2_in_16_bits_is_refused():
    with pytest.raises(ValueError, match="order is 2 and precision bf16.* set precision=float32, or order=1"):
        darts.Config(order=2, precision="bf16")


def test_mixed_is_float32_on_a_cpu_and_a_gpus_best_elsewhere(monkeypatch):
    assert half("mixed", torch.device("cpu")) is None
    for capability, best in (((7, 5), torch.float16), ((8, 0), torch.bfloat16), ((9, 0), torch.bfloat16)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, now=capability: now)
        assert half("mixed", torch.device("cuda")) is best


def test_an_older_state_without_precision_goes_on(strokes, tmp_path, monkeypatch):
    """Settings that came later are not held against a state, as long as they say what was always done."""
    next(darts.search(TINY, strokes, epochs=2, batch_size=20, device="cpu", resume=tmp_path))
    counted = searching.counted(darts.Config())
    assert "precision" not in counted and "compile" not in counted and "restart" in counted
    assert searching.counted(darts.Config(precision="bf16"))["precision"] == "bf16"


def test_compiled_networks_train_as_others_do(strokes, monkeypatch):
    """With the compiler's front end only: code is traced, broken into graphs, and run by torch's usual operators."""
    compile_network = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compile_network(self, backend="eager"))
    cell = TINY.parse("|conv_3x3~0|+|zero~0|conv_3x3~1|")
    recipes = Recipe(1, batch_size=20), Recipe(1, batch_size=20, compile=True)
    plain, compiled = (train_from_scratch(cell, strokes.train, strokes, r, 0, "cpu").state_dict() for r in recipes)
    assert plain.keys() == compiled.keys()
    assert all(torch.allclose(plain[name], compiled[name], atol=1e-5) for name in plain)
