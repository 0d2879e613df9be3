"""The fast path against the slow one, in float64: outputs, gradients and batch-norm statistics, on every space."""

import copy
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nas_tutorial import spaces
from nas_tutorial.networks.edges import DagCell, Edge
from nas_tutorial.networks.fast import Separable, speed_up
from nas_tutorial.strategies.gradients import Bilevel, VirtualStep, exact, first_order, unrolled

SIZES = {
    "tiny": {"channels": 4, "cells": 2},
    "nasbench201": {"channels": 4, "cells_per_stage": 1, "fixed_kernel": 3},
    "darts": {"channels": 4, "cells": 3},
    "enas_micro": {"channels": 4, "cells": 3},
}  # enas_macro has no cell to speed up, only depthwise convolutions, and random dropout in front of its head
TOLERANCE = {"rtol": 0, "atol": 1e-10}


def problem(name, fast):
    """The same weights, α and batches each time; `fast` switches the path and the memory order."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        space = spaces.get(name, **SIZES[name])
        network = space.supernet(classes=5).double()
        for module in network.modules():
            module.training = not isinstance(module, nn.Dropout)
        batches = [(torch.randn(4, 3, 8, 8).double(), torch.randint(5, (4,))) for _ in range(2)]
    if fast:
        speed_up(network.to(memory_format=torch.channels_last))
    alphas = {
        key: a.detach().double().requires_grad_() for key, a in space.alphas(torch.Generator().manual_seed(1)).items()
    }
    return Bilevel(space, network, alphas), *batches


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("estimate", [first_order, unrolled, exact])
def test_architecture_gradients_agree(name, estimate):
    slow, fast = (estimate(*problem(name, path), VirtualStep(0.025)) for path in (False, True))
    for key in slow:
        torch.testing.assert_close(fast[key], slow[key], **TOLERANCE)
        assert slow[key].abs().max() > 1e-6


@pytest.mark.parametrize("name", SIZES)
def test_outputs_weight_gradients_and_statistics_agree(name):
    found = []
    for path in (False, True):
        bilevel, train, _ = problem(name, path)
        logits = bilevel.logits(train[0])
        F.cross_entropy(logits, train[1]).backward()
        gradients = {k: p.grad for k, p in bilevel.network.named_parameters() if p.grad is not None}
        buffers = {f"buffer {k}": b for k, b in bilevel.network.named_buffers()}
        found.append({"logits": logits.detach(), **gradients, **buffers})
    slow, fast = found
    assert slow.keys() == fast.keys()
    for key in slow:
        torch.testing.assert_close(fast[key], slow[key], **TOLERANCE)


@pytest.mark.parametrize("name", SIZES)
def test_one_path_and_evaluation_agree(name):
    (slow, train, _), (fast, *_) = problem(name, False), problem(name, True)
    architecture = slow.space.sample(torch.Generator().manual_seed(2))
    torch.testing.assert_close(fast.network(train[0], architecture), slow.network(train[0], architecture), **TOLERANCE)
    slow.network.eval(), fast.network.eval()
    torch.testing.assert_close(fast.logits(train[0]), slow.logits(train[0]), **TOLERANCE)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("side", [8, 9])
def test_separable_convolutions_agree_to_the_second_derivative(kernel, stride, dilation, side):
    generator = torch.Generator().manual_seed(0)
    padding = dilation * (kernel // 2)
    plain, fast = (
        nn.Sequential(
            nn.Conv2d(6, 6, kernel, stride, padding, dilation, groups=6, bias=False), nn.Conv2d(6, 4, 1, bias=False)
        ).double()
        for _ in range(2)
    )
    fast.load_state_dict(plain.state_dict())
    assert isinstance(speed_up(fast), Separable) and type(plain) is nn.Sequential
    x = torch.randn(20, 6, side, side, generator=generator, dtype=torch.float64, requires_grad=True)
    results = []
    for layers in (plain, fast):
        y, inputs = layers(x), (x, *layers.parameters())
        first = torch.autograd.grad(y.square().sum(), inputs, create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), inputs)
        results.append([y, *first, *second])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-10, atol=1e-10)


def own_operations():
    """Operations that a reader might add, each close to a form of the fast path but not of it."""
    depthwise, pointwise = partial(nn.Conv2d, 4, 4, groups=4), partial(nn.Conv2d, 4, 4, 1)
    relu, norm = nn.ReLU, nn.BatchNorm2d
    return {
        "bias": nn.Sequential(relu(), depthwise(3, padding=1), pointwise(), norm(4)),
        "circular": nn.Sequential(relu(), depthwise(3, padding=1, bias=False, padding_mode="circular"), pointwise()),
        "flat": nn.Sequential(depthwise((1, 3), padding=(0, 1), bias=False), pointwise(bias=False), norm(4)),
        "groups": nn.Sequential(depthwise(3, padding=1, bias=False), pointwise(bias=False, groups=2)),
        "mixed": nn.Sequential(
            depthwise(3, padding=1, bias=False), pointwise(bias=False), depthwise(3, padding=1, bias=False), norm(4)
        ),
        "pool then convolution": nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Conv2d(4, 4, 1), norm(4)),
        "wide pool": nn.MaxPool2d(5, 1, 2),
        "pool": nn.MaxPool2d(3, 1, 1),
        "padded mean": nn.AvgPool2d(3, 1, 1, count_include_pad=True),
        "mean": nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        "affine norm": nn.Sequential(nn.MaxPool2d(3, 1, 1), norm(4)),
        "another affine norm": nn.Sequential(nn.MaxPool2d(3, 1, 1), norm(4)),
        "plain norm": nn.Sequential(nn.MaxPool2d(3, 1, 1), norm(4, affine=False)),
        "norm of other eps": nn.Sequential(nn.MaxPool2d(3, 1, 1), norm(4, affine=False, eps=0.1)),
        "untracked": nn.Sequential(relu(), nn.Conv2d(4, 4, 1), norm(4, track_running_stats=False)),
        "cumulative": nn.Sequential(relu(), nn.Conv2d(4, 4, 1), norm(4, momentum=None)),
        "relu alone": nn.Sequential(relu()),
        "norm alone": norm(4),
        "frozen": nn.Sequential(relu(), nn.Conv2d(4, 4, 1), norm(4)),
    }


class OwnCell(DagCell):
    """Every operation of one's own on two edges that leave the same state."""

    def __init__(self):
        super().__init__()
        self.edges = nn.ModuleDict({name: Edge(own_operations()) for name in "ab"})
        self.incoming = [[("a", 0), ("b", 0)]]

    def forward(self, x, active):
        return self.node_states([x], active)[-1]


def test_operations_of_ones_own_take_the_slow_path_where_they_must():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        slow, x = OwnCell().double(), torch.randn(5, 4, 9, 9, dtype=torch.float64)
        for module in slow.modules():
            if isinstance(module, nn.BatchNorm2d) and module.affine:
                nn.init.normal_(module.weight), nn.init.normal_(module.bias)
    for edge in slow.edges.values():
        edge.ops["frozen"].eval()
    fast = speed_up(copy.deepcopy(slow))
    found = []
    for cell in (slow, fast):
        weights = [torch.linspace(0.5, 1.5, 19, dtype=torch.float64).mul(s).requires_grad_() for s in (1, -0.7)]
        y = cell(x, dict(zip("ab", weights, strict=True)))
        gradients = torch.autograd.grad(y.square().sum(), [*weights, *cell.parameters()], materialize_grads=True)
        found.append([y, *gradients, *cell.buffers()])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-10, atol=1e-9)
