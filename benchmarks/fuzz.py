"""`make fuzz`: damaged files and odd texts for every parser; each is read, or refused with a sentence.

Beginnings are files that the package wrote itself; mutations flip, cut, repeat and swap bytes, put numbers that are too
large, and nest brackets. Where atheris is installed (`--atheris`), it chooses the mutations by the lines they reach.
"""

import argparse
import gc
import json
import random
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

import numpy as np

from benchmarks.frame import keep
from nas_tutorial import data, spaces
from nas_tutorial.cli.retraining import scores_in
from nas_tutorial.measures.tables import Table
from nas_tutorial.strategies.recordings import Recording
from nas_tutorial.strategies.results import Event, SearchResult, read_record

CLEAR = (ValueError, FileNotFoundError)
TINY = spaces.get("tiny")
ODD = (b"NaN", b"1e999", b"-1", b"null", b"true", b"{}", b"[]", b'""', b"9" * 30, b"\xff", b"\\u0000", b"[" * 3000)


class Parser(NamedTuple):
    """A function that reads a file, and files to begin with."""

    name: str
    suffix: str
    read: Callable[[Path], object]
    seeds: list[bytes]


# --- what is read -----------------------------------------------------------------------------------------------------
def npz(**arrays: np.ndarray) -> bytes:
    """The bytes of an `.npz` file."""
    with tempfile.TemporaryDirectory() as place:
        np.savez_compressed(Path(place) / "x.npz", **arrays)
        return (Path(place) / "x.npz").read_bytes()


def parsers() -> list[Parser]:
    """All of them, each with small files of its own."""
    first = next(iter(TINY.enumerate()))
    rng = np.random.default_rng(0)
    pictures = npz(images=rng.integers(0, 256, (20, 4, 4), np.uint8), labels=np.arange(20) % 2)
    compact = npz(
        edges=np.array([[0, 0, 0], [1, 1, 1]], np.uint8),
        ops=np.array(TINY.operations),
        acc_x100=np.full((2, 1), 5000, np.uint16),
        columns=np.array(["validation"]),
    )
    table = Table((first,), {"validation": np.array([[0.5]])}, {"seeds": [0]})
    with tempfile.TemporaryDirectory() as place:
        table.save(Path(place) / "t.json")
        rows = (Path(place) / "t.json").read_bytes()
    result = SearchResult("darts", first, [event()], {"epochs": 1}, 0, "digits").to_json().encode()
    scores = json.dumps({"architecture": json.loads(first.to_json()), "data": {}, "seeds": [0], "accuracies": [0.5]})
    texts = [str(first).encode(), str(next(iter(spaces.get("nasbench201").enumerate()))).encode()]
    return [
        Parser("pictures, .npz", ".npz", data.load, [pictures]),
        Parser("tables, .npz", ".npz", lambda path: Table.load(path, TINY), [compact]),
        Parser("tables, .json", ".json", Table.load, [rows]),
        Parser("architectures, .json", ".json", architecture_in, [first.to_json().encode()]),
        Parser("notation", ".txt", notation, texts),
        Parser("results, .json", ".json", lambda path: read_record(path.parent), [result]),
        Parser("scores, .json", ".json", scores_in, [scores.encode()]),
        Parser("recordings, .json", ".json", Recording.load, [recording()]),
    ]


def architecture_in(path: Path) -> object:
    """What `nas-tutorial describe FILE.json` reads."""
    return spaces.load_architecture(str(path))


def notation(path: Path) -> None:
    """A text, read as an architecture of two spaces, both of which must refuse or take it."""
    text, refused = path.read_text(encoding="utf-8", errors="replace"), []
    for space in (TINY, spaces.get("nasbench201")):
        try:
            space.parse(text)
        except ValueError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def event() -> Event:
    """An epoch of a search that nobody ran."""
    first = next(iter(TINY.enumerate()))
    return Event(1, 1, 2.0, 0.2, 0.3, first, 1.0, {"alpha": [[0.2] * 5] * 3}, {"entropy": 1.5})


def recording() -> bytes:
    """The recording of a search of one epoch."""
    return Recording("darts", TINY, (event(),), 0, {"epochs": 1}, "digits", "command").to_json().encode()


