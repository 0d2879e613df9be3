"""Shared weights: several paths in one step, and fair rounds of paths."""

import copy
from collections import Counter

import pytest
import torch
from small import TINY
from torch.nn.functional import cross_entropy

from nas_tutorial import data, spaces
from nas_tutorial.strategies import sharing
from nas_tutorial.training import Descent, Recipe, batches, seeded

STEP = Recipe(
    batch_size=60, learning_rate=0.1, momentum=0, nesterov=False, weight_decay=0, warmup=0, clip=1e9
)  # −0.1 · gradient
CELLS = [TINY.architecture(choices) for choices in ((4, 1, 4), (1, 4, 3), (4, 0, 2))]


@pytest.fixture(scope="module")
def strokes():
    """60 pictures for training."""
    return data.load("strokes", per_class=30, test_per_class=5)


@pytest.mark.parametrize("paths", [1, 3])
def test_gradients_of_the_paths_of_a_batch_add_up_to_one_step(strokes, paths):
    """Against the gradients of each path by itself, all taken at the same weights  (FairNAS, alg. 1)."""
    with seeded(0):
        supernet = TINY.supernet(4)
    alone, drawn = copy.deepcopy(supernet), iter(CELLS)
    descent = Descent(supernet.parameters(), STEP, strokes.train)
    generators = [torch.Generator().manual_seed(0) for _ in range(2)]
    meter = sharing.train_paths(supernet, lambda: next(drawn), strokes, descent, generators[0], paths=paths)
    ((images, labels),) = batches(strokes.train, strokes, 60, generator=generators[1])
    losses = [cross_entropy(alone(images, cell), labels) for cell in CELLS[:paths]]
    for loss in losses:
        loss.backward()  # gradients pile up
    for (name, moved), start in zip(supernet.named_parameters(), alone.parameters(), strict=True):
        slope = torch.zeros_like(start) if start.grad is None else start.grad
        torch.testing.assert_close(moved, start - 0.1 * slope, rtol=1e-4, atol=1e-6, msg=name)
    assert meter.loss == pytest.approx(float(sum(losses)), rel=1e-5)
    assert list(drawn) == CELLS[paths:]


def test_a_fair_round_has_every_operation_of_every_edge_once():
    sampler, met = sharing.fair_sampler(TINY, torch.Generator().manual_seed(0)), Counter()
    for _ in range(100):
        paths = [sampler().choices for _ in range(5)]
        assert all(sorted(edge) == [0, 1, 2, 3, 4] for edge in zip(*paths, strict=True))
        met.update(paths)
    assert len(met) > 110  # edges are shuffled by themselves: nearly all 125 paths were met in 500 draws


def test_a_fair_round_needs_equally_many_options():
    with pytest.raises(ValueError, match="equally many options, but enas_micro has 2, 3"):
        sharing.fair_sampler(spaces.get("enas_micro", "small"), torch.Generator())
