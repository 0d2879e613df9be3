"""Supernets: one path through them is the stand-alone network, and a blend with one-hot weights is that path."""

import pytest
import torch
from small import SMALL, TINY, distance, live_architecture, lived_in, output, pictures
from torch import nn

from nas_tutorial.networks.edges import copy_weights, mixed_op


# --- every answer counts ---
@pytest.mark.parametrize("seed", [0, 1])
def test_changing_one_answer_changes_the_output(space, seed):
    supernet, base = lived_in(space), live_architecture(space, seed)
    with torch.no_grad():
        before = output(supernet, base, training=False)
        for i, decision in enumerate(space.decisions):
            if len(decision.options) > 1:
                other = base.mutated(i, (base.choices[i] + 1 + seed) % len(decision.options))
                if other != base:
                    assert distance(output(supernet, other, training=False), before) > 1e-6, decision.name


def test_every_operation_on_one_edge_gives_another_output(space):
    supernet, base = lived_in(space), live_architecture(space, 2)
    index = max(i for i, d in enumerate(space.decisions) if set(d.options) <= set(space.operations))
    options = range(len(space.decisions[index].options))
    with torch.no_grad():
        outputs = [output(supernet, base.mutated(index, option), training=False) for option in options]
    assert all(distance(outputs[a], outputs[b]) > 1e-7 for a in options for b in options if a < b)


def projection(logits):
    """The sum of the logits with random weights, a scalar."""
    weights = torch.randn(logits.shape, dtype=logits.dtype, generator=torch.Generator().manual_seed(5))
    return (logits * weights).sum()


def gradients(network, *args):
    """Name → largest absolute gradient (None: no gradient at all) of a random projection of the logits."""
    projection(output(network, *args, training=True)).backward()
    return {name: None if p.grad is None else float(p.grad.abs().max()) for name, p in network.named_parameters()}


@pytest.mark.parametrize("seed", [0, 1])
def test_only_the_chosen_operations_get_gradient(space, seed):
    architecture = live_architecture(space, seed)
    grads = gradients(lived_in(space), architecture)
    on_edges = {parameter for parameter in grads if ".ops." in parameter}
    chosen = {p for p, _ in space.network(architecture, evaluation=False).named_parameters() if ".ops." in p}
    assert chosen and chosen < on_edges
    assert all(grads[p] is not None and grads[p] > 1e-9 for p in chosen)
    assert not any(grads[p] for p in on_edges - chosen)


def test_a_chosen_operation_is_the_one_that_is_called():
    """Count the calls of every operation on every edge of a tiny supernet with two cells."""
    calls, supernet = [], TINY.resized(cells=2).supernet()
    for i, cell in enumerate(supernet.body):
        for edge, module in cell.edges.items():
            for op, built in module.ops.items():
                built.register_forward_hook(lambda *_, key=(i, edge, op): calls.append(key))
    supernet(pictures(torch.float32), TINY.parse("|conv_3x3~0|+|skip~0|avg_pool_3x3~1|"))
    assert calls == [
        (i, *edge) for i in range(2) for edge in (("1<0", "conv_3x3"), ("2<0", "skip"), ("2<1", "avg_pool_3x3"))
    ]


# --- one path = stand-alone ---
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("seed", [0, 1])
def test_one_path_equals_the_stand_alone_network(space, training, seed):
    architecture = space.sample(torch.Generator().manual_seed(seed))
    supernet = lived_in(space)
    network = copy_weights(supernet, space.network(architecture, evaluation=False).double())
    ours, theirs = output(network, training=training), output(supernet, architecture, training=training)
    assert distance(ours, theirs) <= 1e-12
    assert ours.abs().max() > 1e-3
    assert_same_state(network, supernet)


def assert_same_state(network, supernet, tolerance=1e-12):
    """Everything the network has, batch-norm statistics included, is in the supernet with the same values."""
    shared = supernet.state_dict()
    for name, tensor in network.state_dict().items():
        assert distance(tensor.double(), shared[name].double()) <= tolerance, name


def test_one_path_equals_the_stand_alone_network_in_single_precision(space):
    architecture = space.sample(torch.Generator().manual_seed(3))
    supernet = lived_in(space).float().eval()
    network = copy_weights(supernet, space.network(architecture, evaluation=False)).eval()
    x = pictures(torch.float32)
    assert distance(network(x), supernet(x, architecture)) <= 1e-6


