"""The equation index: which function is which equation of which paper, gathered from docstrings into docs/equations.md.

A docstring cites a place as "(DARTS, eq. 2)" or "(DARTS, §3.1.1; ENAS, §2.4)", words may follow after a comma. To bring
the index up to date: `python -m tools.equations`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
INDEX = ROOT / "docs" / "equations.md"
PAPERS = {
    "DARTS": "Liu, Simonyan and Yang: [DARTS: Differentiable Architecture Search](https://arxiv.org/abs/1806.09055), "
    "ICLR 2019",
    "ENAS": "Pham, Guan, Zoph, Le and Dean: [Efficient Neural Architecture Search via Parameter Sharing]"
    "(https://arxiv.org/abs/1802.03268), ICML 2018",
}
PLACE = r"eq\. \d+|fig\. \d+|algorithm \d+|§[A-Z0-9]+(?:\.\d+)*"
CITATION = re.compile(rf"\b({'|'.join(PAPERS)}), ({PLACE})")
BRACKET = re.compile(rf"\s*\((?=(?:{'|'.join(PAPERS)}), (?:{PLACE}))[^()]*(?:\([^()]*\)[^()]*)*\)")
KINDS = ("eq.", "algorithm", "fig.", "§")
HEAD = """# Equation index

Which function is which equation: gathered from the docstrings by `python -m tools.equations`; do not edit.
"""


class Entry(NamedTuple):
    """One citation: paper and place, module and the name in it ("" for the module itself), and what is said there."""

    paper: str
    place: str
    module: str
    name: str
    sentence: str


def entries(package: Path = ROOT / "nas_tutorial") -> list[Entry]:
    """Return all citations in the docstrings of a package, exercises left out, in the order of the papers."""
    files = [f for f in sorted(package.rglob("*.py")) if "exercises" not in f.parts]
    found = {entry for file in files for entry in entries_of(file, package)}
    return sorted(found, key=lambda entry: (list(PAPERS).index(entry.paper), order(entry.place), entry))


def entries_of(file: Path, package: Path) -> Iterator[Entry]:
    """Yield the citations of one module."""
    parts = file.relative_to(package.parent).with_suffix("").parts
    module = ".".join(part for part in parts if part != "__init__")
    for name, text in docstrings(ast.parse(file.read_text(encoding="utf-8"))):
        for paragraph in text.split("\n\n"):
            flat = " ".join(paragraph.split())
            for bracket in BRACKET.finditer(flat):
                for paper, place in CITATION.findall(bracket[0]):
                    yield Entry(paper, place, module, name, sentence_at(flat, bracket.start()))


def docstrings(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (name, docstring) of a module and of the classes and functions in it, methods as "Class.method"."""
    if isinstance(tree, ast.Module) and ast.get_docstring(tree):
        yield "", ast.get_docstring(tree)
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            if text := ast.get_docstring(node):
                yield prefix + node.name, text
            if isinstance(node, ast.ClassDef):
                yield from docstrings(node, f"{prefix}{node.name}.")


def sentence_at(paragraph: str, position: int) -> str:
    """Return the sentence that ends at a position of a paragraph, without citations."""
    before = paragraph[:position]
    starts = [match.end() for match in re.finditer(r"[.;:] (?=[A-Z])", before)]
    return BRACKET.sub("", before[starts[-1] if starts else 0 :]).rstrip(" .,;")


def order(place: str) -> tuple:
    """Return a key that sorts equations before algorithms, figures and sections, and all of them by number."""
    kind = next(i for i, kind in enumerate(KINDS) if place.startswith(kind))
    return kind, [(not n.isdigit(), int(n) if n.isdigit() else 0, n) for n in re.findall(r"[A-Z]|\d+", place)]


def strays(package: Path = ROOT / "nas_tutorial") -> list[str]:
    """Return complaints about docstrings that mention a place in a known paper in another form than the index reads."""
    loose = re.compile(rf"\b(?:{'|'.join(PAPERS)})\b[^.;]*?(?:§|\beqs?\b|\bequation\b)")
    return [
        f"{file.relative_to(package.parent)}: {name or 'module'}: {match[0]!r}"
        for file in sorted(package.rglob("*.py"))
        for name, text in docstrings(ast.parse(file.read_text(encoding="utf-8")))
        for match in loose.finditer(BRACKET.sub("", " ".join(text.split())))
    ]


def render() -> str:
    """Return the text of docs/equations.md."""
    found, parts = entries(), [HEAD]
    for paper, title in PAPERS.items():
        rows = [row(entry) for entry in found if entry.paper == paper]
        parts.append(f"## {paper}\n\n{title}.\n\n| where | function | what it says |\n| --- | --- | --- |\n")
        parts[-1] += "\n".join(rows) + "\n"
    return "\n".join(parts)


def row(entry: Entry) -> str:
    """Return one line of the table, with a link to the file."""
    path = Path(*entry.module.split("."))
    file = path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py")
    label = f"{entry.module}:{entry.name}" if entry.name else entry.module
    sentence = re.sub(r"[|*]", r"\\\g<0>", entry.sentence)  # neither a new column nor emphasis
    return f"| {entry.place} | [`{label}`](../{file.as_posix()}) | {sentence} |"


if __name__ == "__main__":
    INDEX.parent.mkdir(exist_ok=True)
    INDEX.write_text(render(), encoding="utf-8")
    print(f"{len(entries())} entries in {INDEX.relative_to(ROOT)}")
