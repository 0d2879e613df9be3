"""What a network needs in memory, counted before any is taken; what will not fit is refused with the figure."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nas_tutorial.data import Data
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.training.recipes import Recipe

BYTES = 4  # of a float32
COPIES = 3  # of each weight: itself, its gradient, its momentum
GB = 1e9
CONTAINER = Path("/sys/fs/cgroup/memory.max")


def check_fits(space: Space, data: Data, recipe: Recipe, device: torch.device, architecture: Any = None) -> None:
    """Raise ValueError where training would need more memory than the device has; nothing is allocated.

    architecture: whose own network is trained; None for the supernet, and "mixture" for all of its operations at once.
    What is counted is the least: weights with gradient and momentum, and what each operation gives for the pictures of
    a batch, in float32. Buffers and the optimiser of α come on top.
    """
    batch, there = min(recipe.batch_size, len(data.train)), memory_of(device)
    if not there or at_most(space, data.side, batch) < there:
        return
    weights = least = weights_of(space, data, architecture)
    if least <= there and architecture is not None:  # else the path that runs is not known
        least += activations(space, data, recipe, architecture)
    if least > there:
        sizes = ", ".join(f"{name}={size}" for name, size in space.sizes.items())
        count = weights // (BYTES * COPIES)
        raise ValueError(
            f"{space.name} with {sizes} has {count:,} weights here, and with batches of {batch} it needs at least "
            f"{least / GB:,.0f} GB of memory, but {device} has {there / GB:,.0f} GB: give fewer channels or cells, or "
            "smaller batches (batch_size)."
        )


def weights_of(space: Space, data: Data, architecture: Any = None) -> int:
    """Bytes of weights, gradients and momentum."""
    network = shapes(space, data.classes, data.channels, architecture)
    return BYTES * COPIES * sum(parameter.numel() for parameter in network.parameters())


def activations(space: Space, data: Data, recipe: Recipe, architecture: Any) -> int:
    """Bytes of what the layers of a network give for a batch, in float32."""
    network = shapes(space, data.classes, data.channels, architecture)
    return BYTES * min(recipe.batch_size, len(data.train)) * outputs(network, space, data, architecture)


def at_most(space: Space, side: int, batch: int) -> float:
    """Bytes that no network of the space passes: a rough bound, but at once. Small networks need no closer look."""
    widest = 4 * space.sizes["channels"]  # channels double where the picture is halved, twice at most
    weights = space.candidates * 25 * widest**2  # no operation has more than a 5×5 convolution
    outputs = space.candidates * 8 * space.sizes["channels"] * side**2  # of eight layers at most
    return BYTES * (COPIES * weights + batch * outputs)


@lru_cache(maxsize=8)
def shapes(space: Space, classes: int, channels: int, architecture: Any) -> nn.Module:
    """A network without its numbers, which takes no memory; see `check_fits` for `architecture`."""
    with torch.device("meta"):
        if isinstance(architecture, Architecture):
            return space.network(architecture, classes, channels)
        return space.supernet(classes, channels)


@torch.no_grad()
def outputs(network: nn.Module, space: Space, data: Data, architecture: Any) -> int:
    """How many numbers the layers of such a network give for one picture."""
    given = [0]

    def count(module: nn.Module, inputs: tuple, output: Any) -> None:
        given[0] += output.numel() if isinstance(output, torch.Tensor) and output is not inputs[0] else 0

    tables = {name: torch.empty(shape, device="meta") for name, shape in space.alpha_shapes.items()}
    choice = () if isinstance(architecture, Architecture) else (space.assign(tables),)
    hooks = [module.register_forward_hook(count) for module in network.modules() if not any(module.children())]
    network.eval()(torch.empty(1, data.channels, data.side, data.side, device="meta"), *choice)
    for hook in hooks:
        hook.remove()
    return given[0]


def memory_of(device: torch.device) -> int | None:
    """Bytes of memory that a device has; None where it does not tell."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    limits = []
    with suppress(ValueError, OSError, AttributeError):  # not on every system
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(ValueError, OSError):  # "max" is no number
        limits.append(int(CONTAINER.read_text()))
    return min(limits, default=None)
