"""Tables: trained together equals trained alone, files keep everything, and the table of the tiny space is sound."""

import json
import multiprocessing
import os
import random
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nas_tutorial import data, spaces
from nas_tutorial.measures import plans, tables
from nas_tutorial.measures.ranking import kendall
from nas_tutorial.training import Recipe, evaluate, fit, stacking, train_from_scratch

SPACE = spaces.Tiny(channels=3, cells=2, nodes=3)
PICTURES = data.load("strokes", per_class=32, test_per_class=8)
RECIPE = Recipe(epochs=2, batch_size=16, clip=0.5)  # a bound that some networks reach and some do not


# Together and alone ---------------------------------------------------------------------------------------------------


class InDouble(nn.Module):
    """A network that computes in float64."""

    def __init__(self, network):
        super().__init__()
        self.network = network.double()

    def forward(self, x):
        return self.network(x.double())


def new_network(architecture, seed=0):
    torch.manual_seed(seed)
    return architecture.space.network(architecture, PICTURES.classes, PICTURES.channels).double()


def trained_alone(architecture):
    network = InDouble(new_network(architecture))
    list(fit(network, PICTURES.train, PICTURES, RECIPE, torch.Generator().manual_seed(5)))
    return network.eval()


def trained_together(architectures):
    whole = stacking.stack([new_network(a) for a in architectures])
    generator = torch.Generator().manual_seed(5)
    stacking.fit(whole, len(architectures), PICTURES.train, PICTURES, RECIPE, generator)
    return whole.eval()


SEVERAL = {
    "tiny": [SPACE.architecture(c) for c in [(4, 1, 3), (0, 4, 2), (2, 4, 4), (3, 3, 1), (4, 1, 3), (0, 0, 0)]],
    "nasbench201": [
        spaces.NASBench201(channels=2, cells_per_stage=1).architecture(c)
        for c in [(2, 1, 3, 4, 2, 0), (3, 3, 3, 0, 1, 2), (1, 1, 1, 1, 1, 1)]
    ],
    "a frame of 1×1": [
        spaces.NASBench201(channels=2, cells_per_stage=1, fixed_kernel=1).architecture(c)
        for c in [(2, 1, 3, 4, 2, 0), (3, 3, 3, 0, 1, 2)]
    ],
}


@pytest.mark.parametrize("architectures", SEVERAL.values(), ids=SEVERAL)
def test_trained_together_equals_trained_alone_up_to_rounding(architectures):
    images = torch.randn(20, 3, 10, 10, generator=torch.Generator().manual_seed(1)).double()
    networks, whole = [trained_alone(a) for a in architectures], trained_together(architectures)
    with torch.no_grad():
        alone = torch.stack([network(images) for network in networks], 1)  # (B, n, K)
        together = whole(stacking.widen(images, len(architectures)))
    assert together.shape == alone.shape
    assert torch.allclose(together, alone, rtol=0, atol=1e-9)
    assert (alone[:, 0] - alone[:, 1]).abs().max() > 0.01  # or any two networks would have passed


def test_the_bound_on_gradients_is_reached_by_some_and_not_by_others():
    count, generator = 3, torch.Generator().manual_seed(0)
    whole = stacking.stack([new_network(a) for a in SEVERAL["tiny"][:count]])
    for p in whole.parameters():
        p.grad = torch.randn(p.shape, generator=generator).double()
    norms = norms_of(whole, count)
    limit = float(norms.sort().values[1])
    stacking.clip_each(whole, count, limit)
    assert torch.allclose(norms_of(whole, count), norms.clamp(max=limit), rtol=1e-5)


def norms_of(whole, count):
    """Norm of the gradient of each network, by its own definition."""
    parts = [[] for _ in range(count)]
    for module in (m for m in whole.modules() if isinstance(m, stacking.Stacked)):
        for parameter in module.parameters():
            for owner, gradient in zip(module.owners.tolist(), parameter.grad, strict=True):
                parts[owner].append(gradient.flatten())
    return torch.stack([torch.cat(part).norm() for part in parts])


