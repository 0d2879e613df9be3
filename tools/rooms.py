"""The rooms of the package: who imports whom, from the source code into docs/architecture.md and docs/rooms.svg.

A room is a package or a module at the top of `nas_tutorial`. It may import the rooms above it in `ROOMS`, never those
below. To bring document and drawing up to date: `python -m tools.rooms`.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import NamedTuple

from nas_tutorial import _HOMES as FACE
from nas_tutorial.pictures.graphs import EDGE, FONT, NODE, render

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "nas_tutorial"
DOCUMENT, DRAWING = ROOT / "docs" / "architecture.md", ROOT / "docs" / "rooms.svg"
LEVELS = (  # rooms of one level do not import each other
    ("settings", "files"),
    ("data",),
    ("networks",),
    ("spaces",),
    ("training",),
    ("trials",),
    ("strategies",),
    ("measures",),
    ("pictures",),
    ("museum",),
    ("demo", "exercises", "adapters"),
    ("cli",),
)
ROOMS = tuple(room for level in LEVELS for room in level)
LOADED, USED, TYPES = "when it is loaded", "when a function runs", "for type hints only"
SIGNS = {LOADED: "●", USED: "○", TYPES: "·"}


class Arrow(NamedTuple):
    """One module imports another; when: `LOADED`, `USED` or `TYPES`."""

    source: str
    target: str
    when: str


# --- source → arrows --------------------------------------------------------------------------------------------------
def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Return the file of every module by its dotted name, packages among them."""
    files = sorted(package.rglob("*.py"))
    parts = (file.relative_to(package.parent).with_suffix("").parts for file in files)
    return {
        ".".join(part for part in names if part != "__init__"): file for names, file in zip(parts, files, strict=True)
    }


def arrows(package: Path = PACKAGE) -> list[Arrow]:
    """Return who imports whom, once for each moment. Names made up at run time (`import_module`) are not seen.

    The face (`nas_tutorial/__init__.py`) is left out: it opens every room, but only when that one is asked for.
    """
    known = modules(package)
    found = set()
    for source, file in known.items():
        home = source if file.stem == "__init__" else source.rpartition(".")[0]
        for name, when in imported(ast.parse(file.read_text(encoding="utf-8")), home):
            target = resolved(name, known, package.name)
            if package.name not in (source, target) and target not in (None, source):
                found.add(Arrow(source, target, when))
    return sorted(found)


def imported(node: ast.AST, home: str, when: str = LOADED) -> Iterator[tuple[str, str]]:
    """Yield the dotted names that a module of the package `home` imports, or reads off the face, and when."""
    for child in ast.iter_child_nodes(node):
        yield from ((name, when) for name in names(child, home))
        yield from imported(child, home, moment(child, when))


def moment(node: ast.AST, when: str) -> str:
    """Return when the code within a node runs."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return TYPES
    return USED if isinstance(node, ast.FunctionDef | ast.Lambda) and when == LOADED else when


def names(node: ast.AST, home: str) -> list[str]:
    """Return what one node imports: `import a.b`, `from a import b`, `from . import b`, `nas_tutorial.b`."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            module = resolve_name("." * node.level + (node.module or ""), home) if node.level else node.module
            return [f"{module}.{alias.name}" for alias in node.names]
        case ast.Attribute(value=ast.Name(id="nas_tutorial")):
            return [f"nas_tutorial.{node.attr}"]
    return []


def resolved(name: str, known: Iterable[str], package: str) -> str | None:
    """Return the module in which a dotted name is found, None for other packages; the face passes on to its rooms."""
    head, _, rest = name.partition(".")
    if head != package:
        return None
    if rest.split(".")[0] in FACE:
        name = f"{package}.{FACE[rest.split('.')[0]]}.{rest}"
    while name not in known:
        name = name.rpartition(".")[0]
    return name


# --- arrows → what is wrong -------------------------------------------------------------------------------------------
def room_of(module: str) -> str:
    """Return the room of a module; `python -m nas_tutorial` belongs to the command line."""
    return module.split(".")[1].replace("__main__", "cli")


