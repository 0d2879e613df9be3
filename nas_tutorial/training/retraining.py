"""Training from scratch: what a found architecture is worth, over several seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nas_tutorial.data import Data, Split, check_test_pictures
from nas_tutorial.settings import Diverged, configured, versions
from nas_tutorial.spaces import Architecture
from nas_tutorial.training import parallel
from nas_tutorial.training.checkpoints import Checkpoints, Run
from nas_tutorial.training.devices import best_device, resident, to_device
from nas_tutorial.training.fitting import Epoch, Training, evaluate
from nas_tutorial.training.inputs import check_kind, checked_seed, checked_seeds
from nas_tutorial.training.memory import check_fits
from nas_tutorial.training.recipes import RECIPES, Recipe, counted

Report = Callable[[Epoch], None]


@dataclass(frozen=True)
class Scores:
    """Test accuracies (fractions) of one architecture trained from scratch with several seeds.

    about: how they were made: profile, recipe, seeds, versions.
    """

    accuracies: tuple[float, ...]
    parameters: int
    about: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def mean(self) -> float:
        """Mean accuracy."""
        return statistics.fmean(self.accuracies)

    @property
    def std(self) -> float:
        """Standard deviation between seeds (n − 1 in the denominator); 0 for a single seed."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.std:.2f}"


def count_parameters(network: nn.Module) -> int:
    """Number of trained weights, the auxiliary head left out."""
    return sum(p.numel() for name, p in network.named_parameters() if not name.startswith("auxiliary."))


def train_from_scratch(
    architecture: Architecture,
    split: Split,
    data: Data,
    recipe: Recipe,
    seed: int = 0,
    device: str | torch.device | None = None,
    report: Report | None = None,
    resume: str | Path | None = None,
) -> nn.Module:
    """A new network of this architecture, trained on a split; the seed fixes weights, order and augmentation.

    report: called after each epoch. resume: a folder in which each epoch's state is kept, and from which the training
    goes on where one is kept already. Raises ValueError for a state of another training, and Diverged where the loss is
    NaN or infinite.
    """
    for kind, given in ((Architecture, architecture), (Split, split), (Data, data), (Recipe, recipe)):
        check_kind(kind, given)
    seed, device = checked_seed(seed), best_device(device)
    check_fits(architecture.space, data, recipe, device, architecture)

    def make() -> Training:
        network = to_device(architecture.space.network(architecture, data.classes, data.channels), device, recipe)
        return Training(network, resident(split, device), data, recipe, torch.Generator().manual_seed(seed))

    resume = resume if parallel.is_first() else None
    facts = {"recipe": counted(recipe), "seed": seed, "architecture": str(architecture)}
    run = TrainingRun(make, seed, resume and Checkpoints(resume, facts | identity(architecture, split, data)))
    while not run.subject.finished:
        run.advance()
        if report:
            report(Epoch(**run.log[-1]))
    return run.subject.network


def identity(architecture: Architecture, split: Split, data: Data) -> dict[str, Any]:
    """In what space, and on which pictures, a network is trained."""
    return {**architecture.space.to_record(), "pictures": split.fingerprint, **data.treatment}


class TrainingRun(Run):
    """A training that can be interrupted."""

    def entry(self) -> dict[str, Any]:
        """One epoch, as plain values; Diverged where its loss is NaN or infinite."""
        try:
            return asdict(self.subject.epoch())
        except Diverged as fault:
            raise self.told(fault, "this training", self.subject.recipe.epochs) from fault


def epochs_kept(folder: str | Path, seed: int) -> int:
    """How many epochs of the training with this seed are over, by the states in the folder `resume` of `retrain`."""
    states = Path(folder).glob(f"seed-{seed}/step-{'[0-9]' * 6}.safetensors")
    return max((int(path.stem[-6:]) for path in states), default=0)


def retrain(
    architecture: Architecture,
    data: Data,
    seeds: Iterable[int] = (0, 1, 2),
    profile: str | Recipe = "small",
    device: str | torch.device | None = None,
    report: Report | None = None,
    resume: str | Path | None = None,
    searched: Data | None = None,
    **settings: Any,
) -> Scores:
    """Train the architecture from scratch on all training pictures, once per seed, and test each network once.

    profile: a name in `RECIPES`, or a recipe; settings: fields of `Recipe` to change, for example `epochs=20`. report:
    called after each epoch. resume: a folder for the states of these trainings; where there are some, they go on from
    them.
    searched: what the architecture was searched on, where that is other data: nor may its pictures be tested on.
    Raises ValueError for an unknown profile or setting, no seed or one twice, test pictures that were learnt from (see
    `data.check_test_pictures`), a state of another training, or a loss that is NaN or infinite.
    """
    check_kind(Architecture, architecture)
    check_kind(Data, data)
    if searched is not None:
        check_kind(Data, searched, "The data searched on (searched) are")
    seeds = checked_seeds(seeds)
    check_test_pictures(data, searched)
    recipes = {**RECIPES, "own": profile} if isinstance(profile, Recipe) else RECIPES
    profile = "own" if isinstance(profile, Recipe) else profile
    recipe, pool, accuracies = configured(recipes, profile, settings), data.full_train, []
    for seed in seeds:
        folder = resume and Path(resume) / f"seed-{seed}"
        network = train_from_scratch(architecture, pool, data, recipe, seed, device, report, folder)
        accuracies.append(evaluate(network, data.test, data))
    about = {"profile": profile, "recipe": asdict(recipe), "seeds": list(seeds), "versions": versions()}
    return Scores(tuple(accuracies), count_parameters(network), about)
