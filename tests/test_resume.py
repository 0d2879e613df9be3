"""What stops and goes on ends as if it had never stopped, bit for bit: searches, trainings; whatever stops them."""

import errno
import json
import multiprocessing
import os
import random as python_random
import re
import signal
import tempfile
import time
from dataclasses import replace
from functools import cache

import pytest
import torch
from small import TINY, unlisted

from nas_tutorial import data, files, spaces
from nas_tutorial.strategies import darts, enas, random
from nas_tutorial.strategies.results import SearchResult
from nas_tutorial.training import RECIPES, Recipe, checkpoints, retrain, seeded, train_from_scratch
from nas_tutorial.training.checkpoints import Checkpoints, Resumable, read_checkpoint

MACRO = spaces.ENASMacro(4, layers=3)
FEW = {"updates": 2, "samples": 3, "candidates": 4, "reward_batch": 7}  # 7: rounds of validation pictures end anywhere
SEARCHES = {
    "darts, order 1": (darts, TINY, {"order": 1}),
    "darts, order 2": (darts, TINY, {"order": 2, "cutout": 3}),
    "darts, its own space": (darts, spaces.DARTS(2, 3, nodes=2), {"batch_size": 40}),
    "enas, chain": (enas, TINY, FEW),
    "enas, macro": (enas, MACRO, {**FEW, "profile": "paper", "batch_size": 20, "restart": 2}),
    "enas, micro": (enas, spaces.ENASMicro(4, 1, nodes=2), {**FEW, "batch_size": 40}),
    "random, alone": (random, MACRO, {"trial_epochs": 1}),
    "random, shared": (random, TINY, {"shared": True, "candidates": 4}),
}
SEARCHES |= {module.__name__: (module, TINY, {}) for module in unlisted(row[0] for row in SEARCHES.values())}
every_search = pytest.mark.parametrize("name", SEARCHES)
EPOCHS = 4
CELL = TINY.parse("|conv_3x3~0|+|zero~0|conv_3x3~1|")


@cache
def strokes():
    """40 pictures each for training and validation, cropped and mirrored at random."""
    return replace(data.load("strokes", per_class=20, test_per_class=5), crop=1, flip=True)


def search(name, folder=None, **changes):
    """A search of this name, begun or going on."""
    module, space, own = SEARCHES[name]
    settings = {"epochs": EPOCHS, "seed": 3, "device": "cpu", "pictures": strokes(), **own, **changes}
    return module.search(settings.pop("space", space), settings.pop("pictures"), resume=folder, **settings)


@cache
def uninterrupted(name):
    """The result of the search that nothing stopped, and the state behind its last epoch."""
    run = search(name)
    return run.result, run.subject.state_dict()


def flat(value):
    """Tensors and plain values of a state, in a row."""
    if isinstance(value, dict):
        return [(key, *item) if isinstance(item, tuple) else (key, item) for key in value for item in flat(value[key])]
    if isinstance(value, list | tuple):
        return [item for part in value for item in flat(part)]
    return [value]


def assert_same(run, name):
    """Histories, weights, optimisers, schedules, generators, batches still to come: all equal bit for bit."""
    expected, state = uninterrupted(name)
    result = run.result
    assert [replace(e, seconds=0.0) for e in result.history] == [replace(e, seconds=0.0) for e in expected.history]
    assert result.architecture == expected.architecture and result.weights.keys() == expected.weights.keys()
    assert all(torch.equal(result.weights[k], w) for k, w in expected.weights.items())
    assert len(expected.weights) > 0
    ours, theirs = flat(run.subject.state_dict()), flat(state)
    assert len(ours) == len(theirs) > 10
    for (*path, a), (*other_path, b) in zip(ours, theirs, strict=True):
        assert path == other_path
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b, path