# --- damage -----------------------------------------------------------------------------------------------------------
def damaged(content: bytes, dice: random.Random) -> bytes:
    """The same with one to four faults."""
    changed = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randrange(len(changed) + 1), dice.choice((1, 1, 2, 8, 64))
        piece = changed[at : at + length]
        match dice.randrange(6):
            case 0 if piece:
                changed[at] ^= 1 << dice.randrange(8)
            case 1:
                del changed[at : at + length]
            case 2:
                changed[at:at] = piece * dice.randint(1, 5)
            case 3:
                changed[at : at + length] = dice.choice(ODD)
            case 4:
                changed[at : at + length] = dice.randbytes(length)
            case 5:
                del changed[at:]
    return bytes(changed)


def verdict(parser: Parser, content: bytes, folder: Path) -> str | None:
    """None where a content is read or refused clearly, else what happened."""
    path = folder / ("result.json" if parser.name.startswith("results") else f"x{parser.suffix}")
    path.write_bytes(content)
    tracemalloc.reset_peak()
    try:
        parser.read(path)
    except CLEAR as error:
        return None if str(error).strip() else f"{type(error).__name__} without a word"
    except Exception as error:  # this is what is looked for
        return f"{type(error).__name__}: {error}"[:300]
    finally:
        path.unlink()
    return None if tracemalloc.get_traced_memory()[1] < 200e6 else "more than 200 MB were taken"


def fuzz(parser: Parser, seconds: float, seed: int) -> dict[str, object]:
    """Feed a parser for some seconds; how many contents, and what was not clear."""
    dice, begun, tries, faults = random.Random(f"{seed} {parser.name}"), time.monotonic(), 0, {}
    tracemalloc.start()
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() - begun < seconds:
            content = damaged(dice.choice(parser.seeds), dice)
            tries += 1
            if fault := verdict(parser, content, Path(folder)):
                faults.setdefault(fault.split(":")[0], {"says": fault, "content": content.hex()[:400]})
    tracemalloc.stop()
    return {"tries": tries, "seconds": round(seconds), "faults": faults}


def coverage_guided(parser: Parser, seconds: int) -> None:
    """Let atheris choose the contents; it ends the process, with a traceback where a parser fails."""
    import atheris

    for one in gc.get_objects():  # ours alone: with torch and its libraries that would take hours
        if isinstance(one, FunctionType) and str(one.__module__).startswith("nas_tutorial"):
            atheris.instrument_func(one)
    folder = Path(tempfile.mkdtemp())
    for number, content in enumerate(parser.seeds):
        (folder / f"seed{number}").write_bytes(content)
    place = Path(tempfile.mkdtemp())

    def once(content: bytes) -> None:
        if fault := verdict(parser, content, place):
            raise RuntimeError(fault)

    tracemalloc.start()
    atheris.Setup([sys.argv[0], str(folder), f"-max_total_time={seconds}", "-max_len=20000"], once)
    atheris.Fuzz()


def main(arguments: Sequence[str] | None = None) -> int:
    """Feed all parsers, or those named; prints and writes the figures; 1 where anything was not clear."""
    parser = argparse.ArgumentParser("benchmarks.fuzz", description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=180, help="in all (180)")
    parser.add_argument("--seed", type=int, default=0, help="of the damage (0)")
    parser.add_argument("--only", nargs="+", help="names of parsers, or their beginnings")
    parser.add_argument("--atheris", action="store_true", help="guided by coverage; one parser, named by --only")
    parser.add_argument("--out", type=Path, help="the JSON file to write")
    options = parser.parse_args(arguments)
    chosen = [p for p in parsers() if not options.only or p.name.startswith(tuple(options.only))]
    if options.atheris:
        coverage_guided(chosen[0], int(options.seconds))
    record = {}
    for one in chosen:
        record[one.name] = fuzz(one, options.seconds / len(chosen), options.seed)
        print(
            f"{one.name:<24}{record[one.name]['tries']:>8} tries; not clear: {record[one.name]['faults']}", flush=True
        )
    if options.out:
        keep(options.out, options.seed, parsers=record)
    return int(any(found["faults"] for found in record.values()))


if __name__ == "__main__":
    sys.exit(main())
