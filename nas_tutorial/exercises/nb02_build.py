"""The build of notebook 02: `train_table`, the loop that trains every cell with every seed, judged step by step."""

import inspect
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from nas_tutorial.exercises.frame import Exercise, Mistake, expect
from nas_tutorial.exercises.watching import NEW, RECIPE, STEPS, TRAIN, VALIDATION, Spy, Step, Training, watched


# --- the reference ----------------------------------------------------------------------------------------------------
def train_table(cells, seeds, new_network, train, validation, recipe):
    """Validation accuracies of all cells, each trained from scratch once per seed: an array (cells, seeds)."""
    (images, labels), (new_images, new_labels) = train, validation
    table = np.zeros((len(cells), len(seeds)))
    for row, cell in enumerate(cells):
        for column, seed in enumerate(seeds):
            torch.manual_seed(seed)  # decides the first weights
            network = new_network(cell)
            generator = torch.Generator().manual_seed(seed)  # decides the order of the pictures
            steps = len(images) // recipe.batch_size
            optimiser = recipe.optimiser(network.parameters())
            schedule = recipe.schedule(optimiser, steps)
            for _ in range(recipe.epochs):
                order = torch.randperm(len(images), generator=generator)
                for batch in order.split(recipe.batch_size)[:steps]:
                    loss = cross_entropy(network(images[batch]), labels[batch])
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step()
                    schedule.step()
            network.eval()
            with torch.no_grad():
                answers = network(new_images).argmax(1)
            table[row, column] = (answers == new_labels).float().mean()
    return table


# --- the tests, step by step ------------------------------------------------------------------------------------------
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
    shown, size, count = training.batches(), RECIPE.batch_size, len(TRAIN[0])
    expect(training.shown, "batch: no picture went through the network; call network(images[batch]) in the inner loop")
    mixed = any(min(n) < VALIDATION <= max(n) for n, _ in training.shown)
    expect(not mixed, "validation: training and validation pictures are in one batch; train on `train` alone")
    asleep = [numbers for numbers, training_mode in training.shown if not training_mode and max(numbers) < VALIDATION]
    expect(
        not asleep or len(shown) >= STEPS * RECIPE.epochs,
        "mode: training pictures go through the network after network.eval(); call network.train() before you go on",
    )
    expect(shown, "train: the network only saw validation pictures; show it batches of `train`")
    expect(len(shown[0]) > 1 and len(shown[0]) < count, f"size: a batch has {size} pictures, yours {len(shown[0])}")
    sizes = {len(batch) for batch in shown}
    expect(
        sizes != {size, count % size}, "rest: leave out the smaller batch at the end, as the recipe of the table does"
    )
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
    check_order([sum(shown[i : i + STEPS], []) for i in range(0, len(shown), STEPS)], training.seed)


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
            known = (what for what, wrong in LOSSES.items() if close(step.gradient, wrong(step)))
            expect(step is steps[0] or not close(step.gradient, sums), ZERO_GRAD)
            raise Mistake(next(known, "loss: the gradient is not that of cross_entropy(network(images[batch]), …)"))
    check_moves(steps)


ZERO_GRAD = (
    "zero_grad: the gradients of earlier batches are still in; call optimiser.zero_grad() before loss.backward()"
)


def check_moves(steps: list[Step]) -> None:
    """`Mistake` unless each step starts where one optimiser, with its momentum, has come to."""
    weights = [nn.Parameter(w.clone()) for w in steps[0].weights]
    kept = RECIPE.optimiser(weights)
    for step, following in pairwise(steps):
        moved, alone = moves(kept, weights, step), [nn.Parameter(w.clone()) for w in step.weights]
        if not close(moved, following.weights):
            forgot = close(moves(RECIPE.optimiser(alone), alone, step), following.weights)
            expect(
                not forgot, "optimiser: make it once per training, before all epochs; a new one forgets its momentum"
            )
            raise Mistake("weights: between two steps something else than the optimiser moves them")


def moves(optimiser: torch.optim.Optimizer, weights: list[nn.Parameter], step: Step) -> list[Tensor]:
    """Where an optimiser of these weights takes those of a step."""
    optimiser.param_groups[0]["lr"] = step.rate
    for weight, value, slope in zip(weights, step.weights, step.gradient, strict=True):
        weight.data, weight.grad = value.clone(), slope.clone()
    optimiser.step()
    return [weight.detach().clone() for weight in weights]


def gradient(step: Step, numbers: list[int], loss: Callable = cross_entropy, labels: list[int] | None = None) -> list:
    """Gradient of a loss at a step's weights, on these pictures, with their labels or those of others."""
    images, classes = TRAIN
    network = Spy(Training(None, 0, True))
    with torch.no_grad():
        for weight, value in zip(network.parameters(), step.weights, strict=True):
            weight.copy_(value)
    value = loss(network(images[numbers]), classes[numbers if labels is None else labels])
    return list(torch.autograd.grad(value, list(network.parameters())))


