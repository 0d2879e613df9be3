"""The build of notebook 03: the gradient of an architecture through an imagined step, without second derivatives.

Its steps are judged by where the weights are whenever a loss is asked. The answers are in `nb03_build_answers`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nas_tutorial.exercises import nb03_build_answers as answers
from nas_tutorial.exercises.bilevel import Problem, curved_problem, moved, network_problem, row, same, toy_problem
from nas_tutorial.exercises.cases import compare
from nas_tutorial.exercises.frame import Exercise, Mistake, expect
from nas_tutorial.exercises.patterns import listed, unexplained
from nas_tutorial.strategies import toy

XI, R = 0.2, 0.05
SIDES = (
    "train_loss() is called at w only; next, steps 2 and 3: at w' take v, the slope of the validation loss in the "
    "weights; then call train_loss() at w⁺ = w + εv, and at w⁻"
)


class Places(NamedTuple):
    """Where a right answer has the weights: w, w', w⁺ and w⁻ in a row each, and v and ε."""

    w: Tensor
    ahead: Tensor
    plus: Tensor
    minus: Tensor
    v: list[Tensor]
    epsilon: Tensor


def places(problem: Problem, xi: float = XI, r: float = R) -> Places:
    """Those of a problem."""
    ahead = moved(problem.start, -xi, problem.slope("train", problem.start))
    v = problem.slope("validation", ahead)
    epsilon = r / row(v).norm()
    w, shift = row(problem.start), epsilon * row(v)
    return Places(w, row(ahead), w + shift, w - shift, v, epsilon)


def name(place: Tensor, known: Mapping[str, Tensor], error: Exception | None, otherwise: str) -> None:
    """Raise `Mistake` in the words of a known place, else what stopped the function, else the last sentence."""
    for sentence, other in known.items():
        expect(not same(place, other), sentence)
    if error:
        raise error
    raise Mistake(otherwise)


def test_ahead(function: Callable[..., Any]) -> None:
    """Whether the validation loss is asked while the weights hold w'."""
    problem = curved_problem(0)
    _, error = problem.solve(function, XI, R)
    asked, right = problem.asked["validation"], places(problem)
    if not asked:
        raise error or Mistake("validation_loss() is not called: take its slopes while the weights hold w'")
    if not any(same(place, right.ahead) for place in asked):
        name(
            asked[-1], not_ahead(problem), error, "validation_loss() is called at weights other than w' = w − ξ · slope"
        )


def not_ahead(problem: Problem) -> dict[str, Tensor]:
    """Where the weights are after a wrong step."""
    slope, other = (problem.slope(loss, problem.start) for loss in ("train", "validation"))
    first = [slope[0], torch.zeros_like(slope[1])]
    distances = {
        "the weights have not moved when validation_loss() is called: `w = …` or `weights[i] = …` only gives a name "
        "a new value, so write into the tensor": (0.0, slope),
        "sign: the imagined step went up the slope of the training loss": (XI, slope),
        "the imagined step is ξ times the slope; ξ is missing": (-1.0, slope),
        "the imagined step goes down the training loss; this one went down the validation loss": (-XI, other),
        "only the first tensor of weights has moved; all belong to the step": (-XI, first),
        "the imagined step was taken twice": (-2 * XI, slope),
    }
    return {what: row(moved(problem.start, *how)) for what, how in distances.items()}


def test_two_sides(function: Callable[..., Any]) -> None:
    """Whether the training loss is asked at w⁺ and at w⁻."""
    problem = curved_problem(1)
    _, error = problem.solve(function, XI, R)
    right = places(problem)
    asked = [place for place in problem.asked["train"] if not same(place, right.w)]
    found = [any(same(place, side) for place in asked) for side in (right.plus, right.minus)]
    if all(found):
        return
    if any(found) and not [place for place in asked if not same(place, (right.plus, right.minus)[found[1]])]:
        raise error or Mistake("train_loss() is called on one side of w only; both w⁺ and w⁻ are needed")
    if not asked:
        raise error or Mistake(SIDES)
    astray = next(place for place in asked if not same(place, right.plus) and not same(place, right.minus))
    distance = float((astray - right.w).norm())
    otherwise = f"train_loss() is called at a distance of {distance:.3g} from w; w⁺ and w⁻ lie at distance r = {R}"
    if math.isclose(distance, R, rel_tol=1e-6):
        otherwise = "w⁺ and w⁻ have the right distance from w, but lie in another direction than that of v"
    name(astray, not_beside(problem, right), error, otherwise)


