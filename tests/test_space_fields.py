"""Nodes and operations are fields of a space; genotypes in the form of the official code become architectures."""

import json
from collections import namedtuple
from math import comb

import pytest
import torch
from small import TINY

from nas_tutorial import spaces
from nas_tutorial.pictures import drawing

DARTS = spaces.DARTS()


# --- nodes ---
NODES = [
    (spaces.Tiny, 5, lambda n: 5 ** comb(n, 2)),
    (spaces.NASBench201, 3, lambda n: 5 ** comb(n, 2)),
    (spaces.DARTS, 2, lambda n: (7 ** (2 * n) * comb(2, 2) * comb(3, 2)) ** 2),
    (spaces.ENASMicro, 2, lambda n: (5 ** (2 * n) * 2**2 * 3**2) ** 2),
]


@pytest.mark.parametrize("space, nodes, size", NODES, ids=[row[0].name for row in NODES])
def test_the_number_of_nodes_is_a_field(space, nodes, size):
    other = space(channels=4, nodes=nodes)
    assert other.size == size(nodes) and other.sizes["nodes"] == nodes
    architecture = other.sample(torch.Generator().manual_seed(0))
    assert spaces.from_json(architecture.to_json()) == other.parse(str(architecture)) == architecture
    for network, choice in ((other.network(architecture), ()), (other.supernet(), (architecture,))):
        assert network(torch.randn(2, 3, 8, 8), *choice).shape == (2, 10)
    alphas = other.alphas(torch.Generator().manual_seed(0))
    assert other.supernet()(torch.randn(2, 3, 8, 8), other.relax(alphas)).shape == (2, 10)
    assert other.derive(other.probabilities(alphas)).space == other


@pytest.mark.parametrize("nodes", [0, -1, 2.5, "3", None, True])
def test_a_number_of_nodes_that_is_none_is_refused(nodes):
    with pytest.raises(ValueError, match="nodes of tiny is .*; give a whole number from 1 to 16"):
        spaces.Tiny(nodes=nodes)


@pytest.mark.parametrize("space", [spaces.Tiny, spaces.NASBench201])
def test_a_cell_without_an_edge_is_refused(space):
    with pytest.raises(ValueError, match="with .*nodes=1.* leaves nothing to choose; give two nodes or more"):
        space(nodes=1)


# --- operations ---
def with_fewer(space):
    """The same space without every other of its operations."""
    return space.resized(operations=space.operations[::2])


def test_a_smaller_table_of_operations_makes_a_smaller_space(space):
    fewer = with_fewer(space)
    assert fewer.size < space.size and fewer.sizes == space.sizes
    offered = {option for d in fewer.decisions for option in d.options}
    assert offered & set(space.operations) <= set(fewer.operations) < set(space.operations)
    alphas = fewer.alphas(torch.Generator().manual_seed(0))
    weights = sum(p.numel() for p in fewer.supernet().parameters())
    assert weights < sum(p.numel() for p in space.supernet().parameters())
    for choice in (fewer.sample(torch.Generator().manual_seed(0)), fewer.relax(alphas)):
        assert fewer.supernet()(torch.randn(2, 3, 8, 8), choice).shape == (2, 10)
    assert set(fewer.derive(fewer.probabilities(alphas)).answers.values()) <= offered


def test_operations_survive_json_and_the_usual_ones_are_not_written(space):
    fewer = with_fewer(space)
    architecture = fewer.sample(torch.Generator().manual_seed(1))
    record = json.loads(architecture.to_json())
    assert record["operations"] == list(fewer.operations)
    back = spaces.from_json(architecture.to_json())
    assert back == architecture and back.space == fewer and spaces.from_record(fewer.to_record()) == fewer
    assert "operations" not in space.to_record()


def test_a_file_from_before_there_were_fields_still_reads(space):
    if "nodes" in space.sizes:
        space = space.resized(nodes=type(space).nodes)
    architecture = space.sample(torch.Generator().manual_seed(2))
    record = json.loads(architecture.to_json())
    record["sizes"].pop("nodes", None)
    back = spaces.from_json(json.dumps(record))
    assert "operations" not in record and back == architecture and back.space == space


@pytest.mark.parametrize(
    "operations, fault",
    [
        (("skip", "conv_9x9"), "An operation of tiny is 'conv_9x9'; expected one of zero, skip"),
        (("skip", "zero", "skip"), "tiny needs operations, each once; got skip, zero, skip"),
        ((), "tiny needs operations, each once; got none"),
        ("skip", r"operations of tiny is one text; give names, such as \('skip',\)"),
    ],
)
def test_operations_that_are_unknown_or_named_twice_are_refused(operations, fault):
    with pytest.raises(ValueError, match=fault):
        TINY.resized(operations=operations)


