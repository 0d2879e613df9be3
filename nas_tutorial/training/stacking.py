"""Train many small networks of one space at once: the same numbers as one by one, several times as fast.

A network of four channels keeps a CPU busy with bookkeeping. So n networks are laid side by side as the channels of one
wide network, and nothing mixes them:

| part | side by side |
| --- | --- |
| convolution | as many groups as networks: group i reads and writes the channels of network i only |
| batch norm | statistics are per channel anyway |
| edge | the networks that chose the same operation go through it together |
| linear layer | one matrix per network |
| loss | the sum of n mean losses: the weights of network i occur in term i only, so their gradient is their own |
| clipping | the norm is taken over each network's own weights |

Every stacked weight has the network as its first dimension. Equal up to rounding, as the tests show in float64.
"""

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, cross_entropy

from nas_tutorial.data import Data, Split
from nas_tutorial.networks.edges import Edge, NodeLoop
from nas_tutorial.networks.ops import SparsePointwise, Zero
from nas_tutorial.spaces import Architecture
from nas_tutorial.spaces.nasbench201 import DenseCell, ResidualReduction, StagedNetwork
from nas_tutorial.training.descent import Descent
from nas_tutorial.training.fitting import batches
from nas_tutorial.training.randomness import seeded
from nas_tutorial.training.recipes import Recipe


class Stacked(nn.Module):
    """A layer of n networks. owners: (n,) int64, which networks these are, among all that are trained together."""

    def __init__(self, parts: Sequence[nn.Module], owners: Tensor):
        super().__init__()
        self.owners, self.count, self.first = owners, len(parts), [parts[0]]  # in a list, so as not to be a child
        for name, _ in parts[0].named_parameters(recurse=False):
            setattr(self, name, nn.Parameter(torch.stack([getattr(part, name).detach() for part in parts])))  # (n, …)
        for name, buffer in parts[0].named_buffers(recurse=False):
            if buffer.ndim:  # the counter of batches is not needed
                self.register_buffer(name, torch.cat([getattr(part, name) for part in parts]))  # (n · C,)


class Conv(Stacked):
    """n convolutions without bias: (B, n · C, H, W) → (B, n · C', H', W')."""

    def forward(self, x: Tensor) -> Tensor:
        one = self.first[0]
        groups = self.count * one.groups
        return conv2d(x, self.weight.flatten(0, 1), None, one.stride, one.padding, one.dilation, groups)


class SparseConv(Stacked):
    """n 1×1 convolutions of every stride-th row and column: (B, n · C, H, W) → (B, n · C', ⌈H/stride⌉, ⌈W/stride⌉)."""

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(self.first[0].picked(x), self.weight.flatten(0, 1), groups=self.count)


class Norm(Stacked):
    """n batch norms: (B, n · C, H, W) → the same shape."""

    def forward(self, x: Tensor) -> Tensor:
        one = self.first[0]
        affine = (self.weight.flatten(), self.bias.flatten()) if one.affine else (None, None)
        return batch_norm(x, self.running_mean, self.running_var, *affine, self.training, one.momentum, one.eps)


class Linear(Stacked):
    """n linear layers: (B, n · C) → (B, n, K)."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.unflatten(1, (self.count, -1)).transpose(0, 1)  # (n, B, C)
        return torch.baddbmm(self.bias[:, None], x, self.weight.mT).transpose(0, 1)  # (B, n, K)


class StackedEdge(nn.Module):
    """The same edge in n networks, sorted by what they have on it: (B, n · C, H, W) → (B, n · C, H', W')."""

    def __init__(self, parts: Sequence[Edge], owners: Tensor):
        super().__init__()
        self.count, self.members = len(parts), {}
        for i, part in enumerate(parts):
            name = only_operation(part)
            if not isinstance(part.ops[name], nn.Identity):  # a skip leaves its input as it is
                self.members.setdefault(name, []).append(i)
        self.ops = nn.ModuleDict(
            {name: stack([parts[i].ops[name] for i in group], owners[group]) for name, group in self.members.items()}
        )

    def forward(self, x: Tensor, active: str | Tensor) -> Tensor:
        """active: that of the first network, not looked at: each network has a single operation here."""
        inputs = x.chunk(self.count, 1)  # n × (B, C, H, W)
        outputs = list(inputs)
        for name, group in self.members.items():
            together = self.ops[name](torch.cat([inputs[i] for i in group], 1))  # (B, group · C, H', W')
            for i, output in zip(group, together.chunk(len(group), 1), strict=True):
                outputs[i] = output
        return torch.cat(outputs, 1)


KINDS = {nn.Conv2d: Conv, SparsePointwise: SparseConv, nn.BatchNorm2d: Norm, nn.Linear: Linear, Edge: StackedEdge}
CHANNEL_BY_CHANNEL = (nn.ReLU, nn.AvgPool2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d, nn.Flatten, nn.Identity, Zero)
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict, NodeLoop, DenseCell, ResidualReduction, StagedNetwork)


def stack(parts: Sequence[nn.Module], owners: Tensor | None = None) -> nn.Module:
    """n networks of one space as one: (B, n · channels, H, W) → logits (B, n, classes); the weights are copies.

    The networks are those of the spaces with one cell, tiny and nasbench201. Raises ValueError for a part of which it
    is not known how to lay it side by side.
    """
    check_stackable(parts)
    first, owners = parts[0], torch.arange(len(parts)) if owners is None else owners
    if type(first) in KINDS:
        return KINDS[type(first)](parts, owners)
    whole = copy.copy(first)
    whole._modules = {name: stack([part._modules[name] for part in parts], owners) for name in first._modules}
    return whole


def check_stackable(parts: Sequence[nn.Module]) -> None:
    """Raise ValueError unless parts of this type, with these settings and children, may stand side by side."""
    if not parts:
        raise ValueError("There is no network to stack: give at least one.")
    first, kind = parts[0], type(parts[0]).__name__
    idle = isinstance(first, nn.Dropout) and first.p == 0
    if type(first) not in (*KINDS, *CHANNEL_BY_CHANNEL, *CONTAINERS) and not idle:
        raise ValueError(f"A {kind} cannot be stacked: train these networks one by one (`retrain`).")
    looks = {(type(part), part.extra_repr(), tuple(part._modules)) for part in parts}  # sizes are in `extra_repr`
    if len(looks) > 1:
        raise ValueError(f"Each {kind} to stack needs the same parts and sizes: make them from one space.")


def only_operation(edge: Edge) -> str:
    """The name of an edge's single operation; ValueError where there are others, or where it may be dropped."""
    if len(edge.ops) != 1 or not isinstance(edge.drop_path, nn.Identity):
        raise ValueError(
            f"Only stand-alone networks without drop path can be stacked, but an edge has {len(edge.ops)} operations "
            f"and {edge.drop_path} behind them: make the networks with `space.network`."
        )
    return next(iter(edge.ops))


