"""Small problems: the bilevel problem for the exact gradient, and the toy's map."""

from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from nas_tutorial import data, spaces
from nas_tutorial.pictures import toy_map
from nas_tutorial.strategies import gradients, small, toy

STROKES, TINY = data.load("strokes"), spaces.Tiny()
STEP = gradients.VirtualStep(xi=0.1, momentum=0, decay=0)


def test_the_same_seed_gives_the_same_problem():
    (one, *batches), (other, *others) = (small.problem(TINY, STROKES, seed=1) for _ in range(2))
    assert torch.equal(one.alphas["cell"], other.alphas["cell"])
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(batches, others, strict=True))
    assert one.loss(batches[0]).item() == other.loss(batches[0]).item()


def test_training_and_validation_pictures_are_of_their_own_piles():
    _, train, validation = small.problem(TINY, STROKES, seed=0)
    assert len(train[1]) == len(validation[1]) == 32 and train[0].dtype == torch.float64
    assert not any(torch.equal(a, b) for a in train[0] for b in validation[0])


def test_finite_differences_converge_in_the_smooth_problem():
    setting = (*small.problem(TINY, STROKES, seed=0, smooth=True), STEP)
    assert not any(isinstance(module, nn.ReLU) for module in setting[0].network.modules())
    right = gradients.exact(*setting)["cell"]
    wide, narrow = ((gradients.unrolled(*setting, r=r)["cell"] - right).norm() for r in (1e-2, 1e-3))
    assert wide / narrow == pytest.approx(100, rel=0.2)


def test_paths_end_where_the_searches_rest():
    axes = toy_map.paths((0, 0.5), "Two searches").axes[0]
    ends = {line.get_label(): line.get_xdata()[-1] for line in axes.lines}
    assert ends["ξ = 0"] == pytest.approx(toy.resting_point(0), abs=1e-3)
    assert ends["ξ = 0.5"] == pytest.approx(toy.resting_point(0.5), abs=1e-3)


def test_the_path_over_the_ready_map_ends_where_the_figure_has_it():
    root = ElementTree.fromstring(toy_map.moving(0.3, "A path", "A path."))
    circle = next(element for element in root.iter() if element.tag.endswith("circle"))
    (left, right), width = toy_map.background().limits[0], toy_map.background().frame[2]
    alpha = left + float(circle.get("cx")) / width * (right - left)
    assert alpha == pytest.approx(toy.resting_point(0.3), abs=0.01)
    assert root.get("aria-label") == "A path."
