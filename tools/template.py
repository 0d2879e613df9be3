"""The form of a lesson: what every notebook must look like. Each rule returns complaints, none where all is well."""

import base64
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from statistics import median

from nbformat import NotebookNode

HEADINGS = (
    "You will",
    "Set-up",
    "Predict first",
    "Look inside",
    "What can go wrong",
    "In this notebook we have",
    "Further reading",
    "Versions",
)
TIMINGS = re.compile(
    r"^(\d+) min reading · (\d+) min exercises · longest cell (\d+) s · all cells (\d+) s · (\d+(?:\.\d+)?) GB$",
    re.MULTILINE,
)
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|Users|opt|mnt|var|private|content)/[\w.]|[A-Z]:\\\\?Users|site-packages"
)
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
MAX = {"cells": 90, "code lines": 15, "median code lines": 6, "set-up lines": 8, "file KB": 400, "image KB": 80}
WORDS = (2000, 3500)
WORDS_A_MINUTE, SECONDS_A_LINE = 180, 5  # of reading
EXERCISE = re.compile(r"(Exercise|Build): .+ · [★☆]{3} · (\d+) min$")
QUIZZES = 3  # at least so many in a notebook
COST = {"longest cell": 60, "all cells": 240, "GB": 1.8}


class Figures(HTMLParser):
    """Collects the pictures of a piece of HTML: (alternative text, kilobytes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, float]] = []
        self.feed(html)
        svgs = [html[drawing] for drawing in drawings(html)]
        self.found += [(svg_text(svg), len(svg.encode()) / 1e3) for svg in svgs]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an `<img>`: its text, and its size where it is embedded."""
        if tag == "img":
            named = dict(attrs)
            data = (named.get("src") or "").partition("base64,")[2]
            self.found.append((named.get("alt") or "", len(data) * 0.75 / 1e3))


def drawings(html: str) -> Iterator[slice]:
    """Where each `<svg>` is that stands in no other one."""
    depth, start = 0, 0
    for tag in re.finditer(r"<svg\b|</svg>", html):
        if tag[0] == "<svg":
            start = start if depth else tag.start()
            depth += 1
        elif depth := depth - 1:
            continue
        else:
            yield slice(start, tag.end())


def svg_text(svg: str) -> str:
    """Return what an SVG says to somebody who cannot see it: its aria-label or its title."""
    name = re.search(r'<svg[^>]*\baria-label="([^"]*)"', svg) or re.search(r"<svg[^>]*>\s*<title>([^<]*)</title>", svg)
    return name[1].strip() if name else ""


def prose(notebook: NotebookNode) -> str:
    """Return all Markdown of a notebook, without fenced code."""
    cells = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return FENCE.sub("", "\n\n".join(cells))


def words(notebook: NotebookNode) -> int:
    """Count the words of prose: no code, formulas, link targets or HTML tags."""
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$|</?[a-zA-Z!][^<>]*>|\]\([^)]*\)", " ", prose(notebook), flags=re.DOTALL)
    return len(re.findall(r"[^\W_][\w'’-]*", text))


def headings(notebook: NotebookNode) -> list[tuple[int, str]]:
    """Return (level, text) of every Markdown heading, in order."""
    found = re.findall(r"^(#{1,6}) +(.+)$", prose(notebook), re.MULTILINE)
    return [(len(marks), text.strip()) for marks, text in found]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def output_figures(notebook: NotebookNode) -> Iterator[tuple[str, str, float]]:
    """Yield (kind, alternative text, kilobytes) of every picture in the outputs."""
    for output in (output for cell in code_cells(notebook) for output in cell.outputs):
        for kind, content in output.get("data", {}).items():
            if kind in ("text/html", "image/svg+xml"):
                yield from ((kind, *figure) for figure in Figures(content).found)
            elif kind.startswith("image/"):
                yield kind, image_text(output, kind), len(base64.b64decode(content)) / 1e3


def image_text(output: NotebookNode, kind: str) -> str:
    """Return the alternative text of an image, "" unless metadata, plain text and the HTML beside it all say it.

    VS Code reads the plain text, nbconvert the metadata, JupyterLab the HTML.
    """
    alt = output.metadata.get(kind, {}).get("alt", "")
    in_page = " ".join(text for text, _ in Figures(output.data.get("text/html", "")).found)
    return alt if alt == output.data.get("text/plain") == in_page else ""