def clip_each(network: nn.Module, count: int, limit: float) -> None:
    """Scale the gradient of each stacked network to a norm of at most `limit`, as `clip_grad_norm_` does for one."""
    weights = [(p, m.owners) for m in network.modules() if isinstance(m, Stacked) for p in m.parameters()]
    squares = weights[0][0].new_zeros(count)
    for weight, owners in weights:
        squares.index_add_(0, owners, weight.grad.flatten(1).square().sum(1))
    scale = (limit / (squares.sqrt() + 1e-6)).clamp(max=1)  # (n,)
    for weight, owners in weights:
        weight.grad.mul_(scale[owners].view(-1, *[1] * (weight.ndim - 1)))


def widen(images: Tensor, count: int) -> Tensor:
    """The same pictures for every network: (B, C, H, W) → (B, count · C, H, W)."""
    return images.contiguous().repeat(1, count, 1, 1)


def fit(network: nn.Module, count: int, split: Split, data: Data, recipe: Recipe, generator: torch.Generator) -> None:
    """Train `count` stacked networks in place, all on the same batches; what `training.fit` does to each.

    Raises ValueError where the recipe asks for drop path or an auxiliary head, which are not stacked.
    """
    check_recipe(recipe)
    descent = Descent(network.parameters(), recipe, split)
    dtype, settings = next(network.parameters()).dtype, {"augmented": True, "cutout": recipe.cutout}
    network.train()
    for _ in range(recipe.epochs):
        for images, labels in batches(split, data, recipe.batch_size, generator=generator, **settings):
            logits = network(widen(images.to(dtype), count))  # (B, n, K)
            descent.optimiser.zero_grad()
            count_losses(logits, labels).sum().backward()
            clip_each(network, count, recipe.clip)
            descent.optimiser.step()
            descent.after_step()
        descent.after_epoch()


def check_recipe(recipe: Recipe) -> None:
    """Raise ValueError where a recipe asks for what stacked networks do not have."""
    if recipe.drop_path or recipe.auxiliary:
        raise ValueError("Stacked networks know no drop path and no auxiliary head; set both to 0 or train one by one.")


def count_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each network: logits (B, n, K), labels (B,) → (n,)."""
    labels = labels[:, None].expand(logits.shape[:2])  # (B, n)
    return cross_entropy(logits.mT, labels, reduction="none").mean(0)


@torch.no_grad()
def evaluate(network: nn.Module, count: int, split: Split, data: Data, batch_size: int = 100) -> Tensor:
    """Accuracy of each stacked network on a split: (n,) fractions."""
    network.eval()
    dtype, correct = next(network.parameters()).dtype, torch.zeros(count, dtype=torch.int64)
    for images, labels in batches(split, data, batch_size):
        found = network(widen(images.to(dtype), count)).argmax(-1)  # (B, n)
        correct += (found == labels[:, None]).sum(0)
    return correct.double() / len(split)


def train_together(
    architectures: Sequence[Architecture],
    data: Data,
    recipe: Recipe,
    seed: int,
    judge: Callable[..., Tensor] = evaluate,
    judged_on: Sequence[str] = ("validation", "test"),
) -> dict[str, Tensor]:
    """Train all on the train split, each as `train_from_scratch` would with this seed, and judge them.

    Returns {"validation": (n,), "test": (n,)}, accuracies, or those of the splits in `judged_on`.
    """
    count, networks = len(architectures), []
    for architecture in architectures:
        with seeded(seed):
            networks.append(architecture.space.network(architecture, data.classes, data.channels))
    whole = stack(networks)
    fit(whole, count, data.train, data, recipe, torch.Generator().manual_seed(seed))
    return {name: judge(whole, count, getattr(data, name), data) for name in judged_on}
