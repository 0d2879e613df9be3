"""The build of notebook 02: `train_table`, the loop that trains every cell with every seed, judged step by step."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from nas_tutorial.exercises import nb02_build_answers as answers
from nas_tutorial.exercises.frame import Exercise, Mistake, expect
from nas_tutorial.exercises.patterns import listed, pattern, unexplained
from nas_tutorial.exercises.watching import (
    NEW,
    RECIPE,
    STEPS,
    TRAIN,
    VALIDATION,
    Step,
    Training,
    close,
    gradient,
    moves,
    watched,
)


def test_networks(function):
    made = watched(function, ("a", "b"), (3, 8, 5)).trainings
    expect(made, "network: new_network was never called; two loops, and in them new_network(cell)")
    strange = [t.cell for t in made if t.cell not in ("a", "b")]
    expect(not strange, f"cell: new_network takes one of the `cells`, {['a', 'b']} here, but got {strange[:1]}")
    expect(all(t.fresh for t in made), "seed: call torch.manual_seed(seed) right before new_network(cell), every time")
    got, wanted = [(t.cell, t.seed) for t in made], [(cell, seed) for cell in "ab" for seed in (3, 8, 5)]
    outside = sorted({seed for _, seed in got} - {3, 8, 5})
    expect(not outside, f"seed: torch.manual_seed got {outside}; it takes the seeds in `seeds`")
    expect(
        sorted(got) == sorted(wanted),
        f"loops: 2 cells and 3 seeds make 6 networks, each pair once, but it made {len(made)}: {got}",
    )


def test_batches(function):
    training = watched(function).trainings[0]
    shown = training.batches()
    expect(training.shown, "batch: no picture went through the network; call network(images[batch]) in the inner loop")
    mixed = any(min(n) < VALIDATION <= max(n) for n, _ in training.shown)
    expect(not mixed, "validation: training and validation pictures are in one batch; train on `train` alone")
    asleep = [numbers for numbers, training_mode in training.shown if not training_mode and max(numbers) < VALIDATION]
    expect(
        not asleep or len(shown) >= STEPS * RECIPE.epochs,
        "mode: training pictures go through the network after network.eval(); call network.train() before you go on",
    )
    expect(shown, "train: the network only saw validation pictures; show it batches of `train`")
    check_sizes(shown)
    check_order([sum(shown[i : i + STEPS], []) for i in range(0, len(shown), STEPS)], training.seed)


def check_sizes(shown: list[list[int]]) -> None:
    """`Mistake` unless there are as many batches, of as many pictures, as the recipe says."""
    size, count = RECIPE.batch_size, len(TRAIN[0])
    expect(len(shown[0]) > 1 and len(shown[0]) < count, f"size: a batch has {size} pictures, yours {len(shown[0])}")
    sizes = {len(batch) for batch in shown}
    expect(sizes != {size, count % size}, "rest: leave out the smaller batch at the end, see row *batch* of the table")
    expect(sizes == {size}, f"size: a batch has recipe.batch_size = {size} pictures, but some have {sorted(sizes)}")
    expect(
        len(shown) != STEPS,
        f"epochs: the pictures pass by once; the recipe wants {RECIPE.epochs} rounds (recipe.epochs)",
    )
    expect(
        len(shown) == STEPS * RECIPE.epochs,
        f"number: {count} pictures in batches of {size} make {STEPS} steps in each of {RECIPE.epochs} epochs, "
        f"{STEPS * RECIPE.epochs} in all, but {len(shown)} batches were shown",
    )


def check_order(rounds: list[list[int]], seed: int) -> None:
    """`Mistake` unless each epoch shows the pictures in the order that a generator of this seed gives."""
    count = len(TRAIN[0])
    expect(
        all(len(set(numbers)) == len(numbers) for numbers in rounds),
        "twice: a picture comes twice in an epoch; torch.randperm(len(images)) names each one once",
    )
    stored = [list(range(len(numbers))) for numbers in rounds]
    expect(rounds != stored, "shuffle: the pictures come in their stored order; draw one with torch.randperm")
    expect(
        any(numbers != rounds[0] for numbers in rounds),
        "same: every epoch has the same order; call torch.randperm inside the loop over epochs",
    )
    generator = torch.Generator().manual_seed(seed)
    wanted = [torch.randperm(count, generator=generator).tolist()[: len(rounds[0])] for _ in rounds]
    expect(
        rounds == wanted,
        "generator: the order is random, but not that of the table: torch.randperm(len(images), generator=generator), "
        "with one generator per training, torch.Generator().manual_seed(seed)",
    )


def test_steps(function):
    training = watched(function).trainings[0]
    steps, wanted = training.steps, STEPS * RECIPE.epochs
    expect(steps, "step: no step of recipe.optimiser(network.parameters()) was seen, so no weight moves by the recipe")
    expect(
        not any(slope.isnan().any() for slope in steps[0].gradient),
        "backward: at optimiser.step() there is no gradient; call zero_grad(), then loss.backward(), then step()",
    )
    expect(len(steps) == wanted, f"step: one step for each of {wanted} batches, but there were {len(steps)}")
    sums = [torch.zeros_like(slope) for slope in steps[0].gradient]
    for step in steps:
        right = gradient(step, step.shown)
        sums = [a + b for a, b in zip(sums, right, strict=True)]
        if not close(step.gradient, right):
            known = (what for what, wrong in answers.LOSSES.items() if close(step.gradient, wrong(step)))
            expect(step is steps[0] or not close(step.gradient, sums), ZERO_GRAD)
            raise Mistake(next(known, "loss: the gradient is not that of cross_entropy(network(images[batch]), …)"))
    check_moves(steps)


ZERO_GRAD = (
    "zero_grad: the gradients of earlier batches are still in; call optimiser.zero_grad() before loss.backward()"
)
FORGETS = "optimiser: make it once per training, before all epochs; a new one forgets its momentum"


def check_moves(steps: list[Step]) -> None:
    """`Mistake` unless each step starts where one optimiser, with its momentum, has come to."""
    weights = [nn.Parameter(w.clone()) for w in steps[0].weights]
    kept = RECIPE.optimiser(weights)
    for step, following in pairwise(steps):
        moved, alone = moves(kept, weights, step), [nn.Parameter(w.clone()) for w in step.weights]
        if not close(moved, following.weights):
            forgot = close(moves(RECIPE.optimiser(alone), alone, step), following.weights)
            expect(not forgot, FORGETS)
            raise Mistake("weights: between two steps something else than the optimiser moves them")


def test_schedule(function):
    run = watched(function)
    rates, total = [step.rate for step in run.trainings[0].steps], STEPS * RECIPE.epochs
    share = [RECIPE.learning_rate * RECIPE.share(step, total) for step in range(total)]
    still = np.allclose(rates, rates[0])
    expect(not still, "schedule: the learning rate never changes; call schedule.step() after each step")
    if np.allclose(rates, share):
        return
    for what, wrong in answers.mistaken_rates(rates, share).items():
        expect(not np.allclose(rates, wrong), what)
    expect(
        set(run.schedules) <= {STEPS},
        f"steps: recipe.schedule wants the number of steps in an epoch, {STEPS} here, but got {run.schedules[:1]}",
    )
    at = int(np.argmin(np.isclose(rates, share)))
    way = f"the rates begin with {listed(share, most=4)}, and {RECIPE.learning_rate:g} is the largest"
    raise Mistake(unexplained(f"schedule: as the learning rate of step {at}", rates[at], share[at], way=way))


def test_asking(function):
    training = watched(function).trainings[0]
    asked = [(numbers, mode) for numbers, mode in training.shown if max(numbers) >= VALIDATION]
    expect(asked, "validation: no validation picture went through the network; call network(new_images) at the end")
    expect(not any(mode for _, mode in asked), "mode: call network.eval() before you show validation pictures")
    numbers = sorted(number for batch, _ in asked for number in batch)
    everyone = list(range(VALIDATION, VALIDATION + len(NEW[0])))
    expect(
        set(numbers) == set(everyone),
        f"all: the accuracy is that of all {len(everyone)} validation pictures, but {len(set(numbers))} were shown",
    )
    last = [w.detach() for w in training.network.parameters()]
    expect(
        close(training.weights_when_asked, last),
        "early: the weights still change after the validation pictures were shown; train first, then ask",
    )


def test_table(function):
    run = watched(function, ("a", "b", "c", "d"), (3, 8, 5))
    expect(run.table is not None, "return: it returns nothing; collect the accuracies and return them")
    expect(not isinstance(run.table, dict), "shape: it returns a dictionary; an array (cells, seeds) is wanted")
    got = np.array([[float(value) for value in row] for row in run.table]) if np.ndim(run.table) == 2 else run.table
    expect(
        np.ndim(got) == 2, f"shape: a table of shape (cells, seeds) is wanted, yours has {np.ndim(got)} dimension(s)"
    )
    right = wanted_table(run.trainings, NEW)
    expect(
        got.shape != right.shape[::-1], "shape: a row for each cell and a column for each seed; yours is turned around"
    )
    expect(got.shape == right.shape, f"shape: (cells, seeds) is {right.shape} here, yours is {got.shape}")
    if np.allclose(got, right, atol=1e-6):
        return
    for what, wrong in mistaken_tables(right, run.trainings).items():
        expect(not np.allclose(got, wrong, atol=1e-6), what)
    expect(not np.any(got == 0) or np.any(right == 0), "empty: some places of the table were never filled")
    row, column = np.unravel_index(np.abs(got - right).argmax(), right.shape)
    way = f"that network answers {len(NEW[0]) * right[row, column]:.0f} of {len(NEW[0])} pictures rightly"
    where, seen = f"accuracy: in row {row}, column {column}", pattern(got.ravel().tolist(), right.ravel().tolist())
    raise Mistake(unexplained(where, float(got[row, column]), float(right[row, column]), seen, way))


def mistaken_tables(right: np.ndarray, trainings: list[Training]) -> dict[str, np.ndarray]:
    """What a known mistake makes of the right table, under what is said to it."""
    return {
        "per cent: an accuracy is a fraction from 0 to 1": 100 * right,
        "count: divide by the number of validation pictures": len(NEW[0]) * right,
        "error: this is the share of wrong answers": 1 - right,
        "train: these are accuracies on the training pictures": wanted_table(trainings, TRAIN),
        "last: every row shows the last cell; store each accuracy in its own row": np.repeat(right[-1:], 4, 0),
        "mean: each seed has its own column; do not average over them": np.repeat(right.mean(1, keepdims=True), 3, 1),
        "logits: an answer is the class with the largest logit, argmax(1)": wanted_table(trainings, NEW, "argmin"),
    }


@torch.no_grad()
def wanted_table(trainings: list[Training], split: tuple[Tensor, Tensor], choose: str = "argmax") -> np.ndarray:
    """Accuracies of the networks as they are now, in the order of cells and seeds."""
    images, labels = split
    found = {}
    for training in trainings:
        training.network.eval()
        classes = getattr(training.network(images), choose)(1)
        found[training.cell, training.seed] = float((classes == labels).float().mean())
    return np.array([[found[cell, seed] for seed in (3, 8, 5)] for cell in "abcd"])


EXERCISES = (
    Exercise(
        answers.train_table,
        {
            "step 1: a new network for each cell and seed": test_networks,
            "step 2: batches in random order, epoch by epoch": test_batches,
            "step 3: loss, gradient, step": test_steps,
            "step 4: the learning rate follows its schedule": test_schedule,
            "step 5: the trained network answers all validation pictures": test_asking,
            "step 6: the table": test_table,
        },
        title="Write the loop that makes the truth",
        difficulty=3,
        minutes=18,
        hints=(
            "Write step 1, run the cell, read what `check` says, and go on: for cell in cells, for seed in seeds, "
            "torch.manual_seed(seed), network = new_network(cell).",
            "One epoch: order = torch.randperm(len(images), generator=generator), then "
            "for batch in order.split(recipe.batch_size)[:steps], where steps = len(images) // recipe.batch_size.",
            "One batch: loss = cross_entropy(network(images[batch]), labels[batch]); optimiser.zero_grad(); "
            "loss.backward(); optimiser.step(); schedule.step(). Make optimiser and schedule before the epochs.",
            "At the end: network.eval(), then (network(new_images).argmax(1) == new_labels).float().mean(). Keep it in "
            "table[row, column], where table = np.zeros((len(cells), len(seeds))) and enumerate counts both loops.",
        ),
        wrong=answers.WRONG,
        right=(answers.with_lists,),
        build=True,
    ),
)
