"""Tables: trained together equals trained alone, files keep everything, and the table of the tiny space is sound."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from nas_tutorial import data, spaces
from nas_tutorial.measures import compact, tables
from nas_tutorial.measures.ranking import kendall
from nas_tutorial.training import Recipe, evaluate, fit, stacking, train_from_scratch

SPACE = spaces.Tiny(channels=3, cells=2)
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
    assert table.accuracy(spaces.Tiny(channels=9).parse(str(first))) == 0.375  # other sizes, the same architecture
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


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"space": "tiny", "sizes": {}, "rows": {}, "about": {}}'])
def test_files_that_are_no_tables(text, tmp_path):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="a.json is no table"):
        tables.Table.load(tmp_path / "a.json")


def test_join_puts_seeds_side_by_side(table):
    one = tables.Table(table.architectures, table.columns, {"seeds": [0, 1], "seconds": 1.5})
    both = tables.join([one, tables.Table(table.architectures, table.columns, {"seeds": [2, 3], "seconds": 2.0})])
    assert both.runs().shape == (3, 4) and both.about == {"seeds": [0, 1, 2, 3], "seconds": 3.5}
    with pytest.raises(ValueError, match="same architectures"):
        tables.join([one, tables.Table(table.architectures[::-1], table.columns, {})])


def test_benchmark_file_and_back(table, tmp_path):
    compact.write(table, tmp_path / "b.npz")
    again = compact.read(tmp_path / "b.npz", SPACE)
    assert again.architectures == table.architectures
    assert list(again.columns) == ["validation_0", "validation_1", "test_0", "test_1"]
    assert np.array_equal(again.runs("test_0")[:, 0], table.runs("test")[:, 0])


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
    table = compact.read(benchmark_file(tmp_path / "b.npz"), BENCH)
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
    ],
)
def test_bad_benchmark_files(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        compact.read(benchmark_file(tmp_path / "b.npz", **changes), BENCH)


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "b.npz").write_text("no archive", encoding="utf-8")
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(ValueError, match="b.npz is no .npz archive"):
        compact.read(tmp_path / "b.npz", BENCH)
    with pytest.raises(ValueError, match="a.npy holds a single array"):
        compact.read(tmp_path / "a.npy", BENCH)
    with pytest.raises(FileNotFoundError):
        compact.read(tmp_path / "c.npz", BENCH)


# The table of the tiny space ------------------------------------------------------------------------------------------


def test_tiny_table_is_complete_and_says_how_it_was_made():
    table = tables.tiny()
    assert table.architectures == tuple(tables.TINY_SPACE.enumerate()) and table.space == tables.TINY_SPACE
    assert table.runs("validation").shape == table.runs("test").shape == (125, 3)
    assert table.about["seeds"] == list(tables.SEEDS)
    assert table.about["recipe"] == json.loads(json.dumps(tables.asdict(tables.TINY_RECIPE)))
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