def test_a_table_holds_what_training_from_scratch_gives():
    architectures = SEVERAL["tiny"][:3]
    table = tables.train_all(SPACE, PICTURES, RECIPE, seeds=(4,), architectures=architectures, at_once=2)
    for row, architecture in enumerate(architectures):
        network = train_from_scratch(architecture, PICTURES.train, PICTURES, RECIPE, 4, "cpu")
        for name, split in (("validation", PICTURES.validation), ("test", PICTURES.test)):
            picture = 1 / len(split)  # float32 may tip a picture that sits on the fence
            assert table.runs(name)[row, 0] == pytest.approx(evaluate(network, split, PICTURES), abs=1.5 * picture)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"space": "tiny"}, "The space is 'tiny'; give a space"),
        ({"data": "strokes"}, "The data are 'strokes'; give loaded pictures"),
        ({"recipe": {"epochs": 1}}, r"The recipe is {'epochs': 1}; give a recipe, such as Recipe\("),
        ({"seeds": 3}, "The seeds are 3; give a list"),
        ({"seeds": ()}, r"The seeds are \[\]; give one or more"),
        ({"at_once": 0}, "at_once is 0; give a whole number of at least 1"),
        ({"architectures": []}, "There is no architecture to train"),
        ({"architectures": ["|skip~0|"]}, r"The architecture is '\|skip~0\|'; give an architecture"),
        ({"architectures": SEVERAL["nasbench201"]}, "is of NASBench201.*, not of Tiny"),
    ],
)
def test_what_no_table_can_be_made_of_is_said_in_a_sentence(wrong, message):
    given = {"space": SPACE, "data": PICTURES, "recipe": RECIPE, "architectures": SEVERAL["tiny"][:1]}
    with pytest.raises(ValueError, match=message):
        tables.train_all(**given | wrong)


def test_training_together_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    tables.train_all(SPACE, PICTURES, Recipe(epochs=1), (0,), SEVERAL["tiny"][:1])
    assert torch.equal(before, torch.get_rng_state())


def test_what_cannot_be_stacked_is_said():
    with pytest.raises(ValueError, match="LayerNorm cannot be stacked"):
        stacking.stack([nn.LayerNorm(3), nn.LayerNorm(3)])
    with pytest.raises(ValueError, match="no drop path"):
        stacking.fit(nn.Identity(), 1, PICTURES.train, PICTURES, Recipe(drop_path=0.1), torch.Generator())


# Tables and files -----------------------------------------------------------------------------------------------------


@pytest.fixture
def table():
    """Three cells with two seeds."""
    values = np.array([[0.25, 0.5], [0.75, 0.25], [1.0, 0.0]])
    return tables.Table(tuple(SEVERAL["tiny"][:3]), {"validation": values, "test": values / 2}, {"seeds": [0, 1]})


def test_look_up(table):
    first = table.architectures[0]
    assert table.accuracy(first) == 0.375 and table.accuracy(first, "test") == 0.1875
    assert table.accuracy(SPACE.resized(channels=9).parse(str(first))) == 0.375  # other sizes, the same architecture
    assert len(table) == 3 and "validation (2)" in repr(table)
    with pytest.raises(KeyError, match="no column 'tset'; there are validation, test"):
        table.runs("tset")
    with pytest.raises(KeyError, match="is not among the 3"):
        table.accuracy(SPACE.architecture((1, 1, 1)))


def test_saved_and_loaded_tables_are_equal(table, tmp_path):
    table.save(tmp_path / "a.json")
    again = tables.Table.load(tmp_path / "a.json")
    assert again.architectures == table.architectures and again.space == table.space
    assert all(np.array_equal(again.columns[name], table.columns[name]) for name in table.columns)
    assert again.about == table.about


HEAD, ROW = {"space": "tiny", "sizes": {"nodes": 3}, "about": {}}, "|zero~0|+|zero~0|zero~1|"
BAD_ROWS = [{}, [], 0.5, {ROW: 0.5}, {ROW: {"test": ["high"]}}, {"|skip": {"test": [0.5]}}]


@pytest.mark.parametrize("text", ["", "[]", "{}", *(json.dumps(HEAD | {"rows": rows}) for rows in BAD_ROWS)])
def test_files_that_are_no_tables(text, tmp_path):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="a.json is no table"):
        tables.Table.load(tmp_path / "a.json")


def test_a_saved_table_is_whole_or_not_there(table, tmp_path, monkeypatch):
    table.save(tmp_path / "a.json")
    before = (tmp_path / "a.json").read_bytes()
    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
            patch.setattr(os, step, lambda *_: 1 / 0)
            tables.Table(table.architectures[::-1], table.columns, {}).save(tmp_path / "a.json")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [before]