# --- stopped between two epochs ---
@every_search
def test_half_the_epochs_twice_are_all_of_them(name, tmp_path):
    first = search(name, tmp_path)
    for _ in range(EPOCHS // 2):
        next(first)
    torch.rand(5)
    second = search(name, tmp_path)
    assert len(second.log) == EPOCHS // 2
    assert second.so_far.history == first.so_far.history
    assert_same(second, name)
    assert_same(search(name, tmp_path), name)  # a finished search has nothing left to do
    loaded = SearchResult.load(tmp_path)
    assert loaded == second.result and [e.epoch for e in loaded.history] == [1, 2, 3, 4]


@every_search
def test_a_stop_after_every_epoch(name, tmp_path):
    for done in range(EPOCHS):
        run = search(name, tmp_path)
        assert len(run.log) == done
        next(run)
    assert_same(search(name, tmp_path), name)
    seconds = [event.seconds for event in run.history]
    assert seconds == sorted(seconds) and seconds[0] > 0


@every_search
def test_weights_are_there_after_every_epoch(name):
    run = search(name)
    assert run.log == []
    for event in run:
        result = run.so_far
        assert result.history[-1] == event
        assert len(result.weights) > 0
    weights = run.weights
    assert all(torch.equal(weights[k], w) for k, w in uninterrupted(name)[0].weights.items())


# --- interrupted within an epoch ---
class Interrupt:
    """Raises KeyboardInterrupt in the n-th pass through any network."""

    def __init__(self, n):
        self.left = n

    def __call__(self, *_):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@every_search
@pytest.mark.parametrize("passes", [1, 7, 40])
def test_an_interrupted_cell_loses_nothing(name, passes, tmp_path):
    """The same search object goes on, as in a notebook, and so does one that reads the folder, as after a restart."""
    run = search(name, tmp_path)
    next(run)
    before = {key: w.clone() for key, w in run.weights.items()}
    hook = torch.nn.modules.module.register_module_forward_pre_hook(Interrupt(passes))
    with pytest.raises(KeyboardInterrupt):
        next(run)
    hook.remove()
    assert len(run.log) == 1 and run.so_far.history == run.history
    assert all(torch.equal(before[key], w) for key, w in run.weights.items())
    assert_same(search(name, tmp_path), name) if passes == 7 else assert_same(run, name)


def test_what_an_interrupt_leaves_outside_the_state_is_gone():
    """Weights that are frozen, norms that track nothing: the search is built anew before it goes on."""
    run = search("darts, order 1")
    next(run)
    for weight in run.subject.network.parameters():
        weight.requires_grad_(False)
    for module in run.subject.network.modules():
        module.track_running_stats = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(darts.DARTS, "step_alpha", Interrupt(1))
        with pytest.raises(KeyboardInterrupt):
            next(run)
    assert_same(run, "darts, order 1")


def test_an_interrupt_while_the_result_is_written_swallows_no_event(tmp_path, monkeypatch):
    run, given = search("darts, order 1", tmp_path), []
    with monkeypatch.context() as patch:
        patch.setattr(SearchResult, "save", Interrupt(1))
        with pytest.raises(KeyboardInterrupt):
            given.append(next(run).epoch)
    given += [event.epoch for event in run]
    assert given == [1, 2, 3, 4] and len(SearchResult.load(tmp_path).history) == 4


def test_an_interrupt_while_the_state_is_written_loses_nothing(tmp_path, monkeypatch):
    run = search("darts, order 1", tmp_path)
    next(run)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_whole", Interrupt(1))
        with pytest.raises(KeyboardInterrupt):
            next(run)
    assert_same(run, "darts, order 1")


# --- killed ---
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["pytest", *(f"nas_tutorial.strategies.{n}" for n in ("darts", "enas", "random"))])


def run_to_the_end(name, folder):
    """In a process of its own: begin or go on, as often as it takes."""
    torch.set_num_threads(1)
    search(name, folder, epochs=KILLED_EPOCHS).result  # noqa: B018 - it runs the search


KILLS, KILLED_EPOCHS = 4, 6  # of each search; `make chaos` ends more of them, and longer ones


