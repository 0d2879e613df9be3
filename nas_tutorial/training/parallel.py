"""Several processes that train one network together, each on its part of every batch: the same numbers as one process.

`accelerate launch` (or torchrun) starts them, accelerate joins them; then:

| what | how it stays the same as with the whole batch in one process |
| --- | --- |
| pictures | all processes draw the same batch and the same augmentation; each keeps every n-th picture |
| gradients of weights | averaged behind `backward` |
| gradients of α, and those of the step looked ahead | averaged explicitly, as `autograd.grad` passes no hooks of DDP |
| batch norm | mean and variance of all parts, by sums that can be differentiated (`JointBatchNorm`) |
| states, results | the first process reads and writes them |

Masks of drop path and dropout are drawn alike in each process, so pictures of different parts share them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn


def join(device: str | torch.device | None = None) -> torch.device | None:
    """Join the processes started together, if there are several; returns this one's device, None where it is alone.

    Raises ValueError where accelerate is missing.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return None
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise ValueError(
            "Several processes were started, but accelerate, which joins them, is missing: install nas_tutorial[gpu], "
            "or start one process."
        ) from error
    return PartialState(cpu=device is not None and torch.device(device).type == "cpu").device


def processes() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """Whether this process is the one that reads, writes and prints."""
    return processes() == 1 or distributed.get_rank() == 0


def from_first(make: Callable[[], Any]) -> Any:
    """What `make` returns in the first process, in all of them; plain values and tensors."""
    values = [make() if is_first() else None]
    if processes() > 1:
        distributed.broadcast_object_list(values)
    return values[0]


def part(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """This process's pictures of a batch; ValueError where the batch cannot be shared equally."""
    if (count := processes()) == 1:
        return images, labels
    if len(labels) % count:
        raise ValueError(f"A batch of {len(labels)} cannot be shared by {count} processes: give a multiple of {count}.")
    mine = slice(distributed.get_rank(), None, count)
    return images[mine], labels[mine]


def average(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The mean of each tensor over all processes; the tensors themselves where there is one."""
    if (count := processes()) == 1 or not tensors:
        return list(tensors)
    flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    parts = (flat / count).split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def average_gradients(weights: Iterable[Tensor]) -> None:
    """Replace the gradient of each weight that has one by its mean over all processes."""
    if processes() > 1:
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        for gradient, mean in zip(gradients, average(gradients), strict=True):
            gradient.copy_(mean)


class JointBatchNorm(nn.BatchNorm2d):
    """Batch norm whose statistics, in training, are those of the parts of all processes together."""

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) → the same shape."""
        if not self.training:
            return super().forward(x)
        centred = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean = joint_mean(centred)  # (C,)
        centred = centred - mean[:, None, None]
        variance = joint_mean(centred.square())  # (C,)
        if self.track_running_stats:
            self.track(mean.detach(), variance.detach(), processes() * x.numel() // x.shape[1])
        y = centred * (variance + self.eps).rsqrt()[:, None, None]
        return (y * self.weight[:, None, None] + self.bias[:, None, None] if self.affine else y).to(x.dtype)

    @torch.no_grad()
    def track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics; count: values behind each, for the unbiased variance."""
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_((variance * count / (count - 1)).to(self.running_var.dtype), self.momentum)


def joint_mean(x: Tensor) -> Tensor:
    """Mean of each channel over the equal parts of all processes, differentiable: (B, C, H, W) → (C,)."""
    from torch.distributed.nn.functional import all_reduce

    return all_reduce(x.mean((0, 2, 3))) / processes()


def joint(network: nn.Module) -> nn.Module:
    """The network with joint batch norms where there are several processes; weights and their names stay."""
    if processes() == 1:
        return network
    for name, child in network._modules.items():
        if type(child) is nn.BatchNorm2d:
            network._modules[name] = _joint_norm(child)
        elif child is not None:
            joint(child)
    return network


def _joint_norm(norm: nn.BatchNorm2d) -> JointBatchNorm:
    settings = norm.eps, norm.momentum, norm.affine, norm.track_running_stats
    new = JointBatchNorm(norm.num_features, *settings).train(norm.training)
    new._parameters, new._buffers = norm._parameters, norm._buffers
    return new