def opening(notebook: NotebookNode, path: Path) -> list[str]:
    """Check the first cell: title with the notebook's number, a promise, links, timings."""
    lines = [line for line in notebook.cells[0].source.splitlines() if line.strip()]
    title, number = lines[0] if lines else "", int(path.name[:2])
    complaints = []
    if not re.match(rf"# {number} · \S", title):
        complaints.append(f"the first line must be '# {number} · Title', it is {title!r}")
    if len(lines) < 4 or lines[1].startswith(("#", "[")) or TIMINGS.match(lines[1]):
        complaints.append("under the title stand one line of promise, the line <!-- badges -->, the line of timings")
    if "colab.research.google.com" not in notebook.cells[0].source:
        complaints.append("the first cell lacks the line <!-- badges -->")
    if not TIMINGS.search(notebook.cells[0].source):
        wanted = "25 min reading · 15 min exercises · longest cell 12 s · all cells 80 s · 0.9 GB"
        complaints.append(f"the first cell lacks a line of its own such as '{wanted}'")
    return complaints


def reading_minutes(notebook: NotebookNode) -> float:
    """Return how long a notebook is read: its prose, and its lines of code."""
    lines = sum(bool(line.strip()) for cell in code_cells(notebook) for line in cell.source.splitlines())
    return words(notebook) / WORDS_A_MINUTE + lines * SECONDS_A_LINE / 60


def exercises(notebook: NotebookNode) -> list[tuple[str, int]]:
    """Return ("Exercise" or "Build", minutes) of every exercise, from the headings."""
    found = (EXERCISE.match(text) for _, text in headings(notebook))
    return [(match[1], int(match[2])) for match in found if match]


def minutes(notebook: NotebookNode) -> list[str]:
    """Check the minutes that the first cell promises against the words, the lines and the exercises."""
    line = TIMINGS.search(notebook.cells[0].source)
    if not line:
        return []
    reading, solving = reading_minutes(notebook), sum(spent for _, spent in exercises(notebook))
    agree = abs(int(line[1]) - reading) <= 1 and int(line[2]) == solving
    return [] if agree else [f"the first cell should say '{reading:.0f} min reading · {solving} min exercises'"]


def tasks(notebook: NotebookNode, path: Path) -> list[str]:
    """Check that there are quizzes, and one exercise in which the core of the lesson is built; 00 has none to check."""
    asked = sum(cell.source.startswith("quiz(") for cell in code_cells(notebook))
    complaints = [] if asked >= QUIZZES else [f"{asked} quizzes, at least {QUIZZES} wanted"]
    built = sum(kind == "Build" for kind, _ in exercises(notebook))
    wanted = int(not path.name.startswith("00"))
    return complaints + ([] if built == wanted else [f"{built} headings '### Build: …', {wanted} wanted"])


def order(notebook: NotebookNode) -> list[str]:
    """Check the headings: one title, no skipped level, the parts of a lesson in their order."""
    found = headings(notebook)
    complaints = []
    if sum(level == 1 for level, _ in found) != 1:
        complaints.append("a notebook has exactly one heading of level 1")
    for (before, _), (level, text) in zip(found, found[1:], strict=False):
        if level > before + 1:
            complaints.append(f"heading {text!r} skips a level")
    return complaints + parts([text for level, text in found if level == 2])


def parts(texts: list[str]) -> list[str]:
    """Name every part of a lesson that has no heading among these of level 2, and those that stand too late."""
    places = {part: [i for i, text in enumerate(texts) if text.startswith(part)] for part in HEADINGS}
    there = [(part, where[0]) for part, where in places.items() if where]
    late = [(part, after) for (part, i), (after, j) in pairwise(there) if i > j]
    return [f"no heading '## {part} …'" for part, where in places.items() if not where] + [
        f"the heading '## {part} …' must stand before '## {after} …'" for part, after in late
    ]


def sizes(notebook: NotebookNode, path: Path) -> list[str]:
    """Check the numbers of cells, lines, words and kilobytes."""
    lines = [sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in code_cells(notebook)]
    found = {
        "cells": len(notebook.cells),
        "code lines": max(lines, default=0),
        "median code lines": median(lines or [0]),
        "set-up lines": len(set_up_cell(notebook).splitlines()),
        "file KB": path.stat().st_size / 1e3,
        "image KB": max((kilobytes for _, _, kilobytes in output_figures(notebook)), default=0),
    }
    complaints = [f"{name}: {found[name]:.0f}, at most {MAX[name]}" for name in MAX if found[name] > MAX[name]]
    low, high = (0 if path.name.startswith("00") else WORDS[0]), WORDS[1]
    count = words(notebook)
    return complaints + ([f"{count} words of prose, {low} to {high} wanted"] if not low <= count <= high else [])


