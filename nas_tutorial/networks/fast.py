"""The fast path: the same mathematics as `edges` and torch's own convolutions, reordered. `speed_up` switches it on.

Why it equals the slow path, term by term:

- *Shared work.* All edges that leave a state begin with the same ReLU, the same pixels of it or the same pool (and its
  batch norm, which has no weights in search): computed once per state, not once per edge.
- *Scaled norms.* p · BN(y) is batch norm with scale p·γ and shift p·β: the blend needs no multiplication of its own.
- *In place.* A sum adds its terms into one tensor, and a ReLU overwrites the batch norm in front of it: no gradient is
  computed from what is lost. A gradient is put into the order of its tensor first, which changes no number.
- *Depthwise gradients are forward convolutions.* For a depthwise convolution of stride 1, y = x ⋆ w, the gradient for x
  is the convolution of ∂y with w flipped, and the gradient for w is the convolution of x with ∂y as kernel. Both run on
  the forward kernel, which on a CPU can be ten times as fast as the backward one. A stride of 2 only leaves out every
  other pixel of y: its gradients are those of stride 1 with zeros in between.
- *Remember less.* A depthwise convolution and the pointwise one behind it keep only their common input; what lies
  between is computed again, cheaply, where the pointwise weights need it for their gradient.
- *Zero* contributes nothing and is left out.

Running statistics of batch norm move as on the slow path. In evaluation and for a single path cells take the slow path,
and so does every operation that is not of one of these forms.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas_tutorial.networks.edges import Edge, NodeLoop
from nas_tutorial.networks.ops import FactorizedReduce, Zero, every_other

POOLS = (nn.AvgPool2d, nn.MaxPool2d)


def speed_up(network: nn.Module) -> nn.Module:
    """Let a network take the fast path from now on; weights, their names and results stay. Returns `network`."""
    for name, child in list(network.named_children()):
        if type(child) is NodeLoop:
            setattr(network, name, FastNodeLoop())
        else:
            setattr(network, name, speed_up(child))
    if type(network) is nn.Sequential and any(is_separable(*pair) for pair in pairwise(network)):
        return Separable(OrderedDict(network.named_children()))
    return network


# --- cells ------------------------------------------------------------------------------------------------------------
class State:
    """A state of a cell and what its edges share: its ReLU and its pools, each computed when first asked for."""

    def __init__(self, x: Tensor):
        self.x, self.kept = x, {}

    def relu(self) -> Tensor:
        """max(x, 0), (B, C, H, W)."""
        if "relu" not in self.kept:
            self.kept["relu"] = self.x.relu()
        return self.kept["relu"]

    def pixels(self) -> tuple[Tensor, Tensor]:
        """The even and the odd pixels of the ReLU, (B, C, ⌈H/2⌉, ⌈W/2⌉) each."""
        if "pixels" not in self.kept:
            self.kept["pixels"] = tuple(half.clone() for half in every_other(self.relu()))  # not once per edge
        return self.kept["pixels"]

    def pooled(self, pool: nn.Module, norm: nn.BatchNorm2d | None) -> Tensor:
        """The pool's output, normalised where a norm follows: (B, C, H', W'). Each norm's statistics move once."""
        key = (type(pool), *(getattr(pool, name) for name in pool.__constants__), norm and norm.eps)
        if key not in self.kept:
            self.kept[key] = normalised(pool(self.x), norm)
        elif norm is not None and norm.track_running_stats:
            follow(norm, self.kept[key][1:])
        return self.kept[key][0]


class FastNodeLoop(NodeLoop):
    """The nodes of a cell for a mixture in training; anything else takes the slow path."""

    def forward(
        self,
        edges: nn.ModuleDict,
        incoming: Sequence[Sequence[tuple[str, int]]],
        states: Sequence[Tensor],
        active: Mapping[str, Any],
    ) -> list[Tensor]:
        """See `DagCell.node_states`."""
        if not self.training or any(isinstance(a, str) for a in active.values()):
            return super().forward(edges, incoming, states, active)
        grown = [State(x) for x in states]
        for names in incoming:
            used = [(edges[name], grown[source], active[name]) for name, source in names if name in active]
            grown.append(State(dense_gradient(total(term for edge in used for term in terms(*edge)))))
        return [state.x for state in grown]


def flat(op: nn.Module) -> list[nn.Module]:
    """The layers of nested sequences."""
    if isinstance(op, Separable):
        return op.steps
    return [layer for child in op for layer in flat(child)] if isinstance(op, nn.Sequential) else [op]


def dense_gradient(x: Tensor) -> Tensor:
    """x, whose gradient will lie in memory as x does: a slice of a cell's output does not, and batch norm minds."""
    if x.requires_grad:
        order = torch.channels_last if x.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
        x.register_hook(lambda gradient: gradient.contiguous(memory_format=order))
    return x


def total(terms: Iterator[tuple[Tensor | None, Tensor]]) -> Tensor:
    """Σ p · y over pairs (p, y), in one tensor; where p is None, y has its weight already and nobody else needs it."""
    p, y = next(terms)
    result = y if p is None else p * y
    for p, y in terms:
        result = result.add_(y) if p is None else result.addcmul_(p, y)
    return result


