"""How weights are trained: the settings of stochastic gradient descent, and its learning rate over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts, LRScheduler


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

    def optimiser(self, weights: Iterable[nn.Parameter]) -> torch.optim.SGD:
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
