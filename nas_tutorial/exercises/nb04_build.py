"""The build of notebook 04: train one supernet on single paths, then judge every cell with its weights."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, nll_loss

from nas_tutorial import spaces
from nas_tutorial.exercises.frame import Exercise, Mistake, expect
from nas_tutorial.training.norms import batch_statistics, evaluation_mode
from nas_tutorial.training.randomness import seeded

SPACE = spaces.Tiny(channels=3)
SHORT = "the pictures run out after the first epoch: call `train()` anew at the start of every epoch"
TRACE = "judging leaves a trace in the running statistics of batch norm: judge inside `batch_statistics(supernet)`"


def one_shot(supernet, draw, train, epochs, optimiser, schedule, cells, held_out):
    """Train a supernet in place on one drawn path per batch; return the accuracy of each cell at its weights."""
    supernet.train()
    for _ in range(epochs):
        for images, labels in train():
            loss = cross_entropy(supernet(images, draw()), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    images, labels = held_out
    with torch.no_grad(), batch_statistics(supernet):
        return [float((supernet(images, cell).argmax(-1) == labels).float().mean()) for cell in cells]


# --- a small world, which keeps a record of what is done in it --------------------------------------------------------
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


def worlds(function: Callable[..., Any], epochs: int = 1, batches: int = 3) -> Iterator[tuple[World, World]]:
    """For two seeds a world in which the function has run, and the same one in which the reference has."""
    for seed in (0, 1):
        yield World(seed, epochs, batches).run(function), World(seed, epochs, batches).run(one_shot)


# --- the steps --------------------------------------------------------------------------------------------------------
def test_path(function):
    for world, _ in worlds(function):
        paths, drawn, batches = [path for path, _ in world.training_calls()], world.drawn, len(world.batches)
        expect(paths, "the supernet never sees a training batch: loop over `train()`, and call `supernet(images, …)`")
        expect(len(paths) <= batches, f"the supernet runs {len(paths)} times on {batches} batches: one path for each")
        expect(drawn, "`draw()` is never called: it says which path a batch trains")
        expect(len(drawn) > 1 or len(paths) == 1, "one path is drawn and kept: call `draw()` anew for every batch")
        expect(len(drawn) == len(paths), f"`draw()` is called {len(drawn)} times for {len(paths)} runs of the supernet")
        expect(paths == drawn, "another cell runs than the one drawn: give the supernet what `draw()` returns")


def test_step(function):
    for world, _ in worlds(function, batches=1):
        still = torch.equal(world.weights(), world.start)
        expect(not still, "after a batch no weight has moved: `loss.backward()`, and behind it `optimiser.step()`")
        modes = [mode for _, mode in world.training_calls()]
        expect(all(modes), "batch norm is not in training mode: `supernet.train()` before the first epoch")
    judge_weights(function, epochs=1, batches=1)
    judge_weights(function, epochs=1, batches=4)


def judge_weights(function: Callable[..., Any], **settings: int) -> None:
    """Raise Mistake unless weights and learning rate are right; a known misstep that leads to the same is named."""
    for seed, (world, right) in enumerate(worlds(function, **settings)):
        if world.is_like(right):
            continue
        with warnings.catch_warnings(action="ignore"):  # torch notices one of the missteps
            for sentence, other in MISSTEPS.items():
                if world.is_like(World(seed, **settings).run(other)):
                    raise Mistake(sentence)
        steps, wanted = (each.schedule.last_epoch for each in (world, right))
        expect(steps == wanted, f"`schedule.step()` belongs behind every step: {steps} calls for {wanted} batches")
        raise Mistake("the weights are not those after one step down the cross-entropy of each batch's path")


def test_epochs(function):
    for world, right in worlds(function, epochs=3):
        seen, wanted, train = len(world.training_calls()), len(right.training_calls()), world.train
        expect(seen == wanted or train.run_out <= train.started, SHORT)
        expect(seen == wanted, f"3 epochs of 3 batches are {wanted} steps, but there are {seen}")
        modes = [mode for _, mode in world.training_calls()]
        expect(all(modes), "a later epoch is not in training mode: `supernet.train()` before each of them")
        expect(train.started >= 3, "each epoch repeats the batches of the first: call `train()` anew, in every epoch")
    judge_weights(function, epochs=3, batches=3)


def test_judging(function):
    for seed, (world, right) in enumerate(worlds(function, epochs=2)):
        accuracies = listed(world)
        for sentence, other in MISJUDGED.items():
            if not np.allclose(accuracies, right.found) and np.allclose(accuracies, World(seed, 2, 3).run(other).found):
                raise Mistake(sentence)
        first, wanted = accuracies[0], right.found[0]
        expect(
            np.allclose(accuracies, right.found), f"for the first cell it gives {first:.4g}, but {wanted:.4g} is right"
        )
        expect(torch.allclose(world.memory(), right.memory()), TRACE)


def listed(world: World) -> list[float]:
    """What a function gave, as one number for each cell; Mistake where it is something else."""
    found = world.found
    if world.error:
        raise world.error
    expect(found is not None, "it trains, but returns nothing: judge the cells and `return` their accuracies")
    expect(not isinstance(found, dict), "it returns a dictionary: a list in the order of `cells` is asked for")
    expect(hasattr(found, "__len__"), "it returns one thing: every cell has an accuracy of its own")
    expect(len(found) == len(world.cells), f"it returns {len(found)} accuracies for {len(world.cells)} cells")
    return [float(accuracy) for accuracy in found]


# --- known answers ----------------------------------------------------------------------------------------------------
ORDER = ("zero", "backward", "step", "rate")


def judge_all(supernet, cells, held_out, mode=batch_statistics, count=torch.Tensor.mean):
    """The accuracy of each cell, in a mode of the network."""
    images, labels = held_out
    with torch.no_grad(), mode(supernet):
        return [float(count((supernet(images, cell).argmax(-1) == labels).float())) for cell in cells]


def attempt(judging=judge_all, loss_of=cross_entropy, mode=True, order=ORDER, fresh=True, paths="batch", rate="step"):
    """An answer in which something is done in another way; as it stands, a right one."""

    def other(supernet, draw, train, epochs, optimiser, schedule, cells, held_out):
        supernet.train(mode)
        same_pass, same_path = None if fresh else train(), draw() if paths == "once" else None
        for _ in range(epochs):
            for images, labels in train() if fresh else same_pass:
                for path in cells if paths == "all" else [same_path or draw()]:
                    loss = loss_of(supernet(images, path), labels)
                    do = {"zero": optimiser.zero_grad, "backward": loss.backward}
                    for name in order:
                        (do | {"step": optimiser.step, "rate": schedule.step})[name]()
            if rate == "epoch":
                schedule.step()
        return judging(supernet, cells, held_out)

    return other


def in_training_mode(supernet):
    """As it is behind the training: batch norm uses the batch, and writes it down."""
    return nullcontext(supernet.train())


def functions_not_called(supernet, draw, train, epochs, optimiser, schedule, cells, held_out):
    """Without the parentheses of `train()`."""
    for images, _ in train:
        supernet(images, draw())


def draw_not_called(supernet, draw, train, epochs, optimiser, schedule, cells, held_out):
    """Without the parentheses of `draw()`."""
    for images, _ in train():
        supernet(images, draw)


def judged_on_training(supernet, draw, train, epochs, optimiser, schedule, cells, held_out):
    """The last training batch in place of the held-out one."""
    return attempt()(supernet, draw, train, epochs, optimiser, schedule, cells, list(train())[-1])


def returned_in_the_loop(supernet, draw, train, epochs, optimiser, schedule, cells, held_out):
    """The `return` stands one level too deep."""
    return attempt()(supernet, draw, train, 1, optimiser, schedule, cells, held_out)


def one_list_of_batches(supernet, draw, train, epochs, optimiser, schedule, cells, held_out):
    """Kept once, used in every epoch."""
    kept = list(train())
    return attempt()(supernet, draw, lambda: kept, epochs, optimiser, schedule, cells, held_out)


def softmax_loss(logits, labels):
    """Softmax twice."""
    return cross_entropy(logits.softmax(-1), labels)


MISSTEPS = {
    "the gradients of earlier batches are still there: `optimiser.zero_grad()` before `loss.backward()`": attempt(
        order=ORDER[1:]
    ),
    "softmax comes twice: `cross_entropy` takes the logits as they are": attempt(loss_of=softmax_loss),
    "the losses of a batch are added up: take their mean, as `cross_entropy` does by itself": attempt(
        loss_of=partial(cross_entropy, reduction="sum")
    ),
    "`schedule.step()` comes before `optimiser.step()`: the learning rate changes behind the step": attempt(
        order=("zero", "backward", "rate", "step")
    ),
    "`schedule.step()` belongs behind every step, not behind every epoch": attempt(order=ORDER[:3], rate="epoch"),
}
MISJUDGED = {
    "that is the accuracy with running statistics, which are a mixture of all cells: `batch_statistics(supernet)`": (
        attempt(partial(judge_all, mode=evaluation_mode))
    ),
    "that counts the hits: an accuracy is their share": attempt(partial(judge_all, count=torch.Tensor.sum)),
    "that is the accuracy on training pictures: judge on `held_out`": judged_on_training,
}
WRONG = {
    "`train` is a function: call it": functions_not_called,
    "`draw` is a function: call it": draw_not_called,
    "27 times on 3 batches: one path for each": attempt(paths="all"),
    "one path is drawn and kept": attempt(paths="once"),
    "no weight has moved": attempt(order=("zero", "step", "backward", "rate")),
    "batch norm is not in training mode": attempt(mode=False),
    "`schedule.step()` belongs behind every step: 0 calls": attempt(order=ORDER[:3]),
    **MISSTEPS,
    SHORT: attempt(fresh=False),
    "3 epochs of 3 batches are 9 steps, but there are 3": returned_in_the_loop,
    "each epoch repeats the batches of the first": one_list_of_batches,
    "it trains, but returns nothing": attempt(lambda *_: None),
    **MISJUDGED,
    TRACE: attempt(partial(judge_all, mode=in_training_mode)),
}


def one_shot_right_by_steps(supernet, draw, train, epochs, optimiser, schedule, cells, held_out):
    """Another style: longer, gradients cleared behind the step, a tensor of accuracies."""
    supernet.train()
    batches_left = [batch for _ in range(epochs) for batch in train()]
    while batches_left:
        images, labels = batches_left.pop(0)
        path = draw()
        nll_loss(supernet(images, path).log_softmax(1), labels).backward()
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
    accuracies = torch.zeros(len(cells))
    with batch_statistics(supernet):
        for i, cell in enumerate(cells):
            guesses = supernet(held_out[0], cell).max(dim=1).indices
            accuracies[i] = (guesses == held_out[1]).sum() / len(guesses)
    return accuracies


EXERCISES = (
    Exercise(
        one_shot,
        {
            "one path for every batch": test_path,
            "one step down its loss": test_step,
            "every batch of every epoch": test_epochs,
            "every cell judged at the shared weights": test_judging,
        },
        title="One shot",
        difficulty=3,
        minutes=18,
        hints=(
            "Two loops: `for _ in range(epochs):`, and in it `for images, labels in train():`. The third line is "
            "`logits = supernet(images, draw())`.",
            "A step is five calls: `cross_entropy(logits, labels)`, `optimiser.zero_grad()`, `loss.backward()`, "
            "`optimiser.step()`, `schedule.step()`. In front of all loops: `supernet.train()`.",
            "Judge behind the loops, in `with torch.no_grad(), batch_statistics(supernet):`. A cell's guesses are "
            "`supernet(images, cell).argmax(-1)`; its accuracy is the mean of `guesses == labels`, as floats.",
        ),
        wrong=WRONG,
        right=(attempt(), one_shot_right_by_steps),
        build=True,
    ),
)
