"""`nas-tutorial search`: a search in a folder of its own, begun or gone on with."""

import collections
import shlex
import shutil
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import nas_tutorial
from nas_tutorial import data, training
from nas_tutorial.cli import choices, sources
from nas_tutorial.demo.progress import Bar, followed
from nas_tutorial.files import new_folder, writable_folder
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.pictures.keeping import PICTURES, keep_pictures, listing
from nas_tutorial.strategies import Search, profiles, recordings
from nas_tutorial.strategies.results import begun, read_record
from nas_tutorial.training import parallel

RUNS = Path("runs")
LONGEST = 200  # bytes in a folder's name: file systems allow 255, and files beside it have longer ones
RECORDING = "recording.json"


def search(options: Namespace) -> None:
    """Search, print each epoch, and keep state and result after every one of them."""
    training.best_device(options.device)  # where several processes were started, this joins them
    folder = parallel.from_first(lambda: run_folder(options))
    with reserved(folder):
        run = begin(options, folder)
    if not parallel.is_first():
        run.estimate()
        return collections.deque(run, maxlen=0).clear()
    try:
        tell(options, run)
        with Bar(run.config["epochs"], options.strategy, done=len(run.log)) as bar:
            if run.log:
                bar.tqdm.write(f"{folder} goes on after epoch {len(run.log)} of {run.config['epochs']}")
            for _ in followed(run, bar, MultiplyAddCounter(bar.tick)):
                pass
    except KeyboardInterrupt:
        raise KeyboardInterrupt(kept(run, folder)) from None
    except OSError as error:
        raise OSError(f"{error} {kept(run, folder)}") from error
    keep_pictures(run.result, folder)
    print(f"\nfound  {run.result.architecture}\nkept   {folder}: {listing(folder)}")
    if run.result.architecture.warning:
        print(f"note   {run.result.architecture.warning}")
    print(f"next   {retraining(options, folder)}")


def begin(options: Namespace, folder: Path) -> Search:
    """The search asked for, ready for its first epoch, or for the one after the last that is kept in the folder."""
    known = import_module(f"nas_tutorial.strategies.{options.strategy}").PROFILES
    settings = choices.settings(options, known, ("order", "shared"))
    space = choices.space(options)
    going_on = (folder / "result.json").is_file()
    pictures = sources.pictures(options, read_record(folder)["data"] or {} if going_on else None)
    data.check_test_pictures(pictures)  # a search does not open them, but what it finds is tested on them
    return nas_tutorial.search(
        space,
        pictures,
        options.strategy,
        epochs=options.epochs,
        seed=options.seed,
        profile=options.profile or "small",
        device=options.device,
        resume=folder,
        **recorded(options, folder),
        **settings,
    )


def tell(options: Namespace, run: Search) -> None:
    """Print the profile in use, with all settings, and what the search will take."""
    usual = profiles.get(options.profile or "small", options.space, options.strategy)
    pictures = run.facts["data"]["origin"] or {"name": run.facts["data"]["name"]}
    space, config = run.subject.space, run.subject.config
    print(
        replace(
            usual,
            space=space,
            retrained=space.resized(**space.retrained.get(usual.name, {})),
            config=config,
            pictures=pictures,
        )
    )
    forecast = run.estimate()
    print(f"estimate {forecast}")
    sources.say(forecast.too_long(usual.minutes))


def recorded(options: Namespace, folder: Path) -> dict[str, Any]:
    """Where a search is recorded, and the command that makes the recording again; a recording that is there goes on."""
    path = folder / RECORDING
    if not options.record and not path.exists():
        return {}
    try:
        return {"record": path, "command": recordings.load(path).command}  # --resume may have said less
    except (FileNotFoundError, ValueError):
        return {"record": path, "command": command(options)}


def command(options: Namespace) -> str:
    """The command that begins this search, quoted for a shell: all options but those that change no number."""
    words = ["nas-tutorial", "search"]
    for name, value in vars(options).items():
        unsaid = value is None or value is False or value == [] or (name, value) == ("threads", 1)
        if not unsaid and name not in ("command", "name", "resume", "root"):
            values = value if isinstance(value, list) else [] if value is True else [value]
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return shlex.join(words)


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Remove a folder that was made for a search, if that does not begin in the block and left nothing there."""
    try:
        yield
    except BaseException:
        with suppress(OSError):  # it is not empty, or not there
            folder.rmdir()
        raise


def run_folder(options: Namespace) -> Path:
    """runs/NAME, or a folder of a new name that says what the search is.

    Raises ValueError where NAME leads elsewhere, or holds a search and --resume was not given, or nothing to resume, or
    other files that a search would overwrite.
    """
    if options.name is None:
        if options.resume:
            raise ValueError("--resume goes on with a search that has a name: give --name NAME, too.")
        name = f"{options.space}-{options.strategy}-{Path(options.data or 'digits').stem}-seed{options.seed}"
        writable_folder(RUNS)
        return new_folder(RUNS / n for n in (name, *(f"{name}-{i}" for i in range(2, 10**4))))
    if options.name.strip() in ("", ".", "..") or any(mark in options.name for mark in "/\\"):
        raise ValueError(f"--name {options.name!r} is not the name of one folder in {RUNS}: leave out /, \\ and dots.")
    if len(options.name.encode()) > LONGEST:
        raise ValueError(
            f"--name {options.name[:20]}... has {len(options.name.encode())} bytes: take at most {LONGEST}."
        )
    folder = RUNS / options.name
    going_on = begun(folder, (*PICTURES, RECORDING))
    if options.resume and not going_on:
        raise ValueError(f"{folder} holds no search to go on with: leave out --resume to begin one, or mend --name.")
    if going_on and not options.resume:
        raise ValueError(f"{folder} holds a search already: add --resume to go on with it, or choose another --name.")
    return folder


def kept(run: Search, folder: Path) -> str:
    """What is left of a search that was stopped, in words."""
    if not run.log:
        return "No epoch was over yet, so nothing was kept."
    with suppress(KeyboardInterrupt):  # a second one
        keep_pictures(run.so_far, folder)
    return (
        f"Epochs 1 to {len(run.log)} of {run.config['epochs']} are kept in {folder}: {listing(folder)}. "
        f"The same command with --name {shlex.quote(folder.name)} --resume goes on."
    )


def retraining(options: Namespace, folder: Path) -> str:
    """The command that trains what was found, quoted for a shell; the folder knows architecture, sizes and pictures."""
    elsewhere = {f"--{name}": getattr(options, name) for name in ("root", "device")}
    more = [word for option, value in elsewhere.items() if value for word in (option, value)]
    return shlex.join([*program(), "retrain", str(folder), *more])


def program() -> list[str]:
    """How this program was called: by a path, by its name, or as a module of an interpreter."""
    called = Path(sys.argv[0])
    if called.parts[-2:] == ("nas_tutorial", "__main__.py"):
        return [sys.orig_argv[0], "-m", "nas_tutorial"]
    if called.stem == "nas-tutorial" and called.exists() and shutil.which("nas-tutorial") != sys.argv[0]:
        return [sys.argv[0]]
    return ["nas-tutorial"]
