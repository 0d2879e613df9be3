"""Where a network runs, how exactly it computes there, and where the pictures lie."""

import torch
from torch import nn

from nas_tutorial.data import Data, Split
from nas_tutorial.networks.edges import Skeleton
from nas_tutorial.networks.fast import speed_up
from nas_tutorial.settings import shown
from nas_tutorial.training import parallel
from nas_tutorial.training.memory import memory_of
from nas_tutorial.training.recipes import Recipe

AMPERE = (8, 0)  # the first cards that compute with bfloat16 in hardware


def best_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for, or a GPU where there is one, or the CPU; ValueError where there is no such device.

    Of several processes that train together, each has a GPU of its own.
    """
    own = parallel.join(device)
    if device is None and own is not None:
        return own
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=device)
        found = torch.device(device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(_no_device(device)) from error
    if found.type == "meta":  # of torch: holds shapes, but no numbers
        raise ValueError(_no_device(device))
    return found


def _no_device(given: object) -> str:
    return f"The device is {shown(given)}, but this machine has {', '.join(devices())}: give one of these."


def devices() -> list[str]:
    """The devices of this machine by name."""
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]


def to_device(network: nn.Module, device: str | torch.device | None = None, recipe: Recipe | None = None) -> nn.Module:
    """The network on its device, in channels-last order and on the fast path: the same results in less time.

    recipe: whose `precision` and `compile` it is prepared for.
    """
    device = device if isinstance(device, torch.device) else best_device(device)
    network = speed_up(parallel.joint(network.to(device, memory_format=torch.channels_last)))
    if recipe and isinstance(network, Skeleton):
        network.half = half(recipe.precision, device)
    if recipe and recipe.compile:
        network.compile()
    return network


def half(precision: str, device: torch.device) -> torch.dtype | None:
    """The type of 16 bits that a recipe's `precision` means on a device, None for float32."""
    if precision == "mixed":
        if device.type != "cuda":
            return None
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= AMPERE else torch.float16
    return {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def resident(pictures: Data | Split, device: torch.device, workers: int = 0) -> Data | Split:
    """The pictures, as bytes, in the memory of a GPU; where they are if that is the CPU, or if they are large.

    workers: processes that load pictures; these need them in the memory of the CPU.
    """
    splits = (pictures,) if isinstance(pictures, Split) else (pictures.train, pictures.validation)
    there = memory_of(device)
    if device.type == "cpu" or workers or not there or sum(split.images.numel() for split in splits) > there / 4:
        return pictures
    return pictures.to(device)
