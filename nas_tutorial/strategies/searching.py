"""A search: any strategy, driven epoch by epoch; it can be watched, interrupted, kept in a folder, and go on."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from nas_tutorial.data import Data
from nas_tutorial.data.own import select
from nas_tutorial.files import writable_folder
from nas_tutorial.settings import Diverged, configured, one_of
from nas_tutorial.spaces import Space
from nas_tutorial.strategies import SUMMARIES, recordings
from nas_tutorial.strategies.estimates import Estimate, estimate
from nas_tutorial.strategies.profiles import Profile
from nas_tutorial.strategies.results import Event, SearchResult, begun, kept_data
from nas_tutorial.training import parallel
from nas_tutorial.training.checkpoints import Checkpoints, Resumable, Run
from nas_tutorial.training.devices import best_device, resident
from nas_tutorial.training.inputs import check_subject, checked_seed
from nas_tutorial.training.memory import check_fits
from nas_tutorial.training.recipes import Recipe, counted


@dataclass(frozen=True)
class SearchConfig(Recipe):
    """Settings that all searches share: how shared weights are trained, and how pictures are loaded.

    By default the learning rate changes with every epoch, as published; the small profiles warm up and change it with
    every step.
    workers: processes that load pictures; they change no result. Drop path and auxiliary head are for training from
    scratch; ValueError where a search is given one.
    """

    nesterov: bool = False
    per_step: bool = False
    warmup: float = 0.0
    workers: Annotated[int, Field(ge=0, le=64)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("drop_path", "auxiliary"):
            if getattr(self, name):
                raise ValueError(
                    f"{name} is for training from scratch; leave it out of a search, and pass it to retrain."
                )


SHORT: dict[str, Any] = {"nesterov": True, "per_step": True, "warmup": 0.2}
"""The course of the learning rate in small profiles, that of `Recipe`."""


Work = tuple[float, Callable[[], object]]
"""A piece of work, and how often an epoch does it."""


class Strategy(Resumable):
    """A way to search, one epoch at a time.

    A strategy trains weights on `data.train`, chooses architectures on `data.validation`, and never opens `data.test`.
    Its `kept` attributes are all that the next epoch depends on, apart from torch's default generator, which `Search`
    takes care of.
    """

    name: ClassVar[str]
    mixes: ClassVar[bool] = False  # whether all operations run at once

    def __init__(self, space: Space, data: Data, config: SearchConfig, seed: int, device: torch.device):
        self.space, self.data, self.config, self.device = space, data, config, device
        self.generator = torch.Generator().manual_seed(seed)
        self.epochs_done = 0

    @abstractmethod
    def epoch(self) -> Event:
        """One pass of the search."""

    @abstractmethod
    def weights(self) -> dict[str, Tensor]:
        """What was learnt so far: shared weights, architecture parameters, controller, by name."""

    def work(self) -> Iterable[Work]:
        """What an epoch consists of, for an estimate of its time; nothing where a strategy does not tell."""
        return ()

    @property
    def one_batch(self) -> Data:
        """A batch of training and one of validation pictures, as a data set of their own, to try a step on."""
        train, validation = (
            select(split, torch.arange(min(self.config.batch_size, len(split)), device=split.labels.device))
            for split in (self.data.train, self.data.validation)
        )
        return replace(self.data, train=train, validation=validation)

    def event(self, **facts: Any) -> Event:
        """The event of the epoch that is just over."""
        self.epochs_done += 1
        return Event(self.epochs_done, self.config.epochs, **facts)


def prefixed(prefix: str, part: nn.Module | Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a module or a dictionary under names that begin with `prefix` and a dot."""
    tensors = part.state_dict() if isinstance(part, nn.Module) else part
    return {f"{prefix}.{name}": tensor.detach().clone() for name, tensor in tensors.items()}


