"""Random search, the honest baseline: uniform architectures, judged one by one or at shared weights.

Alone, each is trained from scratch for a short while (Bergstra & Bengio, 2012). Shared, all live in one supernet that
is trained on uniform samples, and many are compared in it (Li & Talwalkar, 2019).
"""

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch

from nas_tutorial.data import Data
from nas_tutorial.spaces import Space
from nas_tutorial.strategies.events import Event, Search, Steps, configured
from nas_tutorial.strategies.sharing import best_of, train_paths
from nas_tutorial.training import Recipe, best_device, evaluate, fit, placed


@dataclass(frozen=True)
class Config:
    """Settings of a search.

    shared: one supernet for all, instead of a network for each. epochs: of the supernet; otherwise the number of
    architectures tried. trial_epochs: training of each one tried. candidates: compared at shared weights at the end.
    workers: processes that load pictures; they change no result.
    """

    epochs: int = 150
    shared: bool = False
    trial_epochs: int = 25
    batch_size: int = 96
    learning_rate: float = 0.025
    final_rate: float = 0.0
    weight_decay: float = 3e-4
    clip: float = 5.0
    candidates: int = 1000
    workers: int = 0

    def recipe(self, epochs: int) -> Recipe:
        """How weights are trained for this many epochs."""
        return Recipe.of(self, epochs=epochs)


PROFILES = {
    "paper": Config(),
    "small": Config(epochs=7, trial_epochs=5, batch_size=64, learning_rate=0.1, candidates=100),
}


def search(
    space: Space,
    data: Data,
    *,
    epochs: int | None = None,
    seed: int = 0,
    profile: str = "small",
    device: str | None = None,
    **settings: Any,
) -> Search:
    """Search `space`: weights on `data.train`, the choice on `data.validation`; iterate over the result's events.

    settings: any field of `Config`, above all `shared`.
    """
    config = configured(PROFILES, profile, {"epochs": epochs, **settings})
    steps = _shared if config.shared else _alone
    return Search(
        steps(space, data, config, seed, best_device(device)),
        seed,
        strategy="random",
        config=asdict(config),
        data=data.name,
    )


def _alone(space: Space, data: Data, config: Config, seed: int, device: torch.device) -> Steps:
    generator = torch.Generator().manual_seed(seed)
    best, best_accuracy = None, -1.0
    for trial in range(1, config.epochs + 1):
        architecture = space.sample(generator)
        network = placed(space.network(architecture, data.classes, data.channels), device)
        *_, last = fit(network, data.train, data, config.recipe(config.trial_epochs), generator, config.workers)
        accuracy = evaluate(network, data.validation, data)
        if accuracy > best_accuracy:
            best, best_accuracy = architecture, accuracy
        yield Event(
            trial, config.epochs, last.loss, last.accuracy, accuracy, best, info={"best_validation": best_accuracy}
        )
    return {}


def _shared(space: Space, data: Data, config: Config, seed: int, device: torch.device) -> Steps:
    generator = torch.Generator().manual_seed(seed)
    supernet, recipe = placed(space.supernet(data.classes, data.channels), device), config.recipe(config.epochs)
    optimiser = recipe.optimiser(supernet.parameters())
    schedule, sample = recipe.schedule(optimiser), partial(space.sample, generator)
    for epoch in range(1, config.epochs + 1):
        meter = train_paths(supernet, sample, data, recipe, optimiser, generator, config.workers)
        schedule.step()
        candidates = [sample() for _ in range(config.candidates if epoch == config.epochs else 10)]
        best, accuracy = best_of(supernet, candidates, data)
        yield Event(epoch, config.epochs, meter.loss, meter.accuracy, accuracy, best)
    return {f"network.{name}": w for name, w in supernet.state_dict().items()}
