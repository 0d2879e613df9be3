"""What stands on the slides of a notebook: read from its source, with the outputs of the executed notebook.

Cells say by their tags what they are on slides:

slide                      Markdown, on slides only: begins a slide; its first line is the headline, `## …`
slide, answer              Markdown, on slides only: more of the same slide, shown by the next click
on-slide                   Markdown of the notebook that joins the slide before it
slide-output, slide-code   code of the notebook: its outputs, its code or both join the slide before it

`answer` beside the last three makes them wait for the next click, too. In a `slide` cell, what follows a line that
begins with `Note:` is said, not shown. It begins with minutes: `2 min. …`. A headline such as `3 min: …` is a task.
"""

import html
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from tools import formulas, notebooks, template

TAGS = {"slide", "answer", "on-slide", "slide-output", "slide-code"}
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
QUIZ = re.compile(r'(?:from .*\s+)?quiz\("(\w+)"\)$')
NUMBER, QUIZ_LETTERS = r"(\d+(?:\.\d+)?)", "ABC"
MINUTES, TASK = re.compile(rf"{NUMBER} min\.\s*"), re.compile(rf"{NUMBER} min: *")
WORDS_A_MINUTE = 150  # spoken
SHARE = 30  # minutes at most: three notebooks fill a lecture of 90
LINES, LETTERS = 12, 95  # at most: lines of code or print, letters in one of them
WORDS, TASK_WORDS, ANSWER_WORDS = 60, 90, 45  # at most: a task with its options is read in peace


class Piece(NamedTuple):
    """Something on a slide. kind: "text" (Markdown), "code", "print", "page" (HTML) or "figure" (an HTML image).

    step: after how many clicks it appears.
    """

    kind: str
    content: str
    step: int = 0


@dataclass
class Slide:
    """A slide. section: heading of the notebook's part; headline: Markdown, minutes of a task included."""

    section: str
    headline: str
    pieces: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    step: int = 0

    def add(self, kind: str, content: str) -> None:
        """Add what is not empty, at the step that the slide has reached."""
        if content.strip():
            self.pieces.append(Piece(kind, content, self.step))

    def add_markdown(self, source: str) -> None:
        """Add Markdown: its pictures as figures, the rest as text."""
        text, *notes = re.split(r"^Note:", source, maxsplit=1, flags=re.M)
        self.notes += [note.strip() for note in notes if note.strip()]
        before = 0
        for found in PICTURE.finditer(text):
            self.add("text", text[before : found.start()])
            self.add("figure", f'<img alt="{html.escape(found[1])}" src="{found[2]}">')
            before = found.end()
        self.add("text", text[before:])

    @property
    def task(self) -> float:
        """Minutes in which the students work, by the headline."""
        found = TASK.match(self.headline)
        return float(found[1]) if found else 0.0

    @property
    def noted(self) -> float:
        """Minutes that the notes plan."""
        found = (MINUTES.match(note) for note in self.notes)
        return sum(float(match[1]) for match in found if match)

    @property
    def title(self) -> str:
        """The headline without the minutes of a task."""
        return TASK.sub("", self.headline, count=1)

    def words(self, answers: bool) -> int:
        """Count the words of the question (headline and what is shown at once), or those of its answers."""
        texts = [piece.content for piece in self.pieces if piece.kind == "text" and bool(piece.step) == answers]
        return count("\n\n".join(texts if answers else [self.title, *texts]))

    @property
    def spoken(self) -> int:
        """Count the words that are said: those on the slide and those of the notes."""
        notes = [MINUTES.sub("", note, count=1) for note in self.notes]
        return self.words(answers=False) + self.words(answers=True) + count("\n\n".join(notes))


def count(markdown: str) -> int:
    """Count the words of Markdown."""
    return template.words(new_notebook(cells=[new_markdown_cell(markdown)]))


