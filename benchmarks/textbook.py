"""The search step as it is usually written down: the baseline.

Plain blends, NCHW order, torch's own depthwise convolutions, and `loss.backward()`, which computes the gradients of
weights and of α in both steps although each step uses only one of them. The second order copies the whole network.
"""

import copy

import torch
from torch import Tensor, nn

from nas_tutorial.strategies.gradients import Batch, Bilevel, VirtualStep


def first_order(problem: Bilevel, train: Batch, validation: Batch, step: VirtualStep) -> dict[str, Tensor]:
    """∂L_val(w, α)/∂α by name  (DARTS, eq. 7 with ξ = 0)."""
    clear(problem)
    problem.loss(validation).backward()
    return {name: alpha.grad for name, alpha in problem.alphas.items()}


def second_order(problem: Bilevel, train: Batch, validation: Batch, step: VirtualStep) -> dict[str, Tensor]:
    """∂L_val(w', α)/∂α − ξ · (∂L_train(w⁺)/∂α − ∂L_train(w⁻)/∂α) / 2ε by name  (DARTS, eq. 8)."""
    ahead = unrolled_copy(problem, train, step)
    ahead.loss(validation).backward()
    direct = {name: alpha.grad.clone() for name, alpha in problem.alphas.items()}
    direction = [w.grad for w in ahead.network.parameters()]
    epsilon = 0.01 / torch.cat([v.flatten() for v in direction]).norm()
    move(problem.network, direction, epsilon)
    plus = torch.autograd.grad(problem.loss(train), list(problem.alphas.values()))
    move(problem.network, direction, -2 * epsilon)
    minus = torch.autograd.grad(problem.loss(train), list(problem.alphas.values()))
    move(problem.network, direction, epsilon)
    return {
        name: direct[name] - step.xi * (p - m) / (2 * epsilon) for name, p, m in zip(direct, plus, minus, strict=True)
    }


def unrolled_copy(problem: Bilevel, train: Batch, step: VirtualStep) -> Bilevel:
    """The problem one step of the weights ahead, in a copy of the network."""
    clear(problem)
    problem.loss(train).backward()
    weights = step(problem.weights, {name: w.grad for name, w in problem.weights.items()})
    network = copy.deepcopy(problem.network)
    network.load_state_dict(weights, strict=False)
    ahead = Bilevel(problem.space, network, problem.alphas)
    clear(ahead)
    return ahead


def clear(problem: Bilevel) -> None:
    """Forget all gradients."""
    for tensor in [*problem.network.parameters(), *problem.alphas.values()]:
        tensor.grad = None


@torch.no_grad()
def move(network: nn.Module, direction: list[Tensor], length: Tensor) -> None:
    """w + length · direction, in place."""
    for w, v in zip(network.parameters(), direction, strict=True):
        w.add_(v, alpha=float(length))
