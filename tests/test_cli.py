"""The command line on small things: what it prints, what it writes, how it fails, and the command it prints."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small import live_architecture

import nas_tutorial
from nas_tutorial import data, spaces, training
from nas_tutorial.cli import main
from nas_tutorial.cli.arguments import COMMANDS
from nas_tutorial.networks import Skeleton
from nas_tutorial.pictures import drawing
from nas_tutorial.strategies import darts, searching
from nas_tutorial.strategies.estimates import Estimate
from nas_tutorial.strategies.results import SearchResult

CELL = str(live_architecture(spaces.get("tiny"), 0))
QUICK = ["--data", "strokes", "--per-class", "20"]
FILES = {"result.json", "architecture.json", "weights.safetensors", "checkpoints", "cell.svg", "curves.png"}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typed(capsys):
    """Run a command; gives its exit code and what it wrote to stdout and stderr."""

    def run(*argv):
        capsys.readouterr()
        code = main(list(argv))
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


def fresh_python(code, **environment):
    """Run code in a new interpreter that finds the package."""
    root = Path(spaces.__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, env=os.environ | environment
    )


# --- help -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_needs_no_torch_and_shows_examples(command):
    code = (
        "import sys; from nas_tutorial.cli.arguments import parser\n"
        f"try: parser().parse_args({[*command, '--help']})\n"
        "finally: assert 'torch' not in sys.modules"
    )
    done = fresh_python(code)
    assert done.returncode == 0, done.stderr
    assert "usage: nas-tutorial" in done.stdout
    assert command in ([], ["demo"], ["spaces"]) or f"nas-tutorial {command[0]} " in done.stdout.split("options:")[0]


def examples():
    """Every command line that the help shows."""
    text = "\n".join(text for _, text, _ in COMMANDS.values()).replace("\\\n", "")
    return re.findall(r"^  (nas-tutorial .*)$", text, re.MULTILINE)


def test_examples_of_the_help_can_be_typed():
    from nas_tutorial.cli.arguments import parser

    assert len(examples()) >= 8
    for line in examples():
        assert parser().parse_args(shlex.split(line)[1:]).command in COMMANDS


# --- search and retrain -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "strategy, more",
    [
        ("darts", ["--order", "2", "--set", "alpha_rate=0.01", "batch_size=20"]),
        ("enas", ["--set", "updates=1", "samples=2", "candidates=3"]),
        ("random", ["--shared", "--set", "candidates=3"]),
        ("random", ["--set", "trial_epochs=1"]),
    ],
)
def test_search_writes_a_result_that_can_be_loaded_drawn_and_retrained(typed, in_an_empty_folder, strategy, more):
    done = typed("search", "--space", "tiny", "--strategy", strategy, "--epochs", "2", "--name", "a run", *QUICK, *more)
    folder = in_an_empty_folder / "runs" / "a run"
    assert done.code == 0, done.err
    assert {path.name for path in folder.iterdir()} == FILES
    result = SearchResult.load(folder)
    assert (result.strategy, len(result.history), result.data["name"]) == (strategy, 2, "strokes")
    assert [line for line in done.out.splitlines() if line.startswith("epoch")] == list(map(str, result.history))
    assert "2/2" in done.err  # the bar came to its end
    assert "profile  small" in done.out and "pictures source strokes" in done.out
    assert re.search(r"^estimate about .+ for 2 epochs on \S+, at least \d\.\d of ", done.out, re.MULTILINE)
    assert len(result.weights) > 0
    config = dict(pair.split("=") for pair in more if "=" in pair)
    assert {name: str(result.config[name]) for name in config} == config

    scores = typed("retrain", str(folder), "--seeds", "4", "5", "--epochs", "1")
    record = json.loads((folder / "retrain.json").read_text())
    assert scores.code == 0, scores.err
    assert record["seeds"] == [4, 5] and len(record["accuracies"]) == 2
    assert record["architecture"]["architecture"] == str(result.architecture)
    assert record["data"] == result.data
    assert (record["profile"], record["recipe"]["epochs"], record["versions"].keys() > {"torch"}) == ("small", 1, True)
    assert f"{record['mean']:.2f} ± {record['std']:.2f}" in scores.out


def test_retrain_measures_what_the_library_measures(typed):
    typed(
        "retrain",
        "--space",
        "tiny",
        "--architecture",
        CELL,
        "--seeds",
        "1",
        "2",
        "--epochs",
        "1",
        "--out",
        "s.json",
        *QUICK,
    )
    expected = training.retrain(
        spaces.get("tiny").parse(CELL), data.load("strokes", per_class=20), seeds=(1, 2), epochs=1
    )
    with open("s.json") as file:
        assert tuple(json.load(file)["accuracies"]) == expected.accuracies


def test_a_search_without_a_name_never_overwrites_another(typed, in_an_empty_folder):
    for _ in range(2):
        typed("search", "--space", "tiny", "--strategy", "random", "--epochs", "1", *QUICK, "--set", "trial_epochs=1")
    assert {path.name for path in (in_an_empty_folder / "runs").iterdir()} == {
        "tiny-random-strokes-seed0",
        "tiny-random-strokes-seed0-2",
    }


@pytest.mark.parametrize("operations, says", [(("conv_3x3",), None), (("skip", "avg_pool_3x3"), "is nearly dead: ")])
def test_a_search_says_where_what_it_found_is_nearly_dead(typed, operations, says):
    quick = ("--strategy", "random", "--epochs", "1", *QUICK, "--set", "trial_epochs=1")
    done = typed("search", "--space", "tiny", "--operations", *operations, *quick)
    assert done.code == 0, done.err
    notes = [line for line in done.out.splitlines() if line.startswith("note ")]
    assert not notes if says is None else says in notes[0]


def test_ones_own_pictures_and_sizes(typed, in_an_empty_folder):
    for name in ("train.npz", "test.npz"):
        noise(name)
    done = typed(
        "search",
        "--space",
        "nasbench201",
        "--strategy",
        "darts",
        "--data",
        "train.npz",
        "--test-data",
        "test.npz",
        "--per-class",
        "10",
        "--epochs",
        "1",
        "--channels",
        "4",
        "--cells",
        "2",
        "--name",
        "own",
    )
    assert done.code == 0, done.err
    sizes = SearchResult.load(in_an_empty_folder / "runs" / "own").space.sizes
    assert (sizes["channels"], sizes["cells_per_stage"]) == (4, 2)


def test_ctrl_c_keeps_the_epochs_that_are_over(typed, monkeypatch, in_an_empty_folder):
    from nas_tutorial.cli import searching

    def interrupted(run, bar, work):
        yield next(run)
        raise KeyboardInterrupt

    monkeypatch.setattr(searching, "followed", interrupted)
    done = typed("search", "--space", "tiny", "--strategy", "darts", "--epochs", "3", "--name", "r", *QUICK)
    assert done.code == 130
    assert "Epochs 1 to 1 of 3 are kept" in done.err and "Traceback" not in done.err
    assert len(SearchResult.load(in_an_empty_folder / "runs" / "r").history) == 1
    assert (in_an_empty_folder / "runs" / "r" / "cell.svg").is_file()


TINY_DARTS = ("search", "--space", "tiny", "--strategy", "darts", "--epochs", "4", "--name", "r", *QUICK)


def stop_after(passes, monkeypatch):
    """Ctrl-C in the n-th pass through a network, those of the estimate not counted."""
    left = iter(range(passes, -(10**6), -1))

    def forward(self, *args):
        if next(left) == 0:
            raise KeyboardInterrupt
        return healthy(self, *args)

    healthy = Skeleton.forward
    monkeypatch.setattr(Skeleton, "forward", forward)
    nothing = Estimate(0, None, 0, None, torch.device("cpu"))
    monkeypatch.setattr(searching.Search, "estimate", lambda self: nothing)


def test_a_search_that_was_stopped_goes_on(typed, in_an_empty_folder):
    expected = typed(*(word if word != "r" else "whole" for word in TINY_DARTS))
    with pytest.MonkeyPatch.context() as patch:
        stop_after(8, patch)
        stopped = typed(*TINY_DARTS)
    assert stopped.code == 130
    kept = int(re.search(r"Epochs 1 to (\d) of 4 are kept in runs/r: ", stopped.err)[1])
    assert 1 <= kept < 4 and "The same command with --name r --resume goes on" in stopped.err
    refused = typed(*TINY_DARTS)
    assert refused.code == 2 and "runs/r holds a search already: add --resume to go on with it" in refused.err
    other = typed(*TINY_DARTS, "--resume", "--seed", "1")
    assert other.code == 2 and "holds a run with seed = 0, not 1" in other.err
    done = typed(*TINY_DARTS, "--resume")
    assert f"runs/r goes on after epoch {kept} of 4" in done.out and done.code == 0
    lines = [[line for line in out.splitlines() if line.startswith("epoch")] for out in (expected.out, done.out)]
    assert lines[1] == lines[0][kept:]
    whole, resumed = (SearchResult.load(in_an_empty_folder / "runs" / name) for name in ("whole", "r"))
    assert all(torch.equal(resumed.weights[name], w) for name, w in whole.weights.items())


def test_a_search_that_was_stopped_in_its_first_epoch_begins_again(typed):
    with pytest.MonkeyPatch.context() as patch:
        stop_after(1, patch)
        assert "No epoch was over yet, so nothing was kept." in typed(*TINY_DARTS).err
    assert "leave out --resume to begin one" in typed(*TINY_DARTS, "--resume").err
    done = typed(*TINY_DARTS)
    assert done.code == 0, done.err


def test_where_all_states_are_gone_one_way_out_is_given(typed, in_an_empty_folder):
    assert typed(*TINY_DARTS).code == 0
    for state in (in_an_empty_folder / "runs" / "r" / "checkpoints").glob("step-*"):
        state.unlink()
    before = contents(in_an_empty_folder)
    plain, resumed = typed(*TINY_DARTS), typed(*TINY_DARTS, "--resume")
    assert plain.code == resumed.code == 2 and plain.err == resumed.err
    assert "no checkpoints to go on from" in plain.err and "another --name), or empty this one" in plain.err
    assert contents(in_an_empty_folder) == before


@pytest.mark.parametrize("name", sorted(FILES - {"checkpoints"}))
def test_a_search_never_overwrites_what_no_search_wrote(typed, in_an_empty_folder, name):
    own = in_an_empty_folder / "runs" / "r" / name
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    for more in ((), ("--resume",)):
        done = typed(*TINY_DARTS, *more)
        assert done.code == 2 and f"runs/r holds {name} but no checkpoints" in done.err
    assert contents(in_an_empty_folder) == {own.relative_to(in_an_empty_folder): b"mine"}


@pytest.mark.parametrize("rule", ["torch", "tensorflow", "'torch'"])
def test_a_setting_that_is_a_word_can_be_set(typed, in_an_empty_folder, rule):
    words = ("--set", f"adam_rule={rule}", "reward_statistics=moving", "updates=1", "samples=2", "candidates=2")
    done = typed("search", "--space", "tiny", "--strategy", "enas", "--epochs", "1", "--name", "r", *QUICK, *words)
    assert done.code == 0, done.err
    config = SearchResult.load(in_an_empty_folder / "runs" / "r").config
    assert (config["adam_rule"], config["reward_statistics"]) == (rule.strip("'"), "moving")


def test_resume_needs_a_name_and_something_to_go_on_with(typed, in_an_empty_folder):
    assert "--resume goes on with a search that has a name" in typed(*TINY_DARTS[:7], "--resume").err
    done = typed(*TINY_DARTS, "--resume")
    assert done.code == 2 and "runs/r holds no search to go on with: leave out --resume" in done.err
    assert not list(in_an_empty_folder.iterdir())


def test_a_search_goes_on_with_the_pictures_that_it_began_with(typed, in_an_empty_folder):
    noise("my own.npz")
    few = ("--per-class", "12", "--data-seed", "5")
    begun = ("search", "--space", "tiny", "--strategy", "darts", "--epochs", "1", "--name", "r")
    assert typed(*begun, "--data", "my own.npz", *few).code == 0
    record = json.loads((in_an_empty_folder / "runs" / "r" / "result.json").read_text())["data"]
    for more in ((), ("--data", "my own.npz"), few):
        done = typed(*begun, "--resume", *more)
        assert done.code == 0 and "runs/r goes on after epoch 1 of 1" in done.out, done.err
        assert json.loads((in_an_empty_folder / "runs" / "r" / "result.json").read_text())["data"] == record
    for other in (("--per-class", "10"), ("--data", "strokes")):
        assert "holds a run with" in typed(*begun, "--resume", *other).err


@pytest.mark.parametrize("name", ["../outside", "..", ".", "", "a/b", "/tmp/x", "a\\b"])
def test_a_name_never_leaves_runs(typed, in_an_empty_folder, name):
    done = typed("search", "--space", "tiny", "--strategy", "darts", *QUICK, f"--name={name}")
    assert done.code == 2 and "is not the name of one folder in runs" in done.err
    assert not list(in_an_empty_folder.iterdir())


def test_a_retraining_that_was_stopped_goes_on(typed, in_an_empty_folder):
    words = ("retrain", "--space", "tiny", "--architecture", CELL, "--seeds", "1", "2", "--epochs", "3", *QUICK)
    typed(*words, "--out", "whole.json")
    with pytest.MonkeyPatch.context() as patch:
        stop_after(7, patch)
        stopped = typed(*words, "--out", "scores.json")
    assert stopped.code == 130 and "scores-states; the same command with --resume goes on" in stopped.err
    done = typed(*words, "--out", "scores.json", "--resume")
    assert done.code == 0 and "6/6" in done.err
    kept = int(re.search(r"scores-states goes on after (\d) of 6 epochs", done.out)[1])
    assert 1 <= kept < 6 and f"| {kept}/6" in done.err and "| 0/6" not in done.err  # the bar begins there, too
    assert (in_an_empty_folder / "scores.json").read_text() == (in_an_empty_folder / "whole.json").read_text()


def test_a_drawing_that_fails_loses_nothing(typed, monkeypatch, in_an_empty_folder):
    monkeypatch.setattr(drawing, "save", lambda *_: (_ for _ in ()).throw(RuntimeError("no Graphviz here")))
    done = typed("search", "--space", "tiny", "--strategy", "darts", "--epochs", "1", "--name", "r", *QUICK)
    assert done.code == 0
    assert "cell.svg could not be made: no Graphviz here" in done.err
    assert {path.name for path in (in_an_empty_folder / "runs" / "r").iterdir()} == FILES - {"cell.svg"}


RETRAIN = ("retrain", "--space", "tiny", "--architecture", CELL, "--seeds", "1", "2", "--epochs", "1", *QUICK)


def contents(folder):
    """All files below a folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_scores_and_states_are_never_replaced(typed, in_an_empty_folder):
    nothing = typed(*RETRAIN, "--out", "s.json", "--resume")
    assert nothing.code == 2 and "s-states holds no training to go on with" in nothing.err
    states = in_an_empty_folder / "s-states"
    states.mkdir()
    (states / "my notes.txt").write_text("mine")
    assert typed(*RETRAIN, "--out", "s.json").code == 0
    before = contents(in_an_empty_folder)
    assert Path("s-states/my notes.txt") in before and Path("s-states/seed-1/step-000001.safetensors") in before
    again = typed(*RETRAIN, "--out", "s.json")
    assert again.code == 2 and "s.json holds scores already: add --resume or choose another --out" in again.err
    faults = {
        "another architecture": ("--architecture", str(live_architecture(spaces.get("tiny"), 1))),
        "other pictures": ("--per-class", "22"),
        "the seeds [1], too": ("--seeds", "2"),
    }
    for fault, words in faults.items():
        done = typed(*RETRAIN, "--out", "s.json", "--resume", *words)
        assert done.code == 2 and "s.json holds scores o" in done.err and fault in done.err
    assert typed(*RETRAIN, "--out", "s.json", "--resume").code == 0
    assert contents(in_an_empty_folder) == before
    (in_an_empty_folder / "s.json").unlink()
    assert "s-states holds scores already" in typed(*RETRAIN, "--out", "s.json").err
    assert typed(*RETRAIN, "--out", "s.json", "--resume", "--seeds", "1", "2", "3").code == 0
    assert json.loads((in_an_empty_folder / "s.json").read_text())["seeds"] == [1, 2, 3]