def test_they_stay_equal_through_a_step_of_training(space):
    architecture = live_architecture(space, 4)
    supernet = lived_in(space)
    network = copy_weights(supernet, space.network(architecture, evaluation=False).double())
    before = output(network, training=False)
    for net, args in ((network, ()), (supernet, (architecture,))):
        gradients(net, *args)
        torch.optim.SGD(net.parameters(), lr=1e-3).step()
    assert_same_state(network, supernet)
    after = output(network, training=False)
    assert distance(after, output(supernet, architecture, training=False)) <= 1e-12
    assert distance(after, before) > 1e-6


# --- mixed, with one-hot weights = one path ---
def one_hot_mixture(space, supernet, architecture, unused):
    """Weights over the operations of each edge that the architecture uses; `unused` edges: left out, or all zero."""
    active = architecture.active_ops
    mixture = {cell: {} for cell in active}
    for module in supernet.modules():
        for name, edge in getattr(module, "edges", {}).items():
            for cell, ops in active.items():
                weights = [float(op == ops.get(name)) for op in edge.ops]
                if unused == "zero" or any(weights):
                    mixture[cell][name] = torch.tensor(weights, dtype=torch.float64)
    return mixture


@pytest.mark.parametrize("unused", ["left out", "zero"])
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_a_one_hot_mixture_on_the_edges_equals_the_single_path(space, training, unused):
    supernet = lived_in(space)
    for seed in (0, 1):
        architecture = live_architecture(space, seed)
        mixture = one_hot_mixture(space, supernet, architecture, unused)
        single = output(supernet, architecture, training=training)
        assert distance(output(supernet, mixture, training=training), single) <= 1e-12
        assert single.abs().max() > 1e-3


SURE = 1000.0  # exp(−1000) is exactly 0 in float64


def sure_alphas(architecture):
    """α that is sure of this architecture: a row for each decision; in the space of DARTS for each edge."""
    space = architecture.space
    asked = zip(space.decisions, architecture.choices, strict=True)
    rows = [[SURE * (option == choice) for option in range(len(d.options))] for d, choice in asked]
    tables = darts_rows(architecture) if space.name == "darts" else space.tabulate(rows)
    alphas = {name: torch.tensor(table, dtype=torch.float64).requires_grad_() for name, table in tables.items()}
    assert {name: tuple(alpha.shape) for name, alpha in alphas.items()} == space.alpha_shapes
    return alphas


def darts_rows(architecture):
    """Two edges of each node are sure of their operation, all others of "none"."""
    space, tables = architecture.space, {}
    for kind, cell in architecture.cells.items():
        op = {(e.target, e.source): e.operation for e in cell.edges if e.operation}
        nodes = cell.nodes[:-1]
        chosen = [op.get((nodes[t], nodes[s]), "none") for t in range(2, len(nodes)) for s in range(t)]
        assert sum(name != "none" for name in chosen) == 2 * space.nodes
        tables[kind] = [[SURE * (name == choice) for name in space.operations] for choice in chosen]
    return tables


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_a_sure_mixture_equals_the_single_path(space, training):
    supernet = lived_in(space)
    for seed in (0, 1):
        architecture = space.sample(torch.Generator().manual_seed(seed))
        relaxed = space.relax(sure_alphas(architecture))
        mixed, single = (output(supernet, choice, training=training) for choice in (relaxed, architecture))
        assert distance(mixed, single) <= 1e-12
        assert single.abs().max() > 1e-3


def test_a_sure_mixture_is_rounded_to_its_architecture(space):
    generator = torch.Generator().manual_seed(6)
    for _ in range(10):
        architecture = space.sample(generator)
        assert space.derive(space.probabilities(sure_alphas(architecture)), with_none=True) == architecture


def test_a_mixture_is_the_weighted_sum():
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    alpha = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)
    e = alpha.exp()
    by_hand = (e[0] * x + e[1] * x**2 + e[2] * x.sin()) / e.sum()
    mixed = mixed_op(x, [lambda t: t, lambda t: t * t, torch.sin], alpha.softmax(0))
    torch.testing.assert_close(mixed, by_hand, rtol=1e-14, atol=1e-14)


