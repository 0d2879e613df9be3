"""The command line, in-process and on small things: what it prints, what it writes, how it fails."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from small import live_architecture

from nas_tutorial import data, spaces, training
from nas_tutorial.cli import main
from nas_tutorial.cli.arguments import COMMANDS
from nas_tutorial.networks import Skeleton
from nas_tutorial.pictures import drawing
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


def fresh_python(code):
    """Run code in a new interpreter that finds the package."""
    root = Path(spaces.__file__).parents[2]
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)


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
    import shlex

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
    assert (result.strategy, len(result.history), result.data) == (strategy, 2, "strokes")
    assert [line for line in done.out.splitlines() if line.startswith("epoch")] == list(map(str, result.history))
    assert "2/2" in done.err  # the bar came to its end
    assert len(result.weights) > 0
    config = dict(pair.split("=") for pair in more if "=" in pair)
    assert {name: str(result.config[name]) for name in config} == config

    scores = typed(
        "retrain", "--architecture", str(folder / "architecture.json"), "--seeds", "4", "5", "--epochs", "1", *QUICK
    )
    record = json.loads((folder / "retrain.json").read_text())
    assert scores.code == 0, scores.err
    assert record["seeds"] == [4, 5] and len(record["accuracies"]) == 2
    assert record["architecture"]["architecture"] == str(result.architecture)
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
    import numpy as np

    pictures = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    for name in ("train.npz", "test.npz"):
        np.savez(name, images=pictures, labels=np.arange(40) % 2)
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
    from nas_tutorial.cli import commands

    def interrupted(run, bar, work):
        yield next(run)
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "followed", interrupted)
    done = typed("search", "--space", "tiny", "--strategy", "darts", "--epochs", "3", "--name", "r", *QUICK)
    assert done.code == 130
    assert "Epochs 1 to 1 of 3 are kept" in done.err and "Traceback" not in done.err
    assert len(SearchResult.load(in_an_empty_folder / "runs" / "r").history) == 1
    assert (in_an_empty_folder / "runs" / "r" / "cell.svg").is_file()


TINY_DARTS = ("search", "--space", "tiny", "--strategy", "darts", "--epochs", "4", "--name", "r", *QUICK)


def stop_after(passes, monkeypatch):
    """Ctrl-C in the n-th pass through a network."""
    left = iter(range(passes, -(10**6), -1))

    def forward(self, *args):
        if next(left) == 0:
            raise KeyboardInterrupt
        return healthy(self, *args)

    healthy = Skeleton.forward
    monkeypatch.setattr(Skeleton, "forward", forward)


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


def test_resume_needs_a_name_and_begins_where_nothing_is_kept(typed):
    assert "--resume goes on with a search that has a name" in typed(*TINY_DARTS[:7], "--resume").err
    assert typed(*TINY_DARTS, "--resume").code == 0


def test_a_retraining_that_was_stopped_goes_on(typed, in_an_empty_folder):
    words = ("retrain", "--space", "tiny", "--architecture", CELL, "--seeds", "1", "2", "--epochs", "3", *QUICK)
    typed(*words, "--out", "whole.json")
    with pytest.MonkeyPatch.context() as patch:
        stop_after(7, patch)
        stopped = typed(*words, "--out", "scores.json")
    assert stopped.code == 130 and "scores-states; the same command with --resume goes on" in stopped.err
    done = typed(*words, "--out", "scores.json", "--resume")
    assert done.code == 0 and "6/6" in done.err
    assert (in_an_empty_folder / "scores.json").read_text() == (in_an_empty_folder / "whole.json").read_text()


def test_a_drawing_that_fails_loses_nothing(typed, monkeypatch, in_an_empty_folder):
    monkeypatch.setattr(drawing, "save", lambda *_: (_ for _ in ()).throw(RuntimeError("no Graphviz here")))
    done = typed("search", "--space", "tiny", "--strategy", "darts", "--epochs", "1", "--name", "r", *QUICK)
    assert done.code == 0
    assert "cell.svg could not be made: no Graphviz here" in done.err
    assert {path.name for path in (in_an_empty_folder / "runs" / "r").iterdir()} == FILES - {"cell.svg"}


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
        (["search", "--space", "tiny", "--strategy", "enas", *QUICK, "--order", "2"], "setting"),
        (["search", "--space", "tiny", "--strategy", "enas", *QUICK, "--set", "epochs"], "KEY=VALUE"),
        (["search", "--space", "enas_macro", "--strategy", "enas", "--cells", "3"], "layers"),
        (["describe", "--space", "tiny", "--architecture", "DARTS_V2"], "DARTS_V2"),
        (["describe", "--architecture", "DARTS_V2"], "space"),
        (["describe"], "--space"),
        (["draw", "--architecture", "gone.json", "--out", "a.svg"], "gone.json"),
        (["draw", "--space", "tiny", "--architecture", CELL, "--out", "a.bmp"], ".svg"),
        (["retrain", "--space", "tiny", "--architecture", CELL, *QUICK, "--set", "epoch=3"], "batch_size"),
    ],
)
def test_faults_are_one_line_and_code_2(typed, argv, says):
    done = typed(*argv)
    assert done.code == 2
    assert done.err.count("\n") == 1 and done.err.startswith("nas-tutorial: error: ") and says in done.err


@pytest.mark.parametrize("argv", [[], ["search"], ["search", "--space", "s", "--strategy", "darts", "--epochs", "0"]])
def test_what_cannot_be_understood_is_code_2(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2 and "nas-tutorial" in capsys.readouterr().err


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
