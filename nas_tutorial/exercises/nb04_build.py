"""The build of notebook 04: train one supernet on single paths, then judge every cell with its weights."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from nas_tutorial.exercises import nb04_build_answers as answers
from nas_tutorial.exercises.frame import Exercise, Mistake, expect
from nas_tutorial.exercises.patterns import pattern, unexplained
from nas_tutorial.exercises.recording import World


def worlds(function: Callable[..., Any], epochs: int = 1, batches: int = 3) -> Iterator[tuple[World, World]]:
    """For two seeds a world in which the function has run, and the same one in which the reference has."""
    for seed in (0, 1):
        yield World(seed, epochs, batches).run(function), World(seed, epochs, batches).run(answers.one_shot)


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
            for sentence, other in answers.MISSTEPS.items():
                if world.is_like(World(seed, **settings).run(other)):
                    raise Mistake(sentence)
        steps, wanted = (each.schedule.last_epoch for each in (world, right))
        expect(steps == wanted, f"`schedule.step()` belongs behind every step: {steps} calls for {wanted} batches")
        raise Mistake("the weights are not those after one step down the cross-entropy of each batch's path")


def test_epochs(function):
    for world, right in worlds(function, epochs=3):
        seen, wanted, train = len(world.training_calls()), len(right.training_calls()), world.train
        expect(seen == wanted or train.run_out <= train.started, answers.SHORT)
        expect(seen == wanted, f"3 epochs of 3 batches are {wanted} steps, but there are {seen}")
        modes = [mode for _, mode in world.training_calls()]
        expect(all(modes), "a later epoch is not in training mode: `supernet.train()` before each of them")
        expect(train.started >= 3, "each epoch repeats the batches of the first: call `train()` anew, in every epoch")
    judge_weights(function, epochs=3, batches=3)


def test_judging(function):
    for seed, (world, right) in enumerate(worlds(function, epochs=2)):
        accuracies = listed(world)
        for sentence, other in answers.MISJUDGED.items():
            if not np.allclose(accuracies, right.found) and np.allclose(accuracies, World(seed, 2, 3).run(other).found):
                raise Mistake(sentence)
        swapped = not np.allclose(accuracies, right.found) and np.allclose(sorted(accuracies), sorted(right.found))
        expect(not swapped, answers.ORDER_OF_CELLS)
        expect(np.allclose(accuracies, right.found), wrongly_judged(world, accuracies, right.found))
        expect(torch.allclose(world.memory(), right.memory()), answers.TRACE)


def wrongly_judged(world: World, accuracies: list[float], wanted: list[float]) -> str:
    """What is said of accuracies that no known mistake explains."""
    at, count = int(np.abs(np.subtract(accuracies, wanted)).argmax()), len(world.held_out[1])
    way = f"that cell answers {round(count * wanted[at])} of {count} held-out pictures rightly, at the trained weights"
    seen = pattern(accuracies, wanted)
    return unexplained(f"for cell number {at}, counted from 0,", accuracies[at], wanted[at], seen, way)


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


EXERCISES = (
    Exercise(
        answers.one_shot,
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
        wrong=answers.WRONG,
        right=(answers.attempt(), answers.one_shot_right_by_steps),
        build=True,
    ),
)
