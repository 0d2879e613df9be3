"""Shared weights: train a single-path supernet on sampled architectures, and rank architectures with it."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nas_tutorial.data import Data
from nas_tutorial.spaces import Architecture
from nas_tutorial.training.descent import Descent
from nas_tutorial.training.fitting import Meter, batches, train_epoch
from nas_tutorial.training.norms import batch_statistics

Sampler = Callable[[], Architecture]


def train_paths(
    supernet: nn.Module,
    sampler: Sampler,
    data: Data,
    descent: Descent,
    generator: torch.Generator,
    workers: int = 0,
) -> Meter:
    """One epoch over `data.train`: every batch trains the weights of one freshly sampled architecture.

    The gradient of the expected loss is estimated by that of M sampled architectures, M = 1  (ENAS, eq. 1).
    """

    def loss_on(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = supernet(images, sampler())
        return nn.functional.cross_entropy(logits, labels), logits

    return train_epoch(supernet, data.train, data, descent, generator, loss_on, workers)


@torch.no_grad()
def evaluate_path(supernet: nn.Module, images: Tensor, labels: Tensor, architecture: Architecture) -> float:
    """Accuracy of one path through a supernet on one batch, with the batch's own normalisation statistics."""
    with batch_statistics(supernet):
        return float((supernet(images, architecture).argmax(-1) == labels).float().mean())


def shared_accuracies(
    supernet: nn.Module, architectures: Sequence[Architecture], data: Data, pictures: int = 500
) -> list[float]:
    """Accuracy of each architecture at the shared weights on the first `pictures` of validation, in one batch.

    Batch norm uses that batch's statistics: running ones are a mixture over all architectures and rank far worse.
    """
    device = next(supernet.parameters()).device
    images, labels = next(iter(batches(data.validation, data, pictures, device=device)))
    return [evaluate_path(supernet, images, labels, architecture) for architecture in architectures]


def best_of(
    supernet: nn.Module, architectures: Sequence[Architecture], data: Data, pictures: int = 500
) -> tuple[Architecture, float]:
    """The architecture with the best shared accuracy, and that accuracy; among equals the first  (ENAS, §2.2)."""
    accuracies = shared_accuracies(supernet, architectures, data, pictures)
    best = max(range(len(architectures)), key=accuracies.__getitem__)
    return architectures[best], accuracies[best]