def test_the_suffix_decides_the_form(table, tmp_path):
    for call in (table.save, tables.Table.load):
        with pytest.raises(ValueError, match=r"suffix of a table's file is '.csv'; expected one of .json, .npz"):
            call(tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_table_knows_of_which_space_it_is(table, tmp_path):
    table.save(tmp_path / "a.json")
    assert tables.Table.load(tmp_path / "a.json", SPACE.resized(channels=9)).space == SPACE
    with pytest.raises(ValueError, match="a.json is a table of Tiny.* not of NASBench201.*leave the space out"):
        tables.Table.load(tmp_path / "a.json", BENCH)


def test_join_puts_seeds_side_by_side(table):
    one = tables.Table(table.architectures, table.columns, {"seeds": [0, 1], "seconds": 1.5})
    both = tables.join([one, tables.Table(table.architectures, table.columns, {"seeds": [2, 3], "seconds": 2.0})])
    assert both.runs().shape == (3, 4) and both.about == {"seeds": [0, 1, 2, 3], "seconds": 3.5}
    with pytest.raises(ValueError, match="same architectures"):
        tables.join([one, tables.Table(table.architectures[::-1], table.columns, {})])


def test_benchmark_file_and_back(table, tmp_path):
    table.save(tmp_path / "b.npz")
    again = tables.Table.load(tmp_path / "b.npz", SPACE)
    assert again.architectures == table.architectures
    assert list(again.columns) == ["validation_0", "validation_1", "test_0", "test_1"]
    assert np.array_equal(again.runs("test_0")[:, 0], table.runs("test")[:, 0])
    with pytest.raises(ValueError, match=r"b.npz does not name its space: give it, as in Table.load\(path, "):
        tables.Table.load(tmp_path / "b.npz")


def test_a_space_that_asks_more_than_operations_has_no_benchmark_file(tmp_path):
    space = spaces.ENASMicro()
    cell = space.sample(torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="one operation per edge, but enas_micro asks more: use a .json file"):
        tables.Table((cell,), {"test": np.zeros((1, 1))}, {}).save(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="but enas_micro asks more"):
        tables.Table.load(benchmark_file(tmp_path / "b.npz"), space)


BENCH = spaces.NASBench201()


def benchmark_file(path, **changes):
    """A file of two cells with the operations in an order that is not ours."""
    arrays = {
        "edges": np.array([[0, 0, 0, 0, 0, 0], [1, 2, 3, 4, 0, 1]], dtype=np.uint8),
        "ops": np.array(["skip_connect", "none", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]),
        "acc_x100": np.array([[5430], [9437]], dtype=np.uint16),
        "columns": np.array(["cifar10_test_200"]),
    }
    np.savez(path, **{name: array for name, array in (arrays | changes).items() if array is not None})
    return path


def test_benchmark_names_operations_by_the_file(tmp_path):
    table = tables.Table.load(benchmark_file(tmp_path / "b.npz"), BENCH)
    skips = BENCH.parse(SKIPS)
    assert table.accuracy(skips, "cifar10_test_200") == pytest.approx(0.5430)
    assert str(table.architectures[1]) == (
        "|none~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|avg_pool_3x3~0|skip_connect~1|none~2|"
    )


SKIPS = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ops": None}, "lacks ops"),
        ({"ops": np.array(["skip", "none", "a", "b", "c"])}, "no operation a, b, c, skip"),
        ({"edges": np.zeros((2, 3), dtype=np.uint8)}, "has 6 edges, but"),
        ({"edges": np.zeros((3, 6), dtype=np.uint8)}, "3 cells and 1 columns"),
        ({"edges": np.full((2, 6), 5, dtype=np.uint8)}, "edges below 5"),
        ({"acc_x100": np.array([[10_001], [0]])}, "at most 10,000"),
        ({"acc_x100": np.array([[-1], [0]])}, "at most 10,000.*whole numbers from 0"),
        ({"acc_x100": np.array([[54.3], [94.37]])}, "whole numbers from 0"),
        ({"edges": np.full((2, 6), -1, dtype=np.int8)}, "edges below 5.*whole numbers from 0"),
        ({"edges": np.zeros((0, 6), dtype=np.uint8), "acc_x100": np.zeros((0, 1), dtype=int)}, "There must be cells"),
    ],
)
def test_bad_benchmark_files(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        tables.Table.load(benchmark_file(tmp_path / "b.npz", **changes), BENCH)


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "b.npz").write_text("no archive", encoding="utf-8")
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match="b.npz is no .npz archive"):
        tables.Table.load(tmp_path / "b.npz", BENCH)
    with pytest.raises(ValueError, match="a.npz is no .npz archive"):
        tables.Table.load(tmp_path / "a.npz", BENCH)
    for name in ("c.npz", "c.json"):
        with pytest.raises(FileNotFoundError):
            tables.Table.load(tmp_path / name, BENCH)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_benchmark_files_never_surprise(tmp_path_factory, draw):
    """A file with one wrong byte, or cut short there, is either read or refused with ValueError, nothing else."""
    path = benchmark_file(tmp_path_factory.mktemp("damaged") / "b.npz")
    content = bytearray(path.read_bytes())
    where = draw.draw(st.integers(0, len(content) - 1))
    content[where] ^= draw.draw(st.integers(1, 255))
    path.write_bytes(content[: where if draw.draw(st.booleans()) else None])
    try:
        assert len(tables.Table.load(path, BENCH)) == 2
    except ValueError as error:
        assert str(error).endswith(".")


