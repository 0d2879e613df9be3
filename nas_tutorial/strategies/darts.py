"""DARTS (Liu, Simonyan & Yang, ICLR 2019): mix all operations, descend on the mixture's weights, then round.

While not converged, (1) update α by the gradient of the validation loss, (2) update w by the gradient of the training
loss; the final architecture is derived from the learned α  (DARTS, algorithm 1).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import cross_entropy

from nas_tutorial.data import Data
from nas_tutorial.settings import Diverged, NonNegative, Positive
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies.gradients import Batch, Bilevel, Tensors, VirtualStep, first_order, unrolled
from nas_tutorial.strategies.results import Event
from nas_tutorial.strategies.searching import SHORT, Search, SearchConfig, Strategy, Work, drive, prefixed
from nas_tutorial.training.descent import Descent, fused, loss_scaler
from nas_tutorial.training.devices import to_device
from nas_tutorial.training.fitting import Meter, batches, evaluate
from nas_tutorial.training.recipes import Epochs, Pictures


@dataclass(frozen=True)
class Config(SearchConfig):
    """Settings of a search; the defaults are the paper's  (DARTS, §A.1).

    order: 1 takes the weights as they are, 2 looks one step ahead. alpha_rate, alpha_decay: learning rate and weight
    decay of Adam for α. alpha_scale: standard deviation of α at the start. alpha_start: epochs of the weights alone,
    before α begins to move. r: reach of the finite difference, ε = r / ‖∇L_val‖. derive_none: whether an edge of the
    result may be "none", see `Space.derive`. Raises ValueError for another order, order 2 in 16 bits, or an α that
    never moves.
    """

    epochs: Epochs = 50
    order: Annotated[int, Field(ge=1, le=2)] = 1
    batch_size: Pictures = 64
    learning_rate: NonNegative = 0.025
    final_rate: NonNegative = 0.001
    alpha_rate: NonNegative = 3e-4
    alpha_decay: NonNegative = 1e-3
    alpha_scale: NonNegative = 1e-3
    alpha_start: Annotated[int, Field(ge=0, lt=100_000)] = 0
    r: Positive = 0.01
    derive_none: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.alpha_start >= self.epochs:
            raise ValueError(
                f"alpha_start is {self.alpha_start} of {self.epochs} epochs, so α would stay at its random start: "
                f"give at most {self.epochs - 1}, or more epochs."
            )
        if self.order == 2 and self.precision != "float32":
            raise ValueError(
                f"order is 2 and precision {self.precision}, but in 16 bits nothing is left of a finite difference: "
                "set precision=float32, or order=1."
            )


PROFILES = {
    "small": Config(epochs=8, learning_rate=0.1, final_rate=0.0, alpha_rate=0.03, **SHORT),
    "colab": Config(epochs=15, learning_rate=0.1, final_rate=0.0, alpha_rate=0.01, precision="mixed", **SHORT),
    "paper": Config(),
}


class DARTS(Strategy):
    """Descent on α and weights in turn. A variant replaces what α means (`probabilities`) or adds to `fresh_alphas`."""

    name: ClassVar[str] = "darts"
    mixes: ClassVar[bool] = True
    kept = ("network", "alphas", "descent", "alpha_optimiser", "generator", "epochs_done")

    def __init__(self, space: Space, data: Data, config: Config, seed: int, device: torch.device):
        super().__init__(space, data, config, seed, device)
        self.network = to_device(space.supernet(data.classes, data.channels), device, config)
        self.alphas = {name: a.detach().to(device).requires_grad_() for name, a in self.fresh_alphas().items()}
        self.scaler = loss_scaler(config, device)
        self.problem = Bilevel(space, self.network, self.alphas, self.training_probabilities, self.scaler.scale)
        self.descent = Descent(self.network.parameters(), config, data.train, data.validation)
        settings = {"betas": (0.5, 0.999), "weight_decay": config.alpha_decay, **fused(self.scaler)}
        self.alpha_optimiser = torch.optim.Adam(self.alphas.values(), config.alpha_rate, **settings)
        if self.scaler.is_enabled():
            self.kept = (*self.kept, "scaler")

    def fresh_alphas(self) -> Tensors:
        """Architecture parameters at the start; a variant may add some of its own."""
        return self.space.alphas(self.generator, self.config.alpha_scale)

    def probabilities(self, alphas: Mapping[str, Tensor]) -> Tensors:
        """What α means: softmax(α), (questions, options) each  (DARTS, eq. 2)."""
        return self.space.probabilities(alphas)

    def training_probabilities(self, alphas: Mapping[str, Tensor]) -> Tensors:
        """The same in steps of training, where a variant may add noise (Gumbel) that has no place in a result.

        Weights of exactly 0 save no work: all operations run, and their batch norm updates its statistics. To run only
        the drawn ones, call the network with an architecture, whose `active_ops` name one operation for each edge; then
        no gradient reaches α. `judged` scores the mixture of `probabilities`, without noise.
        """
        return self.probabilities(alphas)

    def epoch(self) -> Event:
        """One pass over the training pictures: for every batch a step of α, then a step of the weights."""
        meter = Meter()
        self.network.train()
        for train, validation in self.pairs_of_batches():
            self.step(train, validation, meter)
        self.check(meter)
        self.descent.after_epoch()
        return self.judged(meter)

    def step(self, train: Batch, validation: Batch, meter: Meter) -> None:
        """A step of α, once its time has come, and a step of the weights."""
        if self.epochs_done >= self.config.alpha_start:
            self.step_alpha(train, validation)
        self.step_weights(train, meter)

    def work(self) -> Iterator[Work]:
        """A step for each pair of batches; then validation pictures are classified."""
        self.network.train()
        few, meter = self.one_batch, Meter()
        yield self.descent.steps, partial(self.step, *next(self.pairs_of_batches()), meter)
        mixture = self.space.assign(self.probabilities(detached(self.alphas)))
        share = len(self.data.validation) / len(few.validation)
        yield share, partial(evaluate, self.network, few.validation, few, mixture)

    def check(self, meter: Meter) -> None:
        """Raise Diverged where a loss of this epoch, or now α, is NaN or infinite."""
        advice = f"an alpha_rate below {self.config.alpha_rate:g}"
        meter.check(self.config, f" or {advice}: α may be the cause")
        if not all(alpha.isfinite().all() for alpha in self.alphas.values()):
            raise Diverged(f"α is NaN or infinite after step {len(meter.losses)}", advice)

    def pairs_of_batches(self) -> Iterator[tuple[Batch, Batch]]:
        """A training batch and a validation batch each time, until the smaller split is over."""
        config = self.config
        shared = {"generator": self.generator, "device": self.device, "workers": config.workers}
        train = batches(self.data.train, self.data, config.batch_size, augmented=True, cutout=config.cutout, **shared)
        return zip(train, batches(self.data.validation, self.data, config.batch_size, **shared), strict=False)

    def step_alpha(self, train: Batch, validation: Batch) -> None:
        """A step of Adam down the architecture gradient."""
        estimate = first_order if self.config.order == 1 else partial(unrolled, r=self.config.r)
        gradient = estimate(self.problem, train, validation, self.virtual_step())
        for name, alpha in self.alphas.items():
            alpha.grad = gradient[name]
        self.scaler.step(self.alpha_optimiser)
        self.scaler.update()

    def virtual_step(self) -> VirtualStep:
        """The step that SGD would take next, momentum and weight decay included."""
        optimiser = self.descent.optimiser
        group, state = optimiser.param_groups[0], optimiser.state
        moving = {name: state[w].get("momentum_buffer") for name, w in self.problem.weights.items() if w in state}
        buffers = {name: buffer for name, buffer in moving.items() if buffer is not None}
        return VirtualStep(group["lr"], group["momentum"], group["weight_decay"], buffers, group["nesterov"])

    def step_weights(self, train: Batch, meter: Meter) -> None:
        """A step of SGD down the training loss; no gradient for α is computed."""
        images, labels = train
        logits = self.problem.logits(images, alphas=detached(self.alphas))
        loss = cross_entropy(logits, labels)
        self.descent.step(loss)
        meter.add(loss, logits, labels)

    def judged(self, meter: Meter) -> Event:
        """The event of this epoch: how well the mixture does on validation pictures, and what it is rounded to."""
        probabilities = self.probabilities(detached(self.alphas))
        mixture = self.space.assign(probabilities)
        return self.event(
            loss=meter.loss,
            train_accuracy=meter.accuracy,
            validation_accuracy=evaluate(self.network, self.data.validation, self.data, mixture),
            architecture=self.derive(probabilities),
            probabilities={name: table.tolist() for name, table in probabilities.items()},
        )

    def derive(self, probabilities: Tensors) -> Architecture:
        """The architecture that the mixture is rounded to."""
        return self.space.derive(probabilities, self.config.derive_none)

    def weights(self) -> Tensors:
        """Weights of the supernet, and α."""
        return {**prefixed("network", self.network), **prefixed("alpha", self.alphas)}


def detached(alphas: Mapping[str, Tensor]) -> Tensors:
    """α as constants."""
    return {name: alpha.detach() for name, alpha in alphas.items()}


def search(space: Space, data: Data, **settings: Any) -> Search:
    """Search `space` on `data.train` (weights) and `data.validation` (architecture); iterate over the result's events.

    settings: epochs, seed, profile (such as "small", or a `Profile`), device, resume (a folder, see `searching.drive`),
    and any field of `Config`. Raises ValueError for an unknown setting or order.
    """
    return drive(DARTS, "darts", PROFILES, space, data, **settings)