def terms(edge: Edge, state: State, weights: Tensor) -> Iterator[tuple[Tensor | None, Tensor]]:
    """p_o and o(x), see `total`, for every operation of an edge that can contribute."""
    for p, op in zip(weights, edge.ops.values(), strict=True):
        if not isinstance(op, Zero):
            yield weighted(op, state, p)


def weighted(op: nn.Module, state: State, p: Tensor) -> tuple[Tensor | None, Tensor]:
    """p and op(x), or None and p · op(x), for one operation."""
    match op:
        case nn.AvgPool2d() | nn.MaxPool2d():
            return p, state.pooled(op, None)
        case nn.Sequential() if len(op) == 2 and isinstance(op[0], POOLS) and follows(op[1]) and not op[1].affine:
            return p, state.pooled(op[0], op[1])
        case nn.Sequential() if len(steps := flat(op)) > 1 and isinstance(steps[0], nn.ReLU) and follows(steps[-1]):
            return None, scaled_norm(steps[-1], run(steps[1:-1], state.relu()), p)
        case FactorizedReduce() if isinstance(op.relu, nn.ReLU) and follows(op.norm):
            return None, scaled_norm(op.norm, op.halve(*state.pixels()), p)
    return p, op(state.x)


# --- batch norm -------------------------------------------------------------------------------------------------------
def follows(module: nn.Module) -> bool:
    """Whether this is a batch norm in training whose running statistics are moving averages."""
    averages = isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.momentum is not None
    return averages and module.training


def scaled_norm(norm: nn.BatchNorm2d, y: Tensor, p: Tensor) -> Tensor:
    """p · norm(y): (B, C, H, W) → the same shape."""
    scale = p * (torch.ones_like(norm.running_mean) if norm.weight is None else norm.weight)  # (C,)
    return batch_norm(norm, y, scale, None if norm.bias is None else p * norm.bias)[0]


def batch_norm(norm: nn.BatchNorm2d, y: Tensor, scale: Tensor | None, shift: Tensor | None) -> tuple[Tensor, ...]:
    """Normalise by the batch's statistics, which move the running ones: output (B, C, H, W), mean and 1/std (C,)."""
    tracks = norm.track_running_stats
    if tracks:
        norm.num_batches_tracked.add_(1)
    running = (norm.running_mean, norm.running_var) if tracks else (None, None)
    return torch.native_batch_norm(y, scale, shift, *running, True, norm.momentum, norm.eps)


def normalised(y: Tensor, norm: nn.BatchNorm2d | None) -> tuple[Tensor, ...]:
    """norm(y) with what its running statistics took in: (B, C, H, W), and mean and unbiased variance (C,)."""
    if norm is None:
        return (y,)
    z, mean, inverse_std = batch_norm(norm, y, norm.weight, norm.bias)
    n = y.numel() / y.shape[1]
    return z, mean, (inverse_std**-2 - norm.eps) * n / (n - 1)


@torch.no_grad()
def follow(norm: nn.BatchNorm2d, statistics: tuple[Tensor, Tensor]) -> None:
    """Move a norm's running statistics as if it had seen the batch with this mean and variance."""
    mean, variance = statistics
    norm.num_batches_tracked.add_(1)
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(variance, norm.momentum)


# --- depthwise convolutions -------------------------------------------------------------------------------------------
def is_separable(first: nn.Module, second: nn.Module) -> bool:
    """Whether these are a depthwise convolution and a pointwise one that can run as one step."""
    return is_depthwise(first) and is_pointwise(second)


