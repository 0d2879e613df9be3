"""A recording says what the search did, comes back as it was, stays small, and refuses what is none."""

import json
import math
import shlex
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from small import SMALL, TINY, answers

from benchmarks import recordings as benchmark
from nas_tutorial import data, measures, spaces
from nas_tutorial.cli import main
from nas_tutorial.cli.arguments import parser
from nas_tutorial.settings import versions
from nas_tutorial.strategies import Recording, enas, recordings, search
from nas_tutorial.strategies.recording_file import EpochRecord, RecordingRecord, SampleRecord
from nas_tutorial.strategies.results import Event, Sampled, SearchResult

FEW = {"updates": 1, "samples": 3, "candidates": 4, "batch_size": 10, "reward_batch": 10}
SEARCHES = {
    "darts": (SMALL["darts"], "darts", {"batch_size": 20}),
    "enas": (spaces.ENASMacro(4, 3), "enas", FEW),
    "alone": (TINY, "random", {"trial_epochs": 1}),
    "shared": (TINY, "random", {"shared": True, "candidates": 15}),
}
QUICK = ["--space", "tiny", "--strategy", "enas", "--data", "strokes", "--per-class", "4", "--channels", "2"]
QUICK += ["--epochs", "3", "--set", "updates=1", "samples=2", "candidates=2"]


@pytest.fixture(scope="module")
def strokes():
    """40 pictures, ten of each class, half of them for validation."""
    return data.load("strokes", per_class=10, test_per_class=2)


@pytest.fixture(scope="module")
def results(strokes):
    return {k: search(s, strokes, by, epochs=2, **more).result for k, (s, by, more) in SEARCHES.items()}


# --- what it says -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SEARCHES)
def test_the_file_is_what_the_documentation_promises(name, results, tmp_path):
    result = results[name]
    content = json.loads(recordings.record(result, tmp_path / "r.json").read_text(encoding="utf-8"))
    assert list(content) == list(RecordingRecord.__annotations__) and content["format"] == "nas_tutorial recording 1"
    assert content["space"] == result.space.to_record() and content["size"] == result.space.size
    assert (content["data"], content["versions"]) == ("strokes, 40 pictures", versions())
    for epoch, event in zip(content["epochs"], result.history, strict=True):
        assert list(epoch) == list(EpochRecord.__annotations__)
        assert all(list(sample) == list(SampleRecord.__annotations__) for sample in epoch["samples"])
        assert epoch["loss"] == pytest.approx(event.loss, rel=5e-4)
        assert (
            result.space.parse(epoch["architecture"]).choices == tuple(epoch["choices"]) == event.architecture.choices
        )
        assert epoch["warning"] == event.architecture.warning
    names = [(d["name"], tuple(d["options"])) for d in content["decisions"]]
    assert names == [(d.name, d.options) for d in result.space.decisions]


@pytest.mark.parametrize("name", ["darts", "enas"])
def test_probabilities_add_up_and_a_decision_names_its_row(name, results):
    recording = Recording.of(results[name])
    for epoch in recording.epochs:
        sums = [sum(row) for table in epoch.probabilities.values() for row in table]
        assert sums == pytest.approx([1.0] * len(sums), abs=1e-3)
    tables = recording.epochs[-1].probabilities
    for decision in recording.to_record()["decisions"] if name == "enas" else ():
        row = tables[decision["table"]][decision["row"]]
        assert all(row[: len(decision["options"])]) and not any(row[len(decision["options"]) :])


