"""Answers to the build of notebook 07: the reference, what known mistakes lead to, other answers."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def darts_step(ops, head, alpha, weights, train, validation, alpha_rate, xi):
    """One round of first-order DARTS on an edge: blend the operations, step α, then step the weights."""

    def blend(x, alpha):
        p = alpha.exp() / alpha.exp().sum()  # (O,)
        return sum(p_o * op(x) for p_o, op in zip(p, ops, strict=True))

    def loss(batch, alpha):
        x, labels = batch
        return cross_entropy(head(blend(x, alpha)), labels)

    (slope,) = torch.autograd.grad(loss(validation, alpha), [alpha])
    moved = (alpha - alpha_rate * slope).detach()
    slopes = torch.autograd.grad(loss(train, moved), weights)
    return {
        "p": alpha.softmax(0),
        "blend": blend(validation[0], alpha),
        "alpha": moved,
        "weights": [w - xi * s for w, s in zip(weights, slopes, strict=True)],
    }


# --- a case -----------------------------------------------------------------------------------------------------------
class Case(NamedTuple):
    """What the function is given."""

    ops: Sequence[Callable[[Tensor], Tensor]]
    head: Callable[[Tensor], Tensor]
    alpha: Tensor
    weights: list[Tensor]
    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    alpha_rate: float
    xi: float


Variant = Callable[[Case], Tensor]


# --- steps, of which one part may be wrong ----------------------------------------------------------------------------
def loss_at(given: Case, batch: tuple[Tensor, Tensor], alpha: Tensor) -> Tensor:
    """Cross-entropy of the blend."""
    return cross_entropy(given.head(blended(given, batch[0], alpha.softmax(0))), batch[1])


def blended(given: Case, x: Tensor, p: Tensor) -> Tensor:
    """Σ p · op(x)."""
    return sum(p_o * op(x) for p_o, op in zip(p, given.ops, strict=True))


def stepped(given: Case, batch: str = "validation", rate: float = 1.0, through: bool = True) -> Tensor:
    """α after its step, of which one part may be wrong."""
    alpha = given.alpha.detach().requires_grad_()
    if through:
        (slope,) = torch.autograd.grad(loss_at(given, getattr(given, batch), alpha), [alpha])
    else:  # the slope in p is taken for the slope in α
        p, (x, labels) = alpha.softmax(0).detach().requires_grad_(), getattr(given, batch)
        (slope,) = torch.autograd.grad(cross_entropy(given.head(blended(given, x, p)), labels), [p])
    return (alpha - rate * given.alpha_rate * slope).detach()


def weights_after(given: Case, batch: str = "train", alpha: Tensor | None = None, rate: float = 1.0) -> Tensor:
    """All weights after their step in one vector; one part may be wrong."""
    alpha = stepped(given) if alpha is None else alpha.detach()
    slopes = torch.autograd.grad(loss_at(given, getattr(given, batch), alpha), given.weights)
    moved = [w - rate * given.xi * s for w, s in zip(given.weights, slopes, strict=True)]
    return torch.cat([w.detach().flatten() for w in moved])


P = {
    "p: divide by the sum, so that the shares add up to 1": lambda c: c.alpha.exp(),
    "p: exp first, then the sum; α itself may be negative": lambda c: c.alpha / c.alpha.sum(),
    "p: that is the logarithm of softmax; the blend needs softmax itself": lambda c: c.alpha.log_softmax(0),
    "p: softmax, not sigmoid: the shares of one edge compete for a whole": lambda c: c.alpha.sigmoid(),
    "p: the largest α gets the largest share; yours has the opposite sign": lambda c: (-c.alpha).softmax(0),
    "p: these are the shares at the new α; give those at the α that came in": lambda c: stepped(c).softmax(0),
}
BLEND = {
    "blend: weight each operation by its share p; yours adds them all up": lambda c: blended(
        c, c.validation[0], torch.ones(len(c.ops))
    ),
    "blend: weight each operation by its share p, not all alike": lambda c: blended(
        c, c.validation[0], torch.ones(len(c.ops)) / len(c.ops)
    ),
    "blend: weight by p = softmax(α), not by α itself": lambda c: blended(c, c.validation[0], c.alpha),
    "blend: that is the strongest operation alone; all of them run": lambda c: c.ops[int(c.alpha.argmax())](
        c.validation[0]
    ),
    "blend: give that of the validation pictures, not of the training pictures": lambda c: blended(
        c, c.train[0], c.alpha.softmax(0)
    ),
    "blend: add the weighted outputs up; yours puts them side by side": lambda c: torch.stack(
        [p * op(c.validation[0]) for p, op in zip(c.alpha.softmax(0), c.ops, strict=True)]
    ),
    "blend: that is the head's output already; give what goes into it": lambda c: c.head(
        blended(c, c.validation[0], c.alpha.softmax(0))
    ),
}
ALPHA = {
    "alpha: α goes down the loss on validation pictures; yours goes down the training loss": partial(
        stepped, batch="train"
    ),
    "alpha: sign: yours goes up the validation loss": partial(stepped, rate=-1.0),
    "alpha: the slope must go through softmax; yours is the slope in p": partial(stepped, through=False),
    "alpha: multiply the slope by alpha_rate": lambda c: c.alpha - (c.alpha - stepped(c)) / c.alpha_rate,
    "alpha: that is xi, the rate of the weights; α has alpha_rate": lambda c: (
        c.alpha - (c.alpha - stepped(c)) / c.alpha_rate * c.xi
    ),
    "alpha: that is the slope; take the step, α − alpha_rate · slope": lambda c: (c.alpha - stepped(c)) / c.alpha_rate,
    "alpha: it has not moved": lambda c: c.alpha,
}
WEIGHTS = {
    "weights: they go down the training loss; the validation pictures are for α only": partial(
        weights_after, batch="validation"
    ),
    "weights: α has just moved, and the weights go down the loss at the new α": lambda c: weights_after(
        c, alpha=c.alpha
    ),
    "weights: sign: yours go up the training loss": partial(weights_after, rate=-1.0),
    "weights: multiply the slope by xi": lambda c: weights_after(c, rate=1 / c.xi),
    "weights: that is alpha_rate; the weights have xi": lambda c: weights_after(c, rate=c.alpha_rate / c.xi),
    "weights: they have not moved": partial(weights_after, rate=0.0),
}


# --- known answers ----------------------------------------------------------------------------------------------------
def made(key: str, wrong: Variant) -> Callable[..., dict]:
    """The reference with one part made in another way."""

    def answer(*arguments):
        return darts_step(*arguments) | {key: wrong(Case(*arguments))}

    return answer


def split(vector: Variant) -> Callable[[Case], list[Tensor]]:
    """Weights from the vector of a variant."""

    def weights(given: Case) -> list[Tensor]:
        pieces = vector(given).split([w.numel() for w in given.weights])
        return [piece.view_as(w) for piece, w in zip(pieces, given.weights, strict=True)]

    return weights


def in_place(ops, head, alpha, weights, train, validation, alpha_rate, xi):
    """Writes into α."""
    found = darts_step(ops, head, alpha, weights, train, validation, alpha_rate, xi)
    alpha.data.copy_(found["alpha"])
    return found


def weights_in_place(ops, head, alpha, weights, train, validation, alpha_rate, xi):
    """Writes into the weights."""
    found = darts_step(ops, head, alpha, weights, train, validation, alpha_rate, xi)
    with torch.no_grad():
        for w, new in zip(weights, found["weights"], strict=True):
            w.copy_(new)
    return found


def piled_up(ops, head, alpha, weights, train, validation, alpha_rate, xi):
    """Calls backward, and never clears .grad."""
    found = darts_step(ops, head, alpha, weights, train, validation, alpha_rate, xi)
    given = Case(ops, head, alpha, weights, train, validation, alpha_rate, xi)
    loss_at(given, validation, alpha).backward()
    return found | {"alpha": (alpha - alpha_rate * alpha.grad).detach()}


def with_backward(ops, head, alpha, weights, train, validation, alpha_rate, xi):
    """Another style: backward, on copies; tuples; functions of torch."""
    own = torch.tensor(alpha.tolist(), dtype=alpha.dtype, requires_grad=True)

    def output(x, p):
        return torch.stack([op(x) for op in ops], -1) @ p

    kept = output(validation[0], own.softmax(-1))
    cross_entropy(head(kept), validation[1]).backward(inputs=[own])
    new = own.detach() - alpha_rate * own.grad
    loss = cross_entropy(head(output(train[0], torch.softmax(new, 0))), train[1])
    moved = tuple(w.detach() - xi * g for w, g in zip(weights, torch.autograd.grad(loss, weights), strict=True))
    return {"p": own.softmax(0).tolist(), "blend": kept.detach(), "alpha": new, "weights": moved}


def lazily(ops, head, alpha, weights, train, validation, alpha_rate, xi):
    """Another style: α in a list of numbers, weights from a generator."""
    found = darts_step(ops, head, alpha, weights, train, validation, alpha_rate, xi)
    return found | {"alpha": found["alpha"].tolist(), "weights": (w for w in found["weights"])}


WRONG: dict[str, Callable[..., Any]] = {
    "it returns nothing": lambda *arguments: None,
    "return a dictionary": lambda *arguments: tuple(darts_step(*arguments).values()),
    "blend: what it returns has no key": lambda *arguments: {"p": arguments[2].softmax(0)},
    "alpha: what it returns has no key": lambda *arguments: {
        key: darts_step(*arguments)[key] for key in ("p", "blend")
    },
    **{sentence: made("p", wrong) for sentence, wrong in P.items()},
    **{sentence: made("blend", wrong) for sentence, wrong in BLEND.items()},
    **{sentence: made("alpha", wrong) for sentence, wrong in ALPHA.items()},
    **{sentence: made("weights", split(wrong)) for sentence, wrong in WEIGHTS.items()},
    "yours overwrites the α": in_place,
    "yours overwrites the weights": weights_in_place,
    "alpha: a second call gives something else": piled_up,
    "tensors came in": made("weights", lambda c: split(weights_after)(c)[:1]),
    "weights: their shapes were": made("weights", lambda c: [w.sum() for w in split(weights_after)(c)]),
    "weights: give a list": made("weights", lambda c: dict(enumerate(split(weights_after)(c)))),
}
