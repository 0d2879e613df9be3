"""`make chaos`: long commands are ended at random moments, by kill -9, SIGTERM and Ctrl-C; nothing may be lost.

After each end: no process is left, and what was kept is whole and no less than before. When a command has come to its
end at last: its result is that of a run that nobody ended, bit for bit, and no temporary file is left.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import uuid4

from benchmarks.frame import keep
from nas_tutorial import cli, data, spaces
from nas_tutorial.measures.tables import train_all
from nas_tutorial.strategies.results import SearchResult
from nas_tutorial.training import Recipe
from nas_tutorial.training.checkpoints import read_checkpoint
from tools import notebooks

ROOT = Path(__file__).resolve().parent.parent
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE = 60  # seconds for processes to be gone after the first one is
TEMPORARY = ("*.partial", "*.tmp", "tmp*")
PICTURES = ("--data", "strokes", "--per-class", "8", "--channels", "2", "--space", "tiny")
CELL = "|conv_3x3~0|+|skip~0|conv_1x1~1|"

SOURCE = "# %% [markdown]\n# # 0 · Small\n" + "".join(
    f"\n# %%\nimport time; time.sleep(0.2); print({i})\n" for i in range(6)
)


@dataclass
class Subject:
    """A long command, how it goes on, and what is to be the same in the end."""

    name: str
    work: Callable[[tuple[str, ...]], int | None]
    result: Callable[[Path], object]
    kept: Callable[[Path], int] = lambda folder: 0
    resume: tuple[str, ...] = ()
    begun: Callable[[Path], bool] = lambda folder: True
    ends: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


# --- what is kept -----------------------------------------------------------------------------------------------------
def searched(folder: Path) -> object:
    """All of a search but its seconds."""
    found = SearchResult.load(folder / "runs" / "r")
    return [str(e) for e in found.history], {name: w.tolist() for name, w in found.weights.items()}


def epochs_kept(folder: Path) -> int:
    """Epochs in the result of a search; raises where that is not whole."""
    place = folder / "runs" / "r"
    for path in place.glob("checkpoints/step-*"):
        read_checkpoint(path)
    return len(SearchResult.load(place).history) if (place / "result.json").exists() else 0


def without_seconds(value: object) -> object:
    """A JSON value without what differs between two equal runs."""
    if isinstance(value, dict):
        return {k: without_seconds(v) for k, v in value.items() if k not in ("seconds", "finished")}
    return [without_seconds(v) for v in value] if isinstance(value, list) else value


def json_of(name: str) -> Callable[[Path], object]:
    """What a JSON file holds in the end."""
    return lambda folder: without_seconds(json.loads((folder / name).read_text(encoding="utf-8")))


def files_kept(pattern: str) -> Callable[[Path], int]:
    """The number of files that are kept; raises where one of them is not whole."""

    def count(folder: Path) -> int:
        files = [path for path in folder.rglob(pattern) if not path.name.startswith(".")]
        for path in files:
            json.loads(path.read_text(encoding="utf-8")) if path.suffix != ".safetensors" else read_checkpoint(path)
        return len(files) if pattern == "*.json" else bool(files)

    return count


# --- what is ended ----------------------------------------------------------------------------------------------------
def typed(*argv: str) -> Callable[[tuple[str, ...]], int]:
    """A command line, to which words may be added."""
    return lambda more: cli.main([*argv, *more])


def table(_: tuple[str, ...]) -> None:
    """A table of eight cells, four seeds each."""
    space = spaces.Tiny(channels=2, cells=1, nodes=2)
    pictures = data.load("strokes", per_class=8, test_per_class=4)
    train_all(space, pictures, Recipe(epochs=8), range(8), at_once=1, resume="table").save("table.json")


def notebook(_: tuple[str, ...]) -> None:
    """A notebook whose cells take their time; its form is not looked at."""
    notebooks.NOTEBOOKS = Path.cwd()
    notebooks.form = notebooks.template.cost_problems = lambda *_: []
    notebooks.build(Path("source/00_small.py").resolve())


def subjects() -> list[Subject]:
    """All of them, with the smallest settings that take some seconds."""
    searching = ("search", "--strategy", "darts", *PICTURES, "--epochs", "25", "--name", "r")
    retraining = ("retrain", CELL, *PICTURES, "--epochs", "25", "--seeds", "0", "1", "--out", "r.json")
    states, jobs = files_kept("*.safetensors"), files_kept("*.json")
    searches, trainings = begun("runs/r/checkpoints/step-*"), begun("r-states/seed-*/step-*")
    return [
        Subject("search", typed(*searching), searched, epochs_kept, ("--resume",), searches),
        Subject("retrain", typed(*retraining), json_of("r.json"), states, ("--resume",), trainings),
        Subject("table", table, json_of("table.json"), jobs),
        Subject("notebook", notebook, json_of("00_small.ipynb"), files_kept("*.ipynb")),
        Subject("demo", typed("demo", "--scale", "0.002"), json_of("runs/demo/leaderboard.json"), jobs),
    ]


def begun(pattern: str) -> Callable[[Path], bool]:
    """Whether there is anything to go on with."""
    return lambda folder: any(folder.glob(pattern))


# --- ending it --------------------------------------------------------------------------------------------------------
def prepare(folder: Path) -> Path:
    """An empty folder with the source of a notebook."""
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "00_small.py").write_text(SOURCE, encoding="utf-8")
    return folder


def start(subject: Subject, folder: Path, mark: str) -> BaseProcess:
    """Begin or go on, in a session of its own; the environment of what it starts carries a mark.

    The process is a fork of this one, which has loaded all libraries already.
    """
    more = subject.resume if subject.begun(folder) else ()
    process = multiprocessing.get_context("fork").Process(target=alone, args=(subject, folder, mark, more))
    process.start()
    return process


def alone(subject: Subject, folder: Path, mark: str, more: tuple[str, ...]) -> None:
    """In the new process."""
    os.setsid()
    os.chdir(folder)
    os.environ.update(NAS_CHAOS=mark, PYTHONPATH=str(ROOT))
    nothing, said = os.open(os.devnull, os.O_RDWR), os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream, place in enumerate((nothing, nothing, said)):
        os.dup2(place, stream)
    sys.exit(subject.work(more) or 0)


def marked(mark: str) -> list[int]:
    """The processes whose environment carries a mark (Linux)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"NAS_CHAOS={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue  # it is gone
    return found