def test_samples_of_enas_are_those_that_taught_the_policy(strokes):
    """log π and entropy of epoch 2, from the policy as it was behind epoch 1; rewards as the search's mean has them."""
    space, by, more = SEARCHES["enas"]
    run = search(space, strokes, by, epochs=2, **more)
    next(run)
    policy = enas.PROFILES["small"].controller(space, 0)
    policy.load_state_dict({k.removeprefix("controller."): w for k, w in run.weights.items() if "controller." in k})
    event = next(run)
    choices = torch.tensor([sample.choices for sample in event.samples])
    rows = policy.distributions(choices)  # a distribution for each decision, given the answers before it
    log_prob = sum(row.log().gather(1, choices[:, i : i + 1])[:, 0] for i, row in enumerate(rows))
    entropy = sum(-(row * row.log()).sum(1) for row in rows)
    assert len(choices) == 3 and [s.log_prob for s in event.samples] == pytest.approx(log_prob.tolist(), abs=1e-4)
    assert [s.entropy for s in event.samples] == pytest.approx(entropy.tolist(), abs=1e-4)
    assert sum(s.reward for s in event.samples) / 3 == pytest.approx(event.info["reward"])
    assert [s.reward for s in event.samples] == [s.accuracy for s in event.samples]  # the reward is the accuracy


def test_a_reward_is_asked_once_for_each_architecture_and_recorded(strokes):
    asked = []

    def counted(logits, labels, architecture):
        asked.append(architecture.choices)
        return float(len(asked))

    event = next(enas.search(TINY, strokes, reward=counted, epochs=1, **{**FEW, "updates": 2}))
    assert len(asked) == 6 and [(s.choices, s.reward) for s in event.samples] == list(
        zip(asked[3:], (4, 5, 6), strict=True)
    )
    assert all(0 <= s.accuracy <= 1 for s in event.samples)


def test_random_search_keeps_what_it_tried(results):
    alone, shared = results["alone"].history, results["shared"].history
    assert [s.accuracy for e in alone for s in e.samples] == [e.validation_accuracy for e in alone]
    assert [len(e.samples) for e in shared] == [10, 12]  # of 10 and of 15
    for event in shared:
        assert event.validation_accuracy >= max(s.accuracy for s in event.samples)
    assert not any(event.samples for event in results["darts"].history)


# --- there and back ---------------------------------------------------------------------------------------------------
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.none()
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def drawn(draw):
    """A recording of any small space: some epochs of any numbers."""
    space = SMALL[draw(st.sampled_from(sorted(SMALL)))]
    tables = st.none() | st.just({name: [[0.5] * m] * n for name, (n, m) in space.alpha_shapes.items()})

    def event(i):
        samples = [
            Sampled(draw(answers(space)), *(draw(numbers) for _ in range(4))) for _ in range(draw(st.integers(0, 2)))
        ]
        info = draw(st.dictionaries(st.text(max_size=5), finite, max_size=2))
        architecture = space.architecture(draw(answers(space)))
        return Event(
            i, 3, *(draw(finite) for _ in range(3)), architecture, draw(finite), draw(tables), info, tuple(samples)
        )

    events = tuple(event(i) for i in range(1, draw(st.integers(2, 4))))
    text = st.text(max_size=10)
    return Recording("enas", space, events, draw(st.integers(0, 2**63 - 1)), {"epochs": 3}, draw(text), draw(text))


@given(drawn())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_recording_comes_back_as_it_was(recording):
    assert Recording.from_json(recording.to_json()) == recording
    assert Recording.from_json(recording.to_json().encode()) == recording


@pytest.mark.parametrize("name", SEARCHES)
def test_saved_and_loaded_and_of_a_loaded_result_it_is_the_same(name, results, tmp_path):
    recording = Recording.of(results[name])
    assert recordings.load(recording.save(tmp_path / "new" / "r.json")) == recording
    assert Recording.of(SearchResult.load(results[name].save(tmp_path))) == recording
    assert recording.architecture == results[name].architecture


def test_a_search_that_diverged_can_be_recorded(results, tmp_path):
    result = results["alone"]
    broken = replace(result, history=[replace(result.history[0], loss=math.nan, info={"x": math.inf})])
    path = Recording.of(broken).save(tmp_path / "r.json")
    assert "NaN" not in path.read_text() and "Infinity" not in path.read_text()
    (event,) = recordings.load(path).epochs
    assert math.isnan(event.loss) and math.isnan(event.info["x"])


