"""The operations of all spaces: one table per space, name → function that builds the module.

Every builder takes `(channels, stride, affine)` and keeps the number of channels; pictures are (B, C, H, W) and a
stride of 2 halves H and W. `affine` says whether batch norm learns a scale and a shift.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

Builder = Callable[[int, int, bool], nn.Module]


def named(**layers: nn.Module) -> nn.Sequential:
    """Layers one after the other, each with a name, under which its weights are found in a state dictionary."""
    return nn.Sequential(OrderedDict(layers))


class Zero(nn.Module):
    """No connection: zeros of the size that the edge should deliver."""

    def __init__(self, stride: int = 1):
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) → zeros (B, C, ⌈H/stride⌉, ⌈W/stride⌉)."""
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class FactorizedReduce(nn.Module):
    """Halve H and W by two 1×1 convolutions: one reads the even rows and columns, the other the odd ones.

    In front there is a ReLU (DARTS) or not (ENAS macro); behind, batch norm. Odd sizes are padded by one.
    """

    def __init__(self, inputs: int, outputs: int, affine: bool = True, relu: bool = True):
        super().__init__()
        self.relu = nn.ReLU() if relu else nn.Identity()
        self.even = nn.Conv2d(inputs, outputs // 2, 1, bias=False)
        self.odd = nn.Conv2d(inputs, outputs - outputs // 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, inputs, H, W) → (B, outputs, ⌈H/2⌉, ⌈W/2⌉)."""
        return self.norm(self.halve(*every_other(self.relu(x))))

    def halve(self, even: Tensor, odd: Tensor) -> Tensor:
        """The two convolutions, side by side: two times (B, inputs, H', W') → (B, outputs, H', W')."""
        return torch.cat([self.even(even), self.odd(odd)], dim=1)


def every_other(x: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels (0, 0), (0, 2), … and pixels (1, 1), (1, 3), …: (B, C, H, W) → two times (B, C, ⌈H/2⌉, ⌈W/2⌉)."""
    height, width = x.shape[-2:]
    if height % 2 or width % 2:
        x = nn.functional.pad(x, (0, width % 2, 0, height % 2))
    return x[:, :, ::2, ::2], x[:, :, 1::2, 1::2]


class SparsePointwise(nn.Conv2d):
    """A 1×1 convolution of every stride-th row and column, which are picked out before it.

    A library inside torch (oneDNN, its issue 6035) writes beside its memory where a strided 1×1 convolution learns from
    few channels in channels_last: the process dies, or gradients are wrong. With a stride of 1 it does not.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, inputs, H, W) → (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉)."""
        return nn.functional.conv2d(self.picked(x), self.weight, self.bias)

    def picked(self, x: Tensor) -> Tensor:
        """The pixels that are convolved: (B, C, H, W) → (B, C, ⌈H/stride⌉, ⌈W/stride⌉)."""
        down, across = self.stride
        return x[:, :, ::down, ::across]


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """k×k convolution without bias: (B, inputs, H, W) → (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉)."""
    kind = SparsePointwise if kernel == 1 < stride else nn.Conv2d
    return kind(inputs, outputs, kernel, stride, kernel // 2, bias=False)


def relu_conv(inputs: int, outputs: int, kernel: int, stride: int = 1, affine: bool = True) -> nn.Sequential:
    """ReLU → k×k convolution → batch norm: (B, inputs, H, W) → (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉)."""
    return named(
        relu=nn.ReLU(),
        conv=convolution(inputs, outputs, kernel, stride),
        norm=nn.BatchNorm2d(outputs, affine=affine),
    )


def conv_norm(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """k×k convolution → batch norm, the stem of a network: (B, inputs, H, W) → (B, outputs, H, W)."""
    return named(conv=convolution(inputs, outputs, kernel), norm=nn.BatchNorm2d(outputs))


def depthwise(channels: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """k×k convolution of every channel by itself, padded so that only the stride changes the size."""
    padding = dilation * (kernel // 2)
    return nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False)


def depthwise_separable(channels: int, stride: int, affine: bool, kernel: int, dilation: int = 1) -> nn.Sequential:
    """ReLU → depthwise k×k → pointwise 1×1 → batch norm."""
    return named(
        relu=nn.ReLU(),
        depthwise=depthwise(channels, kernel, stride, dilation),
        pointwise=nn.Conv2d(channels, channels, 1, bias=False),
        norm=nn.BatchNorm2d(channels, affine=affine),
    )


def separable(kernel: int) -> Builder:
    """Separable convolution: two depthwise-separable blocks, the stride in the first  (DARTS, §3.1.1; ENAS, §2.4)."""
    return lambda c, stride, affine: named(
        first=depthwise_separable(c, stride, affine, kernel), second=depthwise_separable(c, 1, affine, kernel)
    )


def dilated(kernel: int) -> Builder:
    """Dilated separable convolution: one depthwise-separable block with dilation 2  (DARTS, §3.1.1)."""
    return lambda c, stride, affine: depthwise_separable(c, stride, affine, kernel, dilation=2)


def average_pool(channels: int, stride: int, affine: bool) -> nn.Module:
    """3×3 average pool that leaves the padding out of the mean."""
    return nn.AvgPool2d(3, stride, 1, count_include_pad=False)


def max_pool(channels: int, stride: int, affine: bool) -> nn.Module:
    """3×3 max pool."""
    return nn.MaxPool2d(3, stride, 1)


def skip(channels: int, stride: int, affine: bool) -> nn.Module:
    """The identity; a factorised reduction where the stride is 2."""
    return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine)


def plain_skip(channels: int, stride: int, affine: bool) -> nn.Module:
    """The identity; a factorised reduction without ReLU where the stride is 2  (ENAS micro)."""
    return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine, relu=False)


def zero(channels: int, stride: int, affine: bool) -> nn.Module:
    """No connection."""
    return Zero(stride)


def plain(kernel: int) -> Builder:
    """ReLU → k×k convolution → batch norm."""
    return lambda c, stride, affine: relu_conv(c, c, kernel, stride, affine)


def macro_convolution(kernel: int, is_separable: bool) -> Builder:
    """1×1 → BN → ReLU → k×k (dense, or depthwise and pointwise) → BN → ReLU  (ENAS macro).

    The second BN has eps 1e-3, as in the official code.
    """

    def build(c: int, stride: int, affine: bool) -> nn.Module:
        return named(**_macro_entry(c), **spatial(c), norm=nn.BatchNorm2d(c, eps=1e-3), relu=nn.ReLU())

    def spatial(c: int) -> dict[str, nn.Module]:
        if is_separable:
            return {"depthwise": depthwise(c, kernel), "pointwise": nn.Conv2d(c, c, 1, bias=False)}
        return {"conv": nn.Conv2d(c, c, kernel, padding=kernel // 2, bias=False)}

    return build


def macro_pool(pool: Builder) -> Builder:
    """1×1 → BN → ReLU → 3×3 pool  (ENAS macro)."""
    return lambda c, stride, affine: named(**_macro_entry(c), pool=pool(c, 1, affine))


def _macro_entry(channels: int) -> dict[str, nn.Module]:
    return {
        "entry": nn.Conv2d(channels, channels, 1, bias=False),
        "entry_norm": nn.BatchNorm2d(channels),
        "entry_relu": nn.ReLU(),
    }


def macro_final(builder: Builder) -> Builder:
    """ReLU → 1×1 → BN in front of an operation: how networks are trained from scratch  (ENAS macro)."""
    return lambda c, stride, affine: named(entry=relu_conv(c, c, 1, 1, affine), operation=builder(c, stride, affine))


def calibration(inputs: int, outputs: int, halve: bool) -> nn.Module:
    """Bring a cell's input to the cell's size: halve it, or change its channels, or leave it alone  (ENAS micro)."""
    if halve:
        return FactorizedReduce(inputs, outputs)
    return nn.Identity() if inputs == outputs else relu_conv(inputs, outputs, 1)


def classifier(inputs: int, classes: int, dropout: float, bias: bool = True, **before: nn.Module) -> nn.Sequential:
    """The head of a network: layers given, global average pool, dropout, linear: (B, inputs, H, W) → (B, classes)."""
    return named(
        **before,
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        dropout=nn.Dropout(dropout),
        linear=nn.Linear(inputs, classes, bias=bias),
    )


TINY: dict[str, Builder] = {
    "zero": zero,
    "skip": skip,
    "avg_pool_3x3": average_pool,
    "conv_1x1": plain(1),
    "conv_3x3": plain(3),
}

NASBENCH201: dict[str, Builder] = {
    "none": zero,
    "skip_connect": skip,
    "nor_conv_1x1": plain(1),
    "nor_conv_3x3": plain(3),
    "avg_pool_3x3": average_pool,
}

DARTS: dict[str, Builder] = {
    "none": zero,
    "max_pool_3x3": max_pool,
    "avg_pool_3x3": average_pool,
    "skip_connect": skip,
    "sep_conv_3x3": separable(3),
    "sep_conv_5x5": separable(5),
    "dil_conv_3x3": dilated(3),
    "dil_conv_5x5": dilated(5),
}

ENAS_MACRO: dict[str, Builder] = {
    "conv_3x3": macro_convolution(3, False),
    "sep_conv_3x3": macro_convolution(3, True),
    "conv_5x5": macro_convolution(5, False),
    "sep_conv_5x5": macro_convolution(5, True),
    "avg_pool_3x3": macro_pool(average_pool),
    "max_pool_3x3": macro_pool(max_pool),
}

ENAS_MACRO_FINAL: dict[str, Builder] = {  # the same names, for networks that are trained from scratch
    "conv_3x3": macro_final(plain(3)),
    "sep_conv_3x3": macro_final(partial(depthwise_separable, kernel=3)),
    "conv_5x5": macro_final(plain(5)),
    "sep_conv_5x5": macro_final(partial(depthwise_separable, kernel=5)),
    "avg_pool_3x3": macro_final(average_pool),
    "max_pool_3x3": macro_final(max_pool),
}

ENAS_MICRO: dict[str, Builder] = {
    "sep_conv_3x3": separable(3),
    "sep_conv_5x5": separable(5),
    "avg_pool_3x3": average_pool,
    "max_pool_3x3": max_pool,
    "skip_connect": plain_skip,
}