def level_of(room: str) -> int:
    """Return the place of a room on the way from data to the command line; ValueError for a room without a place."""
    for place, level in enumerate(LEVELS):
        if room in level:
            return place
    raise ValueError(f"{room!r} has no place among the rooms; add it to LEVELS in tools/rooms.py.")


def upward(found: Iterable[Arrow]) -> list[str]:
    """Return the arrows that lead to another room of the same level or of a level below, in words."""
    return [
        f"{source} imports {target} {when}"
        for source, target, when in found
        if (a := room_of(source)) != (b := room_of(target)) and level_of(a) <= level_of(b)
    ]


def circles(found: Iterable[Arrow]) -> list[str]:
    """Return the modules that are part of a circular import; imports for type hints, which never run, do not count."""
    pairs = {(arrow.source, arrow.target) for arrow in found if arrow.when != TYPES}
    return sorted(module for module in {source for source, _ in pairs} if module in reachable(module, pairs))


def reachable(start: str, pairs: Iterable[tuple[str, str]]) -> set[str]:
    """Return all that arrows lead to from `start`, over any number of steps."""
    found, new = set(), {start}
    while new:
        new = {target for source, target in pairs if source in new} - found
        found |= new
    return found


def between_rooms(found: Iterable[Arrow]) -> dict[tuple[str, str], str]:
    """Return (room, room that it imports) → the earliest moment, for code that runs."""
    earliest: dict[tuple[str, str], str] = {}
    for source, target, when in sorted(found, key=lambda arrow: list(SIGNS).index(arrow.when)):
        if room_of(source) != room_of(target) and when != TYPES:
            earliest.setdefault((room_of(source), room_of(target)), when)
    return earliest


def direct(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs that do not follow from others: without them, one would not be reached from the other."""
    everything = set(pairs)
    return sorted(pair for pair in everything if pair[1] not in reachable(pair[0], everything - {pair}))


# --- arrows → document ------------------------------------------------------------------------------------------------
HEAD = """# The rooms of the package

This page is written by `python -m tools.rooms`, from the source code; do not edit it.

A **room** is a package, or a single module, directly in `nas_tutorial`. The order of the rooms follows the way of a
picture: it is loaded (`data`) and goes through a network (`networks`) that a search space describes (`spaces`).
Networks are trained (`training`), searched (`strategies`), measured (`measures`) and drawn (`pictures`). A room imports
only rooms above it in this drawing, and there are no circular imports.

![{alt}](rooms.svg)

An arrow leads from a room to one that it imports{dashed}. Where a room imports another one also by way of a third,
the drawing leaves out the direct arrow; the table below has them all.

"""
LEGEND = {
    LOADED: "the room of this row imports the one of this column",
    USED: "it does so only when a function runs",
}
DASHED = ", dashed where the import waits until a function runs"
ALT = "Drawing of the rooms. "


def words(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the arrows of the drawing in words, for those who do not see it."""
    uses = {room: [target for source, target in pairs if source == room] for room in ROOMS}
    return ALT + "; ".join(f"{room} imports {', '.join(used)}" for room, used in uses.items() if used) + "."


def page() -> str:
    """Return the text of docs/architecture.md."""
    found = between_rooms(arrows())
    waiting = any(found[pair] == USED for pair in direct(found))
    parts = [HEAD.format(alt=words(direct(found)), dashed=DASHED if waiting else "") + matrix(found)]
    for room in ROOMS:
        parts.append(f"## {room}\n\n{section(room)}")
    return "\n".join(parts)


def matrix(found: dict[tuple[str, str], str]) -> str:
    """Return the table of who imports whom: a row for each room, a column for each room that is imported."""
    columns = [room for room in ROOMS if any(room == target for _, target in found)]
    rows = [f"| room | {' | '.join(columns)} |", "| --- |" + " :-: |" * len(columns)]
    for room in ROOMS:
        rows.append(f"| [{room}](#{room}) | {' | '.join(SIGNS.get(found.get((room, c)), '') for c in columns)} |")
    signs = sorted(set(found.values()), key=list(SIGNS).index)
    return "\n".join(rows) + "\n\n" + "; ".join(f"{SIGNS[when]} {LEGEND[when]}" for when in signs) + "\n"


def section(room: str) -> str:
    """Return what is in a room: its sentence, its export list, and a line for each of its modules."""
    home, inside = PACKAGE / room, {m: f for m, f in modules().items() if m.count(".") and room_of(m) == room}
    rows = [row(file) for file in inside.values() if file != home / "__init__.py"]
    text = "" if not home.is_dir() else front(home / "__init__.py")
    return text + "| module | what it is | public names |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"


def front(file: Path) -> str:
    """Return the sentence of a package, and what it exports."""
    exported = exports(ast.parse(file.read_text(encoding="utf-8")))
    names = f"\n\n`from nas_tutorial.{file.parent.name} import` " + listed(exported) if exported else ""
    return sentence(file) + names + "\n\n"


def exports(tree: ast.Module) -> list[str]:
    """Return `__all__` of a module, as far as it is written out."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [element.value for element in node.value.elts if isinstance(element, ast.Constant)]
    return []


def row(file: Path) -> str:
    """Return one line of the table of a room, with a link to the file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    public = [n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and n.name[0] != "_"]
    label, path = file.relative_to(PACKAGE), Path("..") / file.relative_to(ROOT)
    return f"| [{'/'.join(label.parts[1:]) or label.name}]({path.as_posix()}) | {sentence(file)} | {listed(public)} |"


def sentence(file: Path) -> str:
    """Return the first line of a module's docstring, fit for a table."""
    first = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))).splitlines()[0]
    return re.sub(r"  \(.*\)(?=\.$)", "", first).replace("|", "\\|")