@pytest.mark.parametrize("out", ["architecture.json", "folder", "notes.txt/s.json", "x-states/s.json/s.json"])
def test_a_file_of_somebody_else_is_left_as_it_is(typed, in_an_empty_folder, out, monkeypatch):
    (in_an_empty_folder / "architecture.json").write_text(spaces.Tiny(4, 2).parse(CELL).to_json())
    (in_an_empty_folder / "folder").mkdir()
    (in_an_empty_folder / "notes.txt").write_text("mine")
    (in_an_empty_folder / "x-states").write_text("mine")
    before = contents(in_an_empty_folder)
    monkeypatch.setattr(training, "retrain", lambda *_, **__: pytest.fail("trained before --out was looked at"))
    for more in ((), ("--resume",)):
        done = typed(*RETRAIN, "--out", out, *more)
        assert done.code == 2 and re.search("choose another --out|holds no training", done.err), done.err
    assert contents(in_an_empty_folder) == before


def test_ctrl_c_where_nothing_was_kept_says_so(typed, monkeypatch):
    from nas_tutorial.cli import commands

    def stop(options):
        raise KeyboardInterrupt

    monkeypatch.setitem(commands.BY_NAME, "spaces", stop)
    done = typed("spaces")
    assert done.code == 130 and done.err == "\nStopped. What was there before is unchanged.\n"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(0, patch)
        assert "No epoch was over yet, so nothing was kept." in typed(*RETRAIN).err