def set_up_cell(notebook: NotebookNode) -> str:
    """Return the text of the first code cell after the heading Set-up."""
    seen = False
    for cell in notebook.cells:
        seen = seen or bool(cell.cell_type == "markdown" and re.search(r"^## Set-up", cell.source, re.MULTILINE))
        if seen and cell.cell_type == "code":
            return cell.source
    return ""


def set_up(notebook: NotebookNode, model: str) -> list[str]:
    """Check that the set-up cell is the model, that of the first notebook."""
    same = set_up_cell(notebook) == model
    return [] if same else ["the code cell after '## Set-up' must be a copy of the one in the first notebook"]


def pictures(notebook: NotebookNode) -> list[str]:
    """Check that pictures can be heard as well as seen, and that one of them opens the lesson."""
    silent = [f"a figure ({kind})" for kind, alt, _ in output_figures(notebook) if not alt.strip()]
    silent += [f"picture {link}" for link in re.findall(r"!\[\s*\]\(([^)]*)\)", prose(notebook))]
    silent += ["an <img> in the prose" for alt, _ in Figures(prose(notebook)).found if not alt]
    complaints = [f"{what} has no alternative text, or not in all its forms" for what in silent]
    if "data:image/svg" in prose(notebook):
        complaints.append("Markdown with a picture as SVG data, which Colab and VS Code do not show: make it a PNG")
    if any(kind == "image/svg+xml" for kind, _, _ in output_figures(notebook)):
        complaints.append("an image/svg+xml among the outputs stops nbconvert's PDF without Inkscape: show it as HTML")
    start = next((i for i, cell in enumerate(notebook.cells) if re.search(r"^## Set-up", cell.source, re.M)), 0)
    first = NotebookNode(cells=notebook.cells[:start])
    if not (list(output_figures(first)) or Figures(prose(first)).found or "![" in prose(first)):
        complaints.append("one figure that is the idea must stand before the heading Set-up")
    return complaints


def outputs(notebook: NotebookNode) -> list[str]:
    """Check that the notebook was run once from top to bottom, without errors, and tells nothing of the machine."""
    cells = code_cells(notebook)
    complaints = []
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        complaints.append("execution counts must be 1, 2, 3, … (empty code cells are not counted: remove them)")
    for output in (output for cell in cells for output in cell.outputs):
        if output.output_type == "error" or output.get("name") == "stderr":
            complaints.append(f"an error or a message on stderr: {output.get('ename') or output.get('text')!r}")
        if any(kind.startswith("application/vnd.jupyter.widget") for kind in output.get("data", {})):
            complaints.append("a widget's view was left in an output")
        texts = [output.get("text", ""), *(v for k, v in output.get("data", {}).items() if k.startswith("text/"))]
        found = [path[0] for text in texts if (path := MACHINE_PATH.search(re.sub(r"base64,[\w+/=]+", "", text)))]
        complaints += [f"an output names a path of a machine: {path}…" for path in found]
    return complaints + (["widget state in the metadata"] if "widgets" in notebook.metadata else [])


def problems(notebook: NotebookNode, path: Path, model: str) -> list[str]:
    """Return everything in which a notebook departs from the form of a lesson; model: the set-up cell of all."""
    found = opening(notebook, path) + minutes(notebook) + order(notebook) + set_up(notebook, model)
    found += tasks(notebook, path) + sizes(notebook, path) + pictures(notebook) + outputs(notebook)
    return [f"{path.name}: {complaint}" for complaint in found]


def cost_problems(notebook: NotebookNode, measured: tuple[float, float, float]) -> list[str]:
    """Compare what a run cost (longest cell s, all cells s, GB) with the limits and with the line of timings."""
    title = notebook.cells[0].source.splitlines()[0]
    pairs = zip(COST, measured, strict=True)
    complaints = [f"{title}: {name} {got:.1f}, at most {COST[name]}" for name, got in pairs if got > COST[name]]
    if line := TIMINGS.search(notebook.cells[0].source):
        written = [float(number) for number in line.groups()[2:]]
        near = [agree(*pair) for pair in zip(written, measured, (5, 10, 0.3), strict=True)]
        if not all(near):
            complaints.append(f"{title}: the line of timings should say '{measured}'")
    return complaints


def agree(written: float, measured: float, slack: float) -> bool:
    """Tell whether a written figure is within a factor of two (and some slack) of a measured one; nan agrees."""
    return not (measured > 2 * written + slack or written > 2 * measured + slack)