def test_every_alpha_that_has_a_say_gets_gradient(space):
    alphas = space.alphas(torch.Generator().manual_seed(0))
    logits = output(lived_in(space), space.relax({n: a.double() for n, a in alphas.items()}), training=True)
    projection(logits).backward()
    options = space.tabulate([[1.0] * len(d.options) for d in space.decisions])  # a branch reads earlier nodes only
    for name, alpha in alphas.items():
        matters = torch.ones(alpha.shape) if space.name == "darts" else torch.tensor(options[name])
        assert alpha.grad is not None, name
        assert ((alpha.grad.abs() > 1e-12) == matters.bool()).all(), name
        assert (alpha.grad[matters == 0] == 0).all()


def test_a_mixture_gives_gradient_to_every_operation(space):
    relaxed = space.relax({n: a.double() for n, a in space.alphas(torch.Generator().manual_seed(0)).items()})
    grads = gradients(lived_in(space), relaxed)
    assert all(g is not None and g > 0 for p, g in grads.items() if ".ops." in p)


# --- inheriting weights ---
def test_an_evaluation_network_inherits_the_weights(space):
    """Where both forms have the same operations, the heir computes what the supernet's path does."""
    architecture = live_architecture(space, 0)
    if space.name == "darts":  # behind pools, the search form has a batch norm that the evaluation form lacks
        space = space.resized(nodes=4)
        cell = "|sep_conv_3x3~0|skip_connect~1|+|dil_conv_5x5~0|sep_conv_5x5~2|+|skip_connect~1|dil_conv_3x3~3|+"
        cell += "|skip_connect~0|sep_conv_3x3~4|"
        architecture = space.parse(f"normal: {cell} reduce: {cell}")
    evaluation = "enas" not in space.name
    supernet, heir = lived_in(space), space.network(architecture, evaluation=evaluation).double()
    assert copy_weights(supernet, heir) is heir
    for training in (False, True):
        single = output(supernet, architecture, training=training)
        assert distance(output(heir, training=training), single) <= 1e-12


@pytest.mark.parametrize("space", [SMALL["nasbench201"], SMALL["darts"]], ids=lambda s: s.name)
def test_affine_weights_that_the_supernet_lacks_become_the_identity(space):
    supernet, heir = lived_in(space), space.network(live_architecture(space, 0)).double()
    for p in heir.parameters():
        nn.init.normal_(p)
    shared = set(supernet.state_dict())
    copy_weights(supernet, heir)
    new = {n: p for n, p in heir.named_parameters() if n not in shared and not n.startswith("auxiliary.")}
    assert {n.rpartition(".")[2] for n in new} == {"weight", "bias"}
    assert all(bool((p == float(n.endswith("weight"))).all()) for n, p in new.items())


def test_the_auxiliary_head_is_left_alone():
    space = SMALL["darts"]
    heir = space.network(space.named["DARTS_V2"])
    before = {name: tensor.clone() for name, tensor in heir.auxiliary.state_dict().items()}
    copy_weights(space.supernet(), heir)
    assert all(torch.equal(tensor, before[name]) for name, tensor in heir.auxiliary.state_dict().items())


def test_inheriting_copies_rather_than_shares():
    space = TINY
    supernet = lived_in(space)
    heir = copy_weights(supernet, space.network(space.sample(torch.Generator().manual_seed(0))).double())
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    for p in heir.parameters():
        nn.init.zeros_(p)
    assert all(torch.equal(tensor, before[name]) for name, tensor in supernet.state_dict().items())


@pytest.mark.parametrize(
    "change, fault",
    [
        ({"channels": 5}, "stem.conv.weight is \\(4, 3, 1, 1\\) in the supernet but \\(5, 3, 1, 1\\) in the network"),
        ({"cells": 2}, "The supernet has no body.1"),
    ],
)
def test_other_sizes_are_refused(change, fault):
    space = TINY
    other = space.resized(**change)
    with pytest.raises(ValueError, match=fault):
        copy_weights(space.supernet(), other.network(other.parse("|conv_3x3~0|+|skip~0|skip~1|")))


@pytest.mark.parametrize("name", ["enas_macro", "enas_micro"])
def test_a_network_of_enas_for_evaluation_has_other_parts_than_its_supernet(name):
    space = SMALL[name]
    with pytest.raises(ValueError, match="make the network with evaluation=False"):
        copy_weights(space.supernet(), space.network(live_architecture(space, 0)))


def test_another_number_of_classes_is_refused():
    space = TINY
    network = space.network(space.sample(torch.Generator().manual_seed(0)), classes=3)
    with pytest.raises(ValueError, match="number of classes"):
        copy_weights(space.supernet(), network)
