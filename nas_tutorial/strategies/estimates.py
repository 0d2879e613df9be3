"""What a search will take, before it begins: seconds by two trial steps, memory by a count, or measured on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from nas_tutorial.settings import Diverged, in_units
from nas_tutorial.training.memory import activations, memory_of, weights_of
from nas_tutorial.training.randomness import seeded

if TYPE_CHECKING:
    from nas_tutorial.strategies.searching import Strategy

TRIALS = 2


@dataclass(frozen=True)
class Estimate:
    """Time and memory of what is left of a search.

    seconds: of `epochs` epochs, None where the strategy does not tell what an epoch consists of (`Strategy.work`).
    memory: bytes, at least; most: bytes that the device has, None where it does not tell.
    """

    epochs: int
    seconds: float | None
    memory: int
    most: int | None
    device: torch.device

    def __str__(self) -> str:
        time_needed = "time unknown" if self.seconds is None else in_units(self.seconds)
        there = f" of {self.most / 1e9:.1f} GB" if self.most else ""
        what = f"{self.epochs} epoch{'s' * (self.epochs != 1)}"
        return f"about {time_needed} for {what} on {self.device}, at least {self.memory / 1e9:.1f}{there or ' GB'}"

    def too_long(self, minutes: float | None) -> str:
        """A sentence with the setting that helps, where it will take longer than so many minutes; else nothing."""
        if self.seconds is None or minutes is None or self.seconds <= 60 * minutes:
            return ""
        fitting = int(self.epochs * 60 * minutes / self.seconds)
        advice = f"--epochs {fitting} fits" if fitting else "fewer pictures (--per-class) or channels help"
        return f"This will take about {in_units(self.seconds)}, longer than the {minutes:g} min meant: {advice}."


def estimate(make: Callable[[], Strategy], seed: int, epochs: int) -> Estimate:
    """Estimate `epochs` epochs with a strategy of its own, which is thrown away: the search and random numbers stay.

    Raises ValueError where the trial steps run out of the memory of a GPU.
    """
    with seeded(seed):
        strategy = make()
        device, on_gpu = strategy.device, strategy.device.type == "cuda"
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(device)
        try:
            pieces = [times * seconds_of(piece, device) for times, piece in strategy.work()]
        except torch.cuda.OutOfMemoryError as error:
            raise ValueError(
                f"A step needs more memory than {device} has left: give fewer channels or cells, or smaller batches "
                "(batch_size)."
            ) from error
        except Diverged:  # the search itself says where, and keeps what there is
            pieces = []
    memory = torch.cuda.max_memory_allocated(device) if on_gpu else counted_memory(strategy)
    return Estimate(epochs, epochs * sum(pieces) if pieces else None, memory, memory_of(device), device)


def counted_memory(strategy: Strategy) -> int:
    """Bytes of a supernet's weights, and of what its layers give for a batch: all of them, or those of one path."""
    space, data = strategy.space, strategy.data
    runs = "mixture" if strategy.mixes else space.sample(torch.Generator().manual_seed(0))
    return weights_of(space, data) + activations(space, data, strategy.config, runs)


def seconds_of(piece: Callable[[], object], device: torch.device) -> float:
    """Seconds of a piece of work, the best of two; once before that, as the first is slow."""
    seconds = []
    for _ in range(1 + TRIALS):
        start = time.perf_counter()
        piece()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
