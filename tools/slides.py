"""Turn executed notebooks into slides: one HTML file each, which needs no network and no second file.

python -m tools.slides [NN ...]

Every heading of level 1 or 2 starts a section, every heading of level 3 and every code cell a step below it. Code of
more than 12 lines is spread over several steps. A cell tagged `no-slide` is left out; `slideshow` metadata in a source
decide where they are given. Formulas become MathML, which browsers draw by themselves.
"""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from nbconvert import SlidesExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools.notebooks import ROOT, sources, target

LINES = 12
SLIDES = ROOT / "slides"


class MathRenderer(IPythonRenderer):
    """Draws Markdown for the browser, formulas as MathML."""

    def inline_math(self, body: str) -> str:
        """Return a formula within a line."""
        return convert(body)

    def block_math(self, body: str) -> str:
        """Return a formula on lines of its own."""
        return convert(body, display="block")

    def latex_environment(self, name: str, body: str) -> str:
        """Return an environment such as align."""
        return convert(rf"\begin{{{name}}}{body}\end{{{name}}}", display="block")


def markdown(source: str) -> str:
    """Return the HTML of a Markdown cell."""
    return MarkdownWithMath(renderer=MathRenderer(escape=False, exclude_anchor_links=True)).render(source)


def reveal_files() -> Path:
    """Return the folder of reveal.js that the package sphinx-revealjs carries."""
    found = find_spec("sphinx_revealjs")
    if found is None:
        raise SystemExit("Slides need reveal.js from the package sphinx-revealjs: make slides installs it.")
    return Path(found.origin).parent / "_static" / "revealjs"


def inlined() -> dict[str, str]:
    """Return the texts of reveal.js that go into the page; fonts are left to the browser."""
    folder = reveal_files()
    names = {"reveal_js": "dist/reveal.js", "notes_js": "plugin/notes/notes.js"}
    names |= {"reveal_css": "dist/reveal.css", "theme_css": "dist/theme/white.css"}
    texts = {key: (folder / name).read_text(encoding="utf-8") for key, name in names.items()}
    texts["theme_css"] = re.sub(r"@import\s+url\([^)]*\);?", "", texts["theme_css"])
    return {key: text.replace("</script", r"<\/script") for key, text in texts.items()}


def pieces(code: str) -> list[str]:
    """Split code into pieces of at most 12 lines, preferably before an unindented line, else after a blank one."""
    lines, found = code.rstrip().splitlines(), []
    while len(lines) > LINES:
        cuts = [n for n in range(LINES, 3, -1) if lines[n].strip() and not lines[n][0].isspace()]
        cuts += [n for n in range(LINES, 3, -1) if not lines[n - 1].strip()]
        cut = (cuts or [LINES])[0]
        found.append("\n".join(lines[:cut]).rstrip())
        lines = lines[cut:]
    return [*found, "\n".join(lines)]


def spread(cell: NotebookNode) -> list[NotebookNode]:
    """Return a code cell as one or more cells of at most 12 lines; the last one has the outputs."""
    parts = pieces(cell.source) if cell.cell_type == "code" else []
    if len(parts) < 2:
        return [cell]
    numbered = enumerate(parts[:-1])
    first = [new_code_cell(part, metadata=dict(cell.metadata), id=f"{cell.id}-{n}") for n, part in numbered]
    return [*first, NotebookNode({**cell, "source": parts[-1]})]


def kind(cell: NotebookNode) -> str:
    """Return the type of slide that a cell begins: slide, subslide, skip, or - for one that stays where it is."""
    if "no-slide" in cell.metadata.get("tags", []):
        return "skip"
    if cell.cell_type == "code" or cell.source.startswith("### "):
        return "subslide"
    return "slide" if re.match(r"##? ", cell.source) else "-"


def as_slides(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook with a slide type on each cell."""
    notebook.cells = [part for cell in notebook.cells for part in spread(cell)]
    for cell in notebook.cells:
        cell.metadata.setdefault("slideshow", NotebookNode(slide_type=kind(cell)))
    return notebook


def page(path: Path) -> str:
    """Return the HTML page of one executed notebook."""
    notebook = as_slides(nbformat.read(path, as_version=4))
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    exporter = SlidesExporter(template_name="slides_template", extra_template_basedirs=[str(ROOT / "tools")])
    exporter.register_filter("markdown2html", markdown)
    html, _ = exporter.from_notebook_node(notebook, resources={"slides": {"title": title, **inlined()}})
    return html


def main(argv: list[str] | None = None) -> int:
    """Write the slides of the notebooks named, or of all."""
    for source in sources(sys.argv[1:] if argv is None else argv):
        if not target(source).exists():
            raise SystemExit(f"There is no {target(source).name} yet: make notebooks NB={source.name[:2]}")
        path = SLIDES / f"{source.stem}.html"
        path.write_text(page(target(source)), encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