def is_depthwise(module: nn.Module) -> bool:
    """Whether this is a depthwise convolution without bias, square, padded by zeros to keep the size at stride 1."""
    if not isinstance(module, nn.Conv2d) or module.bias is not None or module.padding_mode != "zeros":
        return False
    kernel, stride, dilation = module.kernel_size[0], module.stride[0], module.dilation[0]
    square = (module.kernel_size, module.stride, module.dilation) == ((kernel,) * 2, (stride,) * 2, (dilation,) * 2)
    same_size = kernel % 2 == 1 and module.padding == (dilation * (kernel // 2),) * 2
    return square and same_size and module.groups == module.in_channels == module.out_channels > 1


def is_pointwise(module: nn.Module) -> bool:
    """Whether this is a plain 1×1 convolution without bias."""
    plain = isinstance(module, nn.Conv2d) and module.bias is None and module.kernel_size == module.stride == (1, 1)
    return plain and module.padding == (0, 0) and module.groups == 1


class Separable(nn.Sequential):
    """`nn.Sequential` that runs each depthwise convolution and the pointwise one behind it together."""

    @cached_property
    def steps(self) -> list[nn.Module]:
        """The layers: such pairs merged, and each ReLU behind a batch norm in place."""
        rest, steps = list(self), []
        while rest:
            match rest:
                case [first, second, *rest] if is_separable(first, second):
                    steps.append(DepthwisePointwise(first, second))
                case [nn.BatchNorm2d() as norm, second, *rest] if type(second) is nn.ReLU:
                    steps += [norm, nn.ReLU(inplace=True)]
                case [first, *rest]:
                    steps.append(first)
        return steps

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) → what the layers make of it."""
        return run(self.steps, x)


class DepthwisePointwise(nn.Module):
    """A depthwise and a pointwise convolution in one step: a module, so that hooks see it as they see a convolution."""

    def __init__(self, depthwise: nn.Conv2d, pointwise: nn.Conv2d):
        super().__init__()
        self.depthwise, self.pointwise = depthwise, pointwise

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) → (B, C', ⌈H/stride⌉, ⌈W/stride⌉). On a GPU torch's own gradients are faster."""
        step = depthwise_pointwise if x.is_cuda else DepthwisePointwiseFunction.apply
        first = self.depthwise
        return step(x, first.weight, self.pointwise.weight, first.stride[0], first.dilation[0])


def run(steps: Iterable[nn.Module], x: Tensor) -> Tensor:
    """What the steps make of x, one after the other."""
    for step in steps:
        x = step(x)
    return x


class DepthwisePointwiseFunction(torch.autograd.Function):
    """y = P (x ⋆ w): every `stride`-th pixel of a zero-padded depthwise convolution, then 1×1; differentiable twice."""

    @staticmethod
    def forward(x: Tensor, w: Tensor, p: Tensor, stride: int, dilation: int) -> Tensor:
        """See `depthwise_pointwise`."""
        return depthwise_pointwise(x, w, p, stride, dilation)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, int, int], output: Tensor) -> None:
        """Keep what the gradients need."""
        x, w, p, ctx.stride, ctx.dilation = inputs
        ctx.save_for_backward(x, w, p)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        """∂y → ∂x, ∂w, ∂p, each only where it is asked for."""
        x, w, p = ctx.saved_tensors
        asks_x, asks_w, asks_p = ctx.needs_input_grad[:3]
        dp = torch.nn.grad.conv2d_weight(convolve(x, w, ctx.stride, ctx.dilation), p.shape, dy) if asks_p else None
        dz = F.conv2d(dy, p.transpose(0, 1))  # (B, C, ⌈H/stride⌉, ⌈W/stride⌉)
        dx = convolve(spread(dz, x, ctx.stride), w.flip(2, 3), 1, ctx.dilation) if asks_x else None
        dw = kernel_gradient(x, dz, w, ctx.stride, ctx.dilation) if asks_w else None
        return dx, dw, dp, None, None


def depthwise_pointwise(x: Tensor, w: Tensor, p: Tensor, stride: int, dilation: int) -> Tensor:
    """P (x ⋆ w): x (B, C, H, W), w (C, 1, k, k), p (C', C, 1, 1) → (B, C', ⌈H/stride⌉, ⌈W/stride⌉)."""
    return F.conv2d(convolve(x, w, stride, dilation), p)


def convolve(x: Tensor, w: Tensor, stride: int, dilation: int) -> Tensor:
    """Depthwise convolution, padded: x (B, C, H, W), w (C, 1, k, k)."""
    return F.conv2d(x, w, None, stride, dilation * (w.shape[-1] // 2), dilation, len(w))


def spread(dy: Tensor, x: Tensor, stride: int) -> Tensor:
    """∂y with zeros for the pixels that the stride left out: (B, C, ⌈H/stride⌉, ⌈W/stride⌉) → (B, C, H, W) as x."""
    if stride == 1:
        return dy
    full = torch.zeros_like(x)
    full[:, :, ::stride, ::stride] = dy
    return full


def kernel_gradient(x: Tensor, dy: Tensor, w: Tensor, stride: int, dilation: int, pictures: int = 16) -> Tensor:
    """∂w (C, 1, k, k): plain 3×3 kernels by torch; else x convolved with ∂y, some pictures at a time.

    Tap (i, j) of a channel's kernel met x at stride·(pixel of y) + dilation·(i, j): the gradient is a convolution in
    which the two change places, and whose channels are all (picture, channel) pairs, summed over pictures.
    """
    k, padding = w.shape[-1], dilation * (w.shape[-1] // 2)
    if k <= 3 and dilation == 1:
        return torch.nn.grad.conv2d_weight(x, w.shape, dy, stride, padding, groups=len(w))
    parts = zip(x.split(pictures), dy.split(pictures), strict=True)
    return sum(_kernel_gradient(a, b, k, padding, stride, dilation) for a, b in parts)


def _kernel_gradient(x: Tensor, dy: Tensor, k: int, padding: int, stride: int, dilation: int) -> Tensor:
    count, channels, height, width = x.shape
    images = x.permute(2, 3, 0, 1).reshape(1, height, width, -1).permute(0, 3, 1, 2)  # (1, B·C, H, W)
    kernels = dy.reshape(-1, 1, *dy.shape[2:])  # (B·C, 1, ⌈H/stride⌉, ⌈W/stride⌉)
    taps = F.conv2d(images, kernels, None, dilation, padding, stride, groups=count * channels)  # (1, B·C, ≥ k, ≥ k)
    return taps[..., :k, :k].reshape(count, channels, k, k).sum(0)[:, None]
