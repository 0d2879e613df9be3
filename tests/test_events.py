"""Events are one line each; a result comes back from its folder as it went in."""

import json
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
import pytest
import torch
from small import TINY

import nas_tutorial
from nas_tutorial import data, spaces
from nas_tutorial.strategies import SUMMARIES, Strategy, darts, enas, random
from nas_tutorial.strategies.results import Event, SearchResult
from nas_tutorial.strategies.searching import Search, drive, name_of, search
from nas_tutorial.training.checkpoints import Run

FEW = {"updates": 1, "samples": 2, "candidates": 2}
SEARCHES = {
    "darts": (darts, spaces.DARTS(2, 3, nodes=2), {"batch_size": 40}),
    "enas": (enas, spaces.ENASMacro(4, 3), FEW),
    "random": (random, TINY, {"trial_epochs": 1}),
    "shared": (random, spaces.NASBench201(4, 1, 1), {"shared": True, "candidates": 2}),
}
every_search = pytest.mark.parametrize("name", SEARCHES)


@pytest.fixture(scope="module")
def results():
    """A short search of each kind."""
    strokes = data.load("strokes", per_class=20, test_per_class=5)
    return {
        name: module.search(space, strokes, epochs=2, seed=4, **settings).result
        for name, (module, space, settings) in SEARCHES.items()
    }


@every_search
def test_a_result_comes_back_as_it_was(name, results, tmp_path):
    result = results[name]
    folder = tmp_path / "runs" / "a search"
    assert result.save(str(folder)) == folder
    loaded = SearchResult.load(str(folder))
    assert loaded == result and loaded.history == result.history
    assert loaded.space == result.space and loaded.seconds == result.seconds > 0
    assert loaded.weights.keys() == result.weights.keys()
    assert all(
        torch.equal(loaded.weights[k], w) and loaded.weights[k].dtype == w.dtype for k, w in result.weights.items()
    )
    assert loaded.save(tmp_path / "again") and SearchResult.load(tmp_path / "again") == result


@every_search
def test_the_files_are_plain_json(name, results, tmp_path):
    folder = results[name].save(tmp_path)
    assert {f.name for f in folder.iterdir()} == {"result.json", "architecture.json", "weights.safetensors"}
    record = json.loads((folder / "result.json").read_text(), parse_constant=lambda c: pytest.fail(f"{c} is not JSON"))
    assert (record["seed"], record["strategy"]) == (4, results[name].strategy)
    assert record["data"] == data.load("strokes", per_class=20, test_per_class=5).record
    assert record["config"]["epochs"] == 2 and [e["epoch"] for e in record["history"]] == [1, 2]
    assert record["versions"]["torch"] == torch.__version__
    assert record["versions"]["nas_tutorial"] == nas_tutorial.__version__
    assert spaces.load_architecture(str(folder / "architecture.json")) == results[name].architecture


@every_search
def test_an_event_is_one_line(name, results):
    for event in results[name].history:
        line = str(event)
        assert "\n" not in line
        assert line.startswith(f"epoch {event.epoch} | loss {event.loss:.2f} | val {event.validation_accuracy:.2f} | ")
        assert line.endswith(f" | {event.architecture}")


@pytest.mark.parametrize(
    ("text", "skips"), [("|zero~0|+|zero~0|zero~1|", "0 skips"), ("|skip~0|+|zero~0|zero~1|", "1 skip"),
                        ("|skip~0|+|skip~0|conv_1x1~1|", "2 skips")]
)  # fmt: skip
def test_skips_are_counted(text, skips):
    assert f"| {skips} |" in str(Event(1, 1, 0.0, 0.0, 0.0, TINY.parse(text)))


def test_a_folder_without_a_result_is_a_clear_error(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match="holds no result.json; give the folder that a search wrote"):
            SearchResult.load(folder)


@pytest.mark.parametrize("text", ["{}", "[]", "", "3", '{"architecture": 3}'])
def test_a_file_that_no_search_wrote_is_a_clear_error(text, results, tmp_path):
    (results["darts"].save(tmp_path) / "result.json").write_text(text)
    with pytest.raises(ValueError, match="give the folder of a search|Expected JSON with"):
        SearchResult.load(tmp_path)


def test_weights_of_another_epoch_or_search_are_refused(results, tmp_path):
    result = results["darts"]
    earlier = replace(result, history=result.history[:1])
    for name, other in {"epoch": earlier, "search": results["random"]}.items():
        folder, elsewhere = result.save(tmp_path / name), other.save(tmp_path / f"other {name}")
        (elsewhere / "weights.safetensors").replace(folder / "weights.safetensors")
        with pytest.raises(ValueError, match="weights.safetensors was not saved with the result.json beside it"):
            SearchResult.load(folder)


