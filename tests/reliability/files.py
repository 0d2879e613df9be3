"""Files and folders of runs: names that lead elsewhere, places that are taken or cannot be, foreign and torn files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.reliability import Case, typed

SEARCH = "search --space tiny --strategy random --data strokes --per-class 8 --epochs 1 --name"
ON = f"{SEARCH} first --resume"
RETRAIN = "retrain runs/first --seeds 1 --epochs 1 --out"
NAMES = {
    "../../evil": "../../evil",
    "..": "..",
    "/tmp/evil": "/tmp/evil",
    "a/../../evil": "a/../../evil",
    "''": "''",
    "' '": "' '",
    "x" * 300: "xxx",
}


def after(change: Callable[[], Any], how: str, then: Case) -> Case:
    """A case behind a change of files."""
    return Case(f"{then.given} where {how}", then.attempt, then.says, change, then.status)


def torn(name: str, keep: int = 2) -> Callable[[], Any]:
    """Leave the first part of a file."""
    path = Path(name)
    return lambda: path.write_bytes(path.read_bytes()[: path.stat().st_size // keep if keep else 0])


def taken(name: str) -> Callable[[], Any]:
    """A file where a folder is to be."""
    return lambda: Path(name).write_text("mine")


RESULT = "runs/first/result.json"
CASES = [
    *(typed(f"{SEARCH} {name}", says) for name, says in NAMES.items()),
    after(taken("runs/second"), "a file has that name", typed(f"{SEARCH} second", "runs/second")),
    *(
        after(torn(RESULT, keep), f"result.json {how}", typed(words, "result.json"))
        for keep, how in ((2, "is half written"), (0, "is empty"))
        for words in (ON, "draw runs/first --out a.svg", "describe runs/first", "report runs/first --output new.html")
    ),
    typed(f"{RETRAIN} runs/first/result.json", "result.json", "--out"),
    typed(f"{RETRAIN} runs", "runs", "--out"),
    typed(f"{RETRAIN} table.json/scores.json", "table.json"),
    after(taken("here"), "a file is in the way", typed(f"{RETRAIN} here/scores.json", "here")),
    typed("draw runs/first --out table.json/a.svg", "table.json"),
    typed("report runs/first --output table.json/a.html", "table.json"),
    typed("replay runs/first/result.json --output page.html", "result.json", "recording"),
    typed("replay gone.json --output page.html", "gone.json"),
]
