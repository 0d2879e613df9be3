"""Shared weights: train a single-path supernet on sampled architectures, and rank architectures with it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from nas_tutorial.data import Data
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.training.descent import Descent
from nas_tutorial.training.fitting import Meter, batches, right, train_epoch
from nas_tutorial.training.norms import batch_statistics

Sampler = Callable[[], Architecture]


def train_paths(
    supernet: nn.Module,
    sampler: Sampler,
    data: Data,
    descent: Descent,
    generator: torch.Generator,
    workers: int = 0,
    paths: int = 1,
) -> Meter:
    """One epoch over `data.train`: every batch trains the weights of one freshly sampled architecture.

    The gradient of the expected loss is estimated by that of M sampled architectures, M = 1  (ENAS, eq. 1).
    paths: how many are sampled for each batch; their gradients are added up before the one step  (FairNAS, alg. 1).
    ENAS would divide the sum by M: divide the learning rate. All M are in memory at once. The meter counts the added
    losses, and the accuracy of the last path.
    """

    def loss_on(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = [supernet(images, sampler()) for _ in range(paths)]  # M × (B, classes)
        return sum(nn.functional.cross_entropy(each, labels) for each in logits), logits[-1]

    return train_epoch(supernet, data.train, data, descent, generator, loss_on, workers)


def fair_sampler(space: Space, generator: torch.Generator) -> Sampler:
    """Draw paths in rounds, in which every option of every decision occurs exactly once  (FairNAS, alg. 1).

    Raises ValueError where decisions have different numbers of options, as in `enas_micro`.
    """
    options = {len(decision.options) for decision in space.decisions}
    if len(options) != 1:
        numbers = ", ".join(map(str, sorted(options)))
        raise ValueError(f"A fair round needs decisions with equally many options, but {space.name} has {numbers}.")
    (options,) = options

    def rounds() -> Iterator[Architecture]:
        while True:
            orders = [torch.randperm(options, generator=generator).tolist() for _ in space.decisions]
            yield from map(space.architecture, zip(*orders, strict=True))  # path i takes the i-th of every order

    return partial(next, rounds())


@torch.no_grad()
def evaluate_path(supernet: nn.Module, images: Tensor, labels: Tensor, architecture: Architecture) -> float:
    """Accuracy of one path through a supernet on one batch, with the batch's own normalisation statistics."""
    with batch_statistics(supernet):
        return float(right(supernet(images, architecture), labels).mean())


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
    return first_best(architectures, shared_accuracies(supernet, architectures, data, pictures))


def first_best(architectures: Sequence[Architecture], accuracies: Sequence[float]) -> tuple[Architecture, float]:
    """The architecture with the largest of these accuracies, and that; among equals the first."""
    best = max(range(len(architectures)), key=accuracies.__getitem__)
    return architectures[best], accuracies[best]
