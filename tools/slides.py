"""Draw the slides of the notebooks: one HTML file each, which needs no network and no second file.

python -m tools.slides [NN ...]            write slides/NN_name.html, all or those with these numbers
python -m tools.slides --check [NN ...]    write nothing; fail where slides depart from their form

What stands on a slide is said by tags in notebooks/source (see `tools/deck.py`). Formulas are pictures and fonts are in
the file, so that a slide looks the same on every machine.
"""

import argparse
import base64
import html
import io
import re
import sys
from functools import cache
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont
from jinja2 import Environment, FileSystemLoader
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools import deck, formulas
from tools.deck import Piece, Slide
from tools.notebooks import ROOT, sources, target

SLIDES, TEMPLATE = ROOT / "slides", ROOT / "tools" / "slides_template"
WIDTH, HEIGHT = 1180, 540  # what is left of 1280 × 720 under the headline
COLUMN, GAP = 350, 36  # of text beside a figure
CODE_SIZES = (20, 28)  # pixels
CODE_HEIGHT = 240  # pixels, at most where the letters can be made smaller
EM = 0.602  # width of a letter of code


# --- Markdown, code, fonts --------------------------------------------------------------------------------------------
class Renderer(IPythonRenderer):
    """Draws Markdown for the browser, formulas as pictures."""

    def inline_math(self, body: str) -> str:
        """Return a formula within a line."""
        return formulas.image(body)

    def block_math(self, body: str) -> str:
        """Return a formula on lines of its own."""
        return f"<p>{formulas.image(body, display=True)}</p>"


def markdown(source: str) -> str:
    """Return the HTML of Markdown; what can be folded is open."""
    page = MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True)).render(source)
    page = re.sub(r"<li>(<strong>[A-Z]\.)", r'<li class="option">\1', page)  # the letter is sign enough
    return re.sub(r"</?details[^>]*>|<summary>.*?</summary>", "", page, flags=re.S)


def inline(source: str) -> str:
    """Return the HTML of a line of Markdown, without a paragraph around it."""
    return re.sub(r"^<p>|</p>\s*$", "", markdown(source).strip())


def block(piece: Piece) -> str:
    """Return code or print as HTML, in letters as large as its longest line and the number of its lines allow."""
    lines = piece.content.splitlines()
    longest, (least, most) = max(map(len, lines), default=1), CODE_SIZES
    size = max(least, min(most, int((WIDTH - 36) / (EM * longest)), int(CODE_HEIGHT / (1.4 * len(lines)))))
    code = highlight(piece.content, PythonLexer(), HtmlFormatter(nowrap=True))
    text = code if piece.kind == "code" else html.escape(piece.content)
    return f'<pre class="{piece.kind}" style="font-size:{size}px">{text.rstrip()}</pre>'


def reveal() -> Path:
    """Return the folder of reveal.js that the package sphinx-revealjs carries."""
    found = find_spec("sphinx_revealjs")
    if found is None:
        raise SystemExit("Slides need reveal.js from the package sphinx-revealjs: make slides installs it.")
    return Path(found.origin).parent / "_static" / "revealjs"


@cache
def scripts() -> dict[str, str]:
    """Return the texts of reveal.js and of the styles that go into the page."""
    names = {"reveal_js": "dist/reveal.js", "notes_js": "plugin/notes/notes.js", "reveal_css": "dist/reveal.css"}
    texts = {key: (reveal() / name).read_text(encoding="utf-8") for key, name in names.items()}
    texts = {key: text.replace("</script", r"<\/script") for key, text in texts.items()}
    return texts | {"code_css": HtmlFormatter(style="default").get_style_defs(".code")}


def fonts(letters: str) -> list[tuple[str, int, str, str]]:
    """Return (family, weight, style, data) of the fonts: Source Sans as it is, DejaVu with these letters only."""
    folder = reveal() / "dist" / "theme" / "fonts" / "source-sans-pro"
    faces = (("regular", 400, "normal"), ("semibold", 600, "normal"), ("italic", 400, "italic"))
    found = [
        ("Source Sans", weight, style, (folder / f"source-sans-pro-{name}.woff").read_bytes())
        for name, weight, style in faces
    ]
    for family, name in (("DejaVu", "DejaVuSans"), ("DejaVu Mono", "DejaVuSansMono")):
        found.append((family, 400, "normal", part_of_font(name, letters)))
    return [(*face, base64.b64encode(content).decode()) for *face, content in found]


def part_of_font(name: str, letters: str) -> bytes:
    """Return a font of matplotlib with these letters only."""
    font, written = TTFont(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), io.BytesIO()
    options = subset.Options(flavor="woff", layout_features=[], drop_tables=["FFTM"])
    chosen = subset.Subsetter(options)
    chosen.populate(text=letters)
    chosen.subset(font)
    subset.save_font(font, written, options)
    return written.getvalue()


# --- layout -----------------------------------------------------------------------------------------------------------
class Size(NamedTuple):
    """Width and height of a picture in pixels."""

    width: float
    height: float


