"""The search spaces: their sizes, their notation, what they refuse, and how a relaxed architecture is rounded."""

import copy
import dataclasses
import json
import pickle
from itertools import islice
from math import comb, prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from small import SMALL, TINY, answers

from nas_tutorial import spaces

repeatable = settings(max_examples=40, deadline=None, derandomize=True)

BENCH, DARTS, MACRO, MICRO = (SMALL[name] for name in ("nasbench201", "darts", "enas_macro", "enas_micro"))
DARTS_CELL = "|sep_conv_3x3~0|sep_conv_3x3~1|+|skip_connect~0|max_pool_3x3~2|+|avg_pool_3x3~1|dil_conv_3x3~3|+"
DARTS_CELL += "|sep_conv_5x5~0|dil_conv_5x5~4|"
MICRO_CELL = "|sep_conv_3x3~0|skip_connect~0|+|sep_conv_5x5~2|avg_pool_3x3~1|+|skip_connect~1|max_pool_3x3~3|+"
MICRO_CELL += "|skip_connect~1|skip_connect~1|+|skip_connect~5|sep_conv_3x3~0|"
MACRO_END = " + conv_3x3:000 + conv_3x3:0000 + conv_3x3:00000"


# --- how many ---
MICRO_CELLS = prod((node + 2) ** 2 * 5**2 for node in range(5))
DARTS_CELLS = prod(comb(node + 2, 2) * 7**2 for node in range(4))
SIZES = [
    (TINY, 5**3, 125),
    (spaces.NASBench201(), 5**6, 15_625),
    (spaces.DARTS(), DARTS_CELLS**2, (180 * 49**4) ** 2),
    (spaces.ENASMacro(layers=12), 6**12 * 2 ** (12 * 11 // 2), 6**12 * 2**66),
    (spaces.ENASMicro(), MICRO_CELLS**2, 720**4 * 5**20),
]


@pytest.mark.parametrize("space, closed_form, worked_out", SIZES, ids=[row[0].name for row in SIZES])
def test_size_is_the_closed_form(space, closed_form, worked_out):
    assert space.size == closed_form == worked_out


def test_the_macro_space_holds_the_published_number():
    assert f"{spaces.ENASMacro().size:.1e}" == "1.6e+29"  # Pham et al. (2018), §2.3


def test_the_usual_tiny_space_holds_125_cells():
    assert spaces.Tiny().size == 125


def listed_once(listed):
    """The number of architectures listed; no two may be alike."""
    assert len(listed) == len(set(listed)) == len(set(map(str, listed)))
    return len(listed)


def test_enumerate_lists_every_architecture_once_or_refuses(space):
    if space.size > 1_000_000:
        with pytest.raises(ValueError, match="too many to list; use sample"):
            space.enumerate()
    else:
        assert listed_once(list(islice(space.enumerate(), 20_000))) == min(space.size, 20_000)


def test_enumerate_lists_every_architecture_of_a_short_chain():
    assert listed_once(list(spaces.ENASMacro(layers=3).enumerate())) == 6**3 * 2**3


# --- identity, equality, immutability ---
@repeatable
@given(data=st.data())
def test_every_way_out_and_back_is_the_identity(space, data):
    choices = data.draw(answers(space))
    architecture = space.architecture(choices)
    assert architecture.choices == choices
    assert space.architecture(list(architecture.choices)) == architecture
    assert space.parse(str(architecture)) == architecture
    assert str(space.parse(str(architecture))) == str(architecture)
    for back in (spaces.from_json(architecture.to_json()), pickle.loads(pickle.dumps(architecture)),
                 copy.deepcopy(architecture), copy.copy(architecture)):  # fmt: skip
        assert (back, hash(back), back.space) == (architecture, hash(architecture), space)


@repeatable
@given(data=st.data())
def test_architectures_are_equal_exactly_when_their_answers_are(space, data):
    one, two = data.draw(answers(space)), data.draw(answers(space))
    a, b = space.architecture(one), space.architecture(two)
    assert (a == b) == (one == two) == (str(a) == str(b))
    assert len({a, b, space.architecture(one)}) == 1 + (one != two)


def test_equality_knows_the_space_but_not_its_sizes():
    assert spaces.Tiny(4, 1, 3).architecture((0, 1, 2)) == spaces.Tiny(8, 3, 3).architecture((0, 1, 2))
    two_layers = spaces.ENASMacro(layers=2).architecture((0, 1, 1))
    assert TINY.architecture((0, 1, 1)) != two_layers
    assert TINY.architecture((0, 1, 1)) != (0, 1, 1)


def test_architectures_and_spaces_cannot_be_changed(space):
    architecture = space.sample(torch.Generator().manual_seed(0))
    before = hash(architecture)
    for name in ("choices", "space", "anything"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(architecture, name, (0,))
    with pytest.raises(dataclasses.FrozenInstanceError):
        space.channels = 1
    assert hash(architecture) == before


@repeatable
@given(data=st.data())
def test_a_mutation_changes_one_answer(space, data):
    architecture = space.architecture(data.draw(answers(space)))
    decision = data.draw(st.integers(0, len(space.decisions) - 1))
    choice = data.draw(st.integers(0, len(space.decisions[decision].options) - 1))
    neighbour = architecture.mutated(decision, choice)
    changed = [i for i, (a, b) in enumerate(zip(architecture.choices, neighbour.choices, strict=True)) if a != b]
    assert changed == [decision] * (architecture.choices[decision] != choice)
    assert neighbour.answers[space.decisions[decision].name] == space.decisions[decision].options[choice]


# --- sampling ---
def chi_square(counts, expected):
    """p-value of Pearson's test that counts come from the expected ones."""
    statistic = ((counts - expected) ** 2 / expected).sum()
    return chi2.sf(float(statistic), len(counts) - 1)


def test_tiny_samples_are_uniform():
    generator, index = torch.Generator().manual_seed(1), {a: i for i, a in enumerate(TINY.enumerate())}
    drawn = torch.tensor([index[TINY.sample(generator)] for _ in range(5_000)])
    assert chi_square(drawn.bincount(minlength=125).double(), torch.full((125,), 40.0)) > 1e-3


def test_samples_are_members_and_every_option_comes_up_equally_often(space):
    generator = torch.Generator().manual_seed(2)
    drawn = torch.tensor([space.sample(generator).choices for _ in range(600)])  # (samples, decisions)
    p_values = []
    for decision, column in zip(space.decisions, drawn.T, strict=True):
        options = len(decision.options)
        counts = column.bincount(minlength=options).double()
        assert len(counts) == options
        p_values += [chi_square(counts, torch.full((options,), 600 / options))] if options > 1 else []
    assert min(p_values) > 1e-3 / len(p_values)  # Bonferroni


def test_the_same_generator_state_draws_the_same(space):
    first, second = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    assert [space.sample(first) for _ in range(3)] == [space.sample(second) for _ in range(3)]


# --- the published cells ---
# Per node two (operation, input), written out from cnn/genotypes.py of the authors' repository, quark0/darts.
PUBLISHED = {
    "DARTS_V1": (
        [{("sep_conv_3x3", 0), ("sep_conv_3x3", 1)}, {("skip_connect", 0), ("sep_conv_3x3", 1)},
         {("skip_connect", 0), ("sep_conv_3x3", 1)}, {("sep_conv_3x3", 0), ("skip_connect", 2)}],
        [{("max_pool_3x3", 0), ("max_pool_3x3", 1)}, {("skip_connect", 2), ("max_pool_3x3", 0)},
         {("max_pool_3x3", 0), ("skip_connect", 2)}, {("skip_connect", 2), ("avg_pool_3x3", 0)}]),
    "DARTS_V2": (
        [{("sep_conv_3x3", 0), ("sep_conv_3x3", 1)}, {("sep_conv_3x3", 0), ("sep_conv_3x3", 1)},
         {("sep_conv_3x3", 1), ("skip_connect", 0)}, {("skip_connect", 0), ("dil_conv_3x3", 2)}],
        [{("max_pool_3x3", 0), ("max_pool_3x3", 1)}, {("skip_connect", 2), ("max_pool_3x3", 1)},
         {("max_pool_3x3", 0), ("skip_connect", 2)}, {("skip_connect", 2), ("max_pool_3x3", 1)}]),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_cells_are_the_published_ones(name):
    architecture = DARTS.named[name]
    assert DARTS.parse(name) == DARTS.parse(f"  {name}\n") == architecture
    for kind, nodes in zip(("normal", "reduce"), PUBLISHED[name], strict=True):
        edges = architecture.cells[kind].edges
        inputs = ("input 0", "input 1", "node 2", "node 3", "node 4", "node 5")
        for i, node in enumerate(nodes):
            drawn = {(e.operation, inputs.index(e.source)) for e in edges if e.target == f"node {i + 2}"}
            assert drawn == node
        assert {e.source for e in edges if e.target == "output"} == {"node 2", "node 3", "node 4", "node 5"}


# --- what is refused ---
FAULTS = [
    (TINY, "|conv_7x7~0|+|skip~0|skip~1|", "conv_7x7.*expected one of zero, skip"),
    (TINY, "|skip~0|+|skip~0|skip~2|", "enters node 2, so it must come from an earlier node, 0 to 1"),
    (TINY, "|skip~1|+|skip~0|skip~1|", "enters node 1, so it must come from an earlier node, 0 to 0"),
    (TINY, "|skip~0|", "Expected 2 nodes separated by .*, got 1"),
    (TINY, "|skip~0|+|skip~1|skip~0|", "needs one edge from each node 0 to 1, in this order"),
    (TINY, "|skip~0|+|skip~0|", "needs one edge from each node 0 to 1"),
    (TINY, "|skip~0|+|skip~0|skip~0|", "needs one edge from each node 0 to 1"),
    (TINY, "|skip0|+|skip~0|skip~1|", "'skip0' is not an edge; write operation~source"),
    (TINY, "|skip~x|+|skip~0|skip~1|", "'skip~x' is not an edge"),
    (TINY, "|skip~-1|+|skip~0|skip~1|", "'skip~-1' is not an edge"),
    (TINY, "|skip~²|+|skip~0|skip~1|", "is not an edge"),
    (TINY, "", "The notation is ''; give the text of an architecture of tiny"),
    (BENCH, "|none~0|+|none~0|none~1|", "Expected 3 nodes"),
    (BENCH, "|skip~0|+|none~0|none~1|+|none~0|none~1|none~2|", "'skip'; expected one of none, skip_connect"),
    (DARTS, f"normal: {DARTS_CELL}", "Expected 'normal: .* reduce: .*', got"),
    (DARTS, f"{DARTS_CELL} reduce: {DARTS_CELL}", "Expected 'normal: .* reduce: .*', got"),
    (DARTS, f"x normal: {DARTS_CELL} reduce: {DARTS_CELL}", "Expected 'normal: .* reduce: .*', got"),
    (DARTS, f"normal: {DARTS_CELL}+{DARTS_CELL} reduce: {DARTS_CELL}", "Expected 4 nodes .* got 8"),
    (DARTS, f"normal: {DARTS_CELL.replace('max_pool', 'min_pool')} reduce: {DARTS_CELL}", "min_pool_3x3.*expected one"),
    (DARTS, f"normal: {DARTS_CELL.replace('max_pool_3x3', 'none')} reduce: {DARTS_CELL}", "'none'; expected one of"),
    (DARTS, f"normal: {DARTS_CELL.replace('~2', '~3')} reduce: {DARTS_CELL}", "enters node 3, so .* earlier node"),
    (DARTS, f"normal: {DARTS_CELL.replace('~4', '~0')} reduce: {DARTS_CELL}", "Node 5 .* two different nodes, not"),
    (DARTS, f"normal: {DARTS_CELL}sep_conv_3x3~2| reduce: {DARTS_CELL}", "Node 5 .* two edges"),
    (DARTS, "DARTS_V3", "Expected 'normal: .* reduce: .*', got 'DARTS_V3'"),
    (MICRO, f"normal: {MICRO_CELL}skip_connect~1| reduce: {MICRO_CELL}", "Node 6 .* takes two edges, not 3"),
    (MICRO, f"normal: {MICRO_CELL.replace('~5', '~6')} reduce: {MICRO_CELL}", "enters node 6"),
    (MICRO, f"normal: {MICRO_CELL.replace('max_pool', 'none')} reduce: {MICRO_CELL}", "none_3x3"),
    (MACRO, "conv_3x3 + conv_3x3:0", "Expected 6 layers separated by '.*', got 2"),
    (
        MACRO,
        "conv_3x3 + conv_3x3 + conv_3x3:00" + MACRO_END,
        "Layer 1 .* 1 skip bits",
    ),
    (MACRO, "conv_3x3 + conv_3x3:2 + conv_3x3:00" + MACRO_END, "Layer 1 .*0 or 1"),
    (
        MACRO,
        "conv_3x3:1 + conv_3x3:1 + conv_3x3:00" + MACRO_END,
        "Layer 0 .* 0 skip",
    ),
    (
        MACRO,
        "conv_3x3 + conv_9x9:1 + conv_3x3:00" + MACRO_END,
        "layer 1 is 'conv_9x9'",
    ),
]


@pytest.mark.parametrize("space, text, fault", FAULTS, ids=range(len(FAULTS)))
def test_a_faulty_notation_is_refused_by_the_name_of_its_fault(space, text, fault):
    with pytest.raises(ValueError, match=fault):
        space.parse(text)


def test_the_cells_that_the_faults_are_made_from_are_sound():
    assert (
        str(DARTS.parse(f"normal: {DARTS_CELL} reduce: {DARTS_CELL}")) == f"normal: {DARTS_CELL} reduce: {DARTS_CELL}"
    )
    assert (
        str(MICRO.parse(f"normal: {MICRO_CELL} reduce: {MICRO_CELL}")) == f"normal: {MICRO_CELL} reduce: {MICRO_CELL}"
    )


def test_wrong_answers_are_refused(space):
    good = list(space.sample(torch.Generator().manual_seed(0)).choices)
    with pytest.raises(ValueError, match=f"asks {len(good)} decisions but got {len(good) - 1} answers"):
        space.architecture(good[:-1])
    for bad in (-1, len(space.decisions[-1].options)):
        with pytest.raises(ValueError, match=f"{space.decisions[-1].name}.* has options 0 to .*, not {bad}"):
            space.architecture([*good[:-1], bad])


@repeatable
@given(data=st.data())
def test_damaged_notation_is_either_an_architecture_or_a_value_error(space, data):
    text = str(space.architecture(data.draw(answers(space))))
    at = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:at] + data.draw(st.text(alphabet="|+~:012 ²xnormalskip", max_size=2)) + text[at + 1 :]
    try:
        architecture = space.parse(damaged)
    except ValueError as error:
        assert len(str(error)) > 20
    else:
        assert space.parse(str(architecture)) == architecture


NO_ARCHITECTURES = [
    "",
    "nonsense",
    "[]",
    "3",
    '{"space": "tiny"}',
    '{"space": "moon", "sizes": {}, "architecture": ""}',
    '{"space": "tiny", "sizes": {"layers": 3}, "architecture": "|skip~0|+|skip~0|skip~1|"}',
    '{"space": "tiny", "sizes": null, "architecture": "|skip~0|+|skip~0|skip~1|"}',
    '{"space": "tiny", "sizes": {}, "architecture": 3}',
]


@pytest.mark.parametrize("text", NO_ARCHITECTURES)
def test_json_of_something_else_is_refused(text):
    with pytest.raises(ValueError, match="Expected JSON|expected one of"):
        spaces.from_json(text)


def test_json_says_what_it_is():
    record = json.loads(spaces.Tiny(4, 2, 3).architecture((0, 1, 2)).to_json())
    assert record == {"space": "tiny", "sizes": {"channels": 4, "cells": 2, "nodes": 3},
                      "architecture": "|zero~0|+|skip~0|avg_pool_3x3~1|"}  # fmt: skip


# --- by name ---
def test_get_knows_profiles_and_sizes():
    assert spaces.get("darts", "paper") == spaces.DARTS(channels=16, cells=8)
    assert spaces.get("darts", "paper", channels=36, cells=20) == spaces.DARTS(channels=36, cells=20)
    assert spaces.get("enas_macro", "paper") == spaces.ENASMacro(channels=36, layers=12)
    assert spaces.get("enas_micro", "paper") == spaces.ENASMicro(channels=20, cells=6)
    assert spaces.get("nasbench201", "paper") == spaces.NASBench201(channels=16, cells_per_stage=5)
    assert spaces.get("tiny").resized(channels=5).channels == 5
    assert set(spaces.BY_NAME) >= {"tiny", "nasbench201", "darts", "enas_macro", "enas_micro"}
    assert all(space.name == name for name, space in spaces.BY_NAME.items())


@pytest.mark.parametrize("name, profile, sizes, fault", [
    ("moon", "small", {}, "name of the space is 'moon'; expected one of tiny, nasbench201"),
    ("tiny", "huge", {}, "profile is 'huge'; expected one of small, colab, paper"),
    ("tiny", "small", {"layers": 3}, "size of tiny is 'layers'; expected one of channels, cells"),
])  # fmt: skip
def test_get_refuses_unknown_names(name, profile, sizes, fault):
    with pytest.raises(ValueError, match=fault):
        spaces.get(name, profile, **sizes)


def test_load_architecture_reads_files_names_and_notation(tmp_path):
    file = tmp_path / "architecture.json"
    v2 = DARTS.named["DARTS_V2"]
    file.write_text(v2.to_json())
    assert spaces.load_architecture(str(file)) == v2
    assert spaces.load_architecture("DARTS_V2", DARTS) == spaces.load_architecture(str(v2), DARTS) == v2
    with pytest.raises(ValueError, match="There is no file"):
        spaces.load_architecture(str(tmp_path / "missing.json"))
    with pytest.raises(ValueError, match="needs a space to be read in"):
        spaces.load_architecture("DARTS_V2")


# --- graphs ---
def reachable(cell, start, forward):
    """Names of the nodes that can be reached from (or, backwards, can reach) a set of nodes."""
    reached = set(start)
    for edge in cell.edges if forward else reversed(sorted(cell.edges, key=lambda e: cell.nodes.index(e.target))):
        here, there = (edge.source, edge.target) if forward else (edge.target, edge.source)
        reached |= {there} if here in reached else set()
    return reached


@repeatable
@given(data=st.data())
def test_graphs_run_forward_and_every_node_leads_to_the_output(space, data):
    architecture = space.architecture(data.draw(answers(space)))
    assert list(architecture.cells) == list(architecture.active_ops)
    for cell in architecture.cells.values():
        assert cell.nodes[-1] == "output" and len(set(cell.nodes)) == len(cell.nodes)
        assert all(cell.nodes.index(e.source) < cell.nodes.index(e.target) for e in cell.edges)
        inputs = {n for n in cell.nodes if n not in {e.target for e in cell.edges}}
        assert inputs <= {"input", "input 0", "input 1", "stem"}
        assert reachable(cell, {"output"}, forward=False) >= set(cell.nodes) - {"input 0", "input 1"}
        assert {e.operation for e in cell.edges} <= {*space.operations, "skip", ""}


def test_the_macro_graph_by_hand():
    space = spaces.ENASMacro(layers=3)
    cell = space.parse("conv_3x3 + max_pool_3x3:1 + sep_conv_5x5:01").cells["network"]
    assert cell.nodes == ("stem", "layer 1", "layer 2", "layer 3", "output")
    assert set(cell.edges) == {
        ("stem", "layer 1", "conv_3x3"), ("layer 1", "layer 2", "max_pool_3x3"), ("stem", "layer 2", "skip"),
        ("layer 2", "layer 3", "sep_conv_5x5"), ("layer 1", "layer 3", "skip"), ("layer 3", "output", "")}  # fmt: skip


def test_loose_ends_of_a_micro_cell_by_hand():
    cell = MICRO.parse(f"normal: {MICRO_CELL} reduce: {MICRO_CELL}").cells["normal"]
    assert {e.source for e in cell.edges if e.target == "output"} == {
        "node 4",
        "node 6",
    }  # all others are read by a node
    assert all(e.operation == "" for e in cell.edges if e.target == "output")
    all_ones = MICRO.architecture([1, 1, 0, 0] * 10).cells["reduce"]
    assert [e.source for e in all_ones.edges if e.target == "output"] == [
        "input 0",
        *(f"node {i}" for i in range(2, 7)),
    ]


# --- from α to an architecture ---
def test_relax_is_the_softmax_of_every_row():
    alphas = {"cell": torch.tensor([[0.0, 1.0, 2.0, 3.0, 4.0], [0.0] * 5, [9.0, 0, 0, 0, 0]], dtype=torch.float64)}
    active = TINY.relax(alphas)["cell"]
    assert list(active) == ["1<0", "2<0", "2<1"]
    e = torch.tensor(range(5), dtype=torch.float64).exp()
    torch.testing.assert_close(active["1<0"], e / e.sum(), rtol=1e-14, atol=0)
    torch.testing.assert_close(active["2<0"], torch.full((5,), 0.2, dtype=torch.float64), rtol=1e-14, atol=0)


def test_alphas_are_small_and_require_gradient(space):
    alphas = space.alphas(torch.Generator().manual_seed(0), scale=1e-3)
    assert {name: tuple(alpha.shape) for name, alpha in alphas.items()} == space.alpha_shapes
    values = torch.cat([alpha.flatten() for alpha in alphas.values()])
    assert all(alpha.requires_grad and alpha.is_leaf for alpha in alphas.values())
    assert 0 < values.abs().max() < 6e-3
    again = space.alphas(torch.Generator().manual_seed(0), scale=1e-3)
    assert all(torch.equal(alphas[name], again[name]) for name in alphas)


def test_tiny_keeps_the_likeliest_operation_and_the_first_among_equals():
    alphas = {"cell": torch.tensor([[5.0, 0, 0, 0, 1], [1.0, 2, 3, 3, 0], [0.0, 0, 0, 0, 0]])}
    assert str(TINY.derive(alphas, with_none=True)) == "|zero~0|+|avg_pool_3x3~0|zero~1|"
    assert str(TINY.derive(alphas)) == "|conv_3x3~0|+|avg_pool_3x3~0|skip~1|"


NONE, MAX, AVG, SKIP, SEP3, SEP5, DIL3, DIL5 = range(8)


def darts_alphas(normal, reduce):
    """Zeros (14, 8), but for {(node, source, operation): value}."""
    alphas = {kind: torch.zeros(14, 8) for kind in ("normal", "reduce")}
    first_row = {2: 0, 3: 2, 4: 5, 5: 9}
    for kind, entries in (("normal", normal), ("reduce", reduce)):
        for (node, source, op), value in entries.items():
            alphas[kind][first_row[node] + source, op] = value
    return alphas


def darts_rounded(normal, reduce):
    """What α with these entries is rounded to."""
    return DARTS.derive(DARTS.probabilities(darts_alphas(normal, reduce)))


def test_darts_keeps_the_two_strongest_edges_of_each_node():
    normal = {(2, 0, SEP3): 1, (2, 1, SKIP): 2, (3, 1, MAX): 1, (3, 2, DIL5): 3, (4, 0, AVG): 1, (4, 3, SEP5): 2,
              (5, 2, SKIP): 1, (5, 4, SKIP): 1}  # fmt: skip
    derived = str(darts_rounded(normal, normal))
    cell = "|sep_conv_3x3~0|skip_connect~1|+|max_pool_3x3~1|dil_conv_5x5~2|+|avg_pool_3x3~0|sep_conv_5x5~3|+"
    assert derived == f"normal: {cell}|skip_connect~2|skip_connect~4| reduce: {cell}|skip_connect~2|skip_connect~4|"


def test_darts_ties_fall_to_the_earlier_edge_and_the_earlier_operation():
    first = "|max_pool_3x3~0|max_pool_3x3~1|"
    assert str(darts_rounded({}, {})) == f"normal: {'+'.join([first] * 4)} reduce: {'+'.join([first] * 4)}"


def test_darts_never_keeps_none_but_none_weakens_its_edge():
    """Edges 0 and 1 of node 4 have the largest α of an operation, but also a dominant none: they are unlikely."""
    normal = {(4, 0, NONE): 9, (4, 0, SEP3): 2, (4, 1, NONE): 9, (4, 1, SEP3): 3, (4, 2, DIL3): 1, (4, 3, SEP5): 1}
    node_4 = darts_rounded(normal, {}).cells["normal"].edges[4:6]
    assert node_4 == (("node 2", "node 4", "dil_conv_3x3"), ("node 3", "node 4", "sep_conv_5x5"))
    everywhere = {kind: torch.zeros(14, 8).index_fill(1, torch.tensor([NONE]), 20.0) for kind in ("normal", "reduce")}
    assert "none" not in str(DARTS.derive(DARTS.probabilities(everywhere)))


def test_derive_leaves_alphas_and_probabilities_alone(space):
    alphas = space.alphas(torch.Generator().manual_seed(0))
    probabilities = space.probabilities(alphas)
    before = [{name: t.detach().clone() for name, t in tensors.items()} for tensors in (alphas, probabilities)]
    architecture = space.derive(probabilities)
    for tensors, kept in zip((alphas, probabilities), before, strict=True):
        assert all(torch.equal(tensors[name], kept[name]) for name in kept)
    assert space.parse(str(architecture)) == architecture and architecture.space is space
    assert all(alpha.grad is None for alpha in alphas.values())


def test_macro_keeps_the_likeliest_answers():
    space = spaces.ENASMacro(layers=3)
    op = torch.tensor([[0.0, 0, 2, 0, 0, 1], [0, 0, 0, 0, 0, 1.0], [1, 1, 1, 1, 1, 1.0]])
    skip = torch.tensor([[0.0, 0.1], [0.1, 0.0], [0.0, 0.0]])
    assert str(space.derive({"op": op, "skip": skip})) == "conv_5x5 + max_pool_3x3:1 + conv_3x3:00"


def test_micro_keeps_the_likeliest_answers_among_the_possible_inputs():
    alphas = {name: torch.zeros(shape) for name, shape in MICRO.alpha_shapes.items()}
    alphas["normal.input"][:, 5] = 9.0  # state 5 exists for the last node only
    alphas["normal.input"][3, 2] = 1.0  # branch b of node 3
    alphas["normal.op"][0, 4] = 1.0
    nodes = MICRO.genotype(MICRO.derive(MICRO.probabilities(alphas)).choices)
    sep = "sep_conv_3x3"
    assert nodes["normal"] == [
        [("skip_connect", 0), (sep, 0)],
        [(sep, 0), (sep, 2)],
        *[[(sep, 0)] * 2] * 2,
        [(sep, 5)] * 2,
    ]
    assert nodes["reduce"] == [[(sep, 0), (sep, 0)]] * 5


def test_a_micro_branch_cannot_lean_on_a_later_node():
    p = MICRO.probabilities(MICRO.alphas(torch.Generator().manual_seed(0)))["reduce.input"]  # (10 branches, 6 states)
    possible = torch.tensor([[j < row // 2 + 2 for j in range(6)] for row in range(10)])
    assert (p[possible] > 0).all() and (p[~possible] == 0).all()
    torch.testing.assert_close(p.sum(1), torch.ones(10))
