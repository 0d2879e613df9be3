"""docs/reliability.md: how bad inputs are answered, from the cases in `tests/reliability`, each of which is run.

Two more tables are read from what `make chaos` and `make fuzz` have written last. To bring the page up to date:
`python -m tools.reliability`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.reliability import CLEAR, areas, forget_folder, judge

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
RESULTS = ROOT / "benchmarks" / "results"
HEAD = """# When something is wrong

This page is written by `python -m tools.reliability`, which tries every bad input in `tests/reliability`; do not edit
it. `make test` tries them all again.

An answer is **clear** if it is one line that names what was given, what is expected and what to do, without a
traceback; on the command line the exit status is then 2, and 3 where a search or a training has diverged. **Lost**
counts the tries after which a file of an earlier run was gone, changed, or something was left behind.

Some input is unusual, but allowed, and `tests/test_diverged.py` runs it: a reward that is always the same (the policy
learns nothing from it), pictures of a single class (every network is right), a class without a picture, batches of one
picture, and a cell of which every operation is "none" (it is at chance, and a warning says so).

| area | what is tried | tries | clear | lost |
| --- | --- | --: | --: | --: |
"""

ENDED = """
## When something is ended

`make chaos` ends long commands at random moments, by kill -9, SIGTERM and Ctrl-C. It is a **fault** if a process stays,
if what was kept before is gone or not whole, if the result in the end is not that of a run which nobody ended, bit for
bit, or if a temporary file is left. The last time ({date}, {processor}):

| command | kill -9 | SIGTERM | Ctrl-C | faults |
| --- | --: | --: | --: | --: |
"""
FUZZED = """
## When a file is damaged

`make fuzz` flips, cuts, repeats and swaps bytes of small files, and gives them to the parser. It is a **fault** if a
file is neither read nor refused in a sentence, or takes more than 200 MB. The last time ({date}, {processor}):

| parser | tries | faults |
| --- | --: | --: |
"""

Counts = Mapping[str, tuple[int, int, int]]
"""Tries, clear answers and harmed files of each area."""


def measured() -> dict[str, tuple[int, int, int]]:
    """Run every case; what is not clear is printed."""
    found = {}
    for name, area in areas().items():
        verdicts = [(case, judge(case)) for case in area.CASES]
        for case, verdict in verdicts:
            if verdict.kind != CLEAR or verdict.harmed:
                print(f"{name}: {case.given}\n  {verdict.kind}: {verdict.answer} {verdict.harmed}", file=sys.stderr)
        clear = sum(verdict.kind == CLEAR for _, verdict in verdicts)
        found[name] = (len(verdicts), clear, sum(bool(verdict.harmed) for _, verdict in verdicts))
    return found


def page(counts: Counts) -> str:
    """The page with these counts."""
    rows = [
        f"| {name.replace('_', ' ')} | {areas()[name].__doc__.splitlines()[0]} | {' | '.join(map(str, row))} |"
        for name, row in counts.items()
    ]
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    rows.append(f"| **all** | | {' | '.join(f'**{count}**' for count in total)} |")
    return HEAD + "\n".join(rows) + "\n" + ended() + fuzzed()


def ended() -> str:
    """What became of commands that were ended."""
    record = json.loads((RESULTS / "chaos.json").read_text(encoding="utf-8"))
    rows = [
        f"| {name} | {' | '.join(str(found['ends'][signal]) for signal in ('SIGKILL', 'SIGTERM', 'SIGINT'))} "
        f"| {len(found['faults'])} |\n"
        for name, found in record["commands"].items()
    ]
    return ENDED.format(**record) + "".join(rows)


def fuzzed() -> str:
    """What became of damaged files."""
    record = json.loads((RESULTS / "fuzz.json").read_text(encoding="utf-8"))
    rows = [f"| {name} | {found['tries']:,} | {len(found['faults'])} |\n" for name, found in record["parsers"].items()]
    return FUZZED.format(**record) + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(measured()), encoding="utf-8")
    forget_folder()
