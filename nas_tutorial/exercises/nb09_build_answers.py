"""Answers to the build of notebook 09: the reference, what known mistakes lead to, other answers."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nas_tutorial.exercises.one_edge import OneEdge


def keep_going(run, path, steps):
    """Advance a search until it has made `steps` steps in all, and keep its whole state in a file behind each."""
    parts = ("network", "sgd", "adam", "schedule")
    if path.exists():
        state = torch.load(path)
        for name in parts:
            getattr(run, name).load_state_dict(state[name])
        run.alpha.data.copy_(state["alpha"])
        run.generator.set_state(state["generator"])
        run.order, run.done = state["order"], state["done"]
    while run.done < steps:
        run.step()
        state = {name: getattr(run, name).state_dict() for name in parts}
        state |= {"alpha": run.alpha.data, "generator": run.generator.get_state()}
        state |= {"order": run.order, "done": run.done}
        new = path.with_suffix(".new")
        torch.save(state, new)
        new.replace(path)


# --- the same with one part left out or done in another way -----------------------------------------------------------
def state_of(run: OneEdge) -> dict[str, Any]:
    """The whole state."""
    parts = {name: getattr(run, name).state_dict() for name in ("network", "sgd", "adam", "schedule")}
    rest = {"alpha": run.alpha.data, "generator": run.generator.get_state(), "order": run.order, "done": run.done}
    return parts | rest


def restore(run: OneEdge, state: dict[str, Any], forgotten: str = "") -> None:
    """Bring a search into a state; all but one part of it."""
    for name in {"network", "sgd", "adam", "schedule"} - {forgotten}:
        getattr(run, name).load_state_dict(state[name])
    if forgotten != "alpha":
        run.alpha.data.copy_(state["alpha"])
    if forgotten != "generator":
        run.generator.set_state(state["generator"])
    for name in {"order", "done"} - {forgotten}:
        setattr(run, name, state[name])


def replaced(state: dict[str, Any], path: Path) -> None:
    """Write a state whole: to another name first."""
    new = path.with_suffix(".new")
    torch.save(state, new)
    new.replace(path)


def removed(state: dict[str, Any], path: Path) -> None:
    """Remove the old file, then write the new one."""
    path.unlink(missing_ok=True)
    torch.save(state, path)


def removed_in_between(state: dict[str, Any], path: Path) -> None:
    """Write the new file beside the old one, remove this, and give its name to the new one."""
    new = path.with_suffix(".new")
    torch.save(state, new)
    path.unlink(missing_ok=True)
    new.rename(path)


def variant(
    back: Callable[[OneEdge, dict[str, Any]], None] = restore,
    write: Callable[[dict[str, Any], Path], None] = replaced,
    save_when: Callable[[OneEdge, int], bool] = lambda run, steps: True,
    more: Callable[[OneEdge, int], int] = lambda run, steps: steps - run.done,
) -> Callable[..., None]:
    """A function like the reference, of which one part is another."""

    def answer(run, path, steps):
        if path.exists():
            back(run, torch.load(path))
        for _ in range(more(run, steps)):
            run.step()
            if save_when(run, steps):
                write(state_of(run), path)

    return answer


def forgetting(name: str) -> Callable[..., None]:
    """A function that does not bring this part back."""
    return variant(back=lambda run, state: restore(run, state, name))


def parameters_only(run: OneEdge, state: dict[str, Any]) -> None:
    """Bring back the weights, but not the buffers of the network."""
    restore(run, state, "network")
    for name, weight in run.network.named_parameters():
        weight.data.copy_(state["network"][name])


def new_alpha(run: OneEdge, state: dict[str, Any]) -> None:
    """Give the search a new tensor as α, which the optimiser does not know."""
    restore(run, state, "alpha")
    run.alpha = state["alpha"].clone().requires_grad_()


def new_network(run: OneEdge, state: dict[str, Any]) -> None:
    """Give the search a new network, which the optimiser does not know."""
    restore(run, state, "network")
    run.network = OneEdge().network
    run.network.load_state_dict(state["network"])


def saved_before(run, path, steps):
    """Saves before each step, so that the last one is lost."""
    if path.exists():
        restore(run, torch.load(path))
    while run.done < steps:
        replaced(state_of(run), path)
        run.step()


def whole_object(run, path, steps):
    """Another style: everything that the search holds, by pickle."""
    if path.exists():
        run.__dict__.update(torch.load(path, weights_only=False))
    while run.done < steps:
        run.step()
        new = Path(f"{path}.part")
        torch.save(run.__dict__, new)
        new.replace(path)


def by_bytes(run, path, steps):
    """Another style: bytes that are made in memory, and what it returns."""
    restore(run, torch.load(path) if path.exists() else state_of(run))
    for _ in range(run.done, steps):
        run.step()
        content = io.BytesIO()
        torch.save(state_of(run), content)
        path.with_name("next").write_bytes(content.getvalue())
        path.with_name("next").rename(path)
    return run


FORGOTTEN: dict[str, str] = {
    "network": "network: its weights did not come back; network.state_dict() has them",
    "alpha": "alpha: it did not come back; no module holds it, so it is in no state_dict of one",
    "sgd": "sgd: its momentum did not come back; an optimiser has a state_dict, too",
    "adam": "adam: its means of α's gradients did not come back; an optimiser has a state_dict, too",
    "schedule": "schedule: it starts again, so the learning rate is that of another step; it has a state_dict, too",
    "generator": "generator: it draws other numbers than it would have; keep get_state()",
    "order": "order: the epoch begins anew, so points that were shown come again; keep run.order",
    "done": "done: it made steps that had been made; bring run.done back, which counts them all",
}
BUFFERS = "network: the running statistics of batch norm did not come back; parameters() leaves them out"
NEW_ALPHA = "alpha: run.alpha is a new tensor, but adam still moves the old one; copy into it, run.alpha.data.copy_(…)"
NEW_NETWORK = "network: run.network is a new one, but sgd still moves the old one; use load_state_dict"
UNUSED = "file: it was there, and was not read; begin with path.exists() and torch.load(path)"
LATE = "file: killed in the middle, it had kept too little; save behind each step, not only at the end"
MISSING = "file: there is none at `path` when the steps are made; torch.save(state, path)"
IN_PLACE = "file: it is written in place; whoever is killed while writing has neither the old state nor the new one"
REMOVED = "file: for a moment there is none, as the old one is removed first; write to another name, then .replace"
REMOVED_LATE = "for a moment there is none"
TOO_MANY = "steps: that many in all, those from the file included; yours makes as many once more"
TOO_FEW = "steps: it has to make them, by run.step(), until run.done is `steps`"

WRONG: dict[str, Callable[..., Any]] = {
    **{sentence: forgetting(name) for name, sentence in FORGOTTEN.items() if name != "done"},
    FORGOTTEN["done"]: forgetting("done"),
    BUFFERS: variant(back=parameters_only),
    NEW_ALPHA: variant(back=new_alpha),
    NEW_NETWORK: variant(back=new_network),
    UNUSED: variant(back=lambda run, state: None),
    LATE: variant(save_when=lambda run, steps: run.done == steps),
    MISSING: variant(write=lambda state, path: None),
    IN_PLACE: variant(write=lambda state, path: torch.save(state, path)),
    REMOVED: variant(write=removed),
    REMOVED_LATE: variant(write=removed_in_between),
    TOO_MANY: variant(more=lambda run, steps: steps),
    TOO_FEW: variant(more=lambda run, steps: 0),
    "file: the last step is not in it": saved_before,
}


def same(one: Any, other: Any) -> bool:
    """Whether two states are the same, bit for bit."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
