"""The descent of a network's weights: a step of the optimiser, and the learning rate over all steps of a training."""

from __future__ import annotations

from collections.abc import Iterable, Sized

import torch
from torch import Tensor, nn

from nas_tutorial.training.checkpoints import Resumable
from nas_tutorial.training.recipes import Recipe


class Descent(Resumable):
    """Steps of SGD down a loss, as a recipe says.

    splits: what an epoch passes over, several of them in pairs of batches, a smaller rest left out; where the learning
    rate changes with every step, it depends on how many steps that makes.
    """

    kept = ("optimiser", "schedule")

    def __init__(self, weights: Iterable[nn.Parameter], recipe: Recipe, *splits: Sized):
        self.recipe = recipe
        steps = min(len(split) // min(recipe.batch_size, len(split)) for split in splits)
        self.optimiser = recipe.optimiser(weights)
        self.schedule = recipe.schedule(self.optimiser, steps)

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of a loss."""
        optimiser_step(loss, self.optimiser, self.recipe.clip)
        self.after_step()

    def after_step(self) -> None:
        """The learning rate of the next step, where it changes with every step."""
        if self.recipe.per_step:
            self.schedule.step()

    def after_epoch(self) -> None:
        """The learning rate of the next epoch, where it changes with every epoch."""
        if not self.recipe.per_step:
            self.schedule.step()


def optimiser_step(loss: Tensor, optimiser: torch.optim.Optimizer, clip: float) -> None:
    """One step of the optimiser down the gradient, its norm clipped to `clip`."""
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], clip)
    optimiser.step()
