"""What a network or a whole search costs, in multiply-adds: the same number on every machine.

Searches of equal budgets are equal in this number. All passes through networks count, those for rewards and on
validation pictures, too; the policy of ENAS counts by its linear layers, not by its LSTM, and optimisers do not count.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from nas_tutorial.networks.depthwise import DepthwisePointwise
from nas_tutorial.networks.edges import Skeleton

BACKWARD = 2  # a backward pass computes two products for each one of the forward pass: by inputs and by weights


class MultiplyAddCounter(AbstractContextManager):
    """Counts the multiply-adds of all convolutions and linear layers that run inside `with MultiplyAddCounter() as c:`.

    A forward pass counts once and, where gradients are recorded, its backward pass twice more. Batch norm, pooling and
    additions are not counted, as usual in the literature. on_pass: called after each pass through a network.
    network: the only one to count in, whatever other threads run meanwhile; None counts in all.
    """

    def __init__(self, on_pass: Callable[[], None] | None = None, network: nn.Module | None = None):
        self.multiply_adds, self.on_pass, self.network = 0, on_pass, network

    def __enter__(self) -> "MultiplyAddCounter":
        if self.network is None:
            self._hooks = [register_module_forward_hook(self._count)]
        else:
            self._hooks = [module.register_forward_hook(self._count) for module in self.network.modules()]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _count(self, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        passes = 1 + BACKWARD * torch.is_grad_enabled()
        if isinstance(module, nn.Conv2d | nn.Linear):
            self.multiply_adds += passes * output.numel() * module.weight[0].numel()
        elif isinstance(module, DepthwisePointwise):
            pixels = output.numel() // output.shape[1]
            self.multiply_adds += passes * pixels * sum(weight.numel() for weight in module.parameters())
        elif self.on_pass and isinstance(module, Skeleton):
            self.on_pass()