# --- the printed command ----------------------------------------------------------------------------------------------
def noise(name, seed=None):
    """An .npz of 8×8 pictures of two classes, 30 of each, that occur in no other file."""
    rng = np.random.default_rng(zlib.crc32(name.encode()) if seed is None else seed)
    np.savez(name, images=rng.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8), labels=np.arange(60) % 2)


def sums(images):
    """One sha256 per picture."""
    return {hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in images}


PROGRAM = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import hashlib, pathlib, sys
from nas_tutorial.cli import main
from nas_tutorial.training import retraining

def evaluate(network, split, data, plain=retraining.evaluate):
    shown = (hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in split.images)
    pathlib.Path("shown.txt").write_text("\\n".join(shown))
    return plain(network, split, data)

retraining.evaluate = evaluate
sys.exit(main())
"""


@pytest.fixture
def shell(in_an_empty_folder):
    """Runs a line in a shell whose `nas-tutorial` notes the pictures that a network is tested on, in shown.txt.

    The program begins like those of pip: a Python whose path has a space in it cannot stand behind #!.
    """
    program = in_an_empty_folder / "bin" / "nas-tutorial"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    places = {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(Path(spaces.__file__).parents[2])}

    def run(line):
        return subprocess.run(line, shell=True, capture_output=True, text=True, env={**os.environ, **places})

    return run


PRINTED = {
    "digits": ("darts", "first", ["--per-class", "20"]),
    "strokes": ("random", "all's well", ["--data", "strokes", "--set", "trial_epochs=1"]),
    "own": ("enas", "a b;c", ["--data", "my train.npz", "--set", "updates=1", "samples=2", "candidates=2"]),
    "own, few": ("random", "$HOME", ["--data", "my train.npz", "--per-class", "9", "--data-seed", "3", "--shared"]),
    "two files": ("darts", "-x", ["--data", "my train.npz", "--test-data", "my 'test'.npz", "--per-class", "9"]),
}


@pytest.mark.parametrize("case", PRINTED)
def test_the_printed_command_tests_on_pictures_that_no_search_has_seen(case, typed, shell, monkeypatch):
    strategy, name, more = PRINTED[case]
    noise("my train.npz", 1), noise("my 'test'.npz", 2)
    seen, plain = set(), nas_tutorial.search

    def search(space, pictures, *args, **settings):
        seen.update(sums(pictures.train.images), sums(pictures.validation.images))
        return plain(space, pictures, *args, **settings)

    monkeypatch.setattr(nas_tutorial, "search", search, raising=False)
    few = ["--channels", "4", "--epochs", "1", "--threads", "1", f"--name={name}"]
    done = typed("search", "--space", "tiny", "--strategy", strategy, *more, *few)
    assert done.code == 0, done.err
    (line,) = [line.removeprefix("next ").strip() for line in done.out.splitlines() if line.startswith("next ")]
    assert line == f"nas-tutorial retrain {shlex.quote(f'runs/{name}')}"
    ran = shell(line)
    assert ran.returncode == 0, ran.stderr
    shown = set(Path("shown.txt").read_text().split())
    record = json.loads((Path("runs") / name / "retrain.json").read_text())
    assert len(shown) == record["data"]["splits"]["test"]["size"] and len(record["accuracies"]) == 3
    assert len(seen) == record["data"]["splits"]["train"]["size"] + record["data"]["splits"]["validation"]["size"]
    assert not shown & seen


def test_every_strategy_is_among_the_printed_commands():
    from nas_tutorial.strategies import SUMMARIES

    assert {"darts", "enas", "random"} == {strategy for strategy, *_ in PRINTED.values()} <= set(SUMMARIES)


@pytest.mark.parametrize("program", ["bin/nas-tutorial", "{python} -m nas_tutorial"])
def test_the_printed_command_calls_the_program_as_it_was_called(program, shell):
    called = program.format(python=shlex.quote(sys.executable))
    quick = "--epochs 1 --name r --data strokes --per-class 20 --set trial_epochs=1"
    done = shell(f"PATH=/usr/bin:/bin; {called} search --space tiny --strategy random {quick}")
    assert done.returncode == 0, done.stderr
    line = done.stdout.rpartition("next   ")[2].strip()
    assert line == f"{called} retrain runs/r"
    ran = shell(f"PATH=/usr/bin:/bin; {line} --seeds 0 --epochs 1")
    assert ran.returncode == 0 and "test accuracy over 1 seeds" in ran.stdout, ran.stderr


def test_the_printed_command_says_where_things_are(in_an_empty_folder):
    from nas_tutorial.cli import searching

    options = SimpleNamespace(root="my cache", device="cpu")
    line = searching.retraining(options, Path("runs/r"))
    assert line == "nas-tutorial retrain runs/r --root 'my cache' --device cpu"


# --- a search's folder ------------------------------------------------------------------------------------------------
@pytest.fixture
def searched(typed, in_an_empty_folder):
    """The folder of a search on own pictures; what it finds is live."""
    noise("mine.npz", 1)
    words = ("--data", "mine.npz", "--per-class", "10", "--data-seed", "3", "--channels", "4")
    words = (*words, "--operations", "zero", "conv_3x3")
    done = typed("search", "--space", "tiny", "--strategy", "darts", "--epochs", "1", "--name", "r", *words)
    assert done.code == 0, done.err
    return in_an_empty_folder / "runs" / "r"


def retrained(typed, *words):
    """What a quick retraining to s.json says and writes."""
    done = typed("retrain", *words, "--seeds", "0", "--epochs", "1", "--out", "s.json")
    record = json.loads(Path("s.json").read_text()) if done.code == 0 else None
    Path("s.json").unlink(missing_ok=True)
    for state in Path("s-states").rglob("step-*"):
        state.unlink()
    return done, record


def test_a_searchs_folder_stands_for_its_architecture_and_pictures(typed, searched):
    result = SearchResult.load(searched)
    for words in (["runs/r"], ["--architecture", "runs/r"], ["runs/r/architecture.json"]):
        done, record = retrained(typed, *words)
        assert done.code == 0 and "note" not in done.err, done.err
        assert record["data"] == result.data and record["architecture"] == json.loads(result.architecture.to_json())
    assert (
        typed("draw", "runs/r", "--out", "a.svg").code
        == typed("draw", "--architecture", "runs/r", "--out", "b.svg").code
        == 0
    )
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes() == (searched / "cell.svg").read_bytes()
    described = json.loads(typed("describe", "runs/r", "--json").out)
    assert (described["architecture"], described["sizes"]["channels"]) == (str(result.architecture), 4)


def test_other_pictures_than_searched_on_are_used_with_a_sentence(typed, searched):
    same, record = retrained(typed, "runs/r", "--data", "mine.npz")
    assert "note" not in same.err and record["data"] == SearchResult.load(searched).data
    Path("mine.npz").rename("moved.npz")
    gone, _ = retrained(typed, "runs/r")
    assert gone.code == 2 and "no file 'mine.npz', from which the recorded pictures were read" in gone.err
    moved, _ = retrained(typed, "runs/r", "--data", "moved.npz")
    assert moved.code == 0 and "note" not in moved.err
    other, record = retrained(typed, "runs/r", "--data", "strokes")
    assert other.code == 0 and "These are other pictures than were searched on" in other.err
    assert "could not be measured: There is no file 'mine.npz'" in other.err and record["data"]["name"] == "strokes"
    Path("moved.npz").rename("mine.npz")
    more, record = retrained(typed, "runs/r", "--per-class", "20")
    assert "These are other pictures" in more.err and record["data"]["origin"]["seed"] == 3
    assert more.err.count("note") == 1
    noise("mine.npz", 2)
    changed, _ = retrained(typed, "runs/r")
    assert changed.code == 2 and "mine.npz is not the file that was used" in changed.err


LIVE = ("--operations", "zero", "conv_3x3")
TWO_FILES = ("--space", "tiny", "--strategy", "darts", "--epochs", "1", "--name", "w", "--channels", "4", *LIVE)


def test_a_moved_file_keeps_what_else_is_recorded(typed, in_an_empty_folder):
    noise("tr.npz", 1), noise("te.npz", 2), noise("other.npz", 3)
    begun = ("search", *TWO_FILES, "--data", "tr.npz", "--test-data", "te.npz", "--per-class", "9")
    assert typed(*begun).code == 0
    result = (in_an_empty_folder / "runs" / "w" / "result.json").read_bytes()
    splits = json.loads(result)["data"]["splits"]
    other = typed("search", *TWO_FILES, "--resume", "--test-data", "other.npz")
    assert other.code == 2 and "runs/w holds a search with other test pictures" in other.err
    assert (in_an_empty_folder / "runs" / "w" / "result.json").read_bytes() == result
    Path("tr.npz").rename("moved.npz")
    done, record = retrained(typed, "runs/w", "--data", "moved.npz")
    assert done.code == 0 and "note" not in done.err and record["data"]["splits"] == splits
    Path("te.npz").unlink()
    gone, _ = retrained(typed, "runs/w", "--data", "moved.npz")
    assert gone.code == 2 and "no file 'te.npz', from which the recorded pictures were read" in gone.err


DAMAGES = {
    "null": lambda data: None,
    "nothing": lambda data: {},
    "no splits": lambda data: {**data, "splits": {}},
    "a seed in words": lambda data: {**data, "origin": {**data["origin"], "seed": "x"}},
    "another key": lambda data: {**data, "origin": {**data["origin"], "extra": 1}},
    "an origin in words": lambda data: {**data, "origin": "here"},
    "a list": lambda data: [data],
}


def test_a_damaged_record_of_pictures_is_refused(typed, searched):
    whole = json.loads((searched / "result.json").read_text())
    for damage in DAMAGES.values():
        (searched / "result.json").write_text(json.dumps({**whole, "data": damage(whole["data"])}))
        for more in ((), ("--data", "mine.npz"), ("--per-class", "9")):
            done, _ = retrained(typed, "runs/r", *more)
            assert done.code == 2 and "The record of the pictures is damaged" in done.err, done.err
            assert done.err.count("\n") == 1


def test_a_copy_of_the_architecture_alone_knows_what_it_was_searched_on(typed, searched):
    noise("new.npz", 5)
    Path("solo.json").write_text((searched / "architecture.json").read_text())
    whole, record = retrained(typed, "solo.json")
    assert whole.code == 0 and record["data"] == SearchResult.load(searched).data
    again, _ = retrained(typed, "solo.json", "--data", "new.npz", "--test-data", "mine.npz")
    assert again.code == 2 and re.search(r"\d+ of the 60 test pictures of new .*searched on", again.err)
    Path("mine.npz").rename("moved.npz")
    gone, _ = retrained(typed, "solo.json", "--data", "new.npz", "--test-data", "moved.npz")
    assert gone.code == 0 and "It was searched on mine; whether test pictures were among those could not" in gone.err
    old = json.loads((searched / "architecture.json").read_text())
    del old["data"]
    Path("solo.json").write_text(json.dumps(old))
    (searched / "architecture.json").write_text(json.dumps(old))
    Path("moved.npz").rename("mine.npz")
    assert retrained(typed, "runs/r/architecture.json")[1]["data"] == record["data"]
    assert retrained(typed, "solo.json", "--data", "new.npz")[1]["data"]["name"] == "new"


def test_pictures_that_were_searched_on_are_not_tested_on(typed, searched):
    done, _ = retrained(typed, "runs/r", "--data-seed", "4")
    assert done.code == 2 and re.search(r"\d+ of the 12 test pictures of mine are also .* searched on", done.err)
    again, _ = retrained(typed, "runs/r", "--data", "mine.npz", "--test-data", "mine.npz")
    assert again.code == 2 and re.search(r"\d+ of the 60 test pictures of mine", again.err)


def test_a_search_whose_find_could_not_be_tested_does_not_begin(typed, in_an_empty_folder):
    noise("mine.npz", 1)
    words = ("--data", "mine.npz", "--test-data", "mine.npz", "--name", "r")
    done = typed("search", "--space", "tiny", "--strategy", "darts", *words)
    assert done.code == 2 and "60 of the 60 test pictures of mine" in done.err
    assert not (in_an_empty_folder / "runs").exists()


def test_a_few_twins_are_a_note_on_one_line(typed, in_an_empty_folder):
    noise("mine.npz", 1)
    with np.load("mine.npz") as file:
        arrays = dict(file)
    noise("test.npz", 2)
    with np.load("test.npz") as file:
        other = dict(file)
    other["images"][7] = arrays["images"][11]
    np.savez("test.npz", **other)
    done = typed(*RETRAIN[:-4], "--data", "mine.npz", "--test-data", "test.npz")
    (note,) = [line for line in done.err.splitlines() if "note" in line]
    assert done.code == 0 and "nas-tutorial: note: 1 of the 60 test pictures of mine" in note


# --- draw, describe, spaces -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind, start", [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_draw(typed, in_an_empty_folder, kind, start):
    done = typed("draw", "--space", "tiny", "--architecture", CELL, "--out", f"cell.{kind}")
    assert done.code == 0, done.err
    assert (in_an_empty_folder / f"cell.{kind}").read_bytes().startswith(start)


def test_describe_as_json(typed):
    done = typed(
        "describe", "--space", "darts", "--architecture", "DARTS_V2", "--channels", "36", "--cells", "20", "--json"
    )
    record = json.loads(done.out)
    assert record["parameters"] == 3_349_342
    assert record["sizes"] == {"channels": 36, "cells": 20, "nodes": 4}
    assert done.err == ""


def test_describe_a_supernet(typed):
    out = typed("describe", "--space", "enas_macro", "--supernet", "--channels", "36", "--layers", "12").out
    assert re.search(r"^parameters +697,860$", out, re.MULTILINE) and "41,856" in out
    assert typed("describe", "--space", "enas_macro", "--profile", "paper").out == out


def test_describe_reads_a_file_with_its_sizes_or_other_ones(typed, in_an_empty_folder):
    (in_an_empty_folder / "a.json").write_text(spaces.Tiny(4, 2).parse(CELL).to_json())
    nodes, own = spaces.Tiny.nodes, json.loads(typed("describe", "--architecture", "a.json", "--json").out)
    wide = json.loads(typed("describe", "--architecture", "a.json", "--channels", "6", "--json").out)
    paper = json.loads(typed("describe", "--architecture", "a.json", "--profile", "paper", "--json").out)
    assert [own["sizes"], wide["sizes"], paper["sizes"]] == [
        {"channels": 4, "cells": 2, "nodes": nodes},
        {"channels": 6, "cells": 2, "nodes": nodes},
        {**spaces.Tiny.profiles["paper"], "nodes": nodes},
    ]


DEAD, NEARLY_DEAD = "|zero~0|+|zero~0|zero~1|", "|skip~0|+|skip~0|zero~1|"


@pytest.mark.parametrize("cell, says", [(DEAD, "is dead"), (NEARLY_DEAD, "is nearly dead"), (CELL, None)])
def test_what_is_dead_is_said_to_be_before_it_is_trained_or_described(typed, cell, says):
    for words in (("describe", "--json"), ("retrain", "--seeds", "0", "--epochs", "1", "--out", "s.json", *QUICK)):
        done = typed(words[0], "--space", "tiny", cell, *words[1:])
        assert done.code == 0, done.err
        assert f"note: This architecture {says}" in done.err if says else "note" not in done.err


def test_spaces_lists_all_with_operations_and_published_cells(typed):
    out = typed("spaces").out
    for name, space in spaces.BY_NAME.items():
        assert name in out and all(op in out for op in space.operations) and all(n in out for n in space.published)
    assert "15,625" in out


# --- faults -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "argv, says",
    [
        (["search", "--space", "tinny", "--strategy", "darts"], "expected one of tiny"),
        (["search", "--space", "tiny", "--strategy", "darts", "--data", "no.npz"], "no.npz"),
        (["search", "--space", "tiny", "--strategy", "darts", *QUICK, "--set", "rate=1"], "learning_rate"),
        (["search", "--space", "tiny", "--strategy", "enas", *QUICK, "--order", "2"], "--order is not for enas"),
        (["search", "--space", "tiny", "--strategy", "darts", *QUICK, "--shared"], "--shared is not for darts"),
        (["search", "--space", "tiny", "--strategy", "darts", *QUICK, "--set", "epochs=1"], "own, --epochs"),
        (["search", "--space", "tiny", "--strategy", "darts", *QUICK, "--set", "seed=1"], "own, --seed"),
        (["search", "--space", "tiny", "--strategy", "enas", *QUICK, "--set", "identity=1"], "learning_rate"),
        (["retrain", "--space", "tiny", CELL, *QUICK, "--set", "epochs=1"], "own, --epochs"),
        (["retrain", "--space", "tiny", CELL, *QUICK, "--set", "report=1"], "learning_rate"),
        (["retrain", "--space", "tiny", CELL, *QUICK, "--device", "foo"], "foo"),
        (["retrain", "--space", "tiny", CELL, *QUICK, "--seeds", "1", "1"], "each once"),
        (["retrain", *QUICK], "Give an architecture"),
        (["retrain", "runs/typo", *QUICK], "no folder 'runs/typo'"),
        (["retrain", CELL, "--architecture", CELL, "--space", "tiny"], "Two architectures"),
        (["retrain", "empty"], "empty holds no result.json"),
        (["draw", "--architecture", "empty", "--out", "a.svg"], "empty holds no result.json"),
        (["draw", "latin.json", "--out", "a.svg"], "latin.json is not a text in UTF-8"),
        (["retrain", "damaged"], "result.json is not what a search wrote"),
        (["search", "--space", "tiny", "--strategy", "enas", *QUICK, "--set", "epochs"], "KEY=VALUE"),
        (["search", "--space", "tiny", "--strategy", "enas", *QUICK, "--set", "momentum=high"], "KEY=VALUE"),
        (["search", "--space", "tiny", "--strategy", "enas", *QUICK, "--set", "adam_rule=x"], "adam_rule"),
        (["search", "--space", "enas_macro", "--strategy", "enas", "--cells", "3"], "layers"),
        (["describe", "--space", "tiny", "--architecture", "DARTS_V2"], "DARTS_V2"),
        (["describe", "--architecture", "DARTS_V2"], "space"),
        (["describe"], "--space"),
        (["draw", "--architecture", "gone.json", "--out", "a.svg"], "gone.json"),
        (["draw", "--space", "tiny", "--architecture", CELL, "--out", "a.bmp"], ".svg"),
        (["retrain", "--space", "tiny", "--architecture", CELL, *QUICK, "--set", "epoch=3"], "batch_size"),
    ],
)
def test_faults_are_one_line_and_code_2(typed, in_an_empty_folder, argv, says):
    (in_an_empty_folder / "empty").mkdir()
    (in_an_empty_folder / "damaged").mkdir()
    (in_an_empty_folder / "damaged" / "result.json").write_text("{")
    (in_an_empty_folder / "latin.json").write_bytes("Ärger".encode("latin-1"))
    done = typed(*argv)
    assert done.code == 2
    assert done.err.count("\n") == 1 and done.err.startswith("nas-tutorial: error: ") and says in done.err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["search"],
        ["search", "--space", "s", "--strategy", "darts", "--epochs", "0"],
        ["search", "--space", "tiny", "--strategy", "darts", "--seed", "1" + "0" * 30],
        ["retrain", CELL, "--space", "tiny", "--seeds"],
        ["retrain", CELL, "--space", "tiny", "--data-seed", "-1"],
        ["demo", "--scale", "nan"],
    ],
)
def test_what_cannot_be_understood_is_code_2(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2 and "nas-tutorial" in capsys.readouterr().err


def test_a_fault_of_the_program_is_one_line_too(typed, monkeypatch):
    from nas_tutorial.cli import commands

    monkeypatch.setitem(commands.BY_NAME, "spaces", lambda options: {}["no\nsuch key"])
    done = typed("spaces")
    assert done.code == 2 and done.err.count("\n") == 1 and "KeyError" in done.err and "unexpected" in done.err


def test_what_is_said_of_sizes_is_true(typed):
    assert "tiny is of this package" in typed("spaces").out
    published = {name for name in spaces.BY_NAME if name != "tiny"}
    assert all(spaces.get(name, "paper").size >= spaces.get(name).size for name in published)


@pytest.mark.parametrize("given", ["0", "257", "10000000", "1.5", "x"])
def test_a_number_of_threads_that_no_machine_has_is_refused_before_any_is_made(given, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["spaces", "--threads", given])
    assert stop.value.code == 2 and "from 1 to 256" in capsys.readouterr().err


def test_threads_are_given_back(typed):
    before = torch.get_num_threads()
    typed("spaces", "--threads", "3")
    assert torch.get_num_threads() == before


def test_core_imports_load_no_heavy_extras():
    code = (
        "import sys\n"
        "import nas_tutorial\n"
        "assert not [name for name in sys.modules if name.startswith('nas_tutorial.')]\n"
        "from nas_tutorial import data, drawing, retrain, search, spaces, training\n"
        "from nas_tutorial.measures import describe\n"
        "from nas_tutorial.strategies import darts, enas, random\n"
        "heavy = {'sklearn', 'torchvision', 'ipywidgets', 'graphviz', 'pygraphviz', 'matplotlib', 'IPython', 'scipy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = fresh_python(code)
    assert done.returncode == 0, done.stderr


def test_a_terminal_that_knows_ascii_only_is_no_fault():
    code = "from nas_tutorial.cli import main; main(['search', '--help'])"
    done = fresh_python(code, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "\\u03b1 or the controller" in done.stdout, done.stderr


def test_every_setting_is_listed_with_its_bounds(typed):
    out = typed("settings", "darts").out
    for name in darts.Config.__dataclass_fields__:
        assert re.search(rf"^  {name} .*(whole number|finite number|True or False|one of)", out, re.MULTILINE), name
    assert re.search(r"^  momentum +0.9 +0.9 +0.9 +a finite number of at least 0 and below 1$", out, re.MULTILINE)
    assert "channels" in out and "looks one step ahead" in out
