"""Supernets: one path through them is the stand-alone network, and a blend with one-hot weights is that path."""

import pytest
import torch
from torch import nn

from nas_tutorial import spaces
from nas_tutorial.networks.edges import copy_weights, mixed_op

SPACES = {
    "tiny": spaces.Tiny(4, 2),
    "nasbench201": spaces.NASBench201(4, 1, 1),
    "darts": spaces.DARTS(4, 3),
    "enas_macro": spaces.ENASMacro(6, 6),
    "enas_micro": spaces.ENASMicro(4, 1),
}
every_space = pytest.mark.parametrize("name", SPACES)
DEAD = {"zero", "none"}


def pictures(dtype=torch.float64, n=4):
    """A batch of random pictures."""
    return torch.randn(n, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(99)).to(dtype)


def live_architecture(space, seed):
    """A sampled architecture without "none", so that every edge carries data to the output."""
    generator = torch.Generator().manual_seed(seed)
    architecture = space.sample(generator)
    while DEAD & set(architecture.answers.values()):
        architecture = space.sample(generator)
    return architecture


def lived_in(space, seed=0):
    """A float64 supernet whose batch-norm statistics and affine weights are no longer fresh."""
    torch.manual_seed(seed)
    supernet = space.supernet().double()
    for module in supernet.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 2)
                nn.init.normal_(module.bias, 0, 0.1)
    return supernet


def output(network, *args, training):
    """The logits, with the same dropout mask each time."""
    torch.manual_seed(7)
    return network.train(training)(pictures(), *args)


def distance(a, b):
    """The largest difference."""
    return float((a - b).detach().abs().max())


# --- every answer counts ---
@every_space
@pytest.mark.parametrize("seed", [0, 1])
def test_changing_one_answer_changes_the_output(name, seed):
    space = SPACES[name]
    supernet, base = lived_in(space), live_architecture(space, seed)
    with torch.no_grad():
        before = output(supernet, base, training=False)
        for i, decision in enumerate(space.decisions):
            if len(decision.options) > 1:
                other = base.mutated(i, (base.choices[i] + 1 + seed) % len(decision.options))
                if other != base:
                    assert distance(output(supernet, other, training=False), before) > 1e-6, decision.name


@every_space
def test_every_operation_on_one_edge_gives_another_output(name):
    space = SPACES[name]
    supernet, base = lived_in(space), live_architecture(space, 2)
    index = max(i for i, d in enumerate(space.decisions) if len(d.options) > 2)  # an operation near the output
    options = range(len(space.decisions[index].options))
    with torch.no_grad():
        outputs = [output(supernet, base.mutated(index, option), training=False) for option in options]
    assert all(distance(outputs[a], outputs[b]) > 1e-7 for a in options for b in options if a < b)


def gradients(network, *args):
    """Name → largest absolute gradient (None: no gradient at all) of a random projection of the logits."""
    logits = output(network, *args, training=True)
    (
        logits * torch.randn(logits.shape, dtype=logits.dtype, generator=torch.Generator().manual_seed(5))
    ).sum().backward()
    return {name: None if p.grad is None else float(p.grad.abs().max()) for name, p in network.named_parameters()}


@every_space
@pytest.mark.parametrize("seed", [0, 1])
def test_only_the_chosen_operations_get_gradient(name, seed):
    space = SPACES[name]
    architecture = live_architecture(space, seed)
    grads = gradients(lived_in(space), architecture)
    on_edges = {parameter for parameter in grads if ".ops." in parameter}
    chosen = {p for p, _ in space.network(architecture, evaluation=False).named_parameters() if ".ops." in p}
    assert chosen and chosen < on_edges
    assert all(grads[p] > 1e-9 for p in chosen)
    assert not any(grads[p] for p in on_edges - chosen)


def test_a_chosen_operation_is_the_one_that_is_called():
    """Count the calls of every operation on every edge of a tiny supernet with two cells."""
    space, calls = SPACES["tiny"], []
    supernet = space.supernet()
    for i, cell in enumerate(supernet.body):
        for edge, module in cell.edges.items():
            for op, built in module.ops.items():
                built.register_forward_hook(lambda *_, key=(i, edge, op): calls.append(key))
    supernet(pictures(torch.float32), space.parse("|conv_3x3~0|+|skip~0|avg_pool_3x3~1|"))
    assert calls == [
        (i, *edge) for i in range(2) for edge in (("1<0", "conv_3x3"), ("2<0", "skip"), ("2<1", "avg_pool_3x3"))
    ]