def test_all_operations_of_the_table_may_be_offered_at_once(space):
    whole = space.resized(operations=tuple(space.table))
    generator = torch.Generator().manual_seed(0)
    for choice in (whole.sample(generator), whole.relax(whole.alphas(generator))):
        assert whole.supernet()(torch.randn(2, 3, 8, 8), choice).shape == (2, 10)
    assert whole.size >= space.size and set(space.operations) <= set(whole.operations)


def test_one_operation_leaves_one_architecture():
    space = TINY.resized(operations=("conv_3x3",))
    (only,) = space.enumerate()
    alphas = space.alphas(torch.Generator().manual_seed(0))
    assert str(only) == "|conv_3x3~0|+|conv_3x3~0|conv_3x3~1|" and space.derive(space.probabilities(alphas)) == only


# --- equality ---
def test_architectures_are_equal_across_sizes_but_not_across_nodes_or_operations(space):
    choices = space.sample(torch.Generator().manual_seed(0)).choices
    architecture, wider = space.architecture(choices), space.resized(channels=9).architecture(choices)
    assert architecture == wider and hash(architecture) == hash(wider) and str(architecture) == str(wider)
    turned = space.resized(operations=space.operations[::-1])
    assert turned.architecture(choices) != architecture  # the same numbers mean other operations


def test_the_same_answers_in_fewer_operations_are_another_architecture():
    fewer = TINY.resized(operations=TINY.operations[:2])
    assert fewer.architecture((0, 1, 1)) != TINY.architecture((0, 1, 1))
    assert str(fewer.architecture((0, 1, 1))) == str(TINY.architecture((0, 1, 1)))
    assert spaces.Tiny(nodes=2).architecture((1,)) != spaces.NASBench201(nodes=2).architecture((1,))


# --- what α stands for ---
def test_relax_assigns_the_probabilities(space):
    alphas = space.alphas(torch.Generator().manual_seed(0), scale=1.0)
    relaxed, assigned = space.relax(alphas), space.assign(space.probabilities(alphas))
    assert {cell: list(edges) for cell, edges in relaxed.items()} == {c: list(edges) for c, edges in assigned.items()}
    assert all(torch.equal(w, assigned[cell][edge]) for cell, edges in relaxed.items() for edge, w in edges.items())


def test_probabilities_of_a_question_add_up_to_one_and_follow_alpha(space):
    alphas = space.alphas(torch.Generator().manual_seed(0), scale=1.0)
    for name, p in space.probabilities(alphas).items():
        assert p.shape == alphas[name].shape == space.alpha_shapes[name]
        torch.testing.assert_close(p.sum(-1), torch.ones(len(p)))
        ratio, difference = p[:, 0].log() - p[:, 1].log(), alphas[name][:, 0] - alphas[name][:, 1]
        torch.testing.assert_close(ratio, difference)


def test_each_row_of_alpha_enters_a_node(space):
    assert {name: len(nodes) for name, nodes in space.target_nodes.items()} == {
        name: rows for name, (rows, _) in space.alpha_shapes.items()
    }
    assert all(nodes == sorted(nodes) for nodes in space.target_nodes.values())


def test_rows_by_node_by_hand():
    assert TINY.target_nodes == {"cell": [1, 2, 2]}
    assert DARTS.target_nodes == dict.fromkeys(("normal", "reduce"), [0] * 2 + [1] * 3 + [2] * 4 + [3] * 5)
    assert spaces.ENASMacro(layers=3).target_nodes == {"op": [0, 1, 2], "skip": [1, 2, 2]}
    rows = [node for node in range(5) for _ in "ab"]
    assert spaces.ENASMicro().target_nodes == dict.fromkeys(spaces.ENASMicro().alpha_shapes, rows)


def test_rows_of_numbers_become_the_tables_that_decisions_name(space):
    rows = [[float(i)] * len(d.options) for i, d in enumerate(space.decisions)]
    tables = space.tabulate(rows)
    assert list(tables) == list(dict.fromkeys(d.table for d in space.decisions))
    for name, table in tables.items():
        named = [i for i, d in enumerate(space.decisions) if d.table == name]
        widest = max(len(space.decisions[i].options) for i in named)
        assert [row[0] for row in table] == named and {len(row) for row in table} == {widest}
        filled = [row[len(space.decisions[i].options) :] for i, row in zip(named, table, strict=True)]
        assert not any(any(rest) for rest in filled)


# --- drawings ---
def test_every_architecture_can_be_drawn(space):
    architecture = space.sample(torch.Generator().manual_seed(0))
    svg = drawing.draw(architecture).svg
    for cell in architecture.cells.values():
        assert svg.count("<g") >= len(cell.nodes) + len(cell.edges)


