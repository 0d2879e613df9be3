"""Small problems with two losses, which note what the weights hold whenever a loss is asked.

So each step of a student's function can be judged before the next one is written, whatever the function returns.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nas_tutorial.exercises.frame import Mistake
from nas_tutorial.strategies import toy

Loss = Callable[[Tensor, Sequence[Tensor]], Tensor]


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
