"""Exercises: references pass, known wrong answers are named, stubs fall back, notebooks agree with the catalogue."""

import ast
import re
import sys

import pytest

from nas_tutorial import exercises
from nas_tutorial.exercises import frame
from tools import notebooks, template

ALL = frame.catalogue()
each = pytest.mark.parametrize("one", ALL.values(), ids=ALL)
WRONG = [(one, part, answer) for one in ALL.values() for part, answer in one.wrong.items()]


# Every exercise -------------------------------------------------------------------------------------------------------


@each
def test_reference_is_right(one):
    assert one.mistake(one.reference) is None


@pytest.mark.parametrize(("one", "part", "answer"), WRONG, ids=[f"{one.name}: {part}" for one, part, _ in WRONG])
def test_known_wrong_answer_is_named(one, part, answer):
    assert part in (one.mistake(answer) or "it was taken for right")


@each
def test_nonsense_is_not_right(one):
    assert one.mistake(lambda *args, **named: None)
    assert one.mistake(lambda *args, **named: 1 / 0)


@each
def test_exercise_is_complete(one):
    assert one.difficulty in (1, 2, 3) and one.minutes > 0
    assert len(one.hints) >= 2 and len(one.wrong) >= 2
    assert one.reference.__doc__


# Notebooks ------------------------------------------------------------------------------------------------------------


def texts():
    """Number → text of each notebook's source."""
    return {source.stem[:2]: source.read_text(encoding="utf-8") for source in notebooks.sources()}


@each
def test_notebook_has_the_exercise_with_heading_stub_and_check(one):
    text = texts()[one.notebook]
    assert re.search(rf"^# #+ {re.escape(one.header)}$", text, re.MULTILINE)
    assert re.search(rf"^@exercise\ndef {one.name}\(", text, re.MULTILINE)
    for word in ("check", "hint", "solution"):
        assert f"{word}({one.name})" in text


@each
def test_stub_has_the_signature_of_the_reference_and_is_unwritten(one):
    text = texts()[one.notebook]
    stub = re.search(rf"^@exercise\n(def {one.name}\(.*?)(?=^# %%|^\S)", text + "\n# %%", re.M | re.S)[1]
    names = {}
    exec(stub, names)
    assert frame.unwritten(names[one.name])
    code, reference = names[one.name].__code__, one.reference.__code__
    assert code.co_varnames[: code.co_argcount] == reference.co_varnames[: reference.co_argcount]


def imports(number):
    """The names that a notebook imports."""
    names = {}
    for cell in template.code_cells(notebooks.read_source(notebooks.sources([number])[0])):
        tree = ast.parse(cell.source.replace("%pip", "# %pip"))
        found = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(found, []), cell.id, "exec"), names)
    return names


@each
def test_solution_can_be_pasted_into_its_notebook(one, capsys):
    names = imports(one.notebook)
    exec(f"@exercise\n{one.source}\ncheck({one.name})", names)
    assert f"✓ {one.name} is right." in capsys.readouterr().out


def test_no_name_is_used_twice():
    modules = {one.reference.__module__ for one in ALL.values()}
    assert sum(len(sys.modules[module].EXERCISES) for module in modules) == len(ALL)


# The frame ------------------------------------------------------------------------------------------------------------


def sums():
    """An exercise of our own: add two numbers."""

    def add(a, b):
        """a + b"""
        return a + b

    def test(function):
        frame.compare(function(2, 3), 5, {"that multiplies": 6}, "for 2 and 3")

    return exercises.Exercise(add, test, "Add", 1, 2, ("First.", "Second."), {})


@pytest.fixture
def attempt(monkeypatch):
    """Makes attempts at that exercise."""
    one = sums()
    monkeypatch.setattr(frame, "catalogue", lambda: {"add": one})

    def make(function):
        function.__name__ = "add"
        return exercises.exercise(function)

    return make


def empty(a, b): ...


def documented(a, b):
    """Say what."""
    ...


def half_written(a, b):
    total = ...
    return total


def says_so(a, b):
    raise NotImplementedError


def returns_dots(a, b):
    return ...


@pytest.mark.parametrize("stub", [empty, documented, half_written, says_so, returns_dots])
def test_stub_is_answered_by_the_reference(attempt, stub, capsys):
    tried = attempt(stub)
    assert tried(2, 3) == 5
    exercises.check(tried)
    assert "○ add is not written yet" in capsys.readouterr().out


def zero(a, b):
    return 0


def dots_in_an_index(a, b):
    return a[..., b]


@pytest.mark.parametrize("written", [zero, dots_in_an_index, lambda a, b: a * b, lambda a, b: True])
def test_written_functions_are_not_taken_for_stubs(written):
    assert not frame.unwritten(written)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a, b: a + b, "✓ add is right."),
        (lambda a, b: a * b, "✗ add: that multiplies"),
        (lambda a, b: a - b, "✗ add: for 2 and 3 it gives -1, but 5 is right"),
        (lambda a, b: print(a, end=""), "it returns nothing"),
        (lambda a, b: a + c, "it stops with NameError"),  # noqa: F821
    ],
)
def test_check_names_the_mistake(attempt, function, message, capsys):
    exercises.check(attempt(function))
    assert message in capsys.readouterr().out


def test_an_answer_of_ones_own_is_used_even_if_it_is_wrong_and_a_failing_one_is_not(attempt, capsys):
    assert attempt(lambda a, b: a * b)(2, 3) == 6
    assert attempt(lambda a, b: a / 0)(2, 3) == 5
    assert "stops with ZeroDivisionError" in capsys.readouterr().out


def test_check_takes_a_function_without_decorator(attempt, capsys):
    attempt(zero)
    exercises.check(zero)
    assert "✗ add" in capsys.readouterr().out


def test_hints_come_one_by_one(attempt, capsys):
    tried = attempt(zero)
    shown = []
    for _ in range(3):
        exercises.hint(tried)
        shown.append(capsys.readouterr().out)
    assert "First" in shown[0] and "Second" not in shown[0]
    assert "Second" in shown[1] and shown[2] == shown[1]


def test_solution_shows_the_source(attempt, capsys):
    tried = attempt(zero)
    exercises.solution(tried)
    assert "return a + b" in tried.exercise.source


def test_unknown_exercise_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="no exercise 'juggle'; there are"):
        exercises.exercise(type("F", (), {"__name__": "juggle"})())
