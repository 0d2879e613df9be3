"""Shared weights: train a single-path supernet on sampled architectures, and rank architectures with it."""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from nas_tutorial.data import Data
from nas_tutorial.spaces import Architecture
from nas_tutorial.training import Meter, Recipe, descend, evaluate_path, prepared

Sampler = Callable[[], Architecture]


def train_paths(
    supernet: nn.Module,
    sampler: Sampler,
    data: Data,
    recipe: Recipe,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    workers: int = 0,
) -> Meter:
    """One epoch over `data.train`: every batch trains the weights of one freshly sampled architecture.

    The gradient of the expected loss is estimated by that of M sampled architectures, M = 1  (ENAS, eq. 1).
    """
    device, meter = next(supernet.parameters()).device, Meter()
    supernet.train()
    for images, labels in prepared(
        data.train,
        data,
        recipe.batch_size,
        generator=generator,
        augmented=True,
        cutout=recipe.cutout,
        device=device,
        workers=workers,
    ):
        logits = supernet(images, sampler())
        loss = nn.functional.cross_entropy(logits, labels)
        descend(loss, optimiser, recipe.clip)
        meter.add(loss.detach(), logits, labels)
    return meter


def shared_accuracies(
    supernet: nn.Module, architectures: Sequence[Architecture], data: Data, pictures: int = 500
) -> list[float]:
    """Accuracy of each architecture at the shared weights on the first `pictures` of validation, in one batch.

    Batch norm uses that batch's statistics: running ones are a mixture over all architectures and rank far worse.
    """
    device = next(supernet.parameters()).device
    images, labels = next(iter(prepared(data.validation, data, pictures, device=device)))
    return [evaluate_path(supernet, images, labels, architecture) for architecture in architectures]


def best_of(
    supernet: nn.Module, architectures: Sequence[Architecture], data: Data, pictures: int = 500
) -> tuple[Architecture, float]:
    """The architecture with the best shared accuracy, and that accuracy; among equals the first  (ENAS, §2.2)."""
    accuracies = shared_accuracies(supernet, architectures, data, pictures)
    best = max(range(len(architectures)), key=accuracies.__getitem__)
    return architectures[best], accuracies[best]
