"""What is built in notebook 09: a search that may be killed at any moment, and goes on bit for bit."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from nas_tutorial.exercises.frame import Exercise, expect
from nas_tutorial.exercises.nb09_build_answers import (
    BUFFERS,
    FORGOTTEN,
    IN_PLACE,
    LATE,
    MISSING,
    NEW_ALPHA,
    NEW_NETWORK,
    REMOVED,
    TOO_FEW,
    TOO_MANY,
    UNUSED,
    WRONG,
    by_bytes,
    keep_going,
    same,
    state_of,
    whole_object,
)
from nas_tutorial.exercises.one_edge import OneEdge

Function = Callable[[OneEdge, Path, int], Any]
SOME, ALL = 10, 17  # steps: both in the middle of an epoch, which has three


class Killed(Exception):
    """The machine went away."""


@contextmanager
def a_file() -> Iterator[Path]:
    """Where a state may be kept, for a while."""
    with TemporaryDirectory() as folder:
        yield Path(folder) / "search.pt"


def straight(steps: int, seed: int = 0) -> OneEdge:
    """A search without a stop."""
    run = OneEdge(seed)
    for _ in range(steps):
        run.step()
    return run


def kept_of(function: Function, path: Path, steps: int) -> OneEdge:
    """A search that a student's function has advanced, in one piece."""
    run = OneEdge()
    function(run, path, steps)
    return run


# --- the steps --------------------------------------------------------------------------------------------------------
def test_runs(function: Function) -> None:
    with a_file() as path:
        run = kept_of(function, path, SOME)
        expect(run.done >= SOME, TOO_FEW)
        expect(run.done == SOME, f"steps: {run.done} were made, {SOME} were asked for")
        expect(same(state_of(run), state_of(straight(SOME))), "steps: use run.step() alone; something else changed it")
        expect(path.exists(), MISSING)


def test_comes_back(function: Function) -> None:
    with a_file() as path:
        before, fresh = kept_of(function, path, SOME), OneEdge(seed=1)
        calls = steps_into(function, fresh, path, SOME)
        expect(calls != SOME or not same(state_of(fresh), state_of(straight(SOME, seed=1))), UNUSED)
        expect(calls != SOME or fresh.done != 2 * SOME, TOO_MANY)
        expect(calls != 1, "file: the last step is not in it; save behind each step, not before it")
        expect(calls == 0, FORGOTTEN["done"])
        compare(fresh, before)


def steps_into(function: Function, run: OneEdge, path: Path, steps: int) -> int:
    """How many steps a function makes with a search."""
    whole, made = OneEdge.step, []

    def counting(self: OneEdge) -> None:
        expect(len(made) < 5 * ALL, "steps: it never stops; go on while run.done < steps")
        made.append(1)
        whole(self)

    OneEdge.step = counting
    try:
        function(run, path, steps)
    finally:
        OneEdge.step = whole
    return len(made)


def compare(got: OneEdge, right: OneEdge) -> None:
    """Raise Mistake where a part of one search is not as in another; what is named first, others depend on."""
    one, other = state_of(got), state_of(right)
    weights = map(torch.equal, got.network.parameters(), right.network.parameters())
    expect(all(weights), FORGOTTEN["network"])
    expect(same(one["network"], other["network"]), BUFFERS)
    for name in ("alpha", "sgd", "adam", "schedule", "generator", "order", "done"):
        expect(same(one[name], other[name]), FORGOTTEN[name])
    expect(got.adam.param_groups[0]["params"][0] is got.alpha, NEW_ALPHA)
    expect(got.sgd.param_groups[0]["params"][0] is next(got.network.parameters()), NEW_NETWORK)


def test_killed(function: Function) -> None:
    with a_file() as path:
        for stop in (8, 4):  # twice: after 7 steps, and after 3 more
            run = OneEdge(seed=stop if path.exists() else 0)
            with killed_at(stop):
                function(run, path, ALL)
        expect(path.exists(), LATE)
        last = OneEdge(seed=3)
        left = steps_into(function, last, path, ALL)
        expect(left == ALL - 10, LATE)
        compare(last, straight(ALL))


@contextmanager
def killed_at(number: int) -> Iterator[None]:
    """Inside the block, searches are killed before the step of this number."""
    whole, made = OneEdge.step, []

    def fatal(self: OneEdge) -> None:
        made.append(1)
        if len(made) >= number:
            raise Killed
        whole(self)

    OneEdge.step = fatal
    try:
        yield
    except Killed:
        pass
    finally:
        OneEdge.step = whole


def test_whole(function: Function) -> None:
    with a_file() as path:
        kept_of(function, path, 2)
        content, witness = path.read_bytes(), path.with_name("witness")
        try:
            os.link(path, witness)  # a second name: what is written in place shows under it, too
        except OSError:
            return
        function(OneEdge(), path, 3)
        expect(witness.read_bytes() == content, IN_PLACE)
        with failing_save():
            function(OneEdge(), path, 4)
        expect(path.exists(), REMOVED)
        with gone_with(path):
            function(OneEdge(), path, 5)
        expect(path.exists(), REMOVED)


@contextmanager
def gone_with(path: Path) -> Iterator[None]:
    """Inside the block, a search is killed as soon as somebody takes the file away from its place."""
    whole = {name: getattr(os, name) for name in ("remove", "unlink", "rename")}

    def fatal(name: str) -> Callable[..., None]:
        def gone(given: Any, *more: Any, **named: Any) -> None:
            whole[name](given, *more, **named)
            if Path(given) == path:
                raise Killed

        return gone

    for name in whole:
        setattr(os, name, fatal(name))
    try:
        yield
    except Killed:
        pass
    finally:
        for name, function in whole.items():
            setattr(os, name, function)


@contextmanager
def failing_save() -> Iterator[None]:
    """Inside the block, torch.save stops without having written anything."""
    save = torch.save

    def fails(*given: Any, **named: Any) -> None:
        raise Killed

    torch.save = fails
    try:
        yield
    except Killed:
        pass
    finally:
        torch.save = save


EXERCISES = (
    Exercise(
        keep_going,
        {
            "step 1: it makes the steps that are asked for, and a file is there": test_runs,
            "step 2: from the file, each part of the search comes back": test_comes_back,
            "step 3: killed twice in the middle, it ends bit for bit as without": test_killed,
            "step 4: the file is whole at any moment": test_whole,
        },
        title="Stop and go on, bit for bit",
        difficulty=3,
        minutes=18,
        hints=(
            "Begin without a file: while run.done < steps: run.step(), then torch.save a dictionary to path.",
            "network, sgd, adam and schedule have state_dict() and load_state_dict(…), the generator has get_state() "
            "and set_state(…). run.order and run.done are plain values: keep them, and set them.",
            "α is a tensor that adam knows: bring it back in place, run.alpha.data.copy_(state['alpha']).",
            "If path.exists(): state = torch.load(path), and bring all eight parts back, before the first step.",
            "new = path.with_suffix('.new'); torch.save(state, new); new.replace(path): whoever reads path finds an "
            "old state or a new one, never half of one.",
        ),
        wrong=WRONG,
        right=(whole_object, by_bytes),
        build=True,
    ),
)