@pytest.mark.parametrize("name", [name for name in SEARCHES if "own" not in name])
def test_kills_at_random_moments_lose_nothing(name, tmp_path):
    """kill -9 again and again, until it has happened at some random moments; then the search may come to its end."""
    dice, kills, round_number = python_random.Random(name), 0, 0
    run_length = seconds_of(name, tmp_path / "untouched")
    while kills < KILLS:
        folder, round_number = tmp_path / f"round {round_number}", round_number + 1
        while kills < KILLS and not is_finished(folder):
            kills += killed_after(dice.uniform(0, 0.4 * run_length), name, folder)
        child = SERVER.Process(target=run_to_the_end, args=(name, folder))
        child.start()
        child.join()
        assert child.exitcode == 0
        assert_equal_results(SearchResult.load(folder), SearchResult.load(tmp_path / "untouched"))
        assert Checkpoints.kept <= len(list((folder / "checkpoints").glob("step-*"))) <= Checkpoints.kept + 1
    print(f"{name}: {kills} kills in {round_number} searches of {run_length:.1f} s")


def seconds_of(name, folder):
    """How long a process takes that nothing stops."""
    start = time.monotonic()
    child = SERVER.Process(target=run_to_the_end, args=(name, folder))
    child.start()
    child.join()
    assert child.exitcode == 0
    return time.monotonic() - start


def killed_after(seconds, name, folder):
    """Whether a process was still at work when it was killed after some seconds."""
    child = SERVER.Process(target=run_to_the_end, args=(name, folder))
    child.start()
    child.join(seconds)
    child.kill()
    child.join()
    return child.exitcode == -signal.SIGKILL


def is_finished(folder):
    """Whether the last epoch's result lies in a folder."""
    file = folder / "result.json"
    return file.exists() and len(json.loads(file.read_text())["history"]) == KILLED_EPOCHS


def assert_equal_results(result, expected):
    """Equal but for the time it took."""
    assert [replace(e, seconds=0.0) for e in result.history] == [replace(e, seconds=0.0) for e in expected.history]
    assert result.weights.keys() == expected.weights.keys() and len(result.weights) > 0
    assert all(torch.equal(result.weights[name], w) for name, w in expected.weights.items())


def die_at_call(n, function):
    """`function`, but for its n-th call, which kills the process."""
    calls = iter(range(1, 10**6))
    return lambda *args: os.kill(os.getpid(), signal.SIGKILL) if next(calls) == n else function(*args)


def run_dying(folder, where, n):
    """In a process of its own: a search that dies in the n-th call of a function of the operating system."""
    setattr(os, where, die_at_call(n, getattr(os, where)))
    run_to_the_end("darts, order 1", folder)


@pytest.mark.parametrize("where", ["fsync", "replace"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 9, 22, 24])  # 22 and 24 with "replace": of the last epoch
def test_death_in_the_middle_of_writing_leaves_whole_files(where, n, tmp_path):
    child = SERVER.Process(target=run_dying, args=(tmp_path, where, n))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    for path in (tmp_path / "checkpoints").glob("step-*"):
        read_checkpoint(path)
    run_to_the_end("darts, order 1", tmp_path)
    assert_equal_results(SearchResult.load(tmp_path), search("darts, order 1", epochs=KILLED_EPOCHS).result)
    assert not list(tmp_path.rglob("*.partial"))


# --- files ---
def test_a_checkpoint_is_safetensors_and_json(tmp_path):
    run = search("enas, macro", tmp_path)
    for epoch in (1, 2, 3):
        next(run)
        assert len(list((tmp_path / "checkpoints").glob("step-*"))) == min(epoch, 2)
    names = sorted(path.name for path in (tmp_path / "checkpoints").glob("[!.]*"))
    assert names == ["step-000002.safetensors", "step-000003.safetensors"]
    content = (tmp_path / "checkpoints" / names[1]).read_bytes()
    length = int.from_bytes(content[:8], "little")
    head = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["checkpoint"])
    assert set(head) == {"identity", "versions", "state"} and head["identity"]["config"]["restart"] == 2
    assert head["versions"]["torch"] == torch.__version__
    assert b"\x80\x02}" not in content and b"cposix" not in content


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * len(b)])
def test_a_damaged_checkpoint_is_passed_over(damage, tmp_path):
    run = search("darts, order 1", tmp_path)
    next(run), next(run)
    newest = tmp_path / "checkpoints" / "step-000002.safetensors"
    newest.write_bytes(damage(newest.read_bytes()))
    with pytest.warns(UserWarning, match=r"step-000002.safetensors cannot be read .*the one before it is used"):
        run = search("darts, order 1", tmp_path)
    assert len(run.log) == 1
    assert_same(run, "darts, order 1")
    for path in (tmp_path / "checkpoints").glob("step-*"):
        path.write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="None of the checkpoints .* remove the folder"):
        search("darts, order 1", tmp_path)


