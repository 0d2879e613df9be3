"""How weights are trained: the settings of stochastic gradient descent, and its learning rate over time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts, LambdaLR, LRScheduler

from nas_tutorial.settings import NonNegative, Positive, Share, check_fields

Epochs = Annotated[int, Field(ge=1, le=100_000)]
Pictures = Annotated[int, Field(ge=1, le=100_000)]
Precision = Literal["float32", "bf16", "fp16", "mixed"]
Architectures = Annotated[int, Field(ge=1, le=100_000)]


@dataclass(frozen=True)
class Recipe:
    """How the weights of a network are trained: SGD with momentum, cosine schedule, clipped gradients.

    per_step: the learning rate changes with every step, else with every epoch, as in the papers. warmup: the fraction
    of all steps over which it first grows linearly; short trainings may get stuck without (see
    `benchmarks/recipes.py`). restart: length of the first cosine period in epochs, each further one twice as long; None
    for a single period. cutout: side of the erased square in pixels. drop_path: probability reached at the end (it
    grows linearly with the epoch). auxiliary: weight of the auxiliary head's loss, for networks that have one.
    precision: "bf16" and "fp16" compute convolutions in 16 bits and keep weights in 32, "mixed" takes what the GPU is
    fast at, and float32 elsewhere. compile: by torch.compile, which takes minutes at first.
    Raises ValueError for a setting out of bounds, a rate that grows, a warm-up by epochs, restarts by steps, or
    Nesterov's step without momentum.
    """

    epochs: Epochs = 5
    batch_size: Pictures = 64
    learning_rate: NonNegative = 0.1
    final_rate: NonNegative = 0.0
    momentum: Share = 0.9
    nesterov: bool = True
    per_step: bool = True
    warmup: Share = 0.2
    weight_decay: NonNegative = 3e-4
    clip: Positive = 5.0
    restart: Epochs | None = None
    cutout: Annotated[int, Field(ge=0, le=1024)] = 0
    drop_path: Share = 0.0
    auxiliary: NonNegative = 0.0
    precision: Precision = "float32"
    compile: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
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

    def optimiser(self, weights: Iterable[nn.Parameter], **how: bool) -> torch.optim.SGD:
        """SGD over these weights; how: arguments of torch that change no result, such as `fused`."""
        settings = {"weight_decay": self.weight_decay, "nesterov": self.nesterov, **how}
        return torch.optim.SGD(weights, self.learning_rate, self.momentum, **settings)

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


def counted(recipe: Recipe) -> dict[str, Any]:
    """Settings that may change a result; those that came later and say what was always done are left out."""
    later = {"precision": "float32", "compile": False}
    values = asdict(recipe).items()
    return {name: value for name, value in values if name != "workers" and later.get(name, ...) != value}


RECIPES: dict[str, Recipe] = {
    "small": Recipe(epochs=3),
    "colab": Recipe(epochs=40, batch_size=96, cutout=16, drop_path=0.1, auxiliary=0.4, precision="mixed"),
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
