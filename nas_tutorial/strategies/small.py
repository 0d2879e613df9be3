"""A bilevel problem small enough for the exact gradient: a supernet, 32 pictures to train on, 32 to validate."""

import torch
from torch import nn

from nas_tutorial.data import Data
from nas_tutorial.spaces import Space
from nas_tutorial.strategies.gradients import Batch, Bilevel
from nas_tutorial.training.fitting import batches
from nas_tutorial.training.randomness import seeded

PICTURES = 32


def problem(
    space: Space, data: Data, seed: int, smooth: bool = False, dtype: torch.dtype = torch.float64
) -> tuple[Bilevel, Batch, Batch]:
    """Supernet with its α, a training batch and a validation batch: what each function of `gradients` takes.

    smooth: GELU in place of ReLU, so that finite differences converge.
    """
    with seeded(seed) as generator:
        network = space.supernet(data.classes, data.channels)
        alphas = space.alphas(generator, scale=0.1)
        drawn = [next(batches(pile, data, PICTURES, generator=generator)) for pile in (data.train, data.validation)]
    network = (smoothed(network) if smooth else network).to(dtype)
    alphas = {name: alpha.detach().to(dtype).requires_grad_() for name, alpha in alphas.items()}
    train, validation = ((images.to(dtype), labels) for images, labels in drawn)
    return Bilevel(space, network, alphas), train, validation


def smoothed(module: nn.Module) -> nn.Module:
    """The module itself, with GELU for every ReLU."""
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU):
            setattr(module, name, nn.GELU())
        else:
            smoothed(child)
    return module