def test_a_result_may_be_indented_otherwise(results, tmp_path):
    file = results["darts"].save(tmp_path) / "result.json"
    file.write_text(json.dumps(json.loads(file.read_text()), sort_keys=True))
    assert SearchResult.load(tmp_path) == results["darts"]


@pytest.mark.parametrize("damage", [lambda f: f.unlink(), lambda f: f.write_bytes(b"x"), lambda f: f.write_bytes(b"")])
def test_missing_or_damaged_weights_are_a_clear_error(damage, results, tmp_path):
    damage(results["darts"].save(tmp_path) / "weights.safetensors")
    with pytest.raises(ValueError, match="weights.safetensors cannot be read"):
        SearchResult.load(tmp_path)


def test_results_differ_by_what_was_found(results):
    result = results["darts"]
    assert replace(result, seed=5) != result
    assert replace(result, history=result.history[:1]) != result


# --- every strategy on every space ---
KINDS = {
    "darts, order 1": ("darts", {"order": 1}),
    "darts, order 2": ("darts", {"order": 2}),
    "enas": ("enas", {**FEW, "reward_batch": 10}),
    "random, alone": ("random", {"trial_epochs": 1}),
    "random, shared": ("random", {"shared": True, "candidates": 2}),
}
KINDS |= {name: (name, {}) for name in SUMMARIES if name not in {strategy for strategy, _ in KINDS.values()}}


@pytest.fixture(scope="module")
def strokes():
    """20 pictures each for training and validation."""
    return data.load("strokes", per_class=10, test_per_class=5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_strategy_searches_every_space(kind, space, strokes):
    strategy, settings = KINDS[kind]
    run = search(space, strokes, strategy, epochs=2, batch_size=20, **settings)
    events = list(run)
    result = run.result
    assert [event.epoch for event in events] == [1, 2] and result.history == events == run.history
    for event in events:
        assert event.architecture.space == space and space.parse(str(event.architecture)) == event.architecture
        assert Event.from_record(json.loads(json.dumps(event.to_record())), space) == event
        for table in (event.probabilities or {}).values():
            assert all(sum(row) == pytest.approx(1, abs=1e-5) and min(row) >= 0 for row in table)
    assert (events[0].probabilities is None) == (strategy == "random")
    assert result.weights and spaces.from_json(result.architecture.to_json()) == events[-1].architecture


# --- a search in progress ---
PICTURES = data.load("strokes", per_class=2, test_per_class=1)


class Dice(Strategy):
    """A strategy whose epochs draw from both generators and sum up what they drew; `stops`: steps that fail, once each.

    An epoch has two steps, so that a stop in its middle leaves something behind.
    """

    name = "dice"
    kept = ("total", "generator", "epochs_done")
    stops, steps = {}, count(1)  # steps are counted on when an interruption has a new strategy built

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.total = torch.zeros(())

    def epoch(self):
        """Two steps."""
        for _ in "ab":
            if error := self.stops.pop(next(self.steps), None):
                raise error
            self.total += torch.rand(()) + torch.rand((), generator=self.generator)
        facts = {"loss": float(self.total), "train_accuracy": 0.0, "validation_accuracy": float(torch.rand(()))}
        return self.event(**facts, architecture=self.space.sample(self.generator))

    def weights(self):
        """The sum so far."""
        return {"total": self.total.clone()}


@pytest.fixture
def dice(monkeypatch):
    """Begins a search of three epochs; stops: {number of the step: error}."""

    def begin(stops=None):
        monkeypatch.setattr(Dice, "stops", dict(stops or {}))
        monkeypatch.setattr(Dice, "steps", count(1))
        return drive(Dice, "dice", darts.PROFILES, TINY, PICTURES, epochs=3, device="cpu")

    return begin


def without_seconds(history):
    """Events without the time that they took."""
    return [replace(event, seconds=0.0) for event in history]


def test_asking_for_the_result_runs_what_is_left(dice):
    run = dice()
    first = next(run)
    assert run.history == [first] and run.weights["total"] == pytest.approx(first.loss)
    assert len(run.result.history) == 3 and run.result.history[0] == first
    assert run.result == run.result and float(run.result.weights["total"]) == run.result.history[-1].loss
    assert list(run) == []
    seconds = [event.seconds for event in run.history]
    assert seconds == sorted(seconds)


def test_what_is_known_so_far_is_a_result(dice):
    run = dice()
    for event in run:
        assert run.so_far.history[-1] == event and run.so_far.architecture == event.architecture
        assert float(run.so_far.weights["total"]) == event.loss
    assert isinstance(run, Search) and isinstance(run, Run)


@pytest.mark.parametrize("strategy", SUMMARIES)
def test_names_in_place_of_space_and_pictures_are_refused_in_a_sentence(strategy, strokes):
    with pytest.raises(ValueError, match=r"The space is 'tiny'; give a space, such as spaces.get\(\"tiny\"\)"):
        search("tiny", strokes, strategy)
    with pytest.raises(ValueError, match=r"The data are 'strokes'; give loaded pictures, such as data.load"):
        search(TINY, "strokes", strategy)


@pytest.mark.parametrize("seed", [1.5, "1", None, True, -1, 2**63, 2**64])
def test_a_seed_is_a_whole_number(seed, strokes):
    with pytest.raises(ValueError, match="seed is .*; give a whole number"):
        search(TINY, strokes, seed=seed)


def test_a_seed_of_numpy_is_that_number(strokes):
    ours, theirs = (search(TINY, strokes, seed=s, epochs=1, batch_size=80).result for s in (np.int64(3), 3))
    assert ours.seed == 3 and type(ours.seed) is int
    assert all(torch.equal(ours.weights[name], w) for name, w in theirs.weights.items())


def test_before_the_first_epoch_nothing_is_known(dice):
    with pytest.raises(ValueError, match="No epoch of this search is over yet"):
        dice().so_far  # noqa: B018 - it is a property


def test_a_partial_strategy_is_known_by_its_arguments():
    names = {name_of(code) for code in (darts.DARTS, partial(darts.DARTS, 1), partial(darts.DARTS, 2), enas.ENAS)}
    assert len(names) == 4 and name_of(partial(darts.DARTS, 1)) == name_of(partial(darts.DARTS, 1))


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_an_interrupted_epoch_leaves_no_trace(dice, step):
    """Wherever it was interrupted, going on gives what the uninterrupted search gives, bit for bit."""
    expected = dice().result
    run, whole = dice({step: KeyboardInterrupt()}), []
    with pytest.raises(KeyboardInterrupt):
        for event in run:
            whole.append(event)
    assert len(whole) == (step - 1) // 2 and run.history == whole
    assert float(run.weights["total"]) == (whole[-1].loss if whole else 0.0)  # of the last whole epoch
    torch.rand(7)  # whatever the caller does in between
    assert without_seconds(run.result.history) == without_seconds(expected.history)
    assert torch.equal(run.result.weights["total"], expected.weights["total"])


def test_interruptions_may_follow_each_other(dice):
    expected = dice().result
    run, stopped = dice(dict.fromkeys((2, 3, 6), KeyboardInterrupt())), 0
    while len(run.history) < 3:
        try:
            next(run)
        except KeyboardInterrupt:
            stopped += 1
    assert stopped == 3 and without_seconds(run.history) == without_seconds(expected.history)


def test_an_error_of_a_strategy_reaches_the_caller(dice):
    run = dice({3: ZeroDivisionError("in the strategy")})
    next(run)
    state = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError, match="in the strategy"):
        next(run)
    assert torch.equal(state, torch.get_rng_state())


