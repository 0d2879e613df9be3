"""What is built in notebook 07: one round of first-order DARTS on one edge, from scratch."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nas_tutorial.exercises.frame import Exercise, expect
from nas_tutorial.exercises.nb07_build_answers import (
    ALPHA,
    BLEND,
    WEIGHTS,
    WRONG,
    Case,
    P,
    Variant,
    blended,
    darts_step,
    lazily,
    stepped,
    weights_after,
    with_backward,
)
from nas_tutorial.exercises.patterns import listed, pattern, unexplained


def case(seed: int, operations: int) -> Case:
    """An edge of some operations, of which two have weights, and a linear head for three classes."""
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    weights = [w.requires_grad_() for w in (draw(2, 2), draw(2, 2), draw(2, 3))]
    ops = [lambda x: x, lambda x: x @ weights[0], lambda x: torch.tanh(x @ weights[1]), lambda x: 0 * x, torch.relu]
    batches = [(draw(6, 2) + shift, torch.arange(6) % 3) for shift in (0, 1)]
    alpha = draw(operations).requires_grad_()
    return Case(ops[:operations], lambda h: h @ weights[2], alpha, weights, *batches, 0.7, 0.3)


CASES = ((0, 3), (1, 5), (2, 4))


def part(function: Callable[..., Any], key: str, given: Case) -> Any:
    """One part of what a student's function returns; nothing that it was given may change."""
    kept = [t.detach().clone() for t in (given.alpha, *given.weights)]
    found = function(*given)
    expect(found is not None, "it returns nothing; is there a `return`?")
    expect(isinstance(found, dict), f"it returns a {type(found).__name__}; return a dictionary, even half filled")
    expect(key in found, f"{key}: what it returns has no key {key!r} yet: the next step")
    expect(found[key] is not ... and found[key] is not None, f"{key}: it is still empty")
    same = [torch.equal(t, before) for t, before in zip((given.alpha, *given.weights), kept, strict=True)]
    expect(same[0], "alpha: yours overwrites the α it was given; return a new tensor, α − rate · slope")
    expect(all(same[1:]), "weights: yours overwrites the weights it was given; return new tensors")
    return found[key]


def tensor(value: Any) -> Tensor:
    """Numbers as a float64 tensor."""
    if isinstance(value, list | tuple):
        value = [float(x) if not hasattr(x, "shape") or x.shape == () else x.tolist() for x in value]
    return torch.as_tensor(value, dtype=torch.float64).detach()


def near(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and agree."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=1e-7)


def judge(got: Tensor, given: Case, right: Tensor, mistakes: dict[str, Variant], key: str) -> None:
    """Raise Mistake unless this is right, in the words of the mistake that leads to the same numbers."""
    for sentence, wrong in mistakes.items():
        other = wrong(given).detach()
        expect(near(other, right) or not near(got, other), sentence)
    expect(got.shape == right.shape, f"{key}: its shape is {tuple(got.shape)}, but {tuple(right.shape)} is right")
    gaps = (got - right).abs()
    at = tuple(int(i) for i in np.unravel_index(int(gaps.argmax()), gaps.shape))
    where = f"{key}: for {len(given.ops)} operations, at {list(at)},"
    seen = pattern(got.flatten().tolist(), right.flatten().tolist())
    said = unexplained(where, got[at].item(), right[at].item(), seen, WAYS[key](given, at))
    expect(bool(gaps[at] < 1e-7), said)


def outputs_of_operations(given: Case, at: tuple) -> str:
    """The way to an entry of the blend."""
    outputs = [op(given.validation[0])[at].item() for op in given.ops]
    return f"the operations give {listed(outputs)} there, and p is {listed(given.alpha.softmax(0).tolist())}"


def old_and_new(place: str, old: Callable[[Case], Tensor], new: Callable[[Case], Tensor], rate: str) -> Callable:
    """The way to an entry of what has made a step: its old value, its slope and the rate."""

    def way(given: Case, at: tuple) -> str:
        before, size = old(given)[at].item(), getattr(given, rate)
        slope = (before - new(given)[at].item()) / size
        return f"it was {before:.4g}, its slope {place} is {slope:.4g}, and the rate {size:g}"

    return way


WAYS: dict[str, Callable[[Case, tuple], str]] = {
    "p": lambda given, at: f"the exponentials of α are {listed(given.alpha.exp().tolist())}",
    "blend": outputs_of_operations,
    "alpha": old_and_new("on the validation batch", lambda given: given.alpha, stepped, "alpha_rate"),
    "weights": old_and_new(
        "on the training batch, at the new α,",
        lambda given: torch.cat([w.flatten() for w in given.weights]),
        weights_after,
        "xi",
    ),
}


# --- the four steps ---------------------------------------------------------------------------------------------------
def test_p(function):
    for given in (case(*numbers) for numbers in CASES):
        judge(tensor(part(function, "p", given)), given, given.alpha.softmax(0).detach(), P, "p")


def test_blend(function):
    for given in (case(*numbers) for numbers in CASES):
        right = blended(given, given.validation[0], given.alpha.softmax(0)).detach()
        judge(tensor(part(function, "blend", given)), given, right, BLEND, "blend")


def test_alpha(function):
    for given in (case(*numbers) for numbers in CASES):
        right = stepped(given)
        judge(tensor(part(function, "alpha", given)), given, right, ALPHA, "alpha")
        again = near(tensor(part(function, "alpha", given)), right)
        expect(again, "alpha: a second call gives something else; gradients add up in .grad, so clear them first")


def test_weights(function):
    for given in (case(*numbers) for numbers in CASES):
        judge(one_vector(part(function, "weights", given), given), given, weights_after(given), WEIGHTS, "weights")
        again = near(one_vector(part(function, "weights", given), given), weights_after(given))
        expect(again, "weights: a second call gives something else; gradients add up in .grad, so clear them first")


def one_vector(got: Any, given: Case) -> Tensor:
    """Weights as one vector, if they are as many and as large as they were."""
    expect(not isinstance(got, dict), "weights: give a list, in the order of the list that came in")
    got = [tensor(w) for w in got]
    shapes = [tuple(w.shape) for w in given.weights]
    expect(
        len(got) == len(shapes), f"weights: {len(shapes)} tensors came in, so {len(shapes)} come back, not {len(got)}"
    )
    same = [tuple(w.shape) for w in got] == shapes
    expect(same, f"weights: their shapes were {shapes}, yours are {[tuple(w.shape) for w in got]}")
    return torch.cat([w.flatten() for w in got])


EXERCISES = (
    Exercise(
        darts_step,
        {
            "step 1, p: the shares, softmax(α)": test_p,
            "step 2, blend: the mixed operation on the validation pictures": test_blend,
            "step 3, alpha: one step down the validation loss": test_alpha,
            "step 4, weights: one step down the training loss, at the new α": test_weights,
        },
        title="Relax, then descend",
        difficulty=3,
        minutes=18,
        hints=(
            "p: alpha.exp() divided by its sum (or alpha.softmax(0)). Return {'p': p} and run the check.",
            "blend: write a small function blend(x, alpha) that computes p and adds up p_o * op(x). You need it twice.",
            "alpha: cross_entropy(head(blend(x, alpha)), labels) of the validation batch, and its slope by "
            "torch.autograd.grad(loss, [alpha])[0]. The step makes a new tensor: (alpha - alpha_rate * slope).detach()",
            "weights: the same loss of the training batch at the new α; torch.autograd.grad(loss, weights) gives one "
            "slope for each weight, in order.",
        ),
        wrong=WRONG,
        right=(with_backward, lazily),
        build=True,
    ),
)
