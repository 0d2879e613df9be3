"""Train one network and judge it: batches, a step, an epoch, a whole training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nas_tutorial.data import Data, Split, augment, loader, normalise
from nas_tutorial.data.pipeline import sent
from nas_tutorial.networks.edges import set_drop_path
from nas_tutorial.settings import Diverged
from nas_tutorial.training import parallel
from nas_tutorial.training.checkpoints import Resumable
from nas_tutorial.training.descent import Descent
from nas_tutorial.training.recipes import Recipe

LossOn = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Epoch:
    """What one epoch of training gave: mean loss and accuracy (a fraction) over its pictures."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float


class Meter:
    """Mean loss and accuracy over the pictures seen; a GPU is not waited for before they are asked for."""

    def __init__(self) -> None:
        self.pictures: list[int] = []  # of each step
        self.losses: list[Tensor] = []  # () each
        self.correct: list[Tensor] = []  # () each

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Count the batch of a step: mean loss (), logits (B, classes), labels (B,)."""
        self.pictures.append(len(labels))
        self.losses.append(loss.detach())
        self.correct.append(right(logits, labels).sum())

    @property
    def loss(self) -> float:
        """Mean loss per picture."""
        weighted = (loss * n for loss, n in zip(_numbers(self.losses), self.pictures, strict=True))
        return sum(weighted, 0.0) / max(sum(self.pictures), 1)

    @property
    def accuracy(self) -> float:
        """Fraction of pictures classified right."""
        return sum(_numbers(self.correct)) / max(sum(self.pictures), 1)

    def check(self, recipe: Recipe, more: str = "") -> None:
        """Raise Diverged that names the first step whose loss is NaN or infinite; more: advice besides a lower rate."""
        for step, loss in enumerate(_numbers(self.losses), start=1):
            if not math.isfinite(loss):
                advice = f"a learning_rate below {recipe.learning_rate:g}{more}"
                raise Diverged(f"The training loss is {loss} in step {step} of {len(self.losses)}", advice)


def right(logits: Tensor, labels: Tensor) -> Tensor:
    """Which pictures are classified right, 1 or 0 each: logits (B, classes), labels (B,) → (B,) float32."""
    return (logits.argmax(-1) == labels).float()


def _numbers(figures: list[Tensor]) -> list[float]:
    """Figures () from the device, all at once; the means over all processes where there are several."""
    return parallel.average([torch.stack(figures)])[0].tolist() if figures else []


# --- batches ----------------------------------------------------------------------------------------------------------
def batches(
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
    cropped, mirrored and cut as `data` and `cutout` say: for weight training only, never for validation. Of several
    processes that train together, each gets its part of a random batch.
    """
    size = min(size, len(split))
    for images, labels in loader(split, size, generator=generator, workers=workers, drop_last=generator is not None):
        images, labels = ready(images, labels, data, device)
        images = augment(images, data, generator, cutout) if augmented else images
        yield (images, labels) if generator is None else parallel.part(images, labels)


