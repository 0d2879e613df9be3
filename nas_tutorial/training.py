"""Train and judge one network: recipes, one epoch, evaluation, and retraining an architecture from scratch."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts, LRScheduler

from nas_tutorial.data import Data, Split, augment, batches, normalise
from nas_tutorial.edges import set_drop_path
from nas_tutorial.fast import speed_up
from nas_tutorial.spaces import Architecture, one_of

Report = Callable[["Epoch"], None]
LossOn = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Recipe:
    """How the weights of a network are trained: SGD with momentum, cosine schedule, clipped gradients.

    restart: length of the first cosine period in epochs, each further one twice as long; None for a single period.
    cutout: side of the erased square in pixels. drop_path: probability reached at the end (it grows linearly with the
    epoch). auxiliary: weight of the auxiliary head's loss, for networks that have one.
    """

    epochs: int = 5
    batch_size: int = 64
    learning_rate: float = 0.1
    final_rate: float = 0.0
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 3e-4
    clip: float = 5.0
    restart: int | None = None
    cutout: int = 0
    drop_path: float = 0.0
    auxiliary: float = 0.0

    @classmethod
    def of(cls, settings: Any, **changes: Any) -> Recipe:
        """The recipe made of those fields of a strategy's settings that have the name of one here, some changed."""
        own = {f.name: getattr(settings, f.name) for f in fields(cls) if hasattr(settings, f.name)}
        return cls(**{**own, **changes})

    def optimiser(self, weights: Iterator[nn.Parameter]) -> torch.optim.SGD:
        """SGD over these weights."""
        return torch.optim.SGD(
            weights, self.learning_rate, self.momentum, weight_decay=self.weight_decay, nesterov=self.nesterov
        )

    def schedule(self, optimiser: torch.optim.Optimizer) -> LRScheduler:
        """Cosine from `learning_rate` to `final_rate`, stepped once per epoch, with warm restarts where asked for."""
        if self.restart:
            return CosineAnnealingWarmRestarts(optimiser, self.restart, T_mult=2, eta_min=self.final_rate)
        return CosineAnnealingLR(optimiser, self.epochs, eta_min=self.final_rate)


RECIPES: dict[str, Recipe] = {
    "small": Recipe(epochs=3),
    # DARTS, §A.2: 600 epochs at C = 36, L = 20.
    "paper": Recipe(epochs=600, batch_size=96, learning_rate=0.025, cutout=16, drop_path=0.2, auxiliary=0.4),
}


@dataclass(frozen=True)
class Epoch:
    """What one epoch of training gave: mean loss and accuracy (a fraction) over its pictures."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float


class Meter:
    """Mean loss and accuracy over the pictures seen."""

    def __init__(self) -> None:
        self.pictures, self.loss_sum, self.correct = 0, 0.0, 0

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Count a batch: mean loss (), logits (B, classes), labels (B,)."""
        self.pictures += len(labels)
        self.loss_sum += float(loss) * len(labels)
        self.correct += int((logits.argmax(-1) == labels).sum())

    @property
    def loss(self) -> float:
        """Mean loss per picture."""
        return self.loss_sum / max(self.pictures, 1)

    @property
    def accuracy(self) -> float:
        """Fraction of pictures classified right."""
        return self.correct / max(self.pictures, 1)


def best_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for, or a GPU where there is one, or the CPU."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def placed(network: nn.Module, device: str | torch.device | None = None) -> nn.Module:
    """The network on its device, in channels-last order and on the fast path: the same results in less time."""
    return speed_up(network.to(best_device(device), memory_format=torch.channels_last))


@contextmanager
def seeded(seed: int) -> Iterator[torch.Generator]:
    """Seed torch's default generator inside the block, and hand out one more generator for the data.

    Behind the block the default generator is as it was.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield torch.Generator().manual_seed(seed)


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Passes inside the block leave no trace in the running statistics of batch norm."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    tracked = [norm.track_running_stats for norm in norms]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm, before in zip(norms, tracked, strict=True):
            norm.track_running_stats = before


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Batch norm uses the statistics of each batch and learns nothing from it; everything else is as in evaluation."""
    before = network.training
    network.eval()
    for module in network.modules():
        module.training = isinstance(module, nn.modules.batchnorm._BatchNorm)
    try:
        with frozen_statistics(network):
            yield
    finally:
        network.train(before)