def close(some: list[Tensor], others: list[Tensor]) -> bool:
    """Whether two lists of tensors are the same up to rounding."""
    return all(torch.allclose(a, b, rtol=1e-3, atol=1e-5) for a, b in zip(some, others, strict=True))


def one_hot(logits: Tensor, labels: Tensor) -> Tensor:
    """Labels as rows with a single 1."""
    return nn.functional.one_hot(labels, logits.shape[1]).float()


FIRST = list(range(RECIPE.batch_size))
LOSSES = {
    "labels: the pictures are shuffled, but their labels are not; take labels[batch]": lambda step: gradient(
        step, step.shown, labels=FIRST
    ),
    "softmax: cross_entropy takes the logits as they are; it does the softmax by itself": lambda step: gradient(
        step, step.shown, lambda logits, labels: cross_entropy(logits.softmax(1), labels)
    ),
    "sum: the loss is the mean over the batch, not the sum": lambda step: gradient(
        step, step.shown, lambda logits, labels: cross_entropy(logits, labels, reduction="sum")
    ),
    "square: the loss of a classifier is cross_entropy, not the squared error": lambda step: gradient(
        step, step.shown, lambda logits, labels: mse_loss(logits, one_hot(logits, labels))
    ),
    "sign: it climbs; the loss is to go down": lambda step: gradient(
        step, step.shown, lambda logits, labels: -cross_entropy(logits, labels)
    ),
}