# Going on -------------------------------------------------------------------------------------------------------------


CELLS = SEVERAL["tiny"][:5]
SHORT = Recipe(epochs=6, batch_size=8, learning_rate=0.2)


def made(folder=None, **changes):
    """A table of six parts: three groups of cells with two seeds."""
    settings = {"space": SPACE, "data": PICTURES, "recipe": SHORT, "seeds": (0, 1)}
    settings |= {"architectures": CELLS, "at_once": 2, "resume": folder}
    return tables.train_all(**(settings | changes))


@pytest.fixture(scope="module")
def expected():
    """The table that nothing stopped."""
    return made()


def assert_same(table, expected):
    """Equal bit for bit but for the time it took."""
    assert table.architectures == expected.architectures and list(table.columns) == list(expected.columns)
    for name, values in expected.columns.items():
        assert table.columns[name].dtype == values.dtype and np.array_equal(table.columns[name], values)
    assert dict(table.about, seconds=0) == dict(expected.about, seconds=0)


class Trainer:
    """Trains groups of cells as `train_together` does, and is interrupted behind the n-th of them (0: never)."""

    def __init__(self, interrupted=0):
        self.interrupted, self.groups = interrupted, []

    def __call__(self, group, *rest):
        found = stacking.train_together(group, *rest)
        self.groups.append((tuple(group), rest[-1]))
        if len(self.groups) == self.interrupted:
            raise KeyboardInterrupt
        return found


def test_a_folder_changes_nothing(expected, tmp_path):
    assert_same(made(tmp_path), expected)
    assert len(list(tmp_path.glob("seed-*-from-*.json"))) == 6
    assert expected.runs().shape == (5, 2)
    assert len(np.unique(expected.runs())) > 3  # or any two tables would be the same


def test_a_table_is_not_tested_on_pictures_that_were_learnt_from():
    with pytest.raises(ValueError, match="test pictures of strokes are also among"):
        tables.train_all(SPACE, replace(PICTURES, test=PICTURES.train), SHORT)


@pytest.mark.parametrize("stop", range(1, 7))
def test_a_stopped_table_goes_on_with_the_next_part(stop, expected, tmp_path, monkeypatch):
    trainers = [Trainer(stop), Trainer(), Trainer()]
    monkeypatch.setattr(plans, "train_together", trainers[0])
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path)
    for trainer in trainers[1:]:
        monkeypatch.setattr(plans, "train_together", trainer)
        assert_same(made(tmp_path), expected)
    assert len(trainers[1].groups) == 6 - (stop - 1) and trainers[2].groups == []
    assert trainers[0].groups[: stop - 1] + trainers[1].groups == [
        (tuple(CELLS[i : i + 2]), seed) for seed in (0, 1) for i in (0, 2, 4)
    ]


