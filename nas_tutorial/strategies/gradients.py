"""Three estimates of the architecture gradient dL_val(w*(α), α)/dα, behind one signature  (DARTS, §2.3).

`exact` differentiates through one step of the weights, `unrolled` replaces its second derivatives by a finite
difference, and `first_order` takes the weights as they are (ξ = 0). Each is a function
`(problem, train, validation, step)`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from nas_tutorial.spaces import Space
from nas_tutorial.training import parallel
from nas_tutorial.training.norms import frozen_statistics
from nas_tutorial.training.randomness import RandomState, random_state, set_random_state

Batch = tuple[Tensor, Tensor]  # pictures (B, C, H, W), labels (B,)
Tensors = dict[str, Tensor]


@dataclass
class Bilevel:
    """The problem: min over α of L_val(w*(α), α) where w*(α) = argmin over w of L_train(w, α)  (DARTS, eq. 3).

    Weights w are those of a supernet, α its architecture parameters. probabilities: what α means, a function of α;
    None is softmax. scale: makes the loss of the first-order α step larger where it is computed in fp16, and with it
    the gradient.
    """

    space: Space
    network: nn.Module
    alphas: Tensors
    probabilities: Callable[[Tensors], Tensors] | None = None
    scale: Callable[[Tensor], Tensor] | None = None

    @property
    def weights(self) -> Tensors:
        """The trainable weights w by name."""
        return dict(self.network.named_parameters())

    def logits(self, images: Tensor, weights: Tensors | None = None, alphas: Tensors | None = None) -> Tensor:
        """Output (B, classes) at the weights and α given, or at the present ones."""
        probabilities = (self.probabilities or self.space.probabilities)(self.alphas if alphas is None else alphas)
        mixture = self.space.assign(probabilities)
        if weights is None:
            return self.network(images, mixture)
        return functional_call(self.network, weights, (images, mixture))

    def loss(self, batch: Batch, weights: Tensors | None = None) -> Tensor:
        """Mean cross-entropy on a batch."""
        images, labels = batch
        return cross_entropy(self.logits(images, weights), labels)


@dataclass(frozen=True)
class VirtualStep:
    """The step of the weights that is looked ahead: w' = w − ξ · (momentum · buffer + ∇_w L_train + decay · w).

    The paper writes it without momentum and weight decay, w' = w − ξ · ∇_w L_train  (DARTS, eq. 6); the official code
    has both. nesterov: whether the momentum is Nesterov's, as in torch's SGD. buffers: the optimiser's momentum buffers
    by name of the weight; missing ones count as zero (before the first step).
    """

    xi: float
    momentum: float = 0.9
    decay: float = 3e-4
    buffers: Mapping[str, Tensor] | None = None
    nesterov: bool = False

    def __call__(self, weights: Tensors, gradient: Tensors) -> Tensors:
        """w' by name, with the shapes of w."""
        return {name: w - self.xi * self.move(name, gradient[name] + self.decay * w) for name, w in weights.items()}

    def move(self, name: str, slope: Tensor) -> Tensor:
        """The direction of the step: the slope and what earlier steps left, as torch's SGD puts them together."""
        buffer = self.velocity(name) + slope
        return slope + self.momentum * buffer if self.nesterov else buffer

    def velocity(self, name: str) -> Tensor | float:
        """The part of the step that stems from earlier ones."""
        return self.momentum * self.buffers[name] if self.buffers and name in self.buffers else 0.0

    @property
    def reach(self) -> float:
        """How far w' moves per unit of ∇_w L_train: ξ, and (1 + momentum) · ξ with Nesterov's momentum."""
        return self.xi * (1 + self.momentum) if self.nesterov else self.xi


