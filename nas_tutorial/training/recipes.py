"""How weights are trained: the settings of stochastic gradient descent, and its learning rate over time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from types import NoneType
from typing import Any, get_args, get_type_hints

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts, LambdaLR, LRScheduler

from nas_tutorial.settings import number, whole_number

FROM_ZERO = ("cutout", "workers", "updates", "alpha_start")  # other whole numbers count from 1
BELOW_ONE = ("momentum", "warmup", "drop_path")
ABOVE_ZERO = ("clip", "r", "temperature")


@dataclass(frozen=True)
class Recipe:
    """How the weights of a network are trained: SGD with momentum, cosine schedule, clipped gradients.

    per_step: the learning rate changes with every step, else with every epoch, as in the papers. warmup: the fraction
    of all steps over which it first grows linearly; short trainings may get stuck without (see
    `benchmarks/recipes.py`). restart: length of the first cosine period in epochs, each further one twice as long; None
    for a single period. cutout: side of the erased square in pixels. drop_path: probability reached at the end (it
    grows linearly with the epoch). auxiliary: weight of the auxiliary head's loss, for networks that have one.
    Raises ValueError for a setting out of bounds, a rate that grows, a warm-up by epochs, restarts by steps, or
    Nesterov's step without momentum.
    """

    epochs: int = 5
    batch_size: int = 64
    learning_rate: float = 0.1
    final_rate: float = 0.0
    momentum: float = 0.9
    nesterov: bool = True
    per_step: bool = True
    warmup: float = 0.2
    weight_decay: float = 3e-4
    clip: float = 5.0
    restart: int | None = None
    cutout: int = 0
    drop_path: float = 0.0
    auxiliary: float = 0.0

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self))
        for name in (field.name for field in fields(self)):
            object.__setattr__(self, name, checked(name, getattr(self, name), get_args(kinds[name]) or (kinds[name],)))
        if self.warmup and not self.per_step:
            raise ValueError(f"warmup is {self.warmup}, but the rate changes by epoch: set warmup=0 or per_step=True.")
        if self.restart and self.per_step:
            raise ValueError(f"restart is {self.restart}, but the rate changes by step: set restart=None.")
        if self.nesterov and not self.momentum:
            raise ValueError("momentum is 0, but nesterov needs momentum above 0: set nesterov=False.")
        if self.final_rate > self.learning_rate:
            raise ValueError(
                f"final_rate is {self.final_rate:g}, above learning_rate, {self.learning_rate:g}: lower it."
            )

    def optimiser(self, weights: Iterable[nn.Parameter]) -> torch.optim.SGD:
        """SGD over these weights."""
        return torch.optim.SGD(
            weights, self.learning_rate, self.momentum, weight_decay=self.weight_decay, nesterov=self.nesterov
        )

    def schedule(self, optimiser: torch.optim.Optimizer, steps: int) -> LRScheduler:
        """Cosine from `learning_rate` to `final_rate`, with warm-up or restarts where asked for.

        steps: in an epoch. Advance it after each of them, or after each epoch, as `per_step` says.
        """
        if self.per_step:
            return LambdaLR(optimiser, lambda step: self.share(step, self.epochs * steps))
        if self.restart:
            return CosineAnnealingWarmRestarts(optimiser, self.restart, T_mult=2, eta_min=self.final_rate)
        return CosineAnnealingLR(optimiser, self.epochs, eta_min=self.final_rate)

    def share(self, step: int, steps: int) -> float:
        """Part of `learning_rate` that a step (0, 1, … of all `steps`) takes: a linear rise, then half a cosine."""
        rise = round(self.warmup * steps)
        if step < rise:
            return (step + 1) / rise
        floor = self.final_rate / self.learning_rate if self.learning_rate else 0.0
        return floor + (1 - floor) * (1 + math.cos(math.pi * (step - rise) / max(steps - rise, 1))) / 2


def checked(name: str, value: Any, kinds: tuple[type, ...]) -> Any:
    """The value of a setting of one of these types; ValueError where it is of none of them, or out of bounds."""
    if value is None and NoneType in kinds:
        return None
    if int in kinds:
        return whole_number(name, value, least=0 if name in FROM_ZERO else 1)
    if float in kinds:
        return number(name, value, below=1 if name in BELOW_ONE else math.inf, zero=name not in ABOVE_ZERO)
    if bool in kinds and not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; give True or False.")
    return value


RECIPES: dict[str, Recipe] = {
    "small": Recipe(epochs=3),
    # DARTS, §A.2: 600 epochs at C = 36, L = 20.
    "paper": Recipe(
        epochs=600,
        batch_size=96,
        learning_rate=0.025,
        nesterov=False,
        per_step=False,
        warmup=0.0,
        cutout=16,
        drop_path=0.2,
        auxiliary=0.4,
    ),
}