def size(image: str) -> Size:
    """Return the size of an HTML image that carries its own bytes, as the page shows it where there is room."""
    with urlopen(re.search(r'src="(data:image/[^"]+)"', image)[1]) as opened:
        data, kind = opened.read(), opened.headers.get_content_type()
    if kind == "image/svg+xml":
        box = re.search(r'viewBox="[-\d.]+[ ,]+[-\d.]+[ ,]+([\d.]+)[ ,]+([\d.]+)"', data.decode())
        return Size(*map(float, box.groups())) if box else Size(4, 3)
    pixels, given = Image.open(io.BytesIO(data)).size, re.search(r'\bwidth="(\d+)"', image)
    width = int(given[1]) if given else pixels[0] / 2  # those of Markdown are stored for sharp screens
    return Size(width, width * pixels[1] / pixels[0])


def is_beside(slide: Slide) -> bool:
    """Return whether the figures of a slide are larger beside its text than below it."""
    if not slide.section:
        return False  # the title
    figures = [piece for piece in slide.pieces if piece.kind == "figure"]
    others = [piece for piece in slide.pieces if piece.kind != "figure"]
    if not figures or not others or any(piece.kind in ("code", "print") for piece in others):
        return False
    ratio = sum(w / h for w, h in map(size, (figure.content for figure in figures)))
    lines = sum(-(-len(line) // 85) for piece in others for line in piece.content.splitlines() if line)
    beside = min(WIDTH - COLUMN - GAP, HEIGHT * ratio)
    return beside > min(WIDTH, (HEIGHT - 40 * lines - 20) * ratio)


def drawn(piece: Piece) -> str:
    """Return a piece as HTML."""
    if piece.kind in ("code", "print"):
        return block(piece)
    if piece.kind == "figure":
        image = re.sub(r'\s(width|height|style)="[^"]*"', "", piece.content)
        return f'<figure data-width="{size(piece.content).width:.0f}">{image}</figure>'
    return f'<div class="text">{piece.content if piece.kind == "page" else markdown(piece.content)}</div>'


def wrapped(piece: Piece) -> str:
    """Return a piece as HTML that waits for its click."""
    found = drawn(piece)
    if not piece.step:
        return found
    return re.sub(r"^<(\w+)( class=\"(\w+)\")?", rf'<\1 class="fragment \3" data-fragment-index="{piece.step}"', found)


def body(slide: Slide) -> str:
    """Return what stands under the headline: beside each other or one below the other; figures share a row."""
    if is_beside(slide):
        left = "".join(wrapped(piece) for piece in slide.pieces if piece.kind != "figure")
        right = "".join(wrapped(piece) for piece in slide.pieces if piece.kind == "figure")
        return f'<div class="left">{left}</div><div class="row">{right}</div>'
    parts = []
    for is_figure, pieces in groupby(slide.pieces, lambda piece: piece.kind == "figure"):
        inside = "".join(map(wrapped, pieces))
        parts.append(f'<div class="row">{inside}</div>' if is_figure else inside)
    return "".join(parts)


def look(slide: Slide) -> str:
    """Return the classes of a slide."""
    words, kinds = slide.words(answers=False) + slide.words(answers=True), {piece.kind for piece in slide.pieces}
    bare, large = "figure" not in kinds, kinds == {"text"} and words <= 45
    looks = {"title": not slide.section, "beside": is_beside(slide), "task": slide.task, "bare": bare, "airy": large}
    return " ".join(kind for kind, holds in looks.items() if holds)


def view(slide: Slide) -> dict[str, str]:
    """Return a slide as the page's template needs it."""
    notes = "".join(markdown(note) for note in slide.notes)
    task = f"{slide.task:g} min" if slide.task else ""
    shown = {"section": inline(slide.section), "headline": inline(slide.title), "task": task}
    return shown | {"body": body(slide), "notes": notes, "look": look(slide)}


def page(source: Path) -> str:
    """Return the HTML page of one notebook's slides."""
    slides = [view(slide) for slide in deck.read(source)]
    environment = Environment(loader=FileSystemLoader(TEMPLATE), trim_blocks=True, lstrip_blocks=True)
    letters = "".join(sorted(set(str(slides)) | set(map(chr, range(32, 127)))))
    title = deck.read(source)[0].headline
    return environment.get_template("deck.html").render(slides=slides, title=title, fonts=fonts(letters), **scripts())


def main(argv: list[str] | None = None) -> int:
    """Write or check the slides of the notebooks named, or of all; return 1 where something is wrong, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="two-digit numbers of notebooks; all when none is given")
    parser.add_argument("--check", action="store_true", help="write nothing: check the form")
    options = parser.parse_args(argv)
    chosen = sources(options.numbers)
    for source in [] if options.check else chosen:
        if not target(source).exists():
            raise SystemExit(f"There is no {target(source).name} yet: make notebooks NB={source.name[:2]}")
        path = SLIDES / f"{source.stem}.html"
        path.write_text(page(source), encoding="utf-8")
        print(path.relative_to(ROOT))
    complaints = [complaint for source in chosen for complaint in deck.problems(source)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
