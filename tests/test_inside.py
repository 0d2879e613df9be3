"""Looking inside: the maps are what the network computes, and every row adds up."""

import pytest
import torch

from nas_tutorial import data, spaces
from nas_tutorial.data import normalise
from nas_tutorial.pictures import inside
from nas_tutorial.training import batch_statistics, seeded

STROKES = data.load("strokes")
TINY = spaces.get("tiny")
CELL = TINY.parse("|conv_3x3~0|+|skip~0|avg_pool_3x3~1|")


@pytest.fixture
def supernet():
    with seeded(0):
        return TINY.supernet(STROKES.classes, STROKES.channels)


def test_every_node_is_the_sum_of_its_edges(supernet):
    maps = inside.feature_maps(supernet, STROKES, STROKES.validation.images[:20], CELL)
    assert maps.name(0) == "input" and maps.name(2) == "output" and maps.inputs == 1
    for entering, node in zip(maps.used, maps.states[1:], strict=True):
        torch.testing.assert_close(sum(maps.edges[edge][1] for edge, _ in entering), node)
    assert [operation for operation, _ in maps.edges.values()] == ["conv_3x3", "skip", "avg_pool_3x3"]
    torch.testing.assert_close(maps.edges["2<0"][1], maps.states[0])


def test_the_states_are_those_of_the_network_and_it_is_left_as_it_was(supernet):
    images, before = STROKES.validation.images[:20], {k: v.clone() for k, v in supernet.state_dict().items()}
    maps = inside.feature_maps(supernet, STROKES, images, CELL)
    with torch.no_grad(), batch_statistics(supernet):
        features = supernet.features(normalise(images, STROKES), CELL.active_ops)
    torch.testing.assert_close(maps.states[-1], features[0])
    assert all(torch.equal(before[k], v) for k, v in supernet.state_dict().items()) and supernet.training
    assert not any(module._forward_hooks for module in supernet.modules())


def test_a_blend_and_a_network_of_its_own_can_be_looked_at(supernet):
    images, alphas = STROKES.validation.images[:20], TINY.alphas(torch.Generator().manual_seed(0))
    blend = inside.feature_maps(supernet, STROKES, images, TINY.relax(alphas))
    assert {operation for operation, _ in blend.edges.values()} == {"blend"}
    alone = inside.feature_maps(TINY.network(CELL, STROKES.classes, STROKES.channels), STROKES, images[:1])
    assert alone.edges["1<0"][0] == "conv_3x3"


def test_a_cell_with_two_inputs_shows_the_edges_in_use():
    space = spaces.get("darts")
    (architecture, *_) = space.named.values()
    network = space.network(architecture, STROKES.classes, STROKES.channels)
    maps = inside.feature_maps(network, STROKES, STROKES.validation.images[:1])
    assert (maps.name(0), maps.name(1), maps.name(2)) == ("input 0", "input 1", "node 2")
    assert [len(entering) for entering in maps.used] == [2, 2, 2, 2]


def test_the_figure_shows_edges_before_their_node_and_says_which_channel(supernet):
    figure = inside.through_cell(supernet, STROKES, STROKES.validation.images[:20], CELL, channel=3)
    titles = [panel.get_title() for panel in figure.axes if panel.get_title()]
    assert titles == [
        "picture",
        "input",
        "input\nconv_3x3",
        "= node 1",
        "input\nskip",
        "node 1\navg_pool_3x3",
        "= output",
    ]
    assert "Channel 3" in figure.get_suptitle()


@pytest.mark.parametrize("space", ["tiny", "nasbench201", "darts"])
def test_the_figure_lies_on_its_side_and_fits_a_slide(space):
    space = spaces.get(space)
    network = space.network(space.sample(torch.Generator().manual_seed(0)), STROKES.classes, STROKES.channels)
    figure = inside.through_cell(network, STROKES, STROKES.validation.images[:1])
    width, height = 96 * figure.get_size_inches()
    assert height <= 560 and height < width
    boxes = [panel.get_position() for panel in figure.axes]
    assert all(0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 < 1 for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_cell_that_is_not_there_is_refused(supernet):
    with pytest.raises(ValueError, match="There is no cell 4; this network has 1"):
        inside.feature_maps(supernet, STROKES, STROKES.validation.images[:2], CELL, cell=4)
