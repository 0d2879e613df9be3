"""The build of notebook 03: the gradient of an architecture through an imagined step, without second derivatives.

A student's function gets losses that note what the weights hold whenever they are asked. So each step can be judged
before the next one is written, whatever the function returns.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nas_tutorial.exercises.frame import Exercise, Mistake, compare, expect
from nas_tutorial.strategies import toy

Loss = Callable[[Tensor, Sequence[Tensor]], Tensor]


def unrolled_gradient(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    """dL_val(α, w'(α))/dα by four ordinary gradients; the weights come back as they were."""

    def put(values):
        with torch.no_grad():
            for w, value in zip(weights, values, strict=True):
                w.copy_(value)

    kept = [w.detach().clone() for w in weights]
    slopes = torch.autograd.grad(train_loss(), weights)
    put([w - xi * slope for w, slope in zip(kept, slopes, strict=True)])  # w'
    direct, *v = torch.autograd.grad(validation_loss(), [alpha, *weights])
    epsilon = r / torch.sqrt(sum(part.square().sum() for part in v))
    put([w + epsilon * part for w, part in zip(kept, v, strict=True)])  # w⁺
    (plus,) = torch.autograd.grad(train_loss(), alpha)
    put([w - epsilon * part for w, part in zip(kept, v, strict=True)])  # w⁻
    (minus,) = torch.autograd.grad(train_loss(), alpha)
    put(kept)
    return direct - xi * (plus - minus) / (2 * epsilon)


# --- problems to try a function on ------------------------------------------------------------------------------------
class Problem:
    """Two losses of α and some weights, and what the weights held whenever one of the losses was asked."""

    def __init__(self, alpha: Tensor, weights: Sequence[Tensor], train: Loss, validation: Loss):
        self.alpha, self.weights = alpha.requires_grad_(), [w.requires_grad_() for w in weights]
        self.train, self.validation = train, validation
        self.start = [w.detach().clone() for w in weights]
        self.alpha_at_start = alpha.detach().clone()
        self.asked: dict[str, list[Tensor]] = {"train": [], "validation": []}

    def loss(self, name: str) -> Tensor:
        """The training or the validation loss; it notes the weights, in a row."""
        self.asked[name].append(row(self.weights))
        return getattr(self, name)(self.alpha, self.weights)

    def solve(self, function: Callable[..., Any], xi: float, r: float = 0.01) -> tuple[Any, Exception | None]:
        """What a function answers, or how it stops."""
        losses = (lambda: self.loss("train")), (lambda: self.loss("validation"))
        try:
            return function(self.alpha, list(self.weights), *losses, xi, r), None
        except Exception as error:  # whatever a student's function may raise
            return None, in_words(error)

    def slope(self, name: str, weights: Sequence[Tensor]) -> list[Tensor]:
        """∂loss/∂w at some weights."""
        weights = [w.detach().clone().requires_grad_() for w in weights]
        return list(torch.autograd.grad(getattr(self, name)(self.alpha, weights), weights))

    def exact(self, xi: float) -> Tensor:
        """dL_val(α, w'(α))/dα, differentiated twice."""
        weights = [w.clone().requires_grad_() for w in self.start]
        slopes = torch.autograd.grad(self.train(self.alpha, weights), weights, create_graph=True)
        return torch.autograd.grad(self.validation(self.alpha, moved(weights, -xi, slopes)), self.alpha)[0]


def in_words(error: Exception) -> Exception:
    """Torch's words for two mistakes in ours."""
    if "leaf Variable that requires grad" in str(error):
        return Mistake(
            "torch refuses to change a weight in place while it records: write under `with torch.no_grad():`"
        )
    if "does not require grad" in str(error):
        return Mistake("torch has recorded nothing to differentiate: only the writing belongs under `torch.no_grad()`")
    return error


def moved(weights: Sequence[Tensor], distance: Any, direction: Sequence[Tensor]) -> list[Tensor]:
    """w + distance · direction, tensor by tensor."""
    return [w + distance * part for w, part in zip(weights, direction, strict=True)]


def row(tensors: Iterable[Tensor]) -> Tensor:
    """All entries of some tensors in one row."""
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def same(one: Tensor, other: Tensor, tolerance: float = 1e-9) -> bool:
    """Whether two rows agree up to rounding."""
    return one.shape == other.shape and bool((one - other).abs().max() <= tolerance)


def toy_problem(alpha: float, w: float) -> Problem:
    """The toy at a place."""
    place = (torch.tensor(x, dtype=torch.float64) for x in (alpha, w))
    return Problem(
        next(place),
        [next(place)],
        lambda alpha, weights: toy.training_loss(alpha, *weights),
        lambda alpha, weights: toy.validation_loss(alpha, *weights),
    )


def curved_problem(seed: int) -> Problem:
    """Three numbers α, two tensors of weights (2, 3) and (4,), and losses that are nowhere parabolas."""
    draw = torch.Generator().manual_seed(seed)
    alpha, first, second = (torch.randn(size, generator=draw, dtype=torch.float64) for size in (3, (2, 3), 4))

    def train(alpha, weights):
        first, second = weights
        return ((first @ alpha).tanh() * second[:2] - 1).square().sum() + (second - alpha.sum()).square().mean()

    def validation(alpha, weights):
        first, second = weights
        return ((first @ alpha.sin()).sum() + second.exp().mean() - alpha[0]).square() + alpha.square().sum()

    return Problem(alpha, [first, second], train, validation)


def network_problem(seed: int) -> Problem:
    """A network of two layers, between which α blends three functions; eight inputs to train on, eight to validate."""
    draw = torch.Generator().manual_seed(seed)
    inputs, *weights = (torch.randn(size, generator=draw, dtype=torch.float64) for size in ((2, 8, 5), (5, 6), (6, 3)))
    labels = torch.randint(3, (2, 8), generator=draw)

    def loss(part):
        def mean_loss(alpha, weights):
            hidden = inputs[part] @ weights[0]  # (8, 6)
            blend = torch.stack([hidden.tanh(), hidden.sin(), hidden])  # (3, 8, 6)
            return cross_entropy(torch.einsum("o,obh->bh", alpha.softmax(0), blend) @ weights[1], labels[part])

        return mean_loss

    return Problem(torch.randn(3, generator=draw, dtype=torch.float64), weights, loss(0), loss(1))


# --- the steps --------------------------------------------------------------------------------------------------------
XI, R = 0.2, 0.05


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
        raise error or Mistake("train_loss() is called at w only: move the weights to w⁺ = w + εv, and to w⁻")
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
        compare(got, toy.hypergradient(alpha, w, xi), wrong, f"in the toy, for α = {alpha}, w = {w} and ξ = {xi},")


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
        expect(
            error < 1e-3, f"in a small network it is off by {error:.1%} of the exact gradient; less than 0.1 % is due"
        )


# --- known answers ----------------------------------------------------------------------------------------------------
def write(weights, values):
    with torch.no_grad():
        for w, value in zip(weights, values, strict=True):
            w.copy_(value)


def norm(tensors):
    return torch.sqrt(sum(part.square().sum() for part in tensors))


def variant(*, step=None, direction=None, middle=None, epsilon=None, combine=None, back=True):
    """The reference with one part replaced: a step or direction (of tensors), the middle of w⁺ and w⁻, ε, or the last
    line (of direct, plus, minus, ξ, ε).
    """

    def function(alpha, weights, train_loss, validation_loss, xi, r=0.01):
        kept = [w.detach().clone() for w in weights]
        slopes = torch.autograd.grad(train_loss(), weights)
        write(weights, step(kept, slopes, xi) if step else moved(kept, -xi, slopes))
        ahead = [w.detach().clone() for w in weights]
        direct, *v = torch.autograd.grad(validation_loss(), [alpha, *weights])
        write(weights, kept)
        v = direction(v, slopes, weights, validation_loss) if direction else v
        size = epsilon(r, v) if epsilon else r / norm(v)
        found = []
        for sign in (1, -1):
            write(weights, moved(ahead if middle == "ahead" else kept, sign * size, v))
            found.append(torch.autograd.grad(train_loss(), alpha)[0])
        if back:
            write(weights, kept)
        last = combine or (lambda direct, plus, minus, xi, size: direct - xi * (plus - minus) / (2 * size))
        return last(direct, *found, xi, size)

    return function


def rebinding(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    slopes = torch.autograd.grad(train_loss(), weights)
    for w, slope in zip(weights, slopes, strict=True):
        w = w - xi * slope
    direct, *v = torch.autograd.grad(validation_loss(), [alpha, *weights])
    return direct


def recorded_writing(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    slopes = torch.autograd.grad(train_loss(), weights)
    for w, slope in zip(weights, slopes, strict=True):
        w -= xi * slope
    return torch.autograd.grad(validation_loss(), alpha)[0]


def nothing_recorded(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    with torch.no_grad():
        slopes = torch.autograd.grad(train_loss(), weights)
        write(weights, moved(weights, -xi, slopes))
        return torch.autograd.grad(validation_loss(), alpha)[0]


def down_the_validation_loss(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    train_loss()
    slopes = torch.autograd.grad(validation_loss(), weights)
    write(weights, moved(weights, -xi, slopes))
    return torch.autograd.grad(validation_loss(), alpha)[0]


def two_steps_only(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    kept = [w.detach().clone() for w in weights]
    slopes = torch.autograd.grad(train_loss(), weights)
    write(weights, moved(kept, -xi, slopes))
    direct, *v = torch.autograd.grad(validation_loss(), [alpha, *weights])


def aliased(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    """`kept` is no copy: it moves with the weights."""
    kept = list(weights)
    slopes = torch.autograd.grad(train_loss(), weights)
    write(weights, moved(kept, -xi, slopes))
    direct, *v = torch.autograd.grad(validation_loss(), [alpha, *weights])
    size, found = r / norm(v), []
    for sign in (1, -1):
        write(weights, moved(kept, sign * size, v))
        found.append(torch.autograd.grad(train_loss(), alpha)[0])
    write(weights, kept)
    return direct - xi * (found[0] - found[1]) / (2 * size)


def one_sided(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    kept = [w.detach().clone() for w in weights]
    here, *slopes = torch.autograd.grad(train_loss(), [alpha, *weights])
    write(weights, moved(kept, -xi, slopes))
    direct, *v = torch.autograd.grad(validation_loss(), [alpha, *weights])
    size = r / norm(v)
    write(weights, moved(kept, size, v))
    (plus,) = torch.autograd.grad(train_loss(), alpha)
    write(weights, kept)
    return direct - xi * (plus - here) / size


def back_by_subtraction(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    slopes = torch.autograd.grad(train_loss(), weights)
    write(weights, moved(weights, -xi, slopes))
    direct, *v = torch.autograd.grad(validation_loss(), [alpha, *weights])
    write(weights, moved(weights, xi, slopes))
    size, found = r / norm(v), []
    for distance in (size, -2 * size):
        write(weights, moved(weights, distance, v))
        found.append(torch.autograd.grad(train_loss(), alpha)[0])
    write(weights, moved(weights, size, v))
    return direct - xi * (found[0] - found[1]) / (2 * size)


def adding_up(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    """`.grad` is never emptied."""
    kept = [w.detach().clone() for w in weights]
    train_loss().backward()
    write(weights, moved(kept, -xi, [w.grad for w in weights]))
    validation_loss().backward()
    direct, v = alpha.grad.clone(), [w.grad.clone() for w in weights]
    size, found = r / norm(v), []
    for sign in (1, -1):
        write(weights, moved(kept, sign * size, v))
        train_loss().backward()
        found.append(alpha.grad.clone())
    write(weights, kept)
    return direct - xi * (found[0] - found[1]) / (2 * size)


def with_data(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    """Another style: `.data` takes the place of `no_grad`; the old tensors themselves come back."""
    kept = [w.data for w in weights]
    slopes = torch.autograd.grad(train_loss(), weights)
    for w, slope in zip(weights, slopes, strict=True):
        w.data = w.data - xi * slope
    gradients = torch.autograd.grad(validation_loss(), [alpha] + weights)
    direct, v = gradients[0], gradients[1:]
    epsilon = r / torch.cat([part.flatten() for part in v]).norm()
    slopes_in_alpha = []
    for sign in (-1, 1):
        for w, old, part in zip(weights, kept, v, strict=True):
            w.data = old + sign * epsilon * part
        slopes_in_alpha.append(torch.autograd.grad(train_loss(), alpha)[0])
    for w, old in zip(weights, kept, strict=True):
        w.data = old
    minus, plus = slopes_in_alpha
    return direct - xi * (plus - minus) / epsilon / 2


def with_backward(alpha, weights, train_loss, validation_loss, xi, r=0.01):
    """Another style: `backward`, and `.grad` is emptied before each."""

    def backward(loss):
        for tensor in [alpha, *weights]:
            tensor.grad = None
        loss().backward()
        return alpha.grad.clone(), [w.grad.clone() for w in weights]

    kept = [w.clone() for w in weights]
    _, slopes = backward(train_loss)
    with torch.no_grad():
        for w, slope in zip(weights, slopes, strict=True):
            w -= xi * slope
    direct, v = backward(validation_loss)
    epsilon = r / math.sqrt(sum(float((part**2).sum()) for part in v))
    write(weights, [w + epsilon * part for w, part in zip(kept, v, strict=True)])
    plus, _ = backward(train_loss)
    write(weights, [w - epsilon * part for w, part in zip(kept, v, strict=True)])
    minus, _ = backward(train_loss)
    write(weights, kept)
    return direct - (plus - minus) * xi / (2 * epsilon)


WRONG = {
    "the weights have not moved when validation_loss() is called": rebinding,
    "write under `with torch.no_grad():`": recorded_writing,
    "only the writing belongs under `torch.no_grad()`": nothing_recorded,
    "sign: the imagined step went up the slope": variant(step=lambda w, slopes, xi: moved(w, xi, slopes)),
    "ξ times the slope; ξ is missing": variant(step=lambda w, slopes, xi: moved(w, -1, slopes)),
    "this one went down the validation loss": down_the_validation_loss,
    "only the first tensor of weights has moved": variant(
        step=lambda w, slopes, xi: [w[0] - xi * slopes[0], *w[1:]],
    ),
    "train_loss() is called at w only": two_steps_only,
    "lie around w', not around w": variant(middle="ahead"),
    "(made with `.clone()`?)": aliased,
    "without that the distance from w is not r": variant(epsilon=lambda r, v: r),
    "one norm over all of v": variant(
        direction=lambda v, *_: [part / part.norm() for part in v], epsilon=lambda r, v: r
    ),
    "not by its square": variant(epsilon=lambda r, v: r / norm(v) ** 2),
    "at w', not at w": variant(
        direction=lambda v, slopes, weights, validation_loss: torch.autograd.grad(validation_loss(), weights)
    ),
    "not of the training loss": variant(direction=lambda v, slopes, *_: slopes),
    "slopes add up in `.grad`": adding_up,
    "on one side of w only": one_sided,
    "`/ 2 * epsilon` multiplies by ε": variant(combine=lambda d, plus, minus, xi, e: d - xi * ((plus - minus) / 2 * e)),
    "lie 2ε apart along v, not ε": variant(combine=lambda d, plus, minus, xi, e: d - xi * (plus - minus) / e),
    "sign: the part through the weights is −ξ": variant(
        combine=lambda d, plus, minus, xi, e: d + xi * (plus - minus) / (2 * e)
    ),
    "ξ is missing before": variant(combine=lambda d, plus, minus, xi, e: d - (plus - minus) / (2 * e)),
    "the direct part is missing": variant(combine=lambda d, plus, minus, xi, e: -xi * (plus - minus) / (2 * e)),
    "that is the direct part alone": variant(combine=lambda d, *_: d),
    "it returns nothing yet": variant(combine=lambda *_: None),
    "take its first element with [0]": variant(
        combine=lambda d, plus, minus, xi, e: (d - xi * (plus - minus) / (2 * e),)
    ),
    "the weights are left at w⁻": variant(back=False),
    "a rounding error of": back_by_subtraction,
}

EXERCISES = (
    Exercise(
        unrolled_gradient,
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
        wrong=WRONG,
        right=(with_data, with_backward),
        build=True,
    ),
)
