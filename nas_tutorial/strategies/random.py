"""Random search, the baseline: uniform architectures, judged one by one or at shared weights.

Alone, each is trained from scratch for a short while (Bergstra & Bengio, 2012). Shared, all live in one supernet that
is trained on uniform samples, and many are compared in it (Li & Talwalkar, 2019).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from nas_tutorial.data import Data
from nas_tutorial.settings import NonNegative
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies.results import Event, sampled
from nas_tutorial.strategies.searching import SHORT, Search, SearchConfig, Strategy, Work, drive, prefixed
from nas_tutorial.strategies.sharing import first_best, shared_accuracies, train_paths
from nas_tutorial.training.descent import Descent
from nas_tutorial.training.devices import to_device
from nas_tutorial.training.fitting import Training, evaluate, fit
from nas_tutorial.training.recipes import Architectures, Epochs, Pictures


@dataclass(frozen=True)
class Config(SearchConfig):
    """Settings of a search.

    shared: one supernet for all, instead of a network for each. epochs: of the supernet; otherwise the number of
    architectures tried. trial_epochs: training of each one tried. candidates: compared at shared weights at the end.
    """

    epochs: Epochs = 150
    shared: bool = False
    trial_epochs: Epochs = 25
    batch_size: Pictures = 96
    learning_rate: NonNegative = 0.025
    candidates: Architectures = 1000


FEW: dict[str, Any] = {"trial_epochs": 5, "batch_size": 64, "learning_rate": 0.1, "candidates": 100, **SHORT}
PROFILES = {
    "small": Config(epochs=7, **FEW),
    "colab": Config(epochs=15, precision="mixed", **FEW),
    "paper": Config(),
}


class Alone(Strategy):
    """Every epoch trains one architecture from scratch; the best on validation so far is what the search has found."""

    name: ClassVar[str] = "random"
    kept = ("best", "best_accuracy", "best_weights", "generator", "epochs_done")

    def __init__(self, space: Space, data: Data, config: Config, seed: int, device: torch.device):
        super().__init__(space, data, config, seed, device)
        self.best: tuple[int, ...] = ()
        self.best_accuracy, self.best_weights = -1.0, {}

    def epoch(self) -> Event:
        """One trial."""
        architecture, config = self.space.sample(self.generator), self.config
        network = self.space.network(architecture, self.data.classes, self.data.channels)
        network = to_device(network, self.device, config)
        recipe = replace(config, epochs=config.trial_epochs)
        *_, last = fit(network, self.data.train, self.data, recipe, self.generator, config.workers)
        accuracy = evaluate(network, self.data.validation, self.data)
        if accuracy > self.best_accuracy:
            self.best, self.best_accuracy = architecture.choices, accuracy
            self.best_weights = prefixed("network", network)
        return self.event(
            loss=last.loss,
            train_accuracy=last.accuracy,
            validation_accuracy=accuracy,
            architecture=self.space.architecture(self.best),
            info={"best_validation": self.best_accuracy},
            samples=sampled([architecture.choices], accuracy=[accuracy]),
        )

    def work(self) -> Iterator[Work]:
        """The steps of a network's training; then validation pictures are classified."""
        few, config = self.one_batch, self.config
        network = self.space.network(self.space.sample(self.generator), few.classes, few.channels)
        network = to_device(network, self.device, config)
        steps = len(self.data.train) // len(few.train)
        yield config.trial_epochs * steps, Training(network, few.train, few, config, self.generator).epoch
        share = len(self.data.validation) / len(few.validation)
        yield share, partial(evaluate, network, few.validation, few)

    def weights(self) -> dict[str, Tensor]:
        """Weights of the best network so far."""
        return {name: w.clone() for name, w in self.best_weights.items()}


class Shared(Strategy):
    """A supernet trained on uniform samples, in which some architectures are compared."""

    name: ClassVar[str] = "random"
    kept = ("supernet", "descent", "generator", "epochs_done")

    def __init__(self, space: Space, data: Data, config: Config, seed: int, device: torch.device):
        super().__init__(space, data, config, seed, device)
        self.supernet = to_device(space.supernet(data.classes, data.channels), device, config)
        self.descent = Descent(self.supernet.parameters(), config, data.train)

    def sample(self) -> Architecture:
        """Any architecture, all equally likely."""
        return self.space.sample(self.generator)

    def epoch(self) -> Event:
        """Train the supernet, one path a batch, and compare: few architectures, in the last epoch many."""
        config = self.config
        meter = train_paths(self.supernet, self.sample, self.data, self.descent, self.generator, config.workers)
        is_last = self.epochs_done + 1 == config.epochs
        candidates = [self.sample() for _ in range(config.candidates if is_last else 10)]
        accuracies = shared_accuracies(self.supernet, candidates, self.data)
        best, accuracy = first_best(candidates, accuracies)
        return self.event(
            loss=meter.loss,
            train_accuracy=meter.accuracy,
            validation_accuracy=accuracy,
            architecture=best,
            samples=sampled([each.choices for each in candidates], accuracy=accuracies),
        )

    def work(self) -> Iterator[Work]:
        """Steps of the supernet; then some architectures are compared."""
        rest = self.one_batch, self.descent, self.generator
        yield self.descent.steps, partial(train_paths, self.supernet, self.sample, *rest)
        yield 10, lambda: shared_accuracies(self.supernet, [self.sample()], self.data)

    def weights(self) -> dict[str, Tensor]:
        """Weights of the supernet."""
        return prefixed("network", self.supernet)


def alone_or_shared(space: Space, data: Data, config: Config, *rest: Any) -> Strategy:
    """The kind of random search that the settings ask for."""
    return (Shared if config.shared else Alone)(space, data, config, *rest)


def search(space: Space, data: Data, **settings: Any) -> Search:
    """Search `space`: weights on `data.train`, the choice on `data.validation`; iterate over the result's events.

    settings: epochs, seed, profile (such as "small", or a `Profile`), device, resume (a folder, see `searching.drive`),
    and any field of `Config`, above all `shared`.
    """
    return drive(alone_or_shared, "random", PROFILES, space, data, **settings)