class Search(Run):
    """A search in progress: iterate over its events, then ask for `result`.

    An interrupted epoch leaves no trace: iterate again, and the search goes on from the epoch before. With a folder,
    result and state are kept there after each epoch, and a search whose state lies there goes on from it.
    record: what else to do with the result so far after each epoch.
    """

    def __init__(
        self,
        make: Callable[[], Strategy],
        facts: Mapping[str, Any],
        identity: Mapping[str, Any] | None = None,
        folder: str | Path | None = None,
        record: Callable[[SearchResult], object] | None = None,
    ):
        self.facts, self.folder = dict(facts), None if folder is None else resumable(folder)
        self._record = record
        checkpoints = Checkpoints(self.folder / "checkpoints", identity) if self.folder else None
        super().__init__(make, facts["seed"], checkpoints)
        self._given = len(self.log)  # how many events were handed out
        if self.folder and self.log:
            self.facts["data"] = kept_data(self.folder, self.facts["data"])
            self._keep()  # a stop between state and result left the result one epoch behind

    @property
    def config(self) -> dict[str, Any]:
        """The settings in use, such as the number of epochs."""
        return self.facts["config"]

    @property
    def history(self) -> list[Event]:
        """The events so far."""
        return [Event.from_record(record, self.subject.space) for record in self.log]

    def __iter__(self) -> Search:
        return self

    def __next__(self) -> Event:
        if self._given == len(self.log):  # else an interrupt kept the latest event from being handed out
            if len(self.log) >= self.config["epochs"]:
                raise StopIteration
            self.advance()
        self._keep()
        self._given = len(self.log)
        return Event.from_record(self.log[-1], self.subject.space)

    def _keep(self) -> None:
        """Write what is asked for: the result so far, its recording."""
        result = self.so_far if self.folder or self._record else None
        if self.folder:
            result.save(self.folder)
        if self._record:
            self._record(result)

    def estimate(self) -> Estimate:
        """Time and memory of what is left, by trial steps of another search like this one, which is thrown away."""
        return estimate(self._make, self.facts["seed"], self.config["epochs"] - len(self.log))

    def entry(self) -> dict[str, Any]:
        """One epoch of the strategy, with the time since the start."""
        start = time.perf_counter()
        try:
            event = self.subject.epoch()
        except Diverged as fault:
            raise self.told(fault, "this search", self.config["epochs"]) from fault
        before = self.log[-1]["seconds"] if self.log else 0.0
        return replace(event, seconds=before + time.perf_counter() - start).to_record()

    @property
    def weights(self) -> dict[str, Tensor]:
        """What was learnt up to the latest whole epoch, by name."""
        self.rewind()
        return self.subject.weights()

    @property
    def result(self) -> SearchResult:
        """The result; runs what is left of the search first. Where its latest epoch failed, that error is raised again.

        To try that epoch once more, iterate; for the epochs before it see `so_far`.
        """
        if self.failure:
            raise self.failure
        for _ in self:
            pass
        return self.so_far

    @property
    def so_far(self) -> SearchResult:
        """What is known after the latest epoch, of which there must be one."""
        if not (history := self.history):
            raise ValueError("No epoch of this search is over yet: iterate over it first, or ask for its result.")
        return SearchResult(architecture=history[-1].architecture, history=history, weights=self.weights, **self.facts)


def resumable(folder: str | Path) -> Path:
    """A folder that a search can be kept in, or go on in; ValueError where it holds other files of such names."""
    folder = writable_folder(folder)
    begun(folder)
    return folder


def drive(
    strategy: Callable[..., Strategy],
    name: str,
    profiles: Mapping[str, SearchConfig],
    space: Space,
    data: Data,
    *,
    seed: int = 0,
    profile: str | Profile = "small",
    device: str | None = None,
    resume: str | Path | None = None,
    record: str | Path | None = None,
    command: str = "",
    identity: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Search:
    """The search of a strategy (name: as in `SUMMARIES`) with a profile's settings, some of them replaced.

    profile: a name in `profiles`, or a whole `Profile` of this strategy, whose settings are taken.
    resume: a folder in which the search is kept after each epoch, and from which it goes on where one is kept already.
    record: a file for its recording, written anew after each epoch (see `recordings`); command: what that file is to
    name as the way to make it again, by default a line of Python.
    identity: what else a state must agree in to go on from. Raises ValueError for an unknown profile or setting, or
    where the folder holds the state of another search.
    """
    check_subject(space, data)
    if isinstance(profile, Profile):
        profiles, profile = {profile.name: of_kind(profile.config, profiles)}, profile.name
    config, device = configured(profiles, profile, settings), best_device(device)
    seed = checked_seed(seed)
    known = {"strategy": name, "seed": seed}
    facts = {**known, "config": asdict(config), "data": data.record}
    identity = {**known, "code": name_of(strategy), **(identity or {}), **what_counts(config, space, data)}

    check_fits(space, data, config, device, "mixture" if getattr(strategy, "mixes", False) else None)

    near = resident(data, device, config.workers)

    def make() -> Strategy:
        return strategy(space, near, config, seed, device)

    resume, record = (resume, record) if parallel.is_first() else (None, None)
    recorder = record and partial(recordings.record, path=recordings.recordable(record), command=command)
    return Search(make, facts, identity, resume, recorder or None)


def of_kind(config: SearchConfig, profiles: Mapping[str, SearchConfig]) -> SearchConfig:
    """Settings from a profile; ValueError where they are those of another strategy."""
    if not isinstance(config, kind := type(next(iter(profiles.values())))):
        theirs, ours = (each.__module__.rpartition(".")[2] for each in (type(config), kind))
        raise ValueError(f"The profile has settings of {theirs}; make one for {ours}, with profiles.get.")
    return config


def what_counts(config: SearchConfig, space: Space, data: Data) -> dict[str, Any]:
    """Settings that may change a result, space, and pictures by what they show, wherever they are read from."""
    return {"config": counted(config), **space.to_record(), "pictures": data.fingerprint}


def name_of(code: Callable[..., Any]) -> str:
    """Where a function or a class is written, a partial one with its arguments; of another object, where its class is.

    So two objects of a class have one name, whatever they hold: a partial function is told from another one.
    """
    if isinstance(code, partial):
        return f"{name_of(code.func)}{(*code.args, code.keywords)}"
    kind = code if hasattr(code, "__qualname__") else type(code)
    return f"{kind.__module__}.{kind.__qualname__}"


def search(space: Space, data: Data, strategy: str = "darts", **settings: Any) -> Search:
    """Search `space` on `data` by the strategy of this name; see its own `search` for the settings."""
    check_subject(space, data)
    one_of(tuple(SUMMARIES), strategy, "The strategy")
    return import_module(f"nas_tutorial.strategies.{strategy}").search(space, data, **settings)
