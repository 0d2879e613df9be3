"""Answers to the build of notebook 04: the reference, loops with one thing done otherwise, another right one."""

from contextlib import nullcontext
from functools import partial

import torch
from torch.nn.functional import cross_entropy, nll_loss

from nas_tutorial.training.norms import batch_statistics, evaluation_mode

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


# --- right but for one thing ------------------------------------------------------------------------------------------
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
ORDER_OF_CELLS = "the accuracies are right, but not in the order of `cells`"
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
    ORDER_OF_CELLS: attempt(lambda *given: sorted(judge_all(*given))),
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