def listed(names: Iterable[str]) -> str:
    """Return names as code, in the order given."""
    return ", ".join(f"`{name}`" for name in names)


# --- arrows → drawing -------------------------------------------------------------------------------------------------
def drawing() -> str:
    """Return the SVG: a box for each room, with its modules, and the arrows that do not follow from others."""
    from graphviz import Digraph

    found = between_rooms(arrows())
    graph = Digraph("rooms", node_attr=NODE | BOX, edge_attr=EDGE | {"penwidth": "1.6"})
    graph.attr(rankdir="BT", bgcolor="white", fontname=FONT, ranksep="0.32", nodesep="0.35")
    for room in ROOMS:
        graph.node(room, label(room))
    for source, target in direct(found):
        graph.edge(source, target, style="solid" if found[source, target] == LOADED else "dashed")
    svg = render(graph, "svg").decode()
    return svg.replace("<svg ", f'<svg role="img" aria-label="{words(direct(found))}" ', 1)


BOX = {"style": "filled,rounded", "fillcolor": "#F2F6FA", "color": "#0072B2", "penwidth": "1.4", "margin": "0.16,0.08"}
IN_A_LINE = 52  # letters


def label(room: str) -> str:
    """Return the text of a box: the room's name in bold, and its modules below."""
    inside = [m.split(".")[2] for m in modules() if m.count(".") == 2 and room_of(m) == room]
    lines = [""]
    for name in inside:
        lines[-1:] = [f"{lines[-1]}  {name}".strip()] if len(lines[-1] + name) < IN_A_LINE else [lines[-1], name]
    small = f'<br/><font point-size="11" color="#333333">{"<br/>".join(lines)}</font>' if inside else ""
    return f"<<b>{room}</b>{small}>"


if __name__ == "__main__":
    DOCUMENT.write_text(page(), encoding="utf-8")
    DRAWING.write_text(drawing(), encoding="utf-8")
    print(f"{len(arrows())} imports between {len(modules())} modules in {DOCUMENT.relative_to(ROOT)}")
    for fault in [*upward(arrows()), *(f"{module} is part of a circular import" for module in circles(arrows()))]:
        print("fault:", fault)