def test_seconds_of_all_stretches_are_added(tmp_path, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(plans.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(plans, "train_together", Trainer(4))
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path)
    monkeypatch.setattr(plans, "train_together", Trainer())
    assert made(tmp_path).about["seconds"] == 60.0


def test_more_seeds_train_only_those(expected, tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "train_together", trainer := Trainer())
    made(tmp_path, seeds=(1,))
    assert_same(made(tmp_path, seeds=(0, 1)), expected)
    assert [seed for _, seed in trainer.groups] == [1, 1, 1, 0, 0, 0]


NARROW = SPACE.resized(channels=2)
SMALLER = SPACE.resized(channels=2, cells=1)
OTHERS = {
    "space": (
        {"space": SMALLER, "architectures": [SMALLER.architecture(a.choices) for a in CELLS]},
        "sizes.channels = 3",
    ),
    "cells": ({"architectures": CELLS[:4]}, "other architectures"),
    "order": ({"architectures": CELLS[::-1]}, "other architectures"),
    "recipe": ({"recipe": Recipe(epochs=2, batch_size=16, learning_rate=0.2)}, "recipe.epochs = 6, not 2"),
    "groups": ({"at_once": 3}, "at_once = 2, not 3"),
    "data": ({"data": data.load("strokes", per_class=32, test_per_class=8, seed=1)}, "other pictures"),
    "test data": ({"data": data.load("strokes", per_class=32, test_per_class=7)}, "other test pictures"),
}


@pytest.mark.parametrize(("changes", "message"), OTHERS.values(), ids=OTHERS)
def test_a_folder_of_another_table_is_refused(changes, message, tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "train_together", Trainer(2))
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path)
    with pytest.raises(ValueError, match=f"holds trials with {message}.*choose another folder"):
        made(tmp_path, **changes)


KILLS = 4


def test_kills_at_random_moments_lose_nothing(tmp_path):
    """kill -9 at some random moments; each table that is done in spite of it is the one that nothing stopped."""
    child = multiprocessing.get_context("spawn").Process(target=kill_again_and_again, args=(tmp_path,))
    child.start()
    child.join()
    assert child.exitcode == 0


def kill_again_and_again(folder):
    """In a process of one thread, which can be copied."""
    torch.set_num_threads(1)
    made()  # the first training takes longer
    dice, kills, done, expected = random.Random(0), 0, 0, made()
    longest = 0.3 * expected.about["seconds"]
    while kills < KILLS:
        killed = killed_after(dice.uniform(0, longest), folder / f"{done}")
        kills, done = kills + killed, done + (not killed)
    assert not killed_after(None, folder / f"{done}")
    for number in range(done + 1):
        assert_same(made(folder / f"{number}"), expected)


def killed_after(seconds, folder):
    """Whether a process was still at work on the table when it was killed after some seconds (None: not killed)."""
    if (child := os.fork()) == 0:
        made(folder)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


# The table of the tiny space ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more_seeds", [False, True])
def test_tiny_table_is_complete_and_says_how_it_was_made(more_seeds):
    table, seeds = tables.tiny(more_seeds), list(tables.MORE_SEEDS if more_seeds else tables.SEEDS)
    assert table.architectures == tuple(tables.TINY_SPACE.enumerate()) and table.space == tables.TINY_SPACE
    assert table.runs("validation").shape == table.runs("test").shape == (125, len(seeds))
    assert table.about["seeds"] == seeds
    assert Recipe(**table.about["recipe"]) == tables.TINY_RECIPE  # settings that came later have what was always done
    assert table.about["data"] == repr(data.load(**tables.TINY_DATA))
    assert table.about["command"] == "python -m nas_tutorial.measures.tables"


def test_tiny_table_agrees_with_a_training_of_today():
    table, pictures = tables.tiny(), data.load(**tables.TINY_DATA)
    chosen = [table.space.architecture(c) for c in [(4, 1, 4), (1, 0, 4), (2, 0, 4), (1, 1, 1), (4, 0, 2)]]
    today = tables.train_all(table.space, pictures, tables.TINY_RECIPE, (1,), chosen)
    rows = [table.index[a] for a in chosen]
    assert today.runs() == pytest.approx(table.runs()[rows, 1:2], abs=0.1)  # another machine rounds differently
    assert kendall(today.mean(), table.runs()[rows, 1]) == pytest.approx(1)


def test_cells_without_a_working_3x3_convolution_guess():
    table = tables.tiny()
    can_see = np.array([sees(a.answers["1<0"], a.answers["2<0"], a.answers["2<1"]) for a in table.architectures])
    assert can_see.sum() == 53
    assert table.mean()[~can_see].max() < 0.32 and np.median(table.mean()[can_see]) > 0.6


def sees(first, direct, second):
    """Whether a 3×3 convolution stands on a road from input to output."""
    return direct == "conv_3x3" or ("zero" not in (first, second) and "conv_3x3" in (first, second))
