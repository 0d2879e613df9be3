"""Figures of networks: published parameter counts, and multiply-adds against torch's own counter of operations."""

import copy
import json

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nas_tutorial import spaces
from nas_tutorial.measures import describe
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.networks.fast import speed_up


def torch_counts(network, *choice):
    """Multiply-adds of one 16×16 picture, counted by torch; it counts a multiplication and an addition as two."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network.eval()(torch.zeros(1, 3, 16, 16), *choice)
    return counter.get_total_flops() // 2


def test_multiply_adds_are_those_that_torch_counts(space):
    architecture = space.sample(torch.Generator().manual_seed(3))
    supernet, alphas = space.supernet(), space.alphas(torch.Generator())
    described = [
        describe.stand_alone(architecture, side=16),
        describe.supernet(space, architecture, side=16),
        describe.supernet(space, side=16),
    ]
    counted = [
        torch_counts(space.network(architecture)),
        torch_counts(supernet, architecture),
        torch_counts(supernet, space.relax(alphas)),
    ]
    assert [d.multiply_adds for d in described] == counted
    assert 0 < counted[0] < counted[2]


@pytest.mark.parametrize(
    "described, parameters",
    [
        (lambda: describe.stand_alone(spaces.DARTS(36, 20).parse("DARTS_V2")), 3_349_342),
        (lambda: describe.stand_alone(spaces.DARTS(36, 20).parse("DARTS_V1")), 3_169_414),
        (lambda: describe.supernet(spaces.DARTS(16, 8)), 1_930_618),
        (lambda: describe.supernet(spaces.ENASMacro(36, 12)), 697_860),
        (lambda: describe.supernet(spaces.ENASMicro(20, 6)), 5_373_140),
    ],
)
def test_published_numbers_of_parameters(described, parameters):
    assert described().parameters == parameters


def test_figures_around_the_parameters():
    found = describe.stand_alone(spaces.DARTS(36, 20).parse("DARTS_V2"))
    assert found.auxiliary_parameters == 476_426
    assert "3,349,342 (+ 476,426 in the auxiliary head)" in str(found)


def test_supernets_know_the_figures_of_their_strategies():
    assert describe.supernet(spaces.DARTS(4, 2), side=8).alphas == {"normal": (14, 8), "reduce": (14, 8)}
    assert describe.supernet(spaces.ENASMacro(4, 12), side=8).controller_parameters == 41_856
    assert describe.supernet(spaces.ENASMicro(4, 1), side=8).controller_parameters == 41_733


def test_shapes_follow_the_picture_through_the_network():
    shapes = dict(describe.stand_alone(spaces.NASBench201(8, 1, 1).architecture([3] * 6), classes=7, side=16).shapes)
    assert shapes == {
        "stem": (8, 16, 16),
        "1: cell": (8, 16, 16),
        "2: reduction": (16, 8, 8),
        "3: cell": (16, 8, 8),
        "4: reduction": (32, 4, 4),
        "5: cell": (32, 4, 4),
        "head": (7,),
    }


def test_shapes_of_every_space_end_in_the_classes(space):
    architecture = space.sample(torch.Generator().manual_seed(0))
    record = json.loads(describe.stand_alone(architecture, side=16).to_json())
    assert record["shapes"][0][0] == "stem" and record["shapes"][-1] == ["head", [10]]


def test_a_backward_pass_counts_as_two_forward_passes():
    space = spaces.NASBench201(4, 1, 1)
    network, picture = space.network(space.architecture([3] * 6)), torch.zeros(1, 3, 16, 16)
    with MultiplyAddCounter() as forward, torch.no_grad():
        network(picture.expand(2, -1, -1, -1))
    with MultiplyAddCounter() as both:
        network(picture.expand(2, -1, -1, -1)).sum().backward()
    counter = FlopCounterMode(display=False)
    with counter:
        network(picture.expand(2, -1, -1, -1)).sum().backward()
    assert forward.multiply_adds == 2 * describe.stand_alone(space.architecture([3] * 6), side=16).multiply_adds
    assert both.multiply_adds == 3 * forward.multiply_adds
    # torch knows that the very first convolution needs no gradient for the picture
    assert both.multiply_adds - 2 * 4 * 3 * 16 * 16 == counter.get_total_flops() / 2


def test_the_fast_path_counts_as_much_as_the_slow_one(space):
    network, pictures = space.supernet(), torch.zeros(2, 3, 16, 16)
    alphas = space.relax(space.alphas(torch.Generator().manual_seed(0)))
    architecture = space.sample(torch.Generator().manual_seed(0))
    counted = []
    for net in (network, speed_up(copy.deepcopy(network))):
        for choice in (alphas, architecture):
            with MultiplyAddCounter() as trained:
                net(pictures, choice)
            with MultiplyAddCounter() as judged, torch.no_grad():
                net(pictures, choice)
            counted.append((trained.multiply_adds, judged.multiply_adds))
    assert counted[:2] == counted[2:] and all(trained == 3 * judged > 0 for trained, judged in counted)


def test_work_counts_only_inside_its_block_and_ticks_once_a_pass():
    space, ticks = spaces.Tiny(4, 1, 3), []
    network, picture = space.network(space.architecture([4, 4, 4])), torch.zeros(2, 3, 8, 8)
    network(picture)
    with MultiplyAddCounter(lambda: ticks.append(1)) as work:
        network(picture)
        network(picture)
    counted = work.multiply_adds
    network(picture)
    assert (len(ticks), work.multiply_adds) == (2, counted)