def prepared(
    split: Split,
    data: Data,
    size: int,
    *,
    generator: torch.Generator | None = None,
    augmented: bool = False,
    cutout: int = 0,
    device: torch.device | None = None,
    workers: int = 0,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches ready for a network: pictures (B, C, H, W) float32, normalised, and labels (B,).

    With a generator they come in random order and all of one size (a smaller rest is left out); augmented ones are
    cropped, mirrored and cut as `data` and `cutout` say: for weight training only, never for validation.
    """
    size = min(size, len(split))
    for images, labels in batches(split, size, generator=generator, workers=workers, drop_last=generator is not None):
        images = normalise(images.to(device), data).to(memory_format=torch.channels_last)
        yield augment(images, data, generator, cutout) if augmented else images, labels.to(device)


@torch.no_grad()
def evaluate(network: nn.Module, split: Split, data: Data, *choice: Any, batch_size: int = 500) -> float:
    """Accuracy on a split, a fraction, without augmentation; the network's mode is given back.

    choice: what a supernet is to run, an architecture or `space.relax(alphas)`.
    """
    device, training, meter = next(network.parameters()).device, network.training, Meter()
    network.eval()
    for images, labels in prepared(split, data, batch_size, device=device):
        logits = network(images, *choice)
        meter.add(logits.new_zeros(()), logits, labels)
    network.train(training)
    return meter.accuracy


@torch.no_grad()
def evaluate_path(supernet: nn.Module, images: Tensor, labels: Tensor, architecture: Architecture) -> float:
    """Accuracy of one path through a supernet on one batch, with the batch's own normalisation statistics."""
    with batch_statistics(supernet):
        return float((supernet(images, architecture).argmax(-1) == labels).float().mean())


def loss_of(network: nn.Module, images: Tensor, labels: Tensor, auxiliary: float) -> tuple[Tensor, Tensor]:
    """Cross-entropy (plus the weighted one of the auxiliary head) and the logits (B, classes)."""
    if auxiliary and hasattr(network, "auxiliary"):
        logits, side_logits = network.with_auxiliary(images)
        return cross_entropy(logits, labels) + auxiliary * cross_entropy(side_logits, labels), logits
    logits = network(images)
    return cross_entropy(logits, labels), logits


def descend(loss: Tensor, optimiser: torch.optim.Optimizer, clip: float) -> None:
    """One step of the optimiser down the gradient, its norm clipped to `clip`."""
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], clip)
    optimiser.step()


def train_epoch(
    network: nn.Module,
    split: Split,
    data: Data,
    recipe: Recipe,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    loss_on: LossOn,
    workers: int = 0,
) -> Meter:
    """One step of the optimiser per batch of a split; generator: draws the order and the augmentation of the pictures.

    loss_on: (images, labels) → the loss to go down and the logits (B, classes).
    """
    device, meter = next(network.parameters()).device, Meter()
    network.train()
    for images, labels in prepared(
        split,
        data,
        recipe.batch_size,
        generator=generator,
        augmented=True,
        cutout=recipe.cutout,
        device=device,
        workers=workers,
    ):
        loss, logits = loss_on(images, labels)
        descend(loss, optimiser, recipe.clip)
        meter.add(loss.detach(), logits, labels)
    return meter


def fit(
    network: nn.Module, split: Split, data: Data, recipe: Recipe, generator: torch.Generator, workers: int = 0
) -> Iterator[Epoch]:
    """Train the network in place, one epoch per step of the iterator.

    generator: draws the order and the augmentation of the pictures; drop path and dropout use torch's default one.
    """
    optimiser = recipe.optimiser(network.parameters())
    schedule = recipe.schedule(optimiser)

    def loss_on(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return loss_of(network, images, labels, recipe.auxiliary)

    for epoch in range(recipe.epochs):
        set_drop_path(network, recipe.drop_path * epoch / recipe.epochs)
        meter = train_epoch(network, split, data, recipe, optimiser, generator, loss_on, workers)
        schedule.step()
        yield Epoch(epoch + 1, recipe.epochs, meter.loss, meter.accuracy)


@dataclass(frozen=True)
class Scores:
    """Test accuracies (fractions) of one architecture trained from scratch with several seeds."""

    accuracies: tuple[float, ...]
    parameters: int

    @property
    def mean(self) -> float:
        """Mean accuracy."""
        return statistics.fmean(self.accuracies)

    @property
    def std(self) -> float:
        """Standard deviation between seeds (n − 1 in the denominator); 0 for a single seed."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.std:.2f}"


def count_parameters(network: nn.Module) -> int:
    """Number of trained weights, the auxiliary head left out."""
    return sum(p.numel() for name, p in network.named_parameters() if not name.startswith("auxiliary."))


def train_from_scratch(
    architecture: Architecture,
    split: Split,
    data: Data,
    recipe: Recipe,
    seed: int = 0,
    device: str | torch.device | None = None,
    report: Report | None = None,
) -> nn.Module:
    """A new network of this architecture, trained on a split; the seed fixes weights, order and augmentation."""
    with seeded(seed) as generator:
        network = placed(architecture.space.network(architecture, data.classes, data.channels), device)
        for epoch in fit(network, split, data, recipe, generator):
            if report:
                report(epoch)
    return network


def retrain(
    architecture: Architecture,
    data: Data,
    seeds: Sequence[int] = (0, 1, 2),
    profile: str = "small",
    device: str | torch.device | None = None,
    report: Report | None = None,
    **settings: Any,
) -> Scores:
    """Train the architecture from scratch on all training pictures, once per seed, and test each network once.

    profile: a name in `RECIPES`; settings: fields of `Recipe` to change, for example `epochs=20`. Raises ValueError for
    an unknown profile or setting.
    """
    one_of(tuple(RECIPES), profile, "The profile")
    for name in settings:
        one_of([field.name for field in fields(Recipe)], name, "A setting of training")
    recipe, accuracies = replace(RECIPES[profile], **settings), []
    for seed in seeds:
        network = train_from_scratch(architecture, data.full_train, data, recipe, seed, device, report)
        accuracies.append(evaluate(network, data.test, data))
    return Scores(tuple(accuracies), count_parameters(network))
