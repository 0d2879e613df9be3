"""README and documents are true: their code runs, their links resolve, their tables say what the package says."""

import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from nas_tutorial import cli, spaces
from nas_tutorial.strategies import SUMMARIES
from nas_tutorial.training import RECIPES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")] + sorted(ROOT.glob("docs/*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(language):
    """The code blocks of the README in a language."""
    return [code for given, code in FENCE.findall(README) if given == language]


def test_the_readme_is_short():
    assert len(README.split()) <= 900


# --- code ---
@pytest.mark.parametrize("code", blocks("python"))
def test_the_python_code_runs_as_printed(code, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *events, scores = done.stdout.splitlines()
    assert len(events) == int(re.search(r"epochs=(\d+)", code)[1])
    shown = re.search(r"# (epoch .*?)…", code)[1]
    assert [same_form(event)[: len(same_form(shown))] for event in events].count(same_form(shown)) >= 1
    assert re.fullmatch(r"[01]\.\d\d ± [01]\.\d\d", scores)
    assert (tmp_path / "runs" / "first" / "result.json").is_file()


def same_form(line):
    """A line with figures that differ between machines made equal."""
    return re.sub(r"\d\.\d\d", "0.00", line)


def commands():
    """The lines of the README that call the command line, as words."""
    lines = [line for code in blocks("sh") for line in code.splitlines() if "nas-tutorial" in line]
    return [shlex.split(line, comments=True) for line in lines]


def test_the_commands_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert len(commands()) == 6
    for program, *words in commands():
        assert program == ".venv/bin/nas-tutorial"
        for name in re.findall(r"\w+\.npz", " ".join(words)):
            np.savez(name, images=noise(24), labels=np.arange(24) % 2)
        if "--help" in words:
            with pytest.raises(SystemExit, match="0"):
                cli.main(words)
        else:
            assert cli.main(words) == 0, capsys.readouterr().err
    written = capsys.readouterr().out
    assert "goes on after epoch 8 of 8" in written and "3,349,342" in written
    assert (tmp_path / "runs" / "mine" / "retrain.json").is_file()


def noise(count):
    """Small pictures without anything to see."""
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


def test_the_number_in_the_readme_is_that_of_describe(capsys):
    line = next(line for code in blocks("sh") for line in code.splitlines() if "describe" in line)
    cli.main(shlex.split(line, comments=True)[1:])
    assert re.search(r"# ([\d,]+) parameters", line)[1] in capsys.readouterr().out


# --- links and tables ---
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_within_the_repository_resolve(path):
    links = LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8")))
    inside = [unquote(link) for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not exists(path, *link.split("#"))] == []


def exists(path, file, anchor=None):
    """Whether a link of a document leads to a file, and its anchor to a heading there."""
    target = path.parent / file if file else path
    if anchor is None or not target.exists():
        return target.exists()
    titles = re.findall(r"^#+ +(.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def rows(title):
    """The table in a section of docs/spaces.md: name in the first cell → the other cells."""
    section = (ROOT / "docs" / "spaces.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    return {name: rest.split(" | ") for name, rest in re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)}


def test_spaces_and_strategies_are_all_in_the_tables():
    assert list(rows("Spaces")) == list(spaces.BY_NAME) and list(rows("Strategies")) == list(SUMMARIES)


@pytest.mark.parametrize("name", spaces.BY_NAME)
def test_a_space_has_the_sizes_that_its_row_says(name):
    _, architectures, small, paper, _, file = rows("Spaces")[name]
    for profile, said in (("small", small), ("paper", paper)):
        assert said == ", ".join(f"{size} {n}" for size, n in spaces.BY_NAME[name].profiles[profile].items())
        size = spaces.get(name, profile).size
        assert (f"{size:,}" if size < 10**6 else f"{size:.1e}") in architectures
    assert f"[{name}.py]" in file and spaces.BY_NAME[name].__module__.endswith(f".{name}")


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_strategy_has_the_epochs_that_its_row_says(name):
    _, small, paper, files = rows("Strategies")[name]
    profiles = import_module(f"nas_tutorial.strategies.{name}").PROFILES
    assert small == f"{profiles['small'].epochs}" and paper.split()[0] == f"{profiles['paper'].epochs}"
    assert set(RECIPES) == set(profiles) and f"[{name}.py]" in files


def symbols():
    """Names in the table of symbols, each with the file that it points at."""
    lines = (ROOT / "docs" / "symbols.md").read_text(encoding="utf-8").splitlines()
    cells = [re.split(r" \| ", line.strip("| ")) for line in lines if line.startswith("|") and "`" in line]
    return [(name, LINK.search(where)[1]) for _, names, *_, where in cells for name in re.findall(r"`(\w+)`", names)]


@pytest.mark.parametrize(("name", "file"), symbols())
def test_a_symbol_is_where_the_table_says(name, file):
    assert re.search(rf"\b{name}\b", (ROOT / "docs" / file).read_text(encoding="utf-8"))
