"""Live and dead architectures: which they are, what a network does, what is said, and what is derived."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import DEAD, SMALL, TINY, answers, lived_in

from nas_tutorial import spaces
from nas_tutorial.data import load
from nas_tutorial.networks.edges import DagCell
from nas_tutorial.strategies import darts

repeatable = settings(max_examples=40, deadline=None, derandomize=True)
BENCH = SMALL["nasbench201"]
DEAD_CELL = "|none~0|+|none~0|nor_conv_3x3~1|+|none~0|nor_conv_3x3~1|none~2|"
PART_DEAD = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|nor_conv_3x3~2|"  # node 2 is fed by nobody
POINTWISE = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"


# --- an independent truth ---------------------------------------------------------------------------------------------
def roads(space, architecture):
    """All sequences of nodes from 0 to the last of a one-cell architecture whose edges let something through."""
    op = {pair: name for pair, name in zip(space.pairs, architecture.answers.values(), strict=True)}
    inner = range(1, space.nodes - 1)
    subsets = [[node for node in inner if bits >> node - 1 & 1] for bits in range(2 ** len(inner))]
    ways = [list(pairwise([0, *subset, space.nodes - 1])) for subset in subsets]
    return [way for way in ways if not DEAD & {op[target, source] for source, target in way}]


def some_cells():
    """All tiny cells, and 2,000 of NAS-Bench-201."""
    generator = torch.Generator().manual_seed(0)
    return [*TINY.enumerate(), *(BENCH.sample(generator) for _ in range(2_000))]


def test_a_cell_is_live_exactly_when_a_road_leads_through_it():
    found = [a.live for a in some_cells()]
    assert found == [bool(roads(a.space, a)) for a in some_cells()]
    assert 10 < found.count(False) < 1_000


def test_an_edge_is_dead_exactly_when_no_road_takes_it():
    for architecture in some_cells():
        cell, space = architecture.cells["cell"], architecture.space
        taken = {edge for way in roads(space, architecture) for edge in way}
        (dead,) = architecture.dead_edges.values()
        assert {(cell.nodes.index(e.source), cell.nodes.index(e.target)) for e in dead} == (
            {(source, target) for target, source in space.pairs} - taken
        )
        assert set(map(cell.nodes.index, cell.dead_nodes)) == set(range(space.nodes)) - {n for e in taken for n in e}


def test_so_many_cells_are_dead():
    """Tiny: the direct edge is zero and one of the two others is: 1 · (5² − 4²) = 9 of 125."""
    assert sum(not a.live for a in TINY.enumerate()) == 9
    assert sum(not a.live for a in BENCH.enumerate()) == dead_among_four_nodes(5)


def dead_among_four_nodes(options):
    """How many of the options⁶ cells have no road 0 → 3, by inclusion and exclusion over the four roads."""
    ways = [{(0, 3)}, {(0, 1), (1, 3)}, {(0, 2), (2, 3)}, {(0, 1), (1, 2), (2, 3)}]
    dead = 0
    for bits in range(2 ** len(ways)):
        edges = set().union(*(way for i, way in enumerate(ways) if bits >> i & 1))
        dead += (-1) ** bits.bit_count() * (options - 1) ** len(edges) * options ** (6 - len(edges))
    return dead


# --- what a network does ----------------------------------------------------------------------------------------------
def depends_on_the_picture(architecture):
    """Whether two pictures get different logits from the architecture's path through a supernet in eval mode."""
    supernet = lived_in(architecture.space).eval()
    pictures = torch.randn(2, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, other = supernet(pictures, architecture)
    return bool((one != other).any())


def test_the_answer_of_a_tiny_network_depends_on_the_picture_exactly_when_its_cell_is_live():
    cells = list(TINY.enumerate())
    assert [depends_on_the_picture(a) for a in cells] == [a.live for a in cells]


@pytest.mark.parametrize("text", [DEAD_CELL, PART_DEAD, POINTWISE, "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"])
def test_the_answer_of_a_benchmark_network_depends_on_the_picture_exactly_when_its_cell_is_live(text):
    architecture = BENCH.parse(text)
    assert depends_on_the_picture(architecture) == architecture.live == (text in (PART_DEAD, POINTWISE))


def test_through_a_dead_edge_no_difference_between_pictures_reaches_the_answer():
    """What a live edge delivers depends on the picture, and the logits depend on it; constants may cross dead edges."""
    for architecture in some_cells()[:185]:
        network = first_cell_watched(architecture)
        network(torch.randn(2, 3, 8, 8, dtype=torch.float64), architecture).square().sum().backward()
        cell = architecture.cells["cell"]
        for edge, decision in zip(cell.edges, architecture.space.decisions, strict=True):
            delivered = network.delivered[decision.name]
            flows = bool((delivered[0] != delivered[1]).any() and delivered.grad.any())
            assert flows == (edge not in cell.dead_edges), (architecture, edge)


def first_cell_watched(architecture):
    """A supernet in eval mode that keeps what each edge of its first cell delivers, with its gradient."""
    network = lived_in(architecture.space).eval()
    network.delivered = {}
    cell = next(block for block in network.body if isinstance(block, DagCell))
    for name, edge in cell.edges.items():
        edge.register_forward_hook(lambda _edge, _x, out, name=name: keep(network.delivered, name, out))
    return network


def keep(delivered, name, out):
    """A copy of the output with a gradient of its own goes on in the place of the output."""
    delivered[name] = out.clone()
    delivered[name].retain_grad()
    return delivered[name]


# --- every space ------------------------------------------------------------------------------------------------------
@repeatable
@given(data=st.data())
def test_without_none_every_architecture_is_live(space, data):
    architecture = space.architecture(data.draw(answers(space)))
    if not DEAD & set(architecture.answers.values()):
        assert architecture.live and not any(architecture.dead_edges.values())


def test_an_input_that_no_node_reads_is_dead_but_the_cell_lives():
    cell = spaces.Cell(("input 0", "input 1", "node 2", "output"),
                       (spaces.CellEdge("input 0", "node 2", "sep_conv_3x3"),
                        spaces.CellEdge("node 2", "output", "")))  # fmt: skip
    assert cell.live and cell.dead_nodes == ("input 1",) and not cell.dead_edges


# --- what is said -----------------------------------------------------------------------------------------------------
def test_a_dead_cell_is_said_to_be_dead():
    assert "is dead: no path leads from input to output" in BENCH.parse(DEAD_CELL).warning
    assert not BENCH.parse(DEAD_CELL).live


NEARLY = [POINTWISE, "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"]


@pytest.mark.parametrize("text", NEARLY, ids=["one 1×1 convolution", "its 3×3 convolution is dead"])
def test_a_cell_whose_live_edges_hold_no_larger_convolution_is_said_to_be_nearly_dead(text):
    assert "is nearly dead: no path holds a convolution larger than 1×1" in BENCH.parse(text).warning


def test_of_other_cells_nothing_is_said():
    assert BENCH.parse(PART_DEAD).warning == ""
    assert [a.warning for a in spaces.DARTS().named.values()] == ["", ""]  # whose reduction cells only pool and skip


def test_only_cells_of_pools_and_skips_are_nearly_dead_in_the_space_of_darts():
    cell = "+".join(["|max_pool_3x3~0|skip_connect~1|"] * 4)
    assert "nearly dead" in spaces.DARTS().parse(f"normal: {cell} reduce: {cell}").warning
    assert not spaces.DARTS().parse(f"normal: {cell} reduce: {cell.replace('max_pool', 'dil_conv', 1)}").warning


# --- what is derived --------------------------------------------------------------------------------------------------
def probabilities(space, seed, scale, none):
    """softmax of normal numbers times scale; the first option, "none" where there is one, gets `none` more."""
    alphas = space.alphas(torch.Generator().manual_seed(seed), scale)
    return space.probabilities(
        {name: alpha.detach() + torch.eye(alpha.shape[1])[0] * none for name, alpha in alphas.items()}
    )


@repeatable
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0, 1e-3, 1, 100]), none=st.sampled_from([0, 3, 1e3]))
def test_what_is_derived_is_live_whatever_the_probabilities(space, seed, scale, none):
    derived = space.derive(probabilities(space, seed, scale, none))
    assert derived.live and not DEAD & set(derived.answers.values())