# --- one path = stand-alone ---
@every_space
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("seed", [0, 1])
def test_one_path_equals_the_stand_alone_network(name, training, seed):
    space = SPACES[name]
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


@every_space
def test_one_path_equals_the_stand_alone_network_in_single_precision(name):
    space = SPACES[name]
    architecture = space.sample(torch.Generator().manual_seed(3))
    supernet = lived_in(space).float().eval()
    network = copy_weights(supernet, space.network(architecture, evaluation=False)).eval()
    x = pictures(torch.float32)
    assert distance(network(x), supernet(x, architecture)) <= 1e-6


@every_space
def test_they_stay_equal_through_a_step_of_training(name):
    space = SPACES[name]
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


# --- blended, with one-hot weights = one path ---
SURE = 1000.0  # exp(−1000) is exactly 0 in float64


def one_hot(rows, options):
    """(len(rows), options) with a large value at each row's option."""
    alpha = torch.zeros(len(rows), options, dtype=torch.float64)
    for row, option in enumerate(rows):
        alpha[row, option] = SURE
    return alpha.requires_grad_()


def one_cell_alphas(space, architecture):
    """Each edge is a row."""
    return {"cell": one_hot(architecture.choices, len(space.operations))}


def darts_alphas(space, architecture):
    """Two edges of each node are sure of their operation, all others of "none"."""
    alphas = {}
    for kind, cell in architecture.cells.items():
        nodes = list(cell.nodes)
        op = {(e.target, e.source): space.operations.index(e.operation) for e in cell.edges if e.operation}
        rows = [op.get((nodes[t], nodes[s]), 0) for t in range(2, 6) for s in range(t)]
        assert sum(option > 0 for option in rows) == 8
        alphas[kind] = one_hot(rows, 8)
    return alphas


def macro_alphas(space, architecture):
    """Operations and skips are asked in turn: layer k answers one operation and k bits."""
    names = [d.name for d in space.decisions]
    ops = [c for name, c in zip(names, architecture.choices, strict=True) if name.endswith("op")]
    skips = [c for name, c in zip(names, architecture.choices, strict=True) if "skip" in name]
    return {"op": one_hot(ops, 6), "skip": one_hot(skips, 2)}


def micro_alphas(space, architecture):
    """Four answers a node (input a, input b, operation a, operation b) become two rows of each matrix."""
    alphas, choices = {}, iter(architecture.choices)
    for kind in ("normal", "reduce"):
        inputs, ops = [], []
        for _ in range(5):
            inputs += [next(choices), next(choices)]
            ops += [next(choices), next(choices)]
        alphas |= {f"{kind}.input": one_hot(inputs, 6), f"{kind}.op": one_hot(ops, 5)}
    return alphas


ALPHAS = {"tiny": one_cell_alphas, "nasbench201": one_cell_alphas, "darts": darts_alphas, "enas_macro": macro_alphas,
          "enas_micro": micro_alphas}  # fmt: skip


@every_space
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_a_sure_blend_equals_the_single_path(name, training):
    space = SPACES[name]
    supernet = lived_in(space)
    for seed in (0, 1):
        architecture = space.sample(torch.Generator().manual_seed(seed))
        relaxed = space.relax(ALPHAS[name](space, architecture))
        blended, single = (
            output(supernet, relaxed, training=training),
            output(supernet, architecture, training=training),
        )
        assert distance(blended, single) <= 1e-12
        assert single.abs().max() > 1e-3


@every_space
def test_a_sure_blend_is_rounded_to_its_architecture(name):
    space, generator = SPACES[name], torch.Generator().manual_seed(6)
    for _ in range(10):
        architecture = space.sample(generator)
        assert space.derive(ALPHAS[name](space, architecture)) == architecture


def test_blend_is_the_weighted_sum():
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    alpha = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)
    e = alpha.exp()
    by_hand = (e[0] * x + e[1] * x**2 + e[2] * x.sin()) / e.sum()
    mixed = mixed_op(x, [lambda t: t, lambda t: t * t, torch.sin], alpha.softmax(0))
    torch.testing.assert_close(mixed, by_hand, rtol=1e-14, atol=1e-14)


