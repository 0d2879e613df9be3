"""DARTS (Liu, Simonyan & Yang, ICLR 2019): blend all operations, descend on the blend's weights, then round.

While not converged, (1) update α by the gradient of the validation loss, (2) update w by the gradient of the training
loss; the final architecture is derived from the learned α  (DARTS, algorithm 1).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nas_tutorial.data import Data
from nas_tutorial.spaces import Space
from nas_tutorial.strategies.events import Event, Search, Steps, as_lists, configured
from nas_tutorial.strategies.gradients import Batch, Bilevel, Tensors, VirtualStep, first_order, unrolled
from nas_tutorial.training import Meter, Recipe, best_device, descend, evaluate, placed, prepared


@dataclass(frozen=True)
class Config:
    """Settings of a search; the defaults are the paper's  (DARTS, §A.1).

    order: 1 takes the weights as they are, 2 looks one step ahead. r: reach of the finite
    difference, ε = r / ‖∇L_val‖.
    workers: processes that load pictures; they change no result.
    """

    epochs: int = 50
    order: int = 1
    batch_size: int = 64
    learning_rate: float = 0.025
    final_rate: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float = 5.0
    alpha_rate: float = 3e-4
    alpha_decay: float = 1e-3
    alpha_scale: float = 1e-3
    r: float = 0.01
    workers: int = 0

    @property
    def recipe(self) -> Recipe:
        """How the weights are trained."""
        return Recipe.of(self)


PROFILES = {"paper": Config(), "small": Config(epochs=8, batch_size=64, learning_rate=0.1, alpha_rate=0.03)}


def search(
    space: Space,
    data: Data,
    *,
    epochs: int | None = None,
    order: int | None = None,
    seed: int = 0,
    profile: str = "small",
    device: str | None = None,
    **settings: Any,
) -> Search:
    """Search `space` on `data.train` (weights) and `data.validation` (architecture); iterate over the result's events.

    settings: any field of `Config`. Raises ValueError for an unknown setting or order.
    """
    config = configured(PROFILES, profile, {"epochs": epochs, "order": order, **settings})
    if config.order not in (1, 2):
        raise ValueError(f"The order is {config.order!r}; give 1 (weights as they are) or 2 (one step ahead).")
    return Search(
        _steps(space, data, config, seed, best_device(device)),
        seed,
        strategy="darts",
        config=asdict(config),
        data=data.name,
    )


def _steps(space: Space, data: Data, config: Config, seed: int, device: torch.device) -> Steps:
    generator = torch.Generator().manual_seed(seed)
    network = placed(space.supernet(data.classes, data.channels), device)
    alphas = {
        name: a.detach().to(device).requires_grad_() for name, a in space.alphas(generator, config.alpha_scale).items()
    }
    problem, optimisers = Bilevel(space, network, alphas), Optimisers(network.parameters(), alphas, config)
    for epoch in range(1, config.epochs + 1):
        meter = _epoch(problem, optimisers, data, config, generator, device)
        optimisers.schedule.step()
        accuracy = evaluate(network, data.validation, data, space.relax(_detached(alphas)))
        yield Event(
            epoch,
            config.epochs,
            meter.loss,
            meter.accuracy,
            accuracy,
            space.derive(_detached(alphas)),
            probabilities=as_lists(space.probabilities(alphas)),
        )
    return {
        **{f"network.{k}": v for k, v in network.state_dict().items()},
        **{f"alpha.{k}": v for k, v in _detached(alphas).items()},
    }


class Optimisers:
    """SGD for the weights, Adam (β₁ = 0.5) for α."""

    def __init__(self, weights: Any, alphas: Tensors, config: Config):
        self.weights = config.recipe.optimiser(weights)
        self.schedule = config.recipe.schedule(self.weights)
        self.alpha = torch.optim.Adam(
            alphas.values(), config.alpha_rate, betas=(0.5, 0.999), weight_decay=config.alpha_decay
        )

    def virtual_step(self, names: list[str]) -> VirtualStep:
        """The step that SGD would take next, momentum and weight decay included."""
        group = self.weights.param_groups[0]
        buffers = {
            name: self.weights.state[w]["momentum_buffer"]
            for name, w in zip(names, group["params"], strict=True)
            if self.weights.state[w].get("momentum_buffer") is not None
        }
        return VirtualStep(group["lr"], group["momentum"], group["weight_decay"], buffers)


def _epoch(
    problem: Bilevel,
    optimisers: Optimisers,
    data: Data,
    config: Config,
    generator: torch.Generator,
    device: torch.device,
) -> Meter:
    estimate = first_order if config.order == 1 else partial(unrolled, r=config.r)
    batches = partial(
        prepared, data=data, size=config.batch_size, generator=generator, device=device, workers=config.workers
    )
    meter = Meter()
    problem.network.train()
    for train, validation in zip(batches(data.train, augmented=True), batches(data.validation), strict=False):
        _step_alpha(
            problem, optimisers, estimate(problem, train, validation, optimisers.virtual_step(list(problem.weights)))
        )
        _step_weights(problem, optimisers, train, config.clip, meter)
    return meter


def _step_alpha(problem: Bilevel, optimisers: Optimisers, gradient: Tensors) -> None:
    for name, alpha in problem.alphas.items():
        alpha.grad = gradient[name]
    optimisers.alpha.step()


def _step_weights(problem: Bilevel, optimisers: Optimisers, train: Batch, clip: float, meter: Meter) -> None:
    images, labels = train
    logits = problem.logits(images, alphas=_detached(problem.alphas))  # no gradient for α is computed
    loss = cross_entropy(logits, labels)
    descend(loss, optimisers.weights, clip)
    meter.add(loss.detach(), logits, labels)


def _detached(alphas: Mapping[str, Tensor]) -> Tensors:
    return {name: alpha.detach() for name, alpha in alphas.items()}