def not_beside(problem: Problem, right: Places) -> dict[str, Tensor]:
    """Where the weights are beside w for a wrong ε, v or middle; each with its mirror image."""
    v, w = row(right.v), right.w
    at_w, slope = (row(problem.slope(loss, problem.start)) for loss in ("validation", "train"))
    each = row([part / part.norm() for part in right.v])
    shifts = {
        "w⁺ and w⁻ lie around w', not around w: write a copy of w back first (made with `.clone()`?)": (
            right.ahead - w + right.epsilon * v,
            right.ahead - w - right.epsilon * v,
        ),
        "ε is r divided by the norm of v; without that the distance from w is not r": (R * v, -R * v),
        "one norm over all of v: each tensor was divided by a norm of its own": (R * each, -R * each),
        "ε is r divided by the norm of v, not by its square": (R * v / v.norm() ** 2, -R * v / v.norm() ** 2),
        "ε is r divided by the norm of v, not multiplied": (R * v * v.norm(), -R * v * v.norm()),
        "v is the slope of the validation loss at w', not at w": tuple(s * R * at_w / at_w.norm() for s in (1, -1)),
        "v is the slope of the validation loss, not of the training loss": tuple(
            s * R * slope / slope.norm() for s in (1, -1)
        ),
        "v holds the slope of the training loss, too: with `backward` slopes add up in `.grad`, so empty it, or use "
        "torch.autograd.grad": tuple(s * R * (slope + v) / (slope + v).norm() for s in (1, -1)),
    }
    return {what + " " * i: w + shift for what, both in shifts.items() for i, shift in enumerate(both)}


def test_toy(function: Callable[..., Any]) -> None:
    """Whether the toy's slopes are those of the formula; its losses are parabolas, so that any ε is exact."""
    for alpha, w, xi in ((1.7, 0.3, 0.3), (-0.6, 2.1, 0.15), (2.0, -2.0, 0.4)):
        problem = toy_problem(alpha, w)
        got, error = problem.solve(function, xi)
        if error:
            raise error
        check_form(got, problem)
        wrong = toy_mistakes(alpha, w, xi, 0.01 / abs(alpha))
        where = f"in the toy, for α = {alpha}, w = {w} and ξ = {xi},"
        compare(got.detach(), toy.hypergradient(alpha, w, xi), wrong, where, parts_in_the_toy(alpha, w, xi))


def parts_in_the_toy(alpha: float, w: float, xi: float) -> str:
    """The way to the toy's slope."""
    ahead = toy.look_ahead(alpha, w, xi)
    return (
        f"w' is {ahead:.4g}, the direct part there {ahead - 2:.4g}, and the difference of the slopes at w⁺ and w⁻, "
        f"divided by 2ε, {-2 * alpha:.4g}"
    )


def check_form(got: Any, problem: Problem) -> None:
    """Whether an answer is a tensor like α."""
    expect(got is not None, "it returns nothing yet: return the direct part − ξ · the difference / 2ε")
    kind = type(got).__name__
    expect(
        not isinstance(got, tuple | list),
        f"it returns a {kind}: torch.autograd.grad gives a tuple, take its first element with [0]",
    )
    expect(isinstance(got, Tensor), f"it returns a {kind}; a tensor with the shape of α is wanted")
    given, wanted = tuple(got.shape), tuple(problem.alpha.shape)
    expect(given == wanted, f"it returns a tensor of shape {given}; the gradient has the shape of α, {wanted}")