def gradient(loss: Tensor, *groups: Tensors, create_graph: bool = False) -> tuple[Tensors, ...]:
    """∂loss by name for each group of tensors; only these derivatives are computed. Unused tensors get zeros.

    Where several processes train together, the loss is the mean of theirs; there is no graph then.
    """
    inputs = [t for group in groups for t in group.values()]
    found = torch.autograd.grad(loss, inputs, create_graph=create_graph, materialize_grads=True)
    flat = iter(parallel.average(found))
    return tuple({name: next(flat) for name in group} for group in groups)


def first_order(problem: Bilevel, train: Batch, validation: Batch, step: VirtualStep) -> Tensors:
    """∂L_val(w, α)/∂α: the weights are taken to be optimal already  (DARTS, eq. 7 with ξ = 0)."""
    with frozen_statistics(problem.network):
        return _alpha_gradient(problem, validation)


def exact(problem: Bilevel, train: Batch, validation: Batch, step: VirtualStep) -> Tensors:
    """dL_val(w'(α), α)/dα by differentiating twice  (DARTS, eq. 7); needs the memory of two passes."""
    with frozen_statistics(problem.network):
        (g,) = gradient(problem.loss(train), problem.weights, create_graph=True)
        return gradient(problem.loss(validation, step(problem.weights, g)), problem.alphas)[0]


def unrolled(problem: Bilevel, train: Batch, validation: Batch, step: VirtualStep, r: float = 0.01) -> Tensors:
    """∂_α L_val(w', α) − ξ · (∂_α L_train(w⁺) − ∂_α L_train(w⁻)) / 2ε with w± = w ± ε·∇_{w'} L_val  (DARTS, eq. 8).

    r: ε = r / ‖∇_{w'} L_val‖ (the paper's 0.01). ξ is how far w' moves with the gradient (`step.reach`). Four
    gradients; the weights come back bit for bit. Dropout and other noise is the same in both passes of the difference,
    or their division by 2ε would blow it up.
    """
    noise = random_state()
    with frozen_statistics(problem.network):
        (g,) = gradient(problem.loss(train), problem.weights)
        with moved(problem.weights, step(problem.weights, g)):
            direct, direction = gradient(problem.loss(validation), problem.alphas, problem.weights)
        epsilon = r / norm(direction).clamp_min(1e-30)  # a validation loss of 0 has no direction
        plus, minus = (_alpha_gradient_at(problem, train, direction, sign * epsilon, noise) for sign in (1, -1))
    return {name: direct[name] - step.reach * (plus[name] - minus[name]) / (2 * epsilon) for name in direct}


def _alpha_gradient_at(
    problem: Bilevel, train: Batch, direction: Tensors, epsilon: Tensor, noise: RandomState | None = None
) -> Tensors:
    if noise:
        set_random_state(noise)
    with moved(problem.weights, {name: w + epsilon * direction[name] for name, w in problem.weights.items()}):
        return _alpha_gradient(problem, train)


def _alpha_gradient(problem: Bilevel, batch: Batch) -> Tensors:
    with constant(problem.weights):
        loss = problem.loss(batch)
        return gradient(problem.scale(loss) if problem.scale else loss, problem.alphas)[0]


def norm(tensors: Tensors) -> Tensor:
    """Euclidean norm of all entries together, a scalar."""
    return torch.sqrt(sum(t.square().sum() for t in tensors.values()))


@contextmanager
def constant(weights: Tensors) -> Iterator[None]:
    """Inside the block the weights are constants: nothing computes their gradients on the way to those of α."""
    trainable = [w for w in weights.values() if w.requires_grad]
    try:
        for w in trainable:
            w.requires_grad_(False)
        yield
    finally:
        for w in trainable:
            w.requires_grad_(True)


@contextmanager
def moved(weights: Tensors, to: Tensors) -> Iterator[None]:
    """The weights hold other values inside the block, and exactly their own again behind it, whatever happens."""
    kept = {name: w.detach().clone() for name, w in weights.items()}
    try:
        _write(weights, to)
        yield
    finally:
        _write(weights, kept)


@torch.no_grad()
def _write(weights: Tensors, values: Tensors) -> None:
    for name, w in weights.items():
        w.copy_(values[name])
