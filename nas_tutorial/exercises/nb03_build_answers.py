"""Answers to the build of notebook 03: the reference, gradients with one thing wrong, and other right ones."""

import math

import torch

from nas_tutorial.exercises.bilevel import moved


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
