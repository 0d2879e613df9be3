"""Long computations that can stop and go on: what their state is, files that hold it, and the run that advances them.

A `Resumable` says which of its attributes make up its state. `Checkpoints` keeps the latest states in a folder, as
safetensors files with JSON in their header: no pickle, and whole at any moment, whenever a process dies. A `Run`
advances a resumable epoch by epoch, with random numbers of its own, and goes on from where it was after an
interruption: the result is the same, bit for bit.
"""

from __future__ import annotations

import copy
import json
import math
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from nas_tutorial.files import claim, writable_folder, write_whole
from nas_tutorial.settings import Diverged, from_text, versions
from nas_tutorial.training import parallel
from nas_tutorial.training.randomness import RandomState, random_state, seeded, set_random_state


# --- state ------------------------------------------------------------------------------------------------------------
class Resumable:
    """Something that has a state: the attributes named in `kept`.

    These may be modules, optimisers, schedules and other resumables, generators, tensors, dictionaries of all these,
    and plain values. As accelerate's `register_for_checkpointing` asks for, there are `state_dict` and
    `load_state_dict`.
    """

    kept: ClassVar[tuple[str, ...]]

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything that the next epoch depends on."""
        return {name: state_of(getattr(self, name)) for name in self.kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back, or on, to a state that `state_dict` returned."""
        for name in self.kept:
            setattr(self, name, restored(getattr(self, name), state[name]))


def state_of(part: Any) -> Any:
    """The state of an attribute, as tensors and plain values that nothing else will change."""
    if isinstance(part, Tensor):
        return part.detach().clone()
    if isinstance(part, torch.Generator):
        return part.get_state()
    if isinstance(part, Mapping):
        return {name: state_of(value) for name, value in part.items()}
    return copy.deepcopy(part.state_dict() if hasattr(part, "state_dict") else part)


def restored(part: Any, state: Any) -> Any:
    """An attribute in another state: changed in place where others hold on to it, or the state itself."""
    if isinstance(part, Tensor) and part.shape == state.shape:
        with torch.no_grad():
            return part.copy_(state)
    if isinstance(part, torch.Generator):
        return part.set_state(state)
    if isinstance(part, Mapping):
        return {name: restored(part.get(name), value) for name, value in state.items()}
    if not hasattr(part, "load_state_dict"):
        return state_of(state)
    part.load_state_dict(copy.deepcopy(state))
    if isinstance(part, torch.optim.Optimizer):
        _lay_out_like_weights(part)
    return part


def _lay_out_like_weights(optimiser: torch.optim.Optimizer) -> None:
    """Bring momentum into the memory order of its weight: in another one, sums may be rounded in another way."""
    for weight, state in optimiser.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                state[name] = torch.empty_like(weight, requires_grad=False).copy_(value)


