"""Nothing that was kept is lost: full disks, neighbours with the same name, readers that leave, signals."""

import errno
import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from nas_tutorial import files
from nas_tutorial.cli import main, searching
from nas_tutorial.strategies.results import SearchResult

SEARCH = (
    "search",
    "--space",
    "tiny",
    "--strategy",
    "darts",
    "--channels",
    "2",
    "--data",
    "strokes",
    "--per-class",
    "4",
    "--epochs",
)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def started(*argv):
    """A command in a fork of this process, which has loaded torch already; its stdout, and a file for its stderr."""
    reading, writing = os.pipe()
    child = multiprocessing.get_context("fork").Process(target=in_child, args=(argv, reading, writing))
    child.start()
    os.close(writing)
    return child, os.fdopen(reading)


def in_child(argv, reading, writing):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests themselves may run in the background
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.close(reading)
    sys.stdout, sys.stderr = os.fdopen(writing, "w", buffering=1), open("said.txt", "w")
    sys.exit(main(list(argv)))


def read_until(stdout, begin):
    """Reads what a command prints up to the first line that begins so; fails where none does."""
    assert any(line.startswith(begin) for line in stdout), f"no line began with {begin!r}"


# --- full disks ---
class FullDisk:
    """In place of `os.fsync`: the n-th file finds no room."""

    def __init__(self, n):
        self.left = n

    def __call__(self, handle):
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("n", range(1, 5))
def test_a_full_disk_leaves_the_search_before_it_whole(n, monkeypatch, capsys):
    """Whichever of three files and their folder finds no room: result and weights are of one epoch, and it goes on."""
    healthy, calls = SearchResult.save, []

    def save(result, folder):
        calls.append(folder)
        with monkeypatch.context() as patch:
            if len(calls) == 2:
                patch.setattr(os, "fsync", FullDisk(n))
            return healthy(result, folder)

    monkeypatch.setattr(SearchResult, "save", save)
    code = main([*SEARCH, "3", "--name", "r"])
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == 2 and "No space left" in said and "Epochs 1 to 2 of 3 are kept in runs/r" in said
    assert len(SearchResult.load("runs/r").history) == (1 if n < 4 else 2)
    assert not list(Path("runs").rglob("*.partial"))
    monkeypatch.setattr(SearchResult, "save", healthy)
    assert main([*SEARCH, "3", "--name", "r", "--resume"]) == 0
    assert len(SearchResult.load("runs/r").history) == 3


def test_files_that_belong_together_are_all_new_or_all_old(tmp_path, monkeypatch):
    old, new = {"a": "old", "b": "old"}, {"a": "new", "b": "new"}
    files.write_together(tmp_path, old)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", FullDisk(2))
        with pytest.raises(OSError, match="a and b cannot be written into .*No space left.*left as it was"):
            files.write_together(tmp_path, new)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == old
    files.write_together(tmp_path, new)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == new


# --- neighbours ---
def test_a_folder_is_taken_before_a_search_begins(monkeypatch, tmp_path):
    """A second search that is started while the first one still loads its pictures gets another name."""
    folders = []

    def begin(options, folder):
        folders.append(folder)
        if len(folders) == 1:
            main([*SEARCH, "1"])
        raise ValueError("enough")

    monkeypatch.setattr(searching, "begin", begin)
    main([*SEARCH, "1"])
    assert len({*folders}) == 2 and list(Path("runs").iterdir()) == []


# --- readers that leave ---
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@forks
def test_a_search_outlives_its_reader():
    child, stdout = started(*SEARCH, "4", "--name", "r")
    read_until(stdout, "epoch 1")
    stdout.close()
    child.join()
    assert child.exitcode == 0 and len(SearchResult.load("runs/r").history) == 4


# --- signals ---
@forks
@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_search_that_is_asked_to_end_says_what_is_kept(number, code):
    child, stdout = started(*SEARCH, "100000", "--name", "r")
    read_until(stdout, "epoch 1")
    os.kill(child.pid, number)
    child.join()
    stdout.close()
    assert child.exitcode == code and "are kept in runs/r" in Path("said.txt").read_text().splitlines()[-1]
    assert json.loads(Path("runs/r/result.json").read_text())["history"]
    assert not list(Path("runs").rglob("*.partial"))
