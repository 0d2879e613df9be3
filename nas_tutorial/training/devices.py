"""Where a network runs."""

import torch
from torch import nn

from nas_tutorial.networks.fast import speed_up


def best_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for, or a GPU where there is one, or the CPU."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def to_device(network: nn.Module, device: str | torch.device | None = None) -> nn.Module:
    """The network on its device, in channels-last order and on the fast path: the same results in less time."""
    return speed_up(network.to(best_device(device), memory_format=torch.channels_last))
