"""Retraining of many architectures, each with several seeds: one trial for each pair."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field

from nas_tutorial.data import Data, check_test_pictures
from nas_tutorial.settings import Accuracy, Record, configured, versions
from nas_tutorial.spaces import Architecture
from nas_tutorial.training import RECIPES, Scores, retrain
from nas_tutorial.training.inputs import check_kind, checked_seeds
from nas_tutorial.training.recipes import counted
from nas_tutorial.trials.keeping import Folder
from nas_tutorial.trials.running import run
from nas_tutorial.trials.threads import torch_threads


class Score(Record):
    """What a training is worth, and the weights that it has."""

    accuracy: Accuracy
    parameters: Annotated[int, Field(ge=0)]


def retrain_all(
    architectures: Sequence[Architecture],
    data: Data,
    seeds: Iterable[int] = (0, 1, 2),
    profile: str = "small",
    *,
    executor: Executor | None = None,
    resume: str | Path | None = None,
    label: str | None = None,
    **settings: Any,
) -> list[Scores]:
    """The scores of each architecture, as `training.retrain` gives them; each pair of architecture and seed is a trial.

    executor: where trials run, see `trials.engine`. resume: a folder that keeps the result of each trial. label: of a
    bar. The other arguments are those of `retrain`, and so are the errors; see `trials.run` for those of a trial.
    """
    check_kind(Data, data)
    for architecture in architectures:
        check_kind(Architecture, architecture)
    seeds, recipe = checked_seeds(seeds), configured(RECIPES, profile, settings)
    check_test_pictures(data)
    texts = [architecture.to_json() for architecture in architectures]
    jobs = {name(text, seed): (a, seed) for a, text in zip(architectures, texts, strict=True) for seed in seeds}
    identity = {"recipe": counted(recipe), "pictures": data.fingerprint, "test_pictures": data.test.fingerprint}
    work = partial(score, data, profile, settings, torch.get_num_threads())
    found = run(work, jobs, executor, resume and Folder(resume, identity, Score), label)
    about = {"profile": profile, "recipe": asdict(recipe), "seeds": list(seeds), "versions": versions()}
    trials = [[found[name(text, seed)] for seed in seeds] for text in texts]
    return [Scores(tuple(t["accuracy"] for t in of), of[0]["parameters"], about) for of in trials]


def name(architecture: str, seed: int) -> str:
    """The name of a trial: JSON text of an architecture with the sizes of its space, and a seed."""
    return f"{hashlib.sha256(architecture.encode()).hexdigest()[:16]}-seed-{seed}"


def score(
    data: Data, profile: str, settings: dict[str, Any], threads: int, architecture: Architecture, seed: int
) -> Score:
    """Do one trial: train the architecture with this seed, on so many threads, and test it."""
    with torch_threads(threads):
        scores = retrain(architecture, data, (seed,), profile, **settings)
    return {"accuracy": scores.accuracies[0], "parameters": scores.parameters}