def ready(images: Tensor, labels: Tensor, data: Data, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Stored pictures (B, C, H, W) uint8 as a network reads them: float32, normalised, channels last, on its device."""
    images = normalise(images.to(device), data).to(memory_format=torch.channels_last)
    return images, labels.to(device)


class EndlessBatches(Resumable):
    """Random batches of a split without an end: when all pictures were shown, they come in a new order.

    A smaller rest is left out. What is still to come is part of the state, so that going on changes no batch.
    """

    kept = ("order",)

    def __init__(self, split: Split, data: Data, size: int, generator: torch.Generator, device: torch.device):
        self.split, self.data, self.size = split, data, min(size, len(split))
        self.generator, self.device = generator, device
        self.order = torch.empty(0, dtype=torch.int64)  # numbers of the pictures still to come in this round

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        """Pictures (B, C, H, W) and labels (B,), without augmentation."""
        if len(self.order) < self.size:
            self.order = torch.randperm(len(self.split), generator=self.generator)
        now, self.order = self.order[: self.size], self.order[self.size :]
        now = sent(now, self.split.labels.device)
        return ready(self.split.images[now], self.split.labels[now], self.data, self.device)


# --- accuracy ---------------------------------------------------------------------------------------------------------
@torch.no_grad()
def evaluate(network: nn.Module, split: Split, data: Data, *choice: Any, batch_size: int = 500) -> float:
    """Accuracy on a split, a fraction, without augmentation; the network's mode is given back.

    choice: what a supernet is to run, an architecture or `space.relax(alphas)`.
    """
    device, training, meter = next(network.parameters()).device, network.training, Meter()
    network.eval()
    for images, labels in batches(split, data, batch_size, device=device):
        logits = network(images, *choice)
        meter.add(logits.new_zeros(()), logits, labels)
    network.train(training)
    return meter.accuracy


# --- training ---------------------------------------------------------------------------------------------------------
def loss_of(network: nn.Module, images: Tensor, labels: Tensor, auxiliary: float) -> tuple[Tensor, Tensor]:
    """Cross-entropy (plus the weighted one of the auxiliary head) and the logits (B, classes)."""
    if auxiliary and hasattr(network, "auxiliary"):
        logits, side_logits = network.with_auxiliary(images)
        return cross_entropy(logits, labels) + auxiliary * cross_entropy(side_logits, labels), logits
    logits = network(images)
    return cross_entropy(logits, labels), logits


def train_epoch(
    network: nn.Module,
    split: Split,
    data: Data,
    descent: Descent,
    generator: torch.Generator,
    loss_on: LossOn,
    workers: int = 0,
) -> Meter:
    """One step per batch of a split; generator: draws the order and the augmentation of the pictures.

    loss_on: (images, labels) → the loss to go down and the logits (B, classes). Raises Diverged, at the end, where the
    loss of a step was NaN or infinite.
    """
    device, meter, recipe = next(network.parameters()).device, Meter(), descent.recipe
    network.train()
    settings = {"augmented": True, "cutout": recipe.cutout, "device": device, "workers": workers}
    for images, labels in batches(split, data, recipe.batch_size, generator=generator, **settings):
        loss, logits = loss_on(images, labels)
        descent.step(loss)
        meter.add(loss, logits, labels)
    meter.check(recipe)
    descent.after_epoch()
    return meter


class Training(Resumable):
    """A network that is trained in place, one epoch at a time.

    generator: draws the order and the augmentation of the pictures; drop path and dropout use torch's default one.
    """

    kept = ("network", "descent", "generator", "epochs_done")

    def __init__(
        self,
        network: nn.Module,
        split: Split,
        data: Data,
        recipe: Recipe,
        generator: torch.Generator,
        workers: int = 0,
    ):
        self.network, self.split, self.data, self.recipe = network, split, data, recipe
        self.generator, self.workers, self.epochs_done = generator, workers, 0
        self.descent = Descent(network.parameters(), recipe, split)

    @property
    def finished(self) -> bool:
        """Whether all epochs of the recipe are over."""
        return self.epochs_done >= self.recipe.epochs

    def epoch(self) -> Epoch:
        """One pass over the pictures."""
        recipe = self.recipe
        set_drop_path(self.network, recipe.drop_path * self.epochs_done / recipe.epochs)
        rest = self.descent, self.generator, self.loss_on, self.workers
        meter = train_epoch(self.network, self.split, self.data, *rest)
        self.epochs_done += 1
        return Epoch(self.epochs_done, recipe.epochs, meter.loss, meter.accuracy)

    def loss_on(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The loss to go down and the logits (B, classes)."""
        return loss_of(self.network, images, labels, self.recipe.auxiliary)


def fit(
    network: nn.Module, split: Split, data: Data, recipe: Recipe, generator: torch.Generator, workers: int = 0
) -> Iterator[Epoch]:
    """Train the network in place, one epoch per step of the iterator; see `Training`."""
    training = Training(network, split, data, recipe, generator, workers)
    while not training.finished:
        yield training.epoch()