def end_after(seconds: float, subject: Subject, folder: Path, number: int) -> bool:
    """End a command after some seconds; whether it was still at work. Notes processes that are left."""
    mark = uuid4().hex
    process = start(subject, folder, mark)
    process.join(seconds)
    if process.exitcode is not None:
        return False
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)  # a terminal tells all of them
    process.join(PATIENCE)
    if process.exitcode is None:
        subject.faults.append(f"{PATIENCE} s after {signal.Signals(number).name} it is still there")
        process.kill()
        process.join()
    end = time.monotonic() + PATIENCE
    while (left := marked(mark)) and time.monotonic() < end:
        time.sleep(0.2)
    for pid in left:
        subject.faults.append(f"process {pid} is left after {signal.Signals(number).name}")
        os.kill(pid, signal.SIGKILL)
    return True


def run_to_the_end(subject: Subject, folder: Path) -> float:
    """How many seconds it took; RuntimeError where it fails."""
    begun, process = time.monotonic(), start(subject, folder, uuid4().hex)
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{subject.name} fails: {(folder / 'said.txt').read_text(encoding='utf-8')[-2000:]}")
    return time.monotonic() - begun


def attack(subject: Subject, kills: int, dice: random.Random, place: Path) -> None:
    """End one command so many times, in as many rounds as it takes; notes every fault."""
    untouched = prepare(place / "untouched")
    seconds, turn, rounds = run_to_the_end(subject, untouched), 0, 0
    while turn < kills:
        folder, kept, rounds = prepare(place / f"round {rounds}"), 0, rounds + 1
        for _ in range(6):
            number = SIGNALS[turn % len(SIGNALS)]
            if turn >= kills or not end_after(dice.uniform(0, 1) * seconds, subject, folder, number):
                break
            turn += 1
            subject.ends[signal.Signals(number).name] = subject.ends.get(signal.Signals(number).name, 0) + 1
            kept = check_kept(subject, folder, kept)
        finish(subject, folder, untouched)
    print(
        f"{subject.name:<10}{subject.ends} in {rounds} rounds of {seconds:.0f} s; faults: {subject.faults}", flush=True
    )


def check_kept(subject: Subject, folder: Path, before: int) -> int:
    """How much is kept now; notes where it is less than before, or not whole."""
    try:
        now = subject.kept(folder)
    except Exception as error:  # whatever a damaged file leads to
        subject.faults.append(f"what was kept is not whole: {error!r}")
        return 0
    if now < before:
        subject.faults.append(f"{now} are kept where {before} were")
    return now


def finish(subject: Subject, folder: Path, untouched: Path) -> None:
    """Let a command come to its end, and compare; notes a difference, and temporary files."""
    try:
        run_to_the_end(subject, folder)
        if subject.result(folder) != subject.result(untouched):
            subject.faults.append("the result differs from that of an untouched run")
    except (RuntimeError, ValueError, OSError) as error:
        subject.faults.append(str(error))
    if left := [path.name for pattern in TEMPORARY for path in folder.rglob(pattern)]:
        subject.faults.append(f"temporary files are left: {left}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Attack all, or those named; prints and writes the figures; 1 where there is a fault."""
    parser = argparse.ArgumentParser("benchmarks.chaos", description=__doc__.split("\n\n")[0])
    parser.add_argument("--moments", type=int, default=60, help="in all (60)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    parser.add_argument("--only", nargs="+", help="names of commands")
    parser.add_argument("--out", type=Path, help="the JSON file to write")
    options = parser.parse_args(arguments)
    chosen = [subject for subject in subjects() if not options.only or subject.name in options.only]
    for i, subject in enumerate(chosen):
        moments = (options.moments + i) // len(chosen)
        with tempfile.TemporaryDirectory(prefix="nas chaos ü ", ignore_cleanup_errors=True) as place:
            attack(subject, moments, random.Random(f"{options.seed} {subject.name}"), Path(place))
    record = {subject.name: {"ends": subject.ends, "faults": subject.faults} for subject in chosen}
    if options.out:
        keep(options.out, options.seed, commands=record)
    return int(any(subject.faults for subject in chosen))


if __name__ == "__main__":
    sys.exit(main())
