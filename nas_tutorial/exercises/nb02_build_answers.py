"""Answers to the build of notebook 02: the reference, mistaken losses, loops with a line changed, another right one."""

import inspect
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from nas_tutorial.exercises.watching import RECIPE, STEPS, gradient


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


def mistaken_rates(rates: list[float], share: list[float]) -> dict[str, list[float]]:
    """What a known mistake makes of the right learning rates (`share`), under what is said to it."""
    return {
        "epoch: schedule.step() belongs after every step of the optimiser, not after every epoch": [
            share[step // STEPS] for step in range(len(share))
        ],
        "early: schedule.step() comes after optimiser.step(), not before it": [*share[1:], rates[-1]],
        "again: the schedule starts anew in every epoch; make it once, before the loop over epochs": (
            share[:STEPS] * RECIPE.epochs
        ),
    }


# --- whole loops ------------------------------------------------------------------------------------------------------
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
