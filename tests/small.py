"""What many tests share: every search space in a small size, and what goes into and comes out of its networks."""

from importlib import import_module

import torch
from hypothesis import strategies as st
from torch import nn

from nas_tutorial import spaces
from nas_tutorial.strategies import SUMMARIES

SIZES = {
    "tiny": {"channels": 4, "cells": 2},
    "nasbench201": {"channels": 4, "cells_per_stage": 1, "fixed_kernel": 1},
    "darts": {"channels": 4, "cells": 3},
    "enas_macro": {"channels": 6, "layers": 6},
    "enas_micro": {"channels": 4, "cells": 1},
}
SMALL = {name: spaces.get(name, "small", **SIZES.get(name, {})) for name in spaces.BY_NAME}
"""All spaces by name: add one to `spaces.BY_NAME`, and it is tested like the others."""

FEWER = {"darts": {"nodes": 2}, "enas_micro": {"nodes": 3}}
QUICK = {name: space.resized(**FEWER.get(name, {})) for name, space in SMALL.items()}
"""The same with fewer nodes, for what is tried on every space and does not hang on their number."""

TINY = spaces.Tiny(4, nodes=3)  # for tests that write its cells out: whatever the usual number of nodes is
DEAD = {"zero", "none"}


def unlisted(modules):
    """The strategies of `SUMMARIES` that are not among these: a table of searches adds them with their usual settings.

    So a new strategy is tested like the others, without a line in each table.
    """
    listed = {module.__name__ for module in modules}
    return [import_module(name) for key in SUMMARIES if (name := f"nas_tutorial.strategies.{key}") not in listed]


def answers(space):
    """What hypothesis draws architectures from: one option index per decision."""
    return st.tuples(*(st.integers(0, len(decision.options) - 1) for decision in space.decisions))


def live_architecture(space, seed):
    """A sampled architecture without "none", so that every edge carries data to the output, and with a convolution."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        architecture = space.sample(generator)
        answers = set(architecture.answers.values())
        if not DEAD & answers and any("conv" in answer for answer in answers):
            return architecture


def pictures(dtype=torch.float64, n=4):
    """A batch of random pictures."""
    return torch.randn(n, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(99)).to(dtype)


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