def toy_mistakes(alpha: float, w: float, xi: float, epsilon: float) -> dict[str, float]:
    """What known mistakes in the last line give in the toy, where v = α and the slopes differ by −4εα."""
    direct, difference = toy.look_ahead(alpha, w, xi) - 2, -4 * epsilon * alpha
    quotient = difference / (2 * epsilon)
    return {
        "brackets: `/ 2 * epsilon` multiplies by ε, and the part through the weights all but vanishes": (
            direct - xi * difference / 2 * epsilon
        ),
        "w⁺ and w⁻ lie 2ε apart along v, not ε": direct - xi * 2 * quotient,
        "divide by 2ε, not by 2r": direct - xi * difference / 0.02,
        "divide by 2ε": direct - xi * difference,
        "sign: the part through the weights is −ξ · (slope at w⁺ − slope at w⁻) / 2ε": direct + xi * quotient,
        "ξ is missing before the part through the weights": direct - quotient,
        "the direct part is missing": -xi * quotient,
        "that is the direct part alone": direct,
        "the direct part belongs at w', not at w": w - 2 - xi * quotient,
    }


def test_restored(function: Callable[..., Any]) -> None:
    """Whether weights and α are as they were, to the last bit, and a second call says the same."""
    problem = curved_problem(2)
    first, error = problem.solve(function, XI, R)
    if error:
        raise error
    right, now = places(problem), row(problem.weights)
    if not torch.equal(now, right.w):
        for what, place in (("w'", right.ahead), ("w⁺", right.plus), ("w⁻", right.minus)):
            expect(not same(now, place), f"the weights are left at {what}: write a copy of w back at the end")
        off = float((now - right.w).abs().max())
        expect(off > 1e-12, f"the weights come back with a rounding error of {off:.0e}: write back a copy, bit for bit")
        raise Mistake("the weights are not what they were: write a copy of w back at the end")
    expect(torch.equal(problem.alpha, problem.alpha_at_start), "α has changed; the gradient is wanted, not a step of α")
    expect(all(w.requires_grad for w in problem.weights), "the weights are no longer recorded: set requires_grad again")
    second, _ = problem.solve(function, XI, R)
    expect(
        isinstance(second, Tensor) and torch.equal(first, second),
        "a second call with the same weights answers otherwise: is something kept from the first, such as `.grad`?",
    )


def test_network(function: Callable[..., Any]) -> None:
    """Whether the gradient of a network is as near to the exact one as a finite difference gets."""
    for seed in range(3):
        problem = network_problem(seed)
        got, error = problem.solve(function, 0.5)
        if error:
            raise error
        check_form(got, problem)
        right = problem.exact(0.5)
        error = float((got - right).norm() / right.norm())
        where = f"in a small network it is off by {error:.1%} of the exact gradient, less than 0.1 % is due:"
        expect(error < 1e-3, unexplained(where, got.tolist(), right.tolist(), way=direct_part(problem, 0.5)))


def direct_part(problem: Problem, xi: float) -> str:
    """The way to the gradient of a problem."""
    ahead = moved(problem.start, -xi, problem.slope("train", problem.start))
    (direct,) = torch.autograd.grad(problem.validation(problem.alpha, ahead), problem.alpha)
    return f"the direct part at w' is {listed(direct.tolist())}"


EXERCISES = (
    Exercise(
        answers.unrolled_gradient,
        {
            "w': the validation loss is asked one training step ahead": test_ahead,
            "w⁺ and w⁻: the training loss is asked at distance r from w, along v": test_two_sides,
            "the toy: your gradient is the pencil's": test_toy,
            "the weights are as they were": test_restored,
            "a small network: your gradient is within 0.1 % of the exact one": test_network,
        },
        title="Write the unrolled gradient",
        difficulty=3,
        minutes=18,
        hints=(
            "Keep a copy first: `kept = [w.detach().clone() for w in weights]`. Then "
            "`torch.autograd.grad(train_loss(), weights)` gives the slopes, and `write` makes the step.",
            "At w' one call gives both: `direct, *v = torch.autograd.grad(validation_loss(), [alpha, *weights])`.",
            "ε = r / ‖v‖, and ‖v‖² is the sum of the squares of all entries of all tensors in v.",
            "Write w + εv (from the copy, not from w'), take the slope of train_loss() in alpha; the same for w − εv. "
            "`torch.autograd.grad` returns a tuple, even for one tensor.",
            "Write the copy back, and return direct − ξ · (plus − minus) / (2ε), with brackets around 2ε.",
        ),
        wrong=answers.WRONG,
        right=(answers.with_data, answers.with_backward),
        build=True,
    ),
)