def test_results_of_older_versions_have_no_samples(results, tmp_path):
    file = results["enas"].save(tmp_path) / "result.json"
    content = json.loads(file.read_text())
    for event in content["history"]:
        del event["samples"]
    save_file({"x": torch.zeros(1)}, tmp_path / "weights.safetensors")  # without the sum of what is beside it
    file.write_text(json.dumps(content))
    loaded = SearchResult.load(tmp_path)
    assert [event.samples for event in loaded.history] == [(), ()]
    assert not any(event.samples for event in Recording.of(loaded).epochs)


def test_fifty_epochs_of_the_macro_space_as_published_stay_below_300_kb():
    space, generator = spaces.get("enas_macro", "paper"), torch.Generator().manual_seed(0)

    def event(i):
        rows = [torch.rand(len(d.options), generator=generator).softmax(0).tolist() for d in space.decisions]
        samples = [
            Sampled(space.sample(generator).choices, *torch.randn(4, generator=generator).tolist()) for _ in range(12)
        ]
        facts = torch.rand(4, generator=generator).tolist()
        info = {name: facts[0] for name in ("reward", "baseline", "entropy")}
        return Event(
            i, 50, *facts[:3], space.sample(generator), 1e4 * facts[3], space.tabulate(rows), info, tuple(samples)
        )

    history = [event(i) for i in range(1, 51)]
    record = data.load("strokes", per_class=2, test_per_class=1).record
    result = SearchResult("enas", history[-1].architecture, history, {"epochs": 50}, 0, record)
    size = len(Recording.of(result).to_json().encode())
    print(f"{size:,} bytes")
    assert 100_000 < size <= 300_000


# --- what is none -----------------------------------------------------------------------------------------------------
def spoiled(change):
    """The text of a recording with something changed in its JSON."""
    content = json.loads(measures.recorded.RECORDINGS.joinpath("tiny_enas.json").read_text(encoding="utf-8"))
    change(content)
    return json.dumps(content)


SPOILED = {
    "format": lambda c: c.update(format="nas_tutorial recording 2"),
    "seed": lambda c: c.update(seed="0"),
    "seed ": lambda c: c.update(seed=True),
    "command": lambda c: c.pop("command"),
    "more": lambda c: c.update(more=1),
    "epoch": lambda c: c.update(epochs=[]),
    "epochs": lambda c: c["config"].update(epochs=1),
    "size": lambda c: c.update(size=126),
    "decisions": lambda c: c["decisions"].pop(),
    "expected one of tiny": lambda c: c["space"].update(space="huge"),
    "sizes": lambda c: c["space"].pop("sizes"),
    "epoch of epoch 1 is 2": lambda c: c["epochs"].pop(0),
    "architecture of epoch 1": lambda c: c["epochs"][0].update(choices=[0, 0, 0]),
    "has options 0 to 4": lambda c: c["epochs"][0]["samples"][0].update(choices=[0, 0, 5]),
    "asks 3 decisions": lambda c: c["epochs"][0]["samples"][0].update(choices=[0, 0]),
    "'0.5' as 'epochs.1.samples.0.reward'": lambda c: c["epochs"][1]["samples"][0].update(reward="0.5"),
    "table 'cell'": lambda c: c["epochs"][0]["probabilities"]["cell"].pop(),
    "table 'cell' ": lambda c: c["epochs"][0]["probabilities"]["cell"][0].pop(),
    "probabilities.cell.0.0": lambda c: c["epochs"][0]["probabilities"]["cell"][0].__setitem__(0, None),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_damaged_recording_is_refused_in_one_sentence(what, tmp_path):
    path = tmp_path / "r.json"
    path.write_text(spoiled(SPOILED[what]), encoding="utf-8")
    with pytest.raises(ValueError, match=what.strip()) as error:
        recordings.load(path)
    assert str(error.value).startswith(f"{path} is no recording of a search (") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"[" * 99_999, b'{"format": NaN}', b"1"]
)
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(ValueError, match="is no recording of a search .*--record"):
        recordings.load(tmp_path / "r.json")


