"""Records that grow line by line: a measurement that is kept already is not made again."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def measured(
    cases: Iterable[tuple[Any, ...]], names: Sequence[str], measure: Callable[..., Line], out: Path | None
) -> Iterator[Line]:
    """The lines kept in the file `out` first, then `measure(*case)` for each case that is not among them.

    names: the fields of a line that tell its case. New lines are appended to the file at once.
    """
    kept = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] if out and out.exists() else []
    yield from kept
    done = {tuple(line[name] for name in names) for line in kept}
    for case in (case for case in cases if case not in done):
        line = measure(*case)
        if out:
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        yield line


def show(lines: Iterable[Line], table: Callable[[Sequence[Line]], str]) -> None:
    """Print each line as it comes, and the table of all."""
    found = []
    for line in lines:
        print(json.dumps(line, ensure_ascii=False), flush=True)
        found.append(line)
    print(table(found))
