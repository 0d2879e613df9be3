"""The descent of a network's weights: a step of the optimiser, and the learning rate over all steps of a training."""

from __future__ import annotations

from collections.abc import Iterable, Sized

import torch
from torch import Tensor, nn
from torch.amp import GradScaler

from nas_tutorial.training import parallel
from nas_tutorial.training.checkpoints import Resumable
from nas_tutorial.training.devices import half
from nas_tutorial.training.recipes import Recipe


class Descent(Resumable):
    """Steps of SGD down a loss, as a recipe says.

    splits: what an epoch passes over, several of them in pairs of batches, a smaller rest left out; where the learning
    rate changes with every step, it depends on how many steps that makes (`steps`, of an epoch).
    """

    kept = ("optimiser", "schedule")

    def __init__(self, weights: Iterable[nn.Parameter], recipe: Recipe, *splits: Sized):
        self.recipe = recipe
        self.steps = min(len(split) // min(recipe.batch_size, len(split)) for split in splits)
        weights = list(weights)
        self.scaler = loss_scaler(recipe, weights[0].device)
        self.optimiser = recipe.optimiser(weights, **fused(self.scaler))
        if self.scaler.is_enabled():
            self.kept = (*self.kept, "scaler")
        self.schedule = recipe.schedule(self.optimiser, self.steps)

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of a loss."""
        optimiser_step(loss, self.optimiser, self.recipe.clip, self.scaler)
        self.after_step()

    def after_step(self) -> None:
        """The learning rate of the next step, where it changes with every step."""
        if self.recipe.per_step:
            self.schedule.step()

    def after_epoch(self) -> None:
        """The learning rate of the next epoch, where it changes with every epoch."""
        if not self.recipe.per_step:
            self.schedule.step()


def optimiser_step(
    loss: Tensor, optimiser: torch.optim.Optimizer, clip: float, scaler: GradScaler | None = None
) -> None:
    """One step of the optimiser down the gradient, averaged over all processes, its norm clipped to `clip`."""
    scaler, weights = scaler or GradScaler("cpu", enabled=False), weights_of(optimiser)
    optimiser.zero_grad()
    scaler.scale(loss).backward()
    parallel.average_gradients(weights)
    scaler.unscale_(optimiser)
    nn.utils.clip_grad_norm_(weights, clip)
    scaler.step(optimiser)
    scaler.update()


def weights_of(optimiser: torch.optim.Optimizer) -> list[nn.Parameter]:
    """All that an optimiser moves."""
    return [weight for group in optimiser.param_groups for weight in group["params"]]


def loss_scaler(recipe: Recipe, device: torch.device) -> GradScaler:
    """Scales losses up, so that small gradients are not lost in fp16; does nothing in other precisions."""
    return GradScaler(device.type, enabled=half(recipe.precision, device) is torch.float16)


def fused(scaler: GradScaler) -> dict[str, bool]:
    """Arguments of an optimiser: a fused one leaves out a step with an infinite gradient without asking the CPU."""
    return {"fused": True} if scaler.is_enabled() and torch.cuda.is_available() else {}
