"""The fast path: the same mathematics as `edges` and torch's own layers, in less time. `speed_up` switches it on.

Why the results are the same:

- *Shared work.* The edges that leave a state begin with the same ReLU or the same pool of it: computed once.
- *Scaled norms.* p · BN(y) is batch norm whose scale and shift are multiplied by p: mixing takes no product of its own.
- *In place.* A node adds its terms into one tensor, and a ReLU overwrites the batch norm in front of it: no gradient is
  computed from what is lost.
- *Zero* contributes nothing and is left out.
- *Two convolutions in one step*: see `depthwise`.

Subclasses, modules with hooks or with a `forward` of their own, and operations of other forms are called as they are.
What each of these brings is measured in docs/performance.md.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas_tutorial.networks.depthwise import DepthwisePointwise, is_separable, is_untouched
from nas_tutorial.networks.edges import Edge, NodeLoop
from nas_tutorial.networks.ops import FactorizedReduce, Zero, every_other

SHARED = (nn.ReLU, nn.AvgPool2d, nn.MaxPool2d)  # what operations begin with, if it is worth sharing
READERS = (nn.Conv2d, nn.BatchNorm2d, nn.AvgPool2d, nn.MaxPool2d, DepthwisePointwise)  # leave their input as it is

Term = tuple[
    Tensor | None, Tensor
]  # p and y of p · y; p is None where y has its weight already and nobody else needs it
Shared = dict[tuple, Tensor]  # what is shared of one state: type and settings of a layer → its output


def speed_up(network: nn.Module) -> nn.Module:
    """Replace the modules of a network that have a faster equal; weights, their names and results stay.

    Returns `network`, or what replaces it.
    """
    for name, child in network._modules.items():
        if child is not None:
            network._modules[name] = speed_up(child)
    faster = faster_equal(network)
    faster.training = network.training
    return faster


def faster_equal(module: nn.Module) -> nn.Module:
    """A module that does the same in less time and has the same children; the module itself where there is none."""
    if is_untouched(module, NodeLoop):
        return FastNodeLoop()
    if is_untouched(module, nn.Sequential) and any(is_separable(*pair) for pair in pairwise(layers(module))):
        return FastSequential(OrderedDict(module._modules))
    return module


# --- cells ------------------------------------------------------------------------------------------------------------
class FastNodeLoop(NodeLoop):
    """The nodes of a cell, where the terms of a mixture share what they can; all else takes the slow path."""

    def forward(
        self,
        edges: nn.ModuleDict,
        incoming: Sequence[Sequence[tuple[str, int]]],
        states: Sequence[Tensor],
        active: Mapping[str, Any],
    ) -> list[Tensor]:
        """See `DagCell.node_states`."""
        if not is_mixture(edges, active):
            return super().forward(edges, incoming, states, active)
        states, shared = list(states), defaultdict(dict)  # shared: by index of the state
        for names in incoming:
            terms = (
                weighted(p, op, states[source], shared[source])
                for name, source in names
                if name in active
                for p, op in contributing(edges[name], active[name])
            )
            states.append(dense_gradient(weighted_sum(terms)))
        return states


def is_mixture(edges: nn.ModuleDict, active: Mapping[str, Any]) -> bool:
    """Whether all edges are those of the package and mix their operations."""
    return all(is_untouched(e, Edge) for e in edges.values()) and not any(isinstance(a, str) for a in active.values())


def contributing(edge: Edge, weights: Tensor) -> list[tuple[Tensor, nn.Module]]:
    """p_o and o for the operations of an edge that contribute: all but `Zero`, unless there is nothing else."""
    pairs = list(zip(weights, edge.ops.values(), strict=True))
    return [(p, op) for p, op in pairs if not is_untouched(op, Zero)] or pairs


def weighted_sum(terms: Iterator[Term]) -> Tensor:
    """Σ p · y, added up in one tensor."""
    p, y = next(terms)
    total = y if p is None else p * y
    for p, y in terms:
        if total.shape != y.shape:  # nothing to add in place where one of them is broadcast
            total = total + (y if p is None else p * y)
        else:
            total = total.add_(y) if p is None else total.addcmul_(p, y)
    return total


def weighted(p: Tensor, op: nn.Module, x: Tensor, shared: Shared) -> Term:
    """The term p · op(x), (B, C, H, W), from what is shared of x where `op` begins with it."""
    if is_untouched(op, FactorizedReduce):
        return scaled(p, op.norm, op.halve(*every_other(output(op.relu, x, shared))))
    first, *rest = steps([op]) or [op]
    if rest and not is_untouched(rest[0], *READERS):  # it may write to what is shared
        return p, op(x)
    y = output(first, x, shared)
    return scaled(p, rest[-1], run(rest[:-1], y)) if rest else (p, y)


def output(layer: nn.Module, x: Tensor, shared: Shared) -> Tensor:
    """layer(x), taken from what is shared of x or put there if it is worth it."""
    if not is_untouched(layer, *SHARED):
        return layer(x)
    key = (type(layer), *(getattr(layer, name) for name in layer.__constants__))
    if key not in shared:
        shared[key] = layer(x)
    return shared[key]


def scaled(p: Tensor, layer: nn.Module, y: Tensor) -> Term:
    """The term p · layer(y); the scale and the shift of a batch norm in training take in p."""
    if not (is_untouched(layer, nn.BatchNorm2d) and has_moving_averages(layer)):
        return p, layer(y)
    scale = p * (torch.ones_like(layer.running_mean) if layer.weight is None else layer.weight)  # (C,)
    shift = None if layer.bias is None else p * layer.bias
    tracks = layer.track_running_stats
    if tracks:
        layer.num_batches_tracked.add_(1)
    statistics = (layer.running_mean, layer.running_var) if tracks else (None, None)
    return None, F.batch_norm(y, *statistics, scale, shift, True, layer.momentum, layer.eps)


def has_moving_averages(norm: nn.BatchNorm2d) -> bool:
    """Whether a batch norm is in training and its running statistics are moving averages, or kept as they are."""
    return norm.training and norm.running_mean is not None and norm.momentum is not None


def dense_gradient(x: Tensor) -> Tensor:
    """x, whose gradient will lie in memory as x does: a slice of a cell's output does not, which slows batch norm."""
    if x.requires_grad:
        order = torch.channels_last if x.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
        x.register_hook(lambda gradient: gradient.contiguous(memory_format=order))
    return x


# --- sequences --------------------------------------------------------------------------------------------------------
class FastSequential(nn.Sequential):
    """A sequence that runs in fewer steps than it has layers, see `steps`."""

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) → what the layers make of it."""
        return run(steps(self), x)


def steps(sequence: Iterable[nn.Module]) -> list[nn.Module]:
    """The layers of nested sequences; a depthwise convolution and the pointwise one behind it are one step."""
    found: list[nn.Module] = []
    for layer in layers(sequence):
        if found and is_separable(found[-1], layer):
            found[-1] = DepthwisePointwise(found[-1], layer)
        else:
            found.append(layer)
    return found


def layers(sequence: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """The layers of nested sequences, one after the other."""
    for child in sequence:
        if is_untouched(child, nn.Sequential, FastSequential):
            yield from layers(child)
        else:
            yield child


def run(steps: Sequence[nn.Module], x: Tensor) -> Tensor:
    """What the steps make of x, one after the other; a ReLU overwrites the batch norm in front of it."""
    for before, step in pairwise([None, *steps]):
        in_place = is_untouched(step, nn.ReLU) and is_untouched(before, nn.BatchNorm2d)
        x = x.relu_() if in_place else step(x)
    return x