@every_space
def test_every_alpha_that_has_a_say_gets_gradient(name):
    space = SPACES[name]
    alphas = space.alphas(torch.Generator().manual_seed(0))
    logits = output(lived_in(space), space.relax({n: a.double() for n, a in alphas.items()}), training=True)
    (
        logits * torch.randn(logits.shape, dtype=logits.dtype, generator=torch.Generator().manual_seed(5))
    ).sum().backward()
    for kind, alpha in alphas.items():
        matters = torch.ones_like(alpha, dtype=torch.bool)
        if kind.endswith("input"):  # a branch of node i can read only i + 2 states
            matters = torch.tensor([[j < row // 2 + 2 for j in range(6)] for row in range(10)])
        assert (alpha.grad[matters].abs() > 1e-12).all() and (alpha.grad[~matters] == 0).all(), kind


@every_space
def test_a_blend_gives_gradient_to_every_operation(name):
    space = SPACES[name]
    relaxed = space.relax({n: a.double() for n, a in space.alphas(torch.Generator().manual_seed(0)).items()})
    grads = gradients(lived_in(space), relaxed)
    assert all(g is not None and g > 0 for p, g in grads.items() if ".ops." in p)


# --- inheriting weights ---
@every_space
def test_an_evaluation_network_inherits_the_weights(name):
    """Where both forms have the same operations, the heir computes what the supernet's path does."""
    space = SPACES[name]
    architecture = live_architecture(space, 0)
    if name == "darts":  # behind pools, the search form has a batch norm that the evaluation form lacks
        cell = "|sep_conv_3x3~0|skip_connect~1|+|dil_conv_5x5~0|sep_conv_5x5~2|+|skip_connect~1|dil_conv_3x3~3|+"
        cell += "|skip_connect~0|sep_conv_3x3~4|"
        architecture = space.parse(f"normal: {cell} reduce: {cell}")
    supernet, heir = lived_in(space), space.network(architecture).double()
    assert copy_weights(supernet, heir) is heir
    for training in (False, True):
        single = output(supernet, architecture, training=training)
        assert distance(output(heir, training=training), single) <= 1e-12


@pytest.mark.parametrize("name", ["nasbench201", "darts"])
def test_affine_weights_that_the_supernet_lacks_become_the_identity(name):
    space = SPACES[name]
    supernet, heir = lived_in(space), space.network(live_architecture(space, 0)).double()
    for p in heir.parameters():
        nn.init.normal_(p)
    shared = set(supernet.state_dict())
    copy_weights(supernet, heir)
    new = {n: p for n, p in heir.named_parameters() if n not in shared and not n.startswith("auxiliary.")}
    assert {n.rpartition(".")[2] for n in new} == {"weight", "bias"}
    assert all(bool((p == float(n.endswith("weight"))).all()) for n, p in new.items())


def test_the_auxiliary_head_is_left_alone():
    space = SPACES["darts"]
    heir = space.network(space.named["DARTS_V2"])
    before = {name: tensor.clone() for name, tensor in heir.auxiliary.state_dict().items()}
    copy_weights(space.supernet(), heir)
    assert all(torch.equal(tensor, before[name]) for name, tensor in heir.auxiliary.state_dict().items())


def test_inheriting_copies_rather_than_shares():
    space = SPACES["tiny"]
    supernet = lived_in(space)
    heir = copy_weights(supernet, space.network(space.sample(torch.Generator().manual_seed(0))).double())
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    for p in heir.parameters():
        nn.init.zeros_(p)
    assert all(torch.equal(tensor, before[name]) for name, tensor in supernet.state_dict().items())


@pytest.mark.parametrize(
    "change, fault",
    [
        ({"channels": 5}, "stem.0.weight is \\(4, 3, 1, 1\\) in the supernet but \\(5, 3, 1, 1\\) in the network"),
        ({"cells": 3}, "The supernet has no body.2"),
    ],
)
def test_other_sizes_are_refused(change, fault):
    space = SPACES["tiny"]
    other = space.resized(**change)
    with pytest.raises(ValueError, match=fault):
        copy_weights(space.supernet(), other.network(other.parse("|conv_3x3~0|+|skip~0|skip~1|")))


def test_another_number_of_classes_is_refused():
    space = SPACES["tiny"]
    network = space.network(space.sample(torch.Generator().manual_seed(0)), classes=3)
    with pytest.raises(ValueError, match="number of classes"):
        copy_weights(space.supernet(), network)