def other_reward(logits, labels, architecture):
    """Not the usual one."""
    return 0.0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"epochs": 8}, r"config.epochs = 4, not 8 \(the course of the learning rate depends on it\)"),
        ({"learning_rate": 0.5}, r"config.learning_rate = 0.1, not 0.5"),
        ({"seed": 4}, r"seed = 3, not 4"),
        ({"space": TINY.resized(channels=5)}, r"sizes.channels = 4, not 5"),
        ({"space": TINY.resized(operations=("skip", "conv_3x3"))}, r"operations = None, not \['skip', 'conv_3x3'\]"),
        ({"space": spaces.NASBench201(4, 1, 1)}, r"space = 'tiny', not 'nasbench201'"),
        ({"pictures": data.load("strokes", per_class=20, test_per_class=5, seed=1)}, "other pictures"),
        ({"pictures": replace(data.load("strokes", per_class=20, test_per_class=5), crop=2)}, "other pictures"),
        ({"reward": other_reward}, r"reward = '.*accuracy_reward', not '.*other_reward'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_checkpoint_of_another_search_is_refused(change, named, tmp_path):
    next(search("enas, chain", tmp_path))
    before = {path: path.read_bytes() for path in tmp_path.rglob("[!.]*") if path.is_file()}
    with pytest.raises(ValueError, match=f"holds a run with {named}.*same settings, space and data, or choose another"):
        search("enas, chain", tmp_path, **change)
    assert all(path.read_bytes() == content for path, content in before.items())
    assert len(search("enas, chain", tmp_path, workers=1).log) == 1  # which changes no result


def test_a_search_goes_on_with_its_test_pictures_and_where_they_are_from(tmp_path):
    known = data.load("strokes", per_class=20, test_per_class=5)
    list(random.search(TINY, known, epochs=1, trial_epochs=1, resume=tmp_path))
    before = (tmp_path / "result.json").read_bytes()
    with pytest.raises(ValueError, match="holds a search with other test pictures: go on with those"):
        other = replace(known, test=data.load("strokes", per_class=20, test_per_class=6).test)
        random.search(TINY, other, epochs=1, trial_epochs=1, resume=tmp_path)
    assert (tmp_path / "result.json").read_bytes() == before
    list(random.search(TINY, replace(known, origin=None), epochs=1, trial_epochs=1, resume=tmp_path))
    assert json.loads((tmp_path / "result.json").read_text())["data"] == known.record


def test_another_strategy_is_refused(tmp_path):
    next(search("enas, chain", tmp_path))
    with pytest.raises(ValueError, match="holds a run with strategy = 'enas', not 'darts'"):
        search("darts, order 1", tmp_path)


def test_a_state_of_odd_values_comes_back(tmp_path):
    state = {"nan": float("nan"), "inf": -float("inf"), "none": None, 3: {"x": (1, [2.5, True])}, "$items": "text",
             "tensor": torch.arange(6).view(2, 3).T, "empty": torch.empty(0), "scalar": torch.tensor(0.1)}  # fmt: skip
    keeper = Checkpoints(tmp_path, {"what": ["a", 1]})
    keeper.save(1, state)
    back = keeper.latest()
    assert back.keys() == state.keys() and back["nan"] != back["nan"]
    for name in state.keys() - {"nan"}:
        same = torch.equal if isinstance(state[name], torch.Tensor) else lambda a, b: a == b
        assert same(back[name], state[name]), name
    assert isinstance(back[3]["x"], tuple)
    with pytest.raises(TypeError, match="made of tensors and plain values, but holds a set"):
        keeper.save(2, {"x": {1, 2}})
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["step-000001.safetensors"]


def test_another_torch_is_warned_of(tmp_path, monkeypatch):
    Checkpoints(tmp_path, {}).save(1, {"x": 1})
    monkeypatch.setattr(checkpoints, "versions", lambda: {"torch": "99.0"})
    with pytest.warns(UserWarning, match=f"written with torch {re.escape(torch.__version__)}, and goes on with 99.0"):
        assert Checkpoints(tmp_path, {}).latest() == {"x": 1}


def denied(*_, **__):
    """What the system answers where writing is not allowed."""
    raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("where", ["a file in the way", "a file above", "a folder that is read only", "no name"])
def test_a_folder_that_cannot_be_written_to_is_refused_before_the_first_epoch(where, tmp_path, monkeypatch):
    (tmp_path / "note").write_text("mine")
    if where == "a folder that is read only":
        monkeypatch.setattr(tempfile, "TemporaryFile", denied)
    folder = {"a file in the way": tmp_path / "note", "a file above": tmp_path / "note" / "x", "no name": ""}
    with pytest.raises(ValueError, match="choose another folder|name of the folder is empty"):
        search("darts, order 1", folder.get(where, tmp_path))
    with pytest.raises(ValueError, match="choose another folder|name of the folder is empty"):
        Checkpoints(folder.get(where, tmp_path), {})
    assert [path.name for path in tmp_path.iterdir()] == ["note"] and (tmp_path / "note").read_text() == "mine"


def test_a_result_without_states_is_not_overwritten(tmp_path):
    uninterrupted("darts, order 1")[0].save(tmp_path)
    before = (tmp_path / "result.json").read_bytes()
    with pytest.raises(ValueError, match="holds result.json, .* but no checkpoints .* choose another folder"):
        search("darts, order 1", tmp_path)
    assert (tmp_path / "result.json").read_bytes() == before and not (tmp_path / "checkpoints").exists()


# --- several processes ---
def use(folder, opened, done):
    """In a process of its own: use a folder till `done` is set."""
    kept = Checkpoints(folder, {})
    opened.set()
    done.wait(60)
    kept.save(1, {"x": 1})


def test_a_folder_in_use_by_another_process_is_refused(tmp_path):
    opened, done = SERVER.Event(), SERVER.Event()
    child = SERVER.Process(target=use, args=(tmp_path, opened, done))
    child.start()
    assert opened.wait(60)
    with pytest.raises(ValueError, match="is in use by another process.* choose another folder"):
        Checkpoints(tmp_path, {})
    done.set()
    child.join()
    assert child.exitcode == 0 and Checkpoints(tmp_path, {}).latest() == {"x": 1}


def test_a_folder_in_use_by_a_process_that_is_killed_is_free(tmp_path):
    opened, done = SERVER.Event(), SERVER.Event()
    child = SERVER.Process(target=use, args=(tmp_path, opened, done))
    child.start()
    assert opened.wait(60)
    child.kill()
    child.join()
    assert Checkpoints(tmp_path, {}).latest() is None


def test_within_one_process_a_folder_may_be_opened_again(tmp_path):
    """A notebook's cell that runs twice, while the first search is still there; then a process of its own."""
    first = Checkpoints(tmp_path, {})
    Checkpoints(tmp_path, {}).save(1, {"x": 1})
    assert first.latest() == {"x": 1} and exit_code_of_another(tmp_path) == 1  # the first still has the folder
    del first
    assert exit_code_of_another(tmp_path) == 0


def exit_code_of_another(folder):
    """How a process ends that uses the folder: 1 where it is refused."""
    opened, done = SERVER.Event(), SERVER.Event()
    done.set()
    child = SERVER.Process(target=use, args=(folder, opened, done))
    child.start()
    child.join()
    return child.exitcode


def write_often(path, letter, n):
    """In a process of its own: a file of one letter, again and again."""
    for _ in range(n):
        files.write_whole(path, letter * 10_000)


def test_processes_that_write_one_file_at_a_time_leave_it_whole(tmp_path):
    path = tmp_path / "note [1].txt"
    writers = [SERVER.Process(target=write_often, args=(path, letter, 200)) for letter in "ab"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert not path.exists() or path.read_text() in ("a" * 10_000, "b" * 10_000)
    assert [writer.exitcode for writer in writers] == [0, 0] and [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_killed_processes_left_is_removed_when_the_file_is_written_again(tmp_path):
    path, others = tmp_path / "note [1].txt", tmp_path / ".other.txt.1.partial"
    for left in (others, tmp_path / ".note [1].txt.partial", tmp_path / ".note [1].txt.abc.partial"):
        left.write_text("half")
    files.write_whole(path, "whole")
    assert {p.name for p in tmp_path.iterdir()} == {path.name, others.name}


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = files.write_whole(tmp_path / "new" / "note.txt", "ä")
    assert path.read_text(encoding="utf-8") == "ä"
    monkeypatch.setattr(os, "fsync", Interrupt(1))
    with pytest.raises(KeyboardInterrupt):
        files.write_whole(path, "other")
    assert path.read_text(encoding="utf-8") == "ä" and list(path.parent.iterdir()) == [path]


# --- what accelerate asks for ---
@every_search
def test_a_strategy_goes_back_to_a_state_it_was_in(name):
    """`state_dict` and `load_state_dict` alone bring everything back but torch's default generator."""
    run = search(name)
    next(run)
    strategy: Resumable = run.subject
    kept, random_state = strategy.state_dict(), torch.get_rng_state()
    events = []
    for _ in range(2):
        strategy.load_state_dict(kept)
        torch.set_rng_state(random_state)
        events.append((strategy.epoch(), flat(strategy.state_dict())))
    (one, ours), (other, theirs) = events
    assert one == other and len(ours) == len(theirs)
    for (*_, a), (*_, b) in zip(ours, theirs, strict=True):
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


# --- training from scratch ---
RECIPE = Recipe(epochs=4, batch_size=16, cutout=3, drop_path=0.3)


def test_training_from_scratch_goes_on(tmp_path):
    def train(report=None, folder=None, recipe=RECIPE):
        return train_from_scratch(CELL, strokes().train, strokes(), recipe, 5, "cpu", report, folder)

    expected, reported = train(), []

    def stop(epoch):
        reported.append(epoch.epoch)
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(stop, tmp_path)
    network = train(lambda epoch: reported.append(epoch.epoch), tmp_path)
    assert reported == [1, 2, 3, 4]
    assert all(torch.equal(network.state_dict()[name], w) for name, w in expected.state_dict().items())
    with pytest.raises(ValueError, match="holds a run with recipe.epochs = 4, not 5"):
        train(folder=tmp_path, recipe=replace(RECIPE, epochs=5))
    other = replace(strokes(), crop=2)
    with pytest.raises(ValueError, match="holds a run with crop = 1, not 2"):
        train_from_scratch(CELL, other.train, other, RECIPE, 5, "cpu", None, tmp_path)


def test_the_published_evaluation_goes_on(tmp_path):
    """Cutout, drop path and auxiliary head at once, the rate by epoch: `RECIPES["paper"]`, shortened."""
    cell = spaces.DARTS(1, 3, nodes=2).sample(torch.Generator().manual_seed(1))
    recipe = replace(RECIPES["paper"], epochs=3, batch_size=2, cutout=8, drop_path=0.5)
    drawn = torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    pictures = replace(strokes(), train=data.Split(drawn, torch.arange(4)))

    def train(report=None, folder=None):
        return train_from_scratch(cell, pictures.train, pictures, recipe, 5, "cpu", report, folder)

    def stop(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(stop, tmp_path)
    expected, network = train().state_dict(), train(folder=tmp_path).state_dict()
    assert all(torch.equal(network[name], w) for name, w in expected.items())
    with seeded(5):
        fresh = dict(cell.space.network(cell, pictures.classes).named_parameters())
    moved = [not torch.equal(w, expected[name]) for name, w in fresh.items() if name.startswith("auxiliary.")]
    assert len(moved) > 0 and all(moved)


def test_retraining_goes_on(tmp_path):
    def scores(report=None, folder=None):
        return retrain(CELL, strokes(), (0, 1), device="cpu", epochs=3, batch_size=16, report=report, resume=folder)

    trained = []

    def stop(epoch):
        trained.append(epoch.epoch)
        if len(trained) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scores(stop, tmp_path)
    assert scores(lambda epoch: trained.append(epoch.epoch), tmp_path) == scores()
    assert trained == [1, 2, 3, 1, 2, 3]
    assert {path.name for path in tmp_path.iterdir()} == {"seed-0", "seed-1"}
