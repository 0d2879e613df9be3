"""Events are one line each; a result comes back from its folder as it went in."""

import json
from dataclasses import replace

import pytest
import torch

import nas_tutorial
from nas_tutorial import data, spaces
from nas_tutorial.strategies import darts, enas, random
from nas_tutorial.strategies.results import Event, Search, SearchResult

FEW = {"updates": 1, "samples": 2, "candidates": 2}
SEARCHES = {
    "darts": (darts, spaces.DARTS(2, 3), {"batch_size": 40}),
    "enas": (enas, spaces.ENASMacro(4, 3), FEW),
    "random": (random, spaces.Tiny(4), {"trial_epochs": 1}),
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
    assert (record["seed"], record["data"], record["strategy"]) == (4, "strokes", results[name].strategy)
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
    assert f"| {skips} |" in str(Event(1, 1, 0.0, 0.0, 0.0, spaces.Tiny().parse(text)))


def test_a_folder_without_a_result_is_a_clear_error(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match="holds no result.json; give the folder that a search wrote"):
            SearchResult.load(folder)


def test_results_differ_by_what_was_found(results):
    result = results["darts"]
    assert replace(result, seed=5) != result
    assert replace(result, history=result.history[:1]) != result


# --- a search in progress ---
def steps_of(architecture, epochs):
    """A strategy that draws one number per epoch."""
    for epoch in range(1, epochs + 1):
        yield Event(epoch, epochs, float(torch.rand(())), 0.0, 0.0, architecture)
    return {"w": torch.ones(2)}


def test_asking_for_the_result_runs_what_is_left():
    architecture = spaces.Tiny().architecture([0, 0, 0])
    run = Search(steps_of(architecture, 3), 0, strategy="stub", config={}, data="none")
    first = next(run)
    assert run.history == [first] and run.weights == {}
    assert len(run.result.history) == 3 and run.result.history[0] == first
    assert run.result == run.result and run.result.weights["w"].tolist() == [1, 1]
    assert list(run) == []
    seconds = [event.seconds for event in run.history]
    assert seconds == sorted(seconds)


def test_an_error_of_a_strategy_reaches_the_caller():
    def broken():
        raise ZeroDivisionError("in the strategy")
        yield

    state = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError, match="in the strategy"):
        next(Search(broken(), 0))
    assert torch.equal(state, torch.get_rng_state())
