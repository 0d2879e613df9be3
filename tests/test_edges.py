"""Edges in figures: sums are the network's, widths those that the definitions of the operations give."""

import pytest
import torch
from small import QUICK

from nas_tutorial import spaces
from nas_tutorial.measures.edges import edge_figures

SEES = {"sep_conv_3x3": 5, "sep_conv_5x5": 9, "dil_conv_3x3": 5, "dil_conv_5x5": 9, "skip_connect": 1, "none": 0}


def test_every_edge_of_every_space_is_told_once(space):
    architecture = space.sample(torch.Generator().manual_seed(1))
    found = [(edge.cell, edge.name) for edge in edge_figures(architecture)]
    asked = {(cell, name) for cell, active in architecture.active_ops.items() for name in active if "out" not in name}
    assert len(found) == len({*found}) and {*found} == asked
    for edge in edge_figures(architecture):
        assert edge.operation == architecture.active_ops[edge.cell][edge.name]


def test_weights_and_work_of_a_convolution():
    space = spaces.Tiny(channels=4, cells=2, nodes=3)
    edges = {edge.operation: edge for edge in edge_figures(space.parse("|conv_3x3~0|+|zero~0|conv_1x1~1|"))}
    assert edges["conv_3x3"].parameters == 4 * 4 * 9 + 2 * 4 and edges["conv_3x3"].shape == (4, 32, 32)
    assert edges["conv_3x3"].multiply_adds == 4 * 4 * 9 * 32 * 32
    assert [edges[name].sees for name in ("conv_3x3", "conv_1x1", "zero")] == [3, 1, 0]
    assert (edges["zero"].parameters, edges["zero"].multiply_adds) == (0, 0)


@pytest.mark.parametrize("operation", [name for name in SEES if name != "none"])
def test_stacked_and_dilated_filters_see_further(operation):
    space = QUICK["darts"]
    cell = f"|{operation}~0|{operation}~1|+|{operation}~0|{operation}~2|"
    edges = edge_figures(space.parse(f"normal: {cell} reduce: {cell}"))
    assert {edge.sees for edge in edges if edge.cell == "normal"} == {SEES[operation]}


def test_an_edge_that_halves_is_measured_where_it_stands():
    space = QUICK["darts"]
    cell = "|sep_conv_5x5~0|max_pool_3x3~1|+|sep_conv_5x5~0|sep_conv_5x5~2|"
    edges = {
        edge.name: edge for edge in edge_figures(space.parse(f"normal: {cell} reduce: {cell}")) if edge.cell == "reduce"
    }
    assert edges["2<0"].shape[1:] == (16, 16) and edges["2<0"].sees == 5 + 2 * 4 and edges["3<2"].sees == 9


def test_torch_s_random_numbers_stay():
    before = torch.get_rng_state()
    edge_figures(QUICK["tiny"].sample(torch.Generator().manual_seed(0)))
    assert torch.equal(before, torch.get_rng_state())