# --- genotypes of the official code ---
Genotype = namedtuple("Genotype", "normal normal_concat reduce reduce_concat")
JOINED = [2, 3, 4, 5]
OFFICIAL = {  # cnn/genotypes.py of the authors' repository, quark0/darts
    "DARTS_V1": Genotype(
        [("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("skip_connect", 0), ("sep_conv_3x3", 1),
         ("skip_connect", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("skip_connect", 2)], JOINED,
        [("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 0),
         ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("avg_pool_3x3", 0)], JOINED),
    "DARTS_V2": Genotype(
        [("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
         ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2)], JOINED,
        [("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
         ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)], JOINED),
}  # fmt: skip


def nested(genotype):
    """The same with a list for each node, as khanrc/pt.darts prints it."""
    pairs = {kind: getattr(genotype, kind) for kind in ("normal", "reduce")}
    return genotype._replace(**{kind: [p[i : i + 2] for i in range(0, 8, 2)] for kind, p in pairs.items()})


FORMS = {
    "named tuple": lambda g: g,
    "dictionary": lambda g: g._asdict(),
    "two fields": lambda g: {"normal": g.normal, "reduce": g.reduce},
    "lists": lambda g: json.loads(json.dumps(g._asdict())),
    "text": repr,
    "text of a log": lambda g: "  " + repr(g).replace("[2, 3, 4, 5]", "range(2, 6)") + "\n",
    "text of a module": lambda g: f"DARTS = {g!r}",
    "node by node": nested,
    "text, node by node": lambda g: repr(nested(g)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_genotypes_are_the_published_architectures(name, form):
    assert DARTS.from_genotype(FORMS[form](OFFICIAL[name])) == DARTS.named[name]
    assert DARTS.named["DARTS_V1"] != DARTS.named["DARTS_V2"]


V2 = OFFICIAL["DARTS_V2"]
WRONG = [
    (5, "Expected a genotype with the fields normal and reduce, got 5"),
    (None, "Expected a genotype"),
    (tuple(V2), "Expected a genotype"),
    ("DARTS_V3", "Expected a genotype .* got 'DARTS_V3'"),
    ("Genotype(normal=[", "Expected a genotype"),
    ("Genotype(normal=print(2), reduce=[])", "Expected a genotype"),
    ({"normal": V2.normal}, "Expected a genotype"),
    (V2._replace(reduce=5), "reduce of a genotype is a list of .* pairs, not 5"),
    (V2._replace(normal=list(range(8))), "normal of a genotype is a list of .* pairs"),
    (V2._replace(normal=[("skip_connect", 0, 1)] * 8), "normal of a genotype is a list of .* pairs"),
    (V2._replace(normal=[("skip_connect", "first")] * 8), "normal of a genotype is a list of .* pairs"),
    (V2._replace(reduce=V2.reduce[:-1]), "Node 5 .* takes two edges from two different nodes"),
    (V2._replace(reduce=V2.reduce[:-2]), "Expected 4 nodes .*, got 3"),
    (V2._replace(normal=[("none", 0), *V2.normal[1:]]), "is 'none'; expected one of max_pool_3x3"),
    (V2._replace(normal=[("skip_connect", 1), *V2.normal[1:]]), "Node 2 .* two different nodes"),
    (V2._replace(normal=[("skip_connect", 2), *V2.normal[1:]]), "enters node 2, so it must come from an earlier node"),
    (V2._replace(normal=[("skip_connect", -1), *V2.normal[1:]]), "'skip_connect~-1' is not an edge"),
    (V2._replace(normal=[]), "normal of a genotype is a list of .* pairs"),
    (V2._replace(normal=[V2.normal[:1], V2.normal[1:4], *nested(V2).normal[2:]]), "Node 2 .* takes two edges"),
    (f"{V2!r}; {V2!r}", "Expected a genotype"),
    ("A = B", "Expected a genotype"),
    (V2._replace(normal_concat=[4, 5]), r"joins nodes 2 to 5, but normal_concat is \[4, 5\]"),
    (V2._replace(reduce_concat=7), "joins nodes 2 to 5, but reduce_concat is 7"),
]


@pytest.mark.parametrize("genotype, fault", WRONG, ids=range(len(WRONG)))
def test_a_genotype_that_does_not_fit_is_refused_by_the_name_of_its_fault(genotype, fault):
    with pytest.raises(ValueError, match=fault):
        DARTS.from_genotype(genotype)


def test_a_genotype_of_another_number_of_nodes_fits_its_space():
    short = Genotype(V2.normal[:4], [2, 3], V2.reduce[:4], range(2, 4))
    assert str(spaces.DARTS(nodes=2).from_genotype(short)) == (
        "normal: |sep_conv_3x3~0|sep_conv_3x3~1|+|sep_conv_3x3~0|sep_conv_3x3~1| "
        "reduce: |max_pool_3x3~0|max_pool_3x3~1|+|max_pool_3x3~1|skip_connect~2|"
    )
