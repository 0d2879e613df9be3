"""Work out the plan of three lectures from the slides, into the tables of docs/lecturers.md.

python -m tools.lecturers    write; fails where a lecture is too long

Speaking takes the words on the slides and in their notes at 150 a minute; to this come the minutes of the tasks, which
stand in the headlines. Notebooks that are not written yet are left out.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat

from tools import deck, notebooks, template

DOCUMENT = notebooks.ROOT / "docs" / "lecturers.md"
LECTURES = {1: ("01", "02", "03"), 2: ("04", "05", "06"), 3: ("07", "08", "09")}
MINUTES = 90  # of a lecture
MADE = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.S)


class Part(NamedTuple):
    """What a notebook takes: slides, words, minutes of speech and of tasks, minutes that the notes plan."""

    link: str
    slides: int
    words: int
    speaking: int
    tasks: int
    noted: int

    @property
    def minutes(self) -> int:
        """Minutes of speaking and tasks."""
        return self.speaking + self.tasks


def link(source: Path) -> str:
    """Return the title of a notebook as a link from the folder docs."""
    title = deck.read(source)[0].headline.partition(" · ")[2]
    return f"[{source.name[:2]} {title}](../notebooks/{source.stem}.ipynb)"


def part(source: Path) -> Part:
    """Measure the slides of a notebook."""
    slides = deck.read(source)
    words, tasks = sum(slide.spoken for slide in slides), sum(slide.task for slide in slides)
    noted = sum(slide.noted for slide in slides)
    return Part(link(source), len(slides), words, round(words / deck.WORDS_A_MINUTE), round(tasks), round(noted))


def written(numbers: tuple[str, ...]) -> list[Path]:
    """Return the sources of these notebooks that exist and have slides."""
    found = [source for source in notebooks.sources() if source.name[:2] in numbers]
    return [source for source in found if len(deck.read(source)) > 1]


def missing(numbers: tuple[str, ...]) -> list[str]:
    """Return the numbers of the notebooks that are not written yet, or have no slides."""
    there = {source.name[:2] for source in written(numbers)}
    return [number for number in numbers if number not in there]


# --- tables -----------------------------------------------------------------------------------------------------------
def plan() -> str:
    """Return a table for each lecture, and what is missing."""
    return "\n".join(lecture(number, numbers) for number, numbers in LECTURES.items())


def lecture(number: int, numbers: tuple[str, ...]) -> str:
    """Return the table of one lecture: each notebook with the minute at which it begins, and the sum."""
    parts = [part(source) for source in written(numbers)]
    lines = [f"### Lecture {number}: notebooks {numbers[0]} to {numbers[-1]}", ""]
    if parts:
        lines += ["| minute | notebook | slides | words said | speaking | tasks | together | by the notes |"]
        lines += ["| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    begin = 0
    for one in parts:
        cells = (begin, one.link, one.slides, f"{one.words:,}", one.speaking, one.tasks, one.minutes, one.noted)
        lines.append(row(*cells))
        begin += one.minutes
    if parts:
        sums = [sum(values) for values in zip(*(one[1:] for one in parts), strict=True)]
        slides, words, speaking, tasks, noted = sums
        lines += [row(begin, "**together**", slides, f"{words:,}", speaking, tasks, begin, noted), ""]
        lines += [f"Left of {MINUTES} minutes, for questions and a pause: {MINUTES - begin}.", ""]
    if gaps := missing(numbers):
        lines += [f"Not written yet, or without slides: {', '.join(gaps)}.", ""]
    return "\n".join(lines)


def row(*cells: object) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def tasks() -> str:
    """Return the table of what students do in class: the slides with minutes in their headline."""
    lines = ["| notebook | slide | min | task |", "| --- | ---: | ---: | --- |"]
    for source in written(every()):
        for number, slide in enumerate(deck.read(source), 1):
            if slide.task:
                lines.append(row(source.name[:2], number, f"{slide.task:g}", slide.title))
    return "\n".join(lines) + "\n"


def home() -> str:
    """Return the table of what students do at home: reading, exercises, the build."""
    lines = ["| notebook | reading | exercises | build |", "| --- | ---: | --- | --- |"]
    for source in notebooks.sources():
        notebook = nbformat.read(notebooks.target(source), as_version=4)
        found = {"Exercise": [], "Build": []}
        for _, text in template.headings(notebook):
            if match := re.match(r"(Exercise|Build): (.+) · [★☆]{3} · (\d+ min)$", text):
                found[match[1]].append(f"{match[2]} ({match[3]})")
        reading = template.TIMINGS.search(notebook.cells[0].source)[1]
        lines.append(row(link(source), f"{reading} min", ", ".join(found["Exercise"]), ", ".join(found["Build"])))
    return "\n".join(lines) + "\n"


def every() -> tuple[str, ...]:
    """Return the numbers of all notebooks of the lectures."""
    return sum(LECTURES.values(), ())


# --- the page ---------------------------------------------------------------------------------------------------------
def page() -> str:
    """Return the document with its tables as the slides are now; the words around them are kept."""
    makers = {"plan": plan, "tasks": tasks, "home": home}
    return MADE.sub(lambda found: f"{found[1]}\n{makers[found[2]]()}\n{found[3]}", DOCUMENT.read_text(encoding="utf-8"))


def problems() -> list[str]:
    """Return the lectures that take longer than 90 minutes, by what is said and done, or by their notes."""
    found = []
    for number, numbers in LECTURES.items():
        parts = [part(source) for source in written(numbers)]
        taken = {"words and tasks": sum(one.minutes for one in parts), "its notes": sum(one.noted for one in parts)}
        found += [
            f"lecture {number} takes {minutes} minutes by {what}, at most {MINUTES}"
            for what, minutes in taken.items()
            if minutes > MINUTES
        ]
    return found


def main() -> int:
    """Write the tables; return 1 where a lecture is too long, else 0."""
    DOCUMENT.write_text(page(), encoding="utf-8")
    for complaint in problems():
        print(complaint, file=sys.stderr)
    return int(bool(problems()))


if __name__ == "__main__":
    sys.exit(main())