def test_where_there_is_no_file_or_a_folder(tmp_path, strokes):
    with pytest.raises(FileNotFoundError, match="There is no file .*give a recording"):
        recordings.load(tmp_path)
    with pytest.raises(ValueError, match="is a folder; name the file"):
        search(TINY, strokes, record=tmp_path)


# --- on the way -------------------------------------------------------------------------------------------------------
def test_recording_changes_nothing_and_is_whole_after_each_epoch(strokes, tmp_path):
    space, by, more = SEARCHES["enas"]
    plain = search(space, strokes, by, epochs=2, **more).result
    run = search(space, strokes, by, epochs=2, record=tmp_path / "r.json", command="by hand", **more)
    for n, _ in enumerate(run, 1):
        recording = recordings.load(tmp_path / "r.json")
        assert len(recording.epochs) == n and recording.command == "by hand"
    assert all(torch.equal(run.result.weights[name], w) for name, w in plain.weights.items())
    assert [replace(e, seconds=0) for e in run.history] == [replace(e, seconds=0) for e in plain.history]


def test_the_command_line_records_and_goes_on_recording(tmp_path, monkeypatch, capsys):
    """Stopped after the first epoch, resumed without --record: the recording of a search that ran through."""
    monkeypatch.chdir(tmp_path)
    assert main(["search", *QUICK, "--name", "whole", "--record"]) == 0
    whole = recordings.load("runs/whole/recording.json")
    assert typed(whole.command) == typed(f"nas-tutorial search {' '.join(QUICK)} --record")
    write = recordings.record

    def stopped(*args, **more):
        write(*args, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(recordings, "record", stopped)
    assert main(["search", *QUICK, "--name", "part", "--record"]) == 130
    part = recordings.load("runs/part/recording.json")
    assert len(part.epochs) == 1 and part.epochs[0].epochs == 3
    monkeypatch.setattr(recordings, "record", write)
    assert main(["search", *QUICK, "--name", "part", "--resume"]) == 0
    assert timeless(recordings.load("runs/part/recording.json")) == timeless(whole)
    assert main(["search", *QUICK, "--name", "plain"]) == 0 and not (tmp_path / "runs/plain/recording.json").exists()


def typed(command):
    """What a command says, in whatever order."""
    return vars(parser().parse_args(shlex.split(command)[1:]))


def timeless(recording):
    """The recording without the time it took."""
    return replace(recording, epochs=tuple(replace(epoch, seconds=0.0) for epoch in recording.epochs))


# --- those that come with the package ---------------------------------------------------------------------------------
def test_the_packages_recordings_are_listed_and_small():
    assert measures.recording_names() == sorted(benchmark.SEARCHES)
    sizes = [path.stat().st_size for path in measures.recorded.RECORDINGS.iterdir()]
    print(f"{sum(sizes):,} bytes")
    assert sum(sizes) <= 1_000_000
    for name in benchmark.SEARCHES:
        recording = measures.recording(name)
        assert name.startswith(recording.space.name) and recording.seed == 0
        assert len(recording.epochs) == recording.config["epochs"]
        assert typed(recording.command) == typed(f"nas-tutorial search {benchmark.SEARCHES[name]} --record")
    with pytest.raises(ValueError, match="recording is 'mine'; expected one of .*tiny_darts"):
        measures.recording("mine")


def test_the_shortest_of_them_can_be_made_again(tmp_path, monkeypatch, capsys):
    """Bit for bit with the versions and the processor that made it; others may round otherwise, and find the same."""
    monkeypatch.chdir(tmp_path)
    kept = measures.recording("tiny_darts")
    again = recordings.load(benchmark.make("tiny_darts", tmp_path))
    if again.versions == kept.versions:
        known = {name: again.config[name] for name in kept.config}  # without settings that came later
        assert timeless(replace(again, config=known)) == timeless(kept)
    assert again.architecture == kept.architecture and again.command == kept.command
    ours, theirs = ([epoch.validation_accuracy for epoch in r.epochs] for r in (again, kept))
    assert ours == pytest.approx(theirs, abs=0.1)
