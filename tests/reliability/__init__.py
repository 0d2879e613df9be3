"""What happens when something is wrong: bad inputs by area, and how each is answered.

Each module here is an area: its docstring says in one sentence what is tried, and its list `CASES` holds one `Case` for
each bad input. `tests/test_reliability.py` runs them all, and `python -m tools.reliability` writes docs/reliability.md.
"""

import hashlib
import io
import os
import pkgutil
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

CLEAR, UNCLEAR, SILENT, TRACEBACK = "clear", "unclear", "silent", "traceback"
BESIDE = r"nas-tutorial: note: |\d%\|"  # a note, or a bar of progress
LONGEST = 700  # characters of an answer


@dataclass(frozen=True)
class Case:
    """One bad input.

    given: as a reader would write it. attempt: what is done with it, in a folder with a finished search, a table and
    pictures (see `made_folder`); it raises, or returns (exit status, what was printed to stderr). says: words that a
    clear answer holds, the value given among them. prepare: makes bad files there first. may_write: files that may be
    new afterwards.
    """

    given: str
    attempt: Callable[[], Any]
    says: tuple[str, ...]
    prepare: Callable[[], Any] | None = None
    status: int = 2
    may_write: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """How a bad input was answered: `CLEAR` or else, the answer, and which files were lost, changed or left behind."""

    kind: str
    answer: str
    harmed: tuple[str, ...]


# --- cases ------------------------------------------------------------------------------------------------------------
def typed(words: str, *says: str, **more: Any) -> Case:
    """A command line, as typed behind `nas-tutorial`."""
    return Case(f"nas-tutorial {words}", partial(command, *shlex.split(words)), says, **more)


def called(says: tuple[str, ...] | str, function: Callable[..., Any], *args: Any, **named: Any) -> Case:
    """A call of a function with a bad argument."""
    shown = ", ".join([*(short(a) for a in args), *(f"{name}={short(value)}" for name, value in named.items())])
    return Case(
        f"{name_of(function)}({shown})", partial(function, *args, **named), (says,) if isinstance(says, str) else says
    )


def name_of(function: Callable[..., Any]) -> str:
    """A function with its module or the class of its object: darts.search, Tiny.parse."""
    owner = getattr(function, "__self__", None)
    if isinstance(function, type) or owner is None or isinstance(owner, type):
        return f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
    return f"{type(owner).__name__}.{function.__name__}"


def with_file(name: str, content: str | bytes, then: Case) -> Case:
    """A bad file (name, content), and what is done with it."""
    written = partial(Path(name).write_bytes, content.encode() if isinstance(content, str) else content)
    return Case(
        f"{then.given} where {name} holds {short(content)} ({len(content)})",
        then.attempt,
        then.says,
        written,
        then.status,
    )


def short(value: Any) -> str:
    """A value as written, on one line of at most 140 characters, without the address of an object."""
    try:
        text = re.sub(r" (object )?at 0x[0-9a-f]+", "", " ".join(repr(value).split()))
    except ValueError:  # Python writes no number of more than some thousand digits
        return "10**5000"
    return text if len(text) <= 140 else f"{text[:137]}..."


def command(*words: str) -> tuple[int, str]:
    """Run a command of the package in this process: its exit status, and what it printed to stderr."""
    from nas_tutorial.cli import main

    try:
        with redirect_stderr(io.StringIO()) as err, redirect_stdout(io.StringIO()):
            status = main(words)
    except SystemExit as stop:  # argparse
        status = stop.code
    return status, err.getvalue()


# --- judging ----------------------------------------------------------------------------------------------------------
def judge(case: Case) -> Verdict:
    """Try a bad input in a folder of its own."""
    with in_a_folder() as folder:
        if case.prepare:
            case.prepare()
        before = contents(folder)
        kind, answer = answered(case)
        after = contents(folder)
        harmed = {name for name in before if after.get(name) != before[name]} | (after.keys() - before.keys())
        return Verdict(kind, answer, tuple(sorted(harmed - set(case.may_write))))


def answered(case: Case) -> tuple[str, str]:
    """What kind of answer a case gets, and the answer."""
    try:
        result = case.attempt()
    except (ValueError, OSError, KeyError) as error:
        text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
        return (CLEAR if is_clear(text, case) else UNCLEAR), text
    except Exception as error:
        return TRACEBACK, f"{type(error).__name__}: {error}"
    if not (isinstance(result, tuple) and len(result) == 2 and result[0] == case.status):
        return SILENT, repr(result)
    lines = [line for line in re.split(r"[\r\n]+", result[1]) if line.strip() and not re.search(BESIDE, line)]
    usage = bool(lines) and lines[0].startswith("usage: ")
    text = lines[-1].partition("error: ")[2] if lines and (usage or len(lines) == 1) else result[1]
    if "Traceback" in text or "(unexpected; " in text:
        return TRACEBACK, text
    return (CLEAR if is_clear(text, case, usage) else UNCLEAR), text


def is_clear(text: str, case: Case, usage: bool = False) -> bool:
    """Whether an answer is one sentence, or a few, on one line, that name what was given and what is expected."""
    whole = text.endswith((".", ")")) or usage  # argparse writes no full stop
    return "\n" not in text and 20 <= len(text) <= LONGEST and whole and all(word in text for word in case.says)


def contents(folder: Path) -> dict[str, str]:
    """A sum of every file below a folder, by its name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@contextmanager
def in_a_folder() -> Iterator[Path]:
    """Work in a fresh copy of `made_folder`."""
    with tempfile.TemporaryDirectory() as fresh:
        folder = Path(fresh, "here")
        shutil.copytree(made_folder(), folder)
        with chdir(folder):
            yield folder.resolve()


@cache
def made_folder() -> Path:
    """A folder with a finished search in runs/first, scores beside it, a table, and pictures, made once."""
    from tests.reliability import making

    folder = Path(tempfile.mkdtemp(prefix="reliability-"))
    with chdir(folder), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        making.everything()
    return folder


def forget_folder() -> None:
    """Remove what `made_folder` made."""
    with suppress(OSError):
        shutil.rmtree(made_folder())
    made_folder.cache_clear()


# --- areas ------------------------------------------------------------------------------------------------------------
def areas() -> dict[str, ModuleType]:
    """The modules of bad inputs, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules([os.path.dirname(__file__)]))
    modules = {name: import_module(f"{__name__}.{name}") for name in names if name != "making"}
    return {name: module for name, module in modules.items() if hasattr(module, "CASES")}