# --- from cells to slides ---------------------------------------------------------------------------------------------
def read(source: Path) -> list[Slide]:
    """Return the slides of a notebook, the title first; without slide cells there is only the title."""
    cells, ran = notebooks.read_source(source, slides=True).cells, outputs(notebooks.target(source))
    slides = [first(cells)]
    section = slides[0].headline
    for cell in cells[1:]:
        tags = tags_of(cell)
        if cell.cell_type == "markdown" and "slide" not in tags:
            sections = re.findall(r"^## +(?!Set-up)(.+)$", cell.source, re.M)
            section = sections[-1] if sections else section
        if tags & {"slide", "answer"} == {"slide"}:
            slides.append(begin(cell.source, section))
        elif tags:
            slides[-1].section = slides[-1].section and section  # the part that this cell belongs to
            join(slides[-1], cell, ran.get(cell.id, []))
    return slides


def tags_of(cell: NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def outputs(notebook: Path) -> dict[str, list[NotebookNode]]:
    """Return the outputs of the executed notebook by the ids of its cells."""
    cells = nbformat.read(notebook, as_version=4).cells if notebook.exists() else []
    return {cell.id: cell.outputs for cell in cells if cell.cell_type == "code"}


def first(cells: list[NotebookNode]) -> Slide:
    """Return the title slide: title, promise, and the picture that opens the notebook."""
    title, promise = (cells[0].source.split("\n\n") + [""])[:2]
    slide = Slide("", title.lstrip("# "))
    slide.add("text", promise)
    before = "\n".join(cell.source for cell in cells[1:3] if cell.cell_type == "markdown" and not tags_of(cell))
    if found := PICTURE.search(before):
        slide.add_markdown(found[0])
    return slide


def begin(source: str, section: str) -> Slide:
    """Return the slide that a cell begins."""
    line, _, rest = source.strip().partition("\n")
    headline = re.match(r"## +(.+)", line)
    slide = Slide(section, headline[1].strip() if headline else "")
    slide.add_markdown(rest if headline else source)
    return slide


def join(slide: Slide, cell: NotebookNode, ran: list[NotebookNode]) -> None:
    """Add a cell to a slide."""
    tags = tags_of(cell)
    slide.step += "answer" in tags
    if cell.cell_type == "markdown":
        slide.add_markdown(re.sub(r"^##? .*\n", "", cell.source))
    elif asked := QUIZ.match(cell.source):
        add_quiz(slide, asked[1])
    else:
        if "slide-code" in tags:
            slide.add("code", tidy(cell.source))
        for output in ran if "slide-output" in tags else []:
            add_output(slide, output)


def tidy(code: str) -> str:
    """Return code without blank lines around it and without words to the linter."""
    return re.sub(r" *# noqa.*$", "", code, flags=re.M).strip("\n")


def add_quiz(slide: Slide, name: str) -> None:
    """Add a quiz question; its answer waits for a click."""
    from nas_tutorial.exercises.quiz import quizzes

    quiz = quizzes()[name]
    options = [f"- **{letter}.** {text}" for letter, text in zip(QUIZ_LETTERS, quiz.options, strict=True)]
    slide.add("text", "\n".join([quiz.question, "", *options]))
    slide.step += 1
    slide.add("text", f"**{quiz.right}.** {quiz.why[QUIZ_LETTERS.index(quiz.right)]}")


def add_output(slide: Slide, output: NotebookNode) -> None:
    """Add an output: pictures, folded code, other pages, or what was printed."""
    data = output.get("data", {})
    page = data.get("text/html", "")
    if images := re.findall(r"<img\b[^>]*>", page):
        for image in images:
            slide.add("figure", image)
    elif folded := re.findall(r"<details>.*?<pre>(.*?)</pre>", page, re.S):
        slide.add("code", html.unescape("\n".join(folded)).strip("\n"))
    elif page:
        slide.add("page", page)
    elif "image/png" in data:
        alt = html.escape(output.metadata.get("image/png", {}).get("alt", ""))
        slide.add("figure", f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"]}">')
    else:
        slide.add("print", (output.get("text") or data.get("text/plain", "")).rstrip())


# --- complaints -------------------------------------------------------------------------------------------------------
def problems(source: Path) -> list[str]:
    """Return everything in which the slides of a notebook depart from the form of a lecture."""
    slides = read(source)
    if len(slides) == 1:
        return [f"{source.stem}: there are no slides: no cell is tagged 'slide'"]
    least, most = (15 if source.name.startswith("00") else 20), 30
    found = [] if least <= len(slides) <= most else [f"{len(slides)} slides, {least} to {most} wanted"]
    found += [f"slide {n} ({slide.headline}): {fault}" for n, slide in enumerate(slides, 1) for fault in faults(slide)]
    found += misplaced(source) + doubled(slides) + planned(slides)
    return [f"{source.stem}: {complaint}" for complaint in found]


def faults(slide: Slide) -> list[str]:
    """Return what is wrong with one slide."""
    found = [] if slide.headline else ["the first line must be a headline, '## …'"]
    if not slide.pieces:
        found.append("nothing stands under the headline")
    if slide.section and not slide.noted:
        found.append("its notes must begin with minutes: 'Note:', and on the next line '1 min. …'")
    limits = ((False, "text", TASK_WORDS if slide.task else WORDS), (True, "answers", ANSWER_WORDS))
    for answers, what, most in limits:
        if (words := slide.words(answers)) > most:
            found.append(f"{words} words of {what}, at most {most}")
    if any(re.search(r"\bAnswer\b[.:*]", p.content) for p in slide.pieces if p.kind == "text" and not p.step):
        found.append("the answer stands beside the question: give it a cell of its own, tagged 'slide' and 'answer'")
    texts = [slide.headline, *(piece.content for piece in slide.pieces if piece.kind == "text")]
    found += [f"a formula that cannot be drawn: {why}" for text in texts for why in formulas.mistakes(text)]
    return found + [fault for piece in slide.pieces for fault in too_large(piece)]


def too_large(piece: Piece) -> list[str]:
    """Return what a piece of code or print has too much of."""
    lines = piece.content.splitlines() if piece.kind in ("code", "print") else []
    found = [f"{len(lines)} lines of {piece.kind}, at most {LINES}"] if len(lines) > LINES else []
    longest = max(map(len, lines), default=0)
    return found + ([f"a line of {piece.kind} with {longest} letters, at most {LETTERS}"] if longest > LETTERS else [])


def misplaced(source: Path) -> list[str]:
    """Return the tags that say nothing on their cell, and the outputs that are not there."""
    ran, found = outputs(notebooks.target(source)), []
    for cell in notebooks.read_source(source, slides=True).cells:
        tags = tags_of(cell)
        possible = {"markdown": {"slide", "on-slide", "answer"}, "code": {"slide-output", "slide-code", "answer"}}
        wrong = tags - possible[cell.cell_type] or ({"answer"} if tags == {"answer"} else set())
        found += [f"the tag {tag!r} says nothing here: {start(cell)}" for tag in sorted(wrong)]
        if "slide-output" in tags and not QUIZ.match(cell.source) and not ran.get(cell.id):
            found.append(f"a cell tagged 'slide-output' has no output in the notebook: {start(cell)}")
    return found


def start(cell: NotebookNode) -> str:
    """Return how a cell begins, to find it by."""
    return repr(cell.source[:50])


def doubled(slides: list[Slide]) -> list[str]:
    """Return the headlines that occur twice."""
    times = Counter(slide.headline for slide in slides if slide.headline)
    return [f"{n} slides have the headline '{headline}'" for headline, n in times.items() if n > 1]


def minutes(slides: list[Slide]) -> float:
    """Return how long a lecture takes: its words at the speed of speech, and the tasks."""
    return sum(slide.spoken for slide in slides) / WORDS_A_MINUTE + sum(slide.task for slide in slides)


def planned(slides: list[Slide]) -> list[str]:
    """Hold the minutes of all notes against the words said and the tasks, and both against the time there is."""
    noted, needed = sum(slide.noted for slide in slides), minutes(slides)
    tasks = sum(slide.task for slide in slides)
    told = f"the notes plan {noted:g} minutes; words take {needed - tasks:.0f} and tasks {tasks:g}"
    if max(noted, needed) > SHARE and slides[0].headline[0] != "0":  # which is done at home
        return [f"{told}: at most {SHARE} together, as three notebooks share a lecture"]
    least, most = round(needed), round(1.5 * needed) + 2
    return [] if least - 1 <= noted <= most else [f"{told}: plan {least} to {most}"]