# --- files ------------------------------------------------------------------------------------------------------------
class Checkpoints:
    """The latest states of one computation, in files `step-000012.safetensors` of a folder.

    identity: what the computation is (settings, space, data), plain values; a state of another one is refused. The
    folder is made where it is missing, and no other process may use it meanwhile: ValueError where that cannot be.
    """

    kept = 2  # the latest, and the one before for the case that a disk loses what it promised to hold

    def __init__(self, folder: str | Path, identity: Mapping[str, Any]):
        self.folder, self.identity = writable_folder(folder), json.loads(json.dumps(identity))
        self._lock = claim(self.folder)

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Write a state, and remove the oldest ones."""
        from safetensors.torch import save

        tensors: dict[str, Tensor] = {}
        head = {"identity": self.identity, "versions": versions(), "state": encode(state, tensors)}
        content = save(tensors, {"checkpoint": json.dumps(head, allow_nan=False)})
        write_whole(self.folder / f"step-{step:06}.safetensors", content)
        for old in self._files()[: -self.kept]:
            old.unlink(missing_ok=True)

    def latest(self) -> dict[str, Any] | None:
        """The latest state that can be read, None where there is none.

        Raises ValueError where it is the state of another computation, or where no file can be read.
        """
        for path in reversed(files := self._files()):
            try:
                head, tensors = read_checkpoint(path)
            except Exception as error:  # whatever a damaged file leads to
                warnings.warn(f"{path} cannot be read ({error}); the one before it is used.", stacklevel=2)
                continue
            self._check(head["identity"])
            self._compare_versions(head["versions"])
            return decode(head["state"], tensors)
        if files:
            raise ValueError(f"None of the checkpoints in {self.folder} can be read; remove the folder to begin anew.")
        return None

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.safetensors"))

    def _check(self, kept: Any) -> None:
        if differences := list(compare(kept, self.identity)):
            raise ValueError(
                f"{self.folder} holds a run with {in_words(*differences[0])}: "
                "go on with the same settings, space and data, or choose another folder."
            )

    def _compare_versions(self, kept: Mapping[str, str]) -> None:
        if kept.get("torch") != (now := versions()["torch"]):
            warnings.warn(
                f"{self.folder} was written with torch {kept.get('torch')}, and goes on with {now}: "
                "results may differ from those of an uninterrupted run.",
                stacklevel=4,
            )


def in_words(name: str, before: Any, now: Any) -> str:
    """A difference between two runs, such as "seed = 3, not 4"; sha256 sums tell a reader nothing."""
    if re.search(r"\b[0-9a-f]{64}\b", f"{before} {now}"):
        return f"other {name.replace('_', ' ')}"
    reason = " (the course of the learning rate depends on it)" if name.endswith("epochs") else ""
    return f"{name} = {before!r}, not {now!r}{reason}"


def compare(kept: Any, given: Any, name: str = "") -> list[tuple[str, Any, Any]]:
    """Where two JSON values differ: (name, one value, the other), names of nested values joined by dots."""
    if isinstance(kept, dict) and isinstance(given, dict):
        names = [*given, *(other for other in kept if other not in given)]
        pairs = [(f"{name}.{n}" if name else n, kept.get(n), given.get(n)) for n in names]
        return [difference for n, a, b in pairs for difference in compare(a, b, n)]
    return [] if kept == given else [(name, kept, given)]


def read_checkpoint(path: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header of a checkpoint (identity, versions, state) and its tensors by name."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return from_text(file.metadata()["checkpoint"]), {name: file.get_tensor(name) for name in file.keys()}


def encode(value: Any, tensors: dict[str, Tensor]) -> Any:
    """A state as JSON values; its tensors are put aside into `tensors`. TypeError for anything but plain values."""
    match value:
        case Tensor():
            name = f"{len(tensors)}"
            tensors[name] = value.detach().cpu().contiguous()
            return {"$tensor": name}
        case Mapping():
            return {"$items": [[encode(k, tensors), encode(v, tensors)] for k, v in value.items()]}
        case tuple():
            return {"$tuple": [encode(v, tensors) for v in value]}
        case list():
            return [encode(v, tensors) for v in value]
        case float() if not math.isfinite(value):
            return {"$float": str(value)}
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"A state is made of tensors and plain values, but holds a {type(value).__name__}: {value!r}.")


def decode(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The state that `encode` was given."""
    match value:
        case {"$tensor": name}:
            return tensors[name]
        case {"$items": items}:
            return {decode(k, tensors): decode(v, tensors) for k, v in items}
        case {"$tuple": values}:
            return tuple(decode(v, tensors) for v in values)
        case {"$float": text}:
            return float(text)
        case list():
            return [decode(v, tensors) for v in value]
    return value


# --- runs -------------------------------------------------------------------------------------------------------------
class Run:
    """A resumable that advances epoch by epoch and loses nothing but an unfinished one.

    make: builds the resumable, which has a method `epoch`. Between two epochs torch's default generator is given back
    as it was, so nothing that the caller draws changes the run. checkpoints: where each epoch's state is kept, and
    where the run goes on from, if there is one. Of several processes that train together, the first has them.
    """

    def __init__(self, make: Callable[[], Any], seed: int, checkpoints: Checkpoints | None = None):
        self.checkpoints, self._make, self._seed = checkpoints, make, seed
        self.failure: Exception | None = None  # what ended the latest epoch, if it was not over
        start = self._begin()
        self._state, self._whole = {"subject": self.subject.state_dict(), "random": start, "log": []}, True
        if found := parallel.from_first(lambda: checkpoints and checkpoints.latest()):
            self._state = found
            self.subject.load_state_dict(found["subject"])

    def _begin(self) -> RandomState:
        """Build the subject; returns the state of the default generators behind that."""
        with seeded(self._seed):
            self.subject = self._make()
            return random_state()

    @property
    def log(self) -> list[Any]:
        """What `entry` made of every epoch so far."""
        return self._state["log"]

    def advance(self) -> None:
        """Run one epoch. If it is interrupted, the next call starts it again from its beginning."""
        self.rewind()
        self._whole, self.failure = False, None
        try:
            with torch.random.fork_rng():
                set_random_state(self._state["random"])
                log = [*self.log, self.entry()]
                state = {"subject": self.subject.state_dict(), "random": random_state(), "log": log}
        except Exception as error:
            self.failure = error
            raise
        if self.checkpoints:
            self.checkpoints.save(len(log), state)
        self._state, self._whole = state, True

    def rewind(self) -> None:
        """Bring the subject to the end of its latest whole epoch, where an interruption left it elsewhere.

        It is built anew: an interruption may have left more behind than its state, such as frozen weights.
        """
        if not self._whole:
            self._begin()
            self.subject.load_state_dict(self._state["subject"])
            self._whole = True

    def entry(self) -> Any:
        """One epoch, and what the log keeps of it: plain values."""
        return self.subject.epoch()

    def told(self, fault: Diverged, who: str, epochs: int) -> Diverged:
        """A divergence in the epoch that was under way, with where it was and what is kept."""
        done = len(self.log)
        place = f" in {self.checkpoints.folder}" if self.checkpoints else ""
        kept = f"epoch{f's 1 to {done} are' if done > 1 else ' 1 is'} kept{place}" if done else "no epoch is kept"
        return fault.within(f", epoch {done + 1} of {epochs}", who, kept)