def test_schedule(function):
    run = watched(function)
    rates, total = [step.rate for step in run.trainings[0].steps], STEPS * RECIPE.epochs
    share = [RECIPE.learning_rate * RECIPE.share(step, total) for step in range(total)]
    expect(
        not np.allclose(rates, rates[0]),
        "schedule: the learning rate never changes; call schedule.step() after each step",
    )
    if np.allclose(rates, share):
        return
    other = {
        "epoch: schedule.step() belongs after every step of the optimiser, not after every epoch": [
            share[step // STEPS] for step in range(total)
        ],
        "early: schedule.step() comes after optimiser.step(), not before it": [*share[1:], rates[-1]],
        "again: the schedule starts anew in every epoch; make it once, before the loop over epochs": share[:STEPS]
        * RECIPE.epochs,
    }
    for what, wrong in other.items():
        expect(not np.allclose(rates, wrong), what)
    expect(
        set(run.schedules) <= {STEPS},
        f"steps: recipe.schedule wants the number of steps in an epoch, {STEPS} here, but got {run.schedules[:1]}",
    )
    start, right = (np.round(values[:6], 4).tolist() for values in (rates, share))
    raise Mistake(f"schedule: the learning rates begin with {start}, but {right} is right")


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
    known = {
        "per cent: an accuracy is a fraction from 0 to 1": 100 * right,
        "count: divide by the number of validation pictures": len(NEW[0]) * right,
        "error: this is the share of wrong answers": 1 - right,
        "train: these are accuracies on the training pictures": wanted_table(run.trainings, TRAIN),
        "last: every row shows the last cell; store each accuracy in its own row": np.repeat(right[-1:], 4, 0),
        "mean: each seed has its own column; do not average over them": np.repeat(right.mean(1, keepdims=True), 3, 1),
        "logits: an answer is the class with the largest logit, argmax(1)": wanted_table(run.trainings, NEW, "argmin"),
    }
    for what, wrong in known.items():
        expect(not np.allclose(got, wrong, atol=1e-6), what)
    expect(not np.any(got == 0) or np.any(right == 0), "empty: some places of the table were never filled")
    row, wanted = (np.round(values[0], 3).tolist() for values in (got, right))
    raise Mistake(f"accuracy: the first row is {row}, but {wanted} are the shares of right answers")


@torch.no_grad()
def wanted_table(trainings: list[Training], split: tuple[Tensor, Tensor], choose: str = "argmax") -> np.ndarray:
    """Accuracies of the networks as they are now, in the order of cells and seeds."""
    images, labels = split
    found = {}
    for training in trainings:
        training.network.eval()
        answers = getattr(training.network(images), choose)(1)
        found[training.cell, training.seed] = float((answers == labels).float().mean())
    return np.array([[found[cell, seed] for seed in (3, 8, 5)] for cell in "abcd"])


# --- the list ---------------------------------------------------------------------------------------------------------
def variant(*changes: tuple[str, str]) -> Callable:
    """The reference with some of its lines changed."""
    text = inspect.getsource(train_table)
    for old, new in changes:
        if old not in text:
            raise ValueError(f"{old!r} is not in the reference.")
        text = text.replace(old, new)
    names = dict(globals())
    exec(text, names)
    return names["train_table"]


SEED = "            torch.manual_seed(seed)  # decides the first weights\n"
EPOCHS = "            for _ in range(recipe.epochs):\n"
OPTIMISER = "            optimiser = recipe.optimiser(network.parameters())\n"
SCHEDULE = "            schedule = recipe.schedule(optimiser, steps)\n"
ORDER = "                order = torch.randperm(len(images), generator=generator)\n"
STEP, RATE = "optimiser.step()\n", "                    schedule.step()\n"
ZERO = "                    optimiser.zero_grad()\n"
LOSS = "cross_entropy(network(images[batch]), labels[batch])"


def only_networks(cells, seeds, new_network, train, validation, recipe):
    for cell in cells:
        for seed in seeds:
            torch.manual_seed(seed)
            new_network(cell)


def with_lists(cells, seeds, new_network, train, validation, recipe):
    def accuracy(cell, seed):
        torch.manual_seed(seed)
        network, generator = new_network(cell), torch.Generator()
        generator.manual_seed(seed)
        size, total = recipe.batch_size, len(train[0]) // recipe.batch_size
        optimiser = recipe.optimiser(network.parameters())
        schedule, loss_of = recipe.schedule(optimiser, total), nn.CrossEntropyLoss()
        for _ in range(recipe.epochs):
            network.train()
            order = torch.randperm(len(train[0]), generator=generator)
            for first in range(0, total * size, size):
                batch = order[first : first + size]
                network.zero_grad()
                loss_of(network(train[0][batch]), train[1][batch]).backward()
                nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
                optimiser.step()
                schedule.step()
            network.eval()
            right = sum(int(network(x[None]).argmax() == y) for x, y in zip(*validation, strict=True))
        return right / len(validation[1])

    return [tuple(accuracy(cell, seed) for seed in seeds) for cell in cells]


WRONG = {
    "no picture went through": only_networks,
    "seed: call torch.manual_seed(seed) right before": variant((SEED, "")),
    "rest: leave out the smaller": variant(("[:steps]", "")),
    "same: every epoch": variant((EPOCHS, ORDER[4:] + EPOCHS), ("    " * 4 + ORDER.lstrip(), "")),
    "generator: the order is random": variant((", generator=generator)", ")")),
    "zero_grad: the gradients": variant((ZERO, "")),
    "backward: at optimiser.step()": variant((ZERO, ""), ("loss.backward()\n", "loss.backward()\n" + ZERO)),
    "labels: the pictures are shuffled": variant(("labels[batch]", "labels[: len(batch)]")),
    "optimiser: make it once": variant((ORDER, ORDER + "    " + OPTIMISER)),
    "epoch: schedule.step() belongs": variant((RATE, RATE[4:])),
    "again: the schedule starts": variant((ORDER, ORDER + "    " + SCHEDULE)),
    "mode: call network.eval()": variant(("            network.eval()\n", "")),
    "return: it returns nothing": variant(("    return table\n", "")),
    "turned around": variant(("return table", "return table.T")),
    "count: divide": variant((".mean()", ".sum()")),
}
RARER = {  # named, too, but not tried in a whole notebook
    "network: new_network was never called": lambda *_: np.zeros((2, 3)),
    "cell: new_network takes one of": variant(("new_network(cell)", "new_network(row)")),
    "epochs: the pictures pass by once": variant(("range(recipe.epochs)", "range(1)")),
    "size: a batch has 4 pictures": variant(("order.split(recipe.batch_size)[:steps]", "[order]")),
    "shuffle: the pictures come": variant(("torch.randperm(len(images), generator=generator)", "torch.arange(22)")),
    "twice: a picture comes twice": variant(
        ("torch.randperm(len(images), generator=generator)", "torch.randint(len(images), (22,), generator=generator)")
    ),
    "mode: training pictures": variant((ORDER, ORDER + "                network.eval()\n")),
    "softmax: cross_entropy": variant((LOSS, "cross_entropy(network(images[batch]).softmax(1), labels[batch])")),
    "sum: the loss is the mean": variant(("labels[batch])", "labels[batch], reduction='sum')")),
    "step: no step of": variant((STEP, "pass\n")),
    "schedule: the learning rate never": variant((RATE, "")),
    "early: schedule.step()": variant((RATE, ""), (STEP, "schedule.step()\n" + "    " * 5 + STEP)),
    "steps: recipe.schedule wants": variant(("(optimiser, steps)", "(optimiser, recipe.epochs * steps)")),
    "validation: no validation picture": variant(("network(new_images).argmax(1)", "new_labels")),
    "all: the accuracy is": variant(("(new_images)", "(new_images[:4])"), ("== new_labels", "== new_labels[:4]")),
    "per cent: an accuracy": variant(("= (answers", "= 100 * (answers")),
    "last: every row": variant(("table[row, column]", "table[:, column]")),
    "dimension(s)": variant(("return table", "return table.mean(1)")),
}

EXERCISES = (
    Exercise(
        train_table,
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
        wrong=WRONG,
        right=(with_lists,),
        build=True,
    ),
)
