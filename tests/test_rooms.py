"""Rooms import only rooms above them, no import is circular, export lists are true, and the document says so."""

import re
import subprocess
import sys
from importlib import import_module
from inspect import isclass, isfunction

import pytest

import nas_tutorial
from tools import rooms
from tools.rooms import LOADED, TYPES, USED, Arrow

PACKAGES = [name for name, file in rooms.modules().items() if file.stem == "__init__"]


# --- the package as it is ---
def test_arrows_lead_to_rooms_above():
    assert rooms.upward(rooms.arrows()) == []
    assert len(rooms.arrows()) > 150


def test_there_are_no_circular_imports():
    assert rooms.circles(rooms.arrows()) == []


def test_every_room_has_a_place():
    assert {rooms.room_of(name) for name in rooms.modules() if name != "nas_tutorial"} == set(rooms.ROOMS)


def test_the_face_opens_the_rooms_one_at_a_time():
    code = (
        "import sys, nas_tutorial\n"
        "loaded = lambda: [name for name in sys.modules if name.startswith('nas_tutorial.')]\n"
        "assert loaded() == [], loaded()\n"
        "from nas_tutorial import data\n"
        "assert 'nas_tutorial.data' in loaded() and 'nas_tutorial.spaces' not in loaded()\n"
        "from nas_tutorial import search, retrain, spaces, data, drawing, plots, widgets, museum\n"
        "assert callable(search) and callable(retrain) and callable(drawing.draw) and callable(plots.show)\n"
        "assert widgets.__name__ == 'nas_tutorial.pictures.widgets' and museum.EXHIBITS\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=rooms.ROOT, check=True)


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_package_exports_exists_and_is_explained(name):
    package = import_module(name)
    exported = {word: found(package, word) for word in package.__all__}
    assert exported and len(exported) == len(package.__all__)
    explained = {word: thing.__doc__ for word, thing in exported.items() if isclass(thing) or isfunction(thing)}
    assert [word for word, text in explained.items() if not text or not text.strip()] == []


def found(package, word):
    """What a package offers under a name: something of its own, or one of its modules."""
    own = getattr(package, word, None)
    return import_module(f"{package.__name__}.{word}") if own is None else own


def test_a_name_that_the_face_does_not_know_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'darts'; there are search, retrain, .*spaces"):
        nas_tutorial.darts  # noqa: B018


@pytest.mark.parametrize("file", rooms.modules().values(), ids=rooms.modules())
def test_every_module_begins_with_a_sentence(file):
    assert re.fullmatch(r"\S.{10,}[.?]", rooms.sentence(file))


# --- document and drawing ---
def test_the_document_is_up_to_date():
    assert rooms.DOCUMENT.read_text(encoding="utf-8") == rooms.page(), "run `python -m tools.rooms`"


def parts(svg):
    """Boxes, arrows and words of a drawing, whichever edition of Graphviz laid it out."""
    titles = re.findall(r"<title>(.+?)</title>", svg)
    return sorted(titles), sorted(re.findall(r"<text [^>]*>(.+?)</text>", svg)), re.findall(r'aria-label="(.+?)"', svg)


def test_the_drawing_is_up_to_date():
    drawn = rooms.DRAWING.read_text(encoding="utf-8")
    assert parts(drawn) == parts(rooms.drawing()), "run `python -m tools.rooms`"
    assert set(rooms.ROOMS) < set(parts(drawn)[0]) and "cli&#45;&gt;demo" in parts(drawn)[0]


def test_arrows_left_out_of_the_drawing_follow_from_those_in_it():
    everything = set(rooms.between_rooms(rooms.arrows()))
    drawn = set(rooms.direct(everything))
    assert drawn < everything
    assert all(target in rooms.reachable(source, drawn) for source, target in everything)


# --- how imports are read ---
ONE = '''"""First."""

from typing import TYPE_CHECKING

import sample.data.three
from sample.data import two
from . import four

if TYPE_CHECKING:
    from sample.cli import five


def function():
    """Later."""
    from sample.networks.six import something, other

    return lambda: something
'''


@pytest.fixture
def package(tmp_path):
    """A package whose first module imports in every way."""
    files = ["data/__init__", "data/one", "data/two", "data/three", "data/four", "cli/__init__", "cli/five"]
    for name in ["__init__", *files, "networks/six"]:
        path = tmp_path / "sample" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('"""Empty."""\n', encoding="utf-8")
    (tmp_path / "sample" / "data" / "one.py").write_text(ONE, encoding="utf-8")
    return tmp_path / "sample"


def add(package, name, line):
    """Write a line at the end of a module."""
    with (package / name).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def test_every_way_to_import_is_seen(package):
    assert rooms.arrows(package) == [
        Arrow("sample.data.one", "sample.cli.five", TYPES),
        Arrow("sample.data.one", "sample.data.four", LOADED),
        Arrow("sample.data.one", "sample.data.three", LOADED),
        Arrow("sample.data.one", "sample.data.two", LOADED),
        Arrow("sample.data.one", "sample.networks.six", USED),
    ]


def test_imports_of_rooms_below_are_named_whenever_they_happen(package):
    assert rooms.upward(rooms.arrows(package)) == [
        "sample.data.one imports sample.cli.five for type hints only",
        "sample.data.one imports sample.networks.six when a function runs",
    ]


def test_a_room_without_a_place_is_named(package):
    add(package, "__init__.py", "")
    (package / "attic.py").write_text('"""New."""\nfrom sample.data import two\n', encoding="utf-8")
    with pytest.raises(ValueError, match="'attic' has no place among the rooms; add it to LEVELS"):
        rooms.upward(rooms.arrows(package))


@pytest.mark.parametrize("line", ["from sample.data import one", "def f():\n    import sample.data.one"])
def test_circular_imports_are_found(package, line):
    assert rooms.circles(rooms.arrows(package)) == []
    add(package, "data/three.py", "from sample.data import two")
    assert rooms.circles(rooms.arrows(package)) == []
    add(package, "data/two.py", line)
    assert rooms.circles(rooms.arrows(package)) == [f"sample.data.{name}" for name in ("one", "three", "two")]


@pytest.mark.parametrize(
    "line", ["from nas_tutorial import search", "nas_tutorial.search", "nas_tutorial.plots.show()"]
)
def test_the_face_hides_no_room(line):
    names = [name for name, _ in rooms.imported(rooms.ast.parse(line), "nas_tutorial.data")]
    homes = {rooms.resolved(name, rooms.modules(), "nas_tutorial") for name in names}
    assert homes & {"nas_tutorial.strategies", "nas_tutorial.pictures.plots"}


def test_arrows_that_follow_from_others_are_left_out():
    assert rooms.direct([("c", "b"), ("b", "a"), ("c", "a"), ("d", "a")]) == [("b", "a"), ("c", "b"), ("d", "a")]
