"""A small world to train a supernet in, which keeps a record of what is done in it."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from nas_tutorial import spaces
from nas_tutorial.exercises.frame import Mistake, expect
from nas_tutorial.training.randomness import seeded

SPACE = spaces.Tiny(channels=3)


class Recorder(nn.Module):
    """A small supernet that remembers its calls, those without gradient left out.

    calls: (pictures, what was to run, whether it was in training mode).
    """

    def __init__(self, seed: int):
        super().__init__()
        with seeded(seed):
            self.network = SPACE.supernet(4, 3).double()
        self.calls: list[tuple[Tensor, Any, bool]] = []
        self.eval()

    def forward(self, images: Tensor, *path: Any) -> Tensor:
        """images: (B, 3, H, W) → logits (B, 4)."""
        expect(bool(path), "the supernet needs a path beside the pictures: `supernet(images, draw())`")
        expect(not callable(path[0]), "`draw` is a function: call it, `draw()`, and it gives a cell")
        if torch.is_grad_enabled():
            self.calls.append((images, path[0], self.training))
        return self.network(images, path[0])


class Passes:
    """The training pictures: each call is one pass over them. run_out: how often a batch was asked for in vain."""

    def __init__(self, batches: list[tuple[Tensor, Tensor]]):
        self.batches, self.started, self.run_out = batches, 0, 0

    def __call__(self) -> "Pass":
        self.started += 1
        return Pass(self)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        raise Mistake("`train` is a function: call it, `train()`, at the start of every epoch")


class Pass:
    """One pass over the training pictures."""

    def __init__(self, passes: Passes):
        self.passes, self.left = passes, iter(passes.batches)

    def __iter__(self) -> "Pass":
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        for batch in self.left:
            return batch
        self.passes.run_out += 1
        raise StopIteration


class World:
    """What `one_shot` is called with, made from a seed, and what can be seen afterwards."""

    def __init__(self, seed: int, epochs: int, batches: int):
        self.source, self.epochs = torch.Generator().manual_seed(seed), epochs
        self.batches, self.held_out = [self.batch(8) for _ in range(batches)], self.batch(40)
        self.cells, self.drawn = [SPACE.sample(self.source) for _ in range(9)], []
        self.supernet, self.train = Recorder(seed), Passes(self.batches)
        self.optimiser = torch.optim.SGD(self.supernet.parameters(), 0.2, momentum=0.9)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, lambda step: 0.9**step)
        self.start, self.found, self.error = self.weights(), None, None

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Random pictures and labels."""
        images = torch.randn(size, 3, 6, 6, generator=self.source, dtype=torch.float64)
        return images, torch.randint(4, (size,), generator=self.source)

    def draw(self) -> Any:
        """A cell; each is remembered."""
        self.drawn.append(SPACE.sample(self.source))
        return self.drawn[-1]

    def run(self, function: Callable[..., Any]) -> "World":
        """Call a function with all of this; what it gives is kept, and an error behind the last epoch."""
        given = self.supernet, self.draw, self.train, self.epochs, self.optimiser, self.schedule
        try:
            self.found = function(*given, list(self.cells), self.held_out)
        except Exception as error:
            if isinstance(error, Mistake) or self.train.run_out < self.epochs:
                raise
            self.error = error
        return self

    def weights(self) -> Tensor:
        """All weights in a row."""
        return nn.utils.parameters_to_vector(self.supernet.parameters()).detach().clone()

    def is_like(self, other: "World") -> bool:
        """Whether weights and learning rate are the same as in another world."""
        same_rate = self.schedule.last_epoch == other.schedule.last_epoch
        return same_rate and torch.allclose(self.weights(), other.weights(), rtol=1e-7, atol=1e-9)

    def memory(self) -> Tensor:
        """All running statistics in a row."""
        return torch.cat([buffer.flatten().double() for buffer in self.supernet.buffers()])

    def training_calls(self) -> list[tuple[Any, bool]]:
        """What was to run, and whether in training mode, at each call with training pictures."""
        pictures = {id(images) for images, _ in self.batches}
        return [(path, mode) for images, path, mode in self.supernet.calls if id(images) in pictures]