@repeatable
@given(seed=st.integers(0, 10**6), none=st.sampled_from([-100, 0, 1]))
def test_both_rules_agree_where_none_is_the_likeliest_nowhere(seed, none):
    p = probabilities(BENCH, seed, 1, none)
    with_none, without = BENCH.derive(p, with_none=True), BENCH.derive(p)
    for row, one, other in zip(p["cell"].tolist(), with_none.choices, without.choices, strict=True):
        assert row[one] == max(row) and row[other] == max(row[1:])


def test_the_rule_of_the_benchmark_can_end_in_a_dead_cell():
    p = probabilities(BENCH, 0, 1, 100)
    assert not BENCH.derive(p, with_none=True).live and BENCH.derive(p).live


def test_probabilities_that_are_no_numbers_are_refused(space):
    p = probabilities(space, 0, 1, 0)
    name, table = list(p.items())[-1]
    with pytest.raises(ValueError, match=f"{name}.* are NaN.* lower learning rates"):
        space.derive(p | {name: table.index_fill(0, torch.tensor([0]), torch.nan)})


@pytest.mark.parametrize("name, none", [("tiny", "zero"), ("nasbench201", "none"), ("darts", "none")])
def test_a_space_that_offers_only_none_is_refused(name, none):
    with pytest.raises(ValueError, match=f"{name} offers only {none}, which lets nothing through"):
        spaces.get(name, operations=(none,))


@pytest.mark.parametrize("setting, live", [({}, True), ({"derive_none": True}, False)], ids=["usual", "derive_none"])
def test_a_search_derives_as_its_setting_says(setting, live):
    config = darts.Config(**setting)
    strategy = darts.DARTS(TINY, load("strokes", per_class=5, test_per_class=5), config, 0, torch.device("cpu"))
    assert strategy.derive(probabilities(TINY, 0, 1, 100)).live == live