def test_a_search_is_found_by_the_name_of_its_strategy(strokes):
    by_name = search(TINY, strokes, "random", epochs=1, trial_epochs=1).result
    assert without_seconds(by_name.history) == without_seconds(
        random.search(TINY, strokes, epochs=1, trial_epochs=1).result.history
    )
    with pytest.raises(ValueError, match=f"strategy is 'dart'; expected one of {', '.join(SUMMARIES)}"):
        search(TINY, strokes, "dart")


@pytest.mark.parametrize("kind", KINDS)
def test_a_real_search_that_is_interrupted_loses_nothing(kind, strokes, monkeypatch):
    """KeyboardInterrupt in the fourth step of the weights: two steps make an epoch."""
    strategy, settings = KINDS[kind]
    settings = {"epochs": 2, "batch_size": 10, "device": "cpu", **settings}
    expected = search(TINY, strokes, strategy, **settings).result
    calls, step = [], torch.optim.SGD.step

    def interrupted(optimiser, closure=None):
        calls.append(optimiser)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return step(optimiser, closure)

    monkeypatch.setattr(torch.optim.SGD, "step", interrupted)
    run = search(TINY, strokes, strategy, **settings)
    first = next(run)
    kept = {name: w.clone() for name, w in run.weights.items()}
    with pytest.raises(KeyboardInterrupt):
        next(run)
    assert run.history == [first] and all(torch.equal(w, kept[name]) for name, w in run.weights.items())
    assert without_seconds(run.result.history) == without_seconds(expected.history)
    assert all(torch.equal(w, expected.weights[name]) for name, w in run.result.weights.items())
