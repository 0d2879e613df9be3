"""Watch a training loop: a network that keeps what it is shown, an optimiser that keeps each step.

With these spies a test finds a mistake where it was made, in a loop that is only half written, too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nas_tutorial.exercises.frame import expect
from nas_tutorial.training import Recipe

VALIDATION = 100  # numbers of the validation pictures begin here
RECIPE = Recipe(epochs=4, batch_size=4)


@dataclass
class Step:
    """What an optimiser saw at a step: the pictures before it, the weights, their gradient, the learning rate."""

    shown: list[int]
    weights: list[Tensor]
    gradient: list[Tensor]
    rate: float


@dataclass
class Training:
    """One training as the spies saw it. shown: numbers of the pictures of each call and whether it was for training."""

    cell: Any
    seed: int
    fresh: bool
    network: nn.Module = None
    shown: list[tuple[list[int], bool]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    weights_when_asked: list[Tensor] | None = None

    def batches(self) -> list[list[int]]:
        """The calls with training pictures in training mode, in order."""
        return [numbers for numbers, training in self.shown if training and max(numbers) < VALIDATION]


class Spy(nn.Module):
    """A small network with batch norm that keeps the numbers of the pictures that it is shown."""

    def __init__(self, seen: Training):
        super().__init__()
        self.linear, self.norm, self.head = nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)
        self.seen = [seen]  # in a list: not a part of the network

    def forward(self, images: Tensor) -> Tensor:
        """images: (B, 1, 2, 2) → (B, 3); the first pixel tells the picture's number."""
        seen = self.seen[0]
        expect(
            isinstance(images, Tensor) and images.ndim == 4,
            "pictures: the network reads a batch of pictures, (B, C, H, W), such as images[batch]",
        )
        numbers = [round(float(pixel) * 100) for pixel in images.flatten(1)[:, 0]]
        seen.shown.append((numbers, self.training))
        if max(numbers) >= VALIDATION:
            seen.weights_when_asked = [w.detach().clone() for w in self.parameters()]
        return self.head(self.norm(self.linear(images.flatten(1))).relu())


def pictures(count: int, first: int) -> tuple[Tensor, Tensor]:
    """Random pictures (count, 1, 2, 2), whose first pixel is their number / 100, and labels (count,)."""
    draw = torch.Generator().manual_seed(first)
    images = torch.randn(count, 1, 2, 2, generator=draw)
    images[:, 0, 0, 0] = torch.arange(first, first + count) / 100
    return images, torch.randint(3, (count,), generator=draw)


TRAIN, NEW = pictures(22, 0), pictures(9, VALIDATION)
STEPS = len(TRAIN[0]) // RECIPE.batch_size  # in an epoch; two pictures are left over


def watched(function: Callable, cells=("a",), seeds=(3,)) -> SimpleNamespace:
    """Run a student's function with spies: `trainings`, in order; `table`, what it returned; schedules asked for."""
    seen, asked = [], []

    def new_network(cell: Any) -> nn.Module:
        seen.append(begun(cell))
        return seen[-1].network

    given = [(images.clone(), labels.clone()) for images, labels in (TRAIN, NEW)]
    table = function(list(cells), list(seeds), new_network, *given, watching_recipe(seen, asked))
    expect(
        all(map(torch.equal, sum(given, ()), TRAIN + NEW)),
        "input: it changes the pictures or labels it was given, which the next training still needs",
    )
    return SimpleNamespace(trainings=seen, table=table, schedules=asked)


def begun(cell: Any) -> Training:
    """A training that begins now, with a spy as its new network."""
    seed, state = torch.initial_seed(), torch.get_rng_state()
    training = Training(cell, seed, torch.equal(state, torch.Generator().manual_seed(seed).get_state()))
    torch.rand(ord(str(cell)[0]) % 7)  # so that cells differ
    training.network = Spy(training)
    return training


def watching_recipe(seen: list[Training], asked: list[int]) -> SimpleNamespace:
    """The recipe, whose optimisers note their steps in the last training seen; schedules are noted in `asked`."""

    def optimiser(weights: Any) -> torch.optim.Optimizer:
        made, of = RECIPE.optimiser(weights), seen[-1] if seen else None
        expect(of is not None, "network: make a network with new_network(cell) before its optimiser")
        made.register_step_pre_hook(lambda *_: of.steps.append(noted(of, made)))
        return made

    def schedule(of: torch.optim.Optimizer, steps: int) -> Any:
        asked.append(steps)
        return RECIPE.schedule(of, steps)

    recipe = SimpleNamespace(**{k: getattr(RECIPE, k) for k in RECIPE.__dataclass_fields__})
    recipe.optimiser, recipe.schedule, recipe.share = optimiser, schedule, RECIPE.share
    return recipe


def noted(training: Training, optimiser: torch.optim.Optimizer) -> Step:
    """What is to be kept of a step of the optimiser."""
    weights = list(training.network.parameters())
    none = [torch.full_like(w, torch.nan) for w in weights]
    gradient = [n if w.grad is None else w.grad.clone() for w, n in zip(weights, none, strict=True)]
    last = training.batches()
    return Step(
        last[-1] if last else [], [w.detach().clone() for w in weights], gradient, optimiser.param_groups[0]["lr"]
    )


def gradient(step: Step, numbers: list[int], loss: Callable = cross_entropy, labels: list[int] | None = None) -> list:
    """Gradient of a loss at a step's weights, on these pictures, with their labels or those of others."""
    images, classes = TRAIN
    network = Spy(Training(None, 0, True))
    with torch.no_grad():
        for weight, value in zip(network.parameters(), step.weights, strict=True):
            weight.copy_(value)
    value = loss(network(images[numbers]), classes[numbers if labels is None else labels])
    return list(torch.autograd.grad(value, list(network.parameters())))


def moves(optimiser: torch.optim.Optimizer, weights: list[nn.Parameter], step: Step) -> list[Tensor]:
    """Where an optimiser of these weights takes those of a step."""
    optimiser.param_groups[0]["lr"] = step.rate
    for weight, value, slope in zip(weights, step.weights, step.gradient, strict=True):
        weight.data, weight.grad = value.clone(), slope.clone()
    optimiser.step()
    return [weight.detach().clone() for weight in weights]


def close(some: list[Tensor], others: list[Tensor]) -> bool:
    """Whether two lists of tensors are the same up to rounding."""
    return all(torch.allclose(a, b, rtol=1e-3, atol=1e-5) for a, b in zip(some, others, strict=True))
