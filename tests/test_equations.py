"""The equation index is up to date, and each of its entries points at something that exists."""

import importlib
import re
from functools import reduce

import pytest

from tools import equations
from tools.equations import Entry

ROW = re.compile(r"^\| ([^|]+) \| \[`([\w.]+)(?::([\w.]+))?`\]\(\.\./([\w./]+)\) \| (.+) \|$", re.MULTILINE)
ROWS = ROW.findall(equations.INDEX.read_text(encoding="utf-8"))


def test_the_index_is_up_to_date():
    assert equations.INDEX.read_text(encoding="utf-8") == equations.render(), "run `python -m tools.equations`"


def test_every_citation_has_a_row():
    assert len(ROWS) == len(equations.entries()) > 20


@pytest.mark.parametrize("row", ROWS, ids=[f"{place} {module}:{name}" for place, module, name, *_ in ROWS])
def test_a_row_points_at_something_that_says_so(row):
    place, module, name, file, sentence = row
    assert (equations.ROOT / file).is_file()
    target = reduce(getattr, name.split(".") if name else [], importlib.import_module(module))
    assert place in target.__doc__
    assert re.sub(r"\\([|*])", r"\1", sentence) in " ".join(target.__doc__.split())


def test_the_formulas_at_the_heart_are_there():
    there = {(entry.paper, entry.place) for entry in equations.entries()}
    assert {("DARTS", f"eq. {n}") for n in (1, 2, 3, 6, 7, 8)} | {("DARTS", "algorithm 1")} <= there
    assert {("ENAS", place) for place in ("eq. 1", "§2.2", "§2.3", "§2.4", "§3.2")} <= there


def test_places_are_cited_in_one_form_only():
    assert equations.strays() == []


# --- how citations are read ---
MODULE = '''"""A module  (ENAS, §2.3).

Second paragraph.
"""


def first(x):
    """First things. Blend: ō(x) = Σ p(o) · o(x)  (DARTS, eq. 2, with p = softmax(α)).

    More of it, and a | b  (DARTS, §3.1.1; ENAS, §2.4).
    """

    def inner():
        """Hidden  (DARTS, eq. 9)."""


class Second:
    """No place is cited (DARTS)."""

    def method(self):
        """Ten comes after two  (DARTS, eq. 10)."""
'''


@pytest.fixture
def package(tmp_path):
    """A package with one module."""
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "one.py").write_text(MODULE, encoding="utf-8")
    return tmp_path / "sample"


def test_citations_are_read_from_docstrings(package):
    assert equations.entries(package) == [
        Entry("DARTS", "eq. 2", "sample.one", "first", "Blend: ō(x) = Σ p(o) · o(x)"),
        Entry("DARTS", "eq. 10", "sample.one", "Second.method", "Ten comes after two"),
        Entry("DARTS", "§3.1.1", "sample.one", "first", "More of it, and a | b"),
        Entry("ENAS", "§2.3", "sample.one", "", "A module"),
        Entry("ENAS", "§2.4", "sample.one", "first", "More of it, and a | b"),
    ]
    assert equations.strays(package) == []


@pytest.mark.parametrize("text", ["as in DARTS (§A.2)", "see equation 7 of DARTS, eq. 7", "ENAS, eqs. 1 and 2"])
def test_other_forms_are_complained_about(package, text):
    (package / "two.py").write_text(f'"""Something, {text}."""\n', encoding="utf-8")
    assert len(equations.strays(package)) == 1 and "sample/two.py: module" in equations.strays(package)[0]


def test_bars_and_stars_do_not_break_the_table():
    entry = Entry("DARTS", "eq. 2", "nas_tutorial.spaces", "get", "p(a | b*)")
    assert equations.row(entry) == (
        "| eq. 2 | [`nas_tutorial.spaces:get`](../nas_tutorial/spaces/__init__.py) | p(a \\| b\\*) |"
    )


def test_places_sort_by_number():
    places = ["§A.1", "§3.1.1", "§2.10", "§2.2", "fig. 2", "algorithm 1", "eq. 10", "eq. 2"]
    assert sorted(places, key=equations.order) == [
        "eq. 2", "eq. 10", "algorithm 1", "fig. 2", "§2.2", "§2.10", "§3.1.1", "§A.1"
    ]  # fmt: skip
