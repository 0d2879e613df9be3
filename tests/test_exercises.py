"""Exercises: references pass, known wrong answers are named, stubs fall back, notebooks agree with the catalogue."""

import ast
import random
import re
import sys
from functools import cache, update_wrapper

import numpy as np
import pytest
import torch

from nas_tutorial import exercises
from nas_tutorial.exercises import endless as endless_loops
from nas_tutorial.exercises import frame
from tools import notebooks, template

ALL = frame.catalogue()
each = pytest.mark.parametrize("one", ALL.values(), ids=ALL)
WRONG = [(one, part, answer) for one in ALL.values() for part, answer in one.wrong.items()]


@cache
def said_to(name, answer):
    """What the check of an exercise says to an answer; it takes a while, and two tests ask for it."""
    return ALL[name].mistake(answer)


# Every exercise -------------------------------------------------------------------------------------------------------


@each
def test_reference_is_right(one):
    assert one.mistake(one.reference) is None


@pytest.mark.parametrize(("one", "part", "answer"), WRONG, ids=[f"{one.name}: {part}" for one, part, _ in WRONG])
def test_known_wrong_answer_is_named(one, part, answer):
    assert part in (said_to(one.name, answer) or "it was taken for right")


@each
def test_nonsense_is_not_right(one):
    assert one.mistake(lambda *args, **named: None)
    assert one.mistake(lambda *args, **named: 1 / 0)


@each
def test_other_right_answers_are_right(one):
    assert [one.mistake(answer) for answer in one.right] == [None] * len(one.right)


@each
def test_wrong_answers_are_never_used(one, capsys):
    for answer in one.wrong.values():
        attempt = exercises.exercise(
            update_wrapper(lambda *args, answer=answer, **named: answer(*args, **named), one.reference)
        )
        attempt.judge_quietly()
        assert attempt.is_right is False and "is not right yet" in capsys.readouterr().out


@each
def test_exercise_is_complete(one):
    assert one.difficulty in (1, 2, 3) and one.minutes > 0
    assert len(one.hints) >= 2 and len(one.wrong) >= (6 if one.build else 5)
    assert one.reference.__doc__
    assert not one.build or (len(one.steps) > 2 and all(one.steps) and 15 <= one.minutes <= 20)


@pytest.mark.parametrize("number", sorted({one.notebook for one in ALL.values()}))
def test_at_most_one_wrong_answer_in_five_hears_only_what_would_be_right(number):
    said = [said_to(one.name, answer) for one, _, answer in WRONG if one.notebook == number]
    generic = [text for text in said if re.search(r" it gives .* but .* is right$", text)]
    assert len(generic) <= len(said) / 5, generic


def spoilt(value):
    """An answer made wrong in a way that no exercise knows."""
    if isinstance(value, dict):
        return {key: spoilt(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(spoilt, value))
    if isinstance(value, str):
        return value[::-1]
    return 3 * value + 2 if isinstance(value, int) else 1.37 * value + 0.11


def said_to_spoilt(one, key=None):
    """What the check says to such an answer, or to one of which only this part is spoilt."""

    def wrong(*args):
        right = one.reference(*args)
        return spoilt(right) if key is None else right | {key: spoilt(right[key])}

    return one.mistake(wrong)


PARTS = {
    "reinforce": ("log_prob", "gradient", "logits"),
    "skip_step": ("scores", "logits", "log_prob", "penalty", "next"),
    "darts_step": ("p", "blend", "alpha", "weights"),
}
NO_NUMBERS = {"spell", "fair_round", "survey", "keep_going"}  # what these return is none
WITH_NUMBERS = [(one, None) for one in ALL.values() if one.name not in {*NO_NUMBERS, *PARTS}]
WITH_NUMBERS += [(ALL[name], key) for name, keys in PARTS.items() for key in keys]


@pytest.mark.parametrize(("one", "key"), WITH_NUMBERS, ids=[f"{one.name}: {key}" for one, key in WITH_NUMBERS])
def test_where_no_mistake_is_known_the_check_shows_the_way(one, key):
    assert re.search(r" it gives .* but .* is right.*\. The way there: .*\d", said_to_spoilt(one, key))


def test_in_texts_the_check_shows_the_first_difference():
    assert re.search(r" is right: behind '\|' it has '.*', where '.*' is wanted$", said_to_spoilt(ALL["spell"]))


LEADS = {  # exercise → how the numbers on the way, in order, make the right one
    "tau": lambda pairs, same, opposite: (same - opposite) / pairs,
    "noise_share": lambda mean, inside, everything: inside / everything,
    "total_slope": lambda w, direct, slope, follows: direct + slope * follows,
    "slope_one_step_ahead": lambda w, direct, slope, follows: direct + slope * follows,
    "rest_after": lambda one, left, follows: 2 / (1 + follows),
    "lead": lambda size, *others: np.log(size),
    "target_for": lambda *numbers: 1 / (1 + np.exp(-numbers[-1])),
    "darts_size": lambda *numbers: numbers[-1] ** 2,
}


@pytest.mark.parametrize("name", LEADS)
def test_the_way_leads_to_the_right_number(name):
    case, way = said_to_spoilt(ALL[name]).split(". The way there: ")
    number = r"-?\d(?:[\d,]*\d)?(?:\.\d+)?"
    found = [float(text.replace(",", "")) for text in re.findall(number, way)]
    right = float(re.search(rf"but ({number}) is right", case)[1].replace(",", ""))
    assert LEADS[name](*found) == pytest.approx(right, rel=2e-3)


@pytest.mark.parametrize("number", sorted({one.notebook for one in ALL.values()}))
def test_a_notebook_has_one_build(number):
    assert sum(one.build for one in ALL.values() if one.notebook == number) == 1


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
    assert sum(len(module.EXERCISES) for module in frame.modules()) == len(ALL)


# The frame ------------------------------------------------------------------------------------------------------------


def sums():
    """An exercise of our own: add two numbers."""

    def add(a, b):
        """a + b"""
        return a + b

    def test(function):
        exercises.compare(function(2, 3), 5, {"that multiplies": 6}, "for 2 and 3")

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
        (lambda a, b: [a + b], "it returns a number in an object of type list"),
        (lambda a, b: {a + b}, "it returns {5}, which is of the type set"),
        (lambda a: a, "it stops with TypeError"),
    ],
)
def test_check_names_the_mistake(attempt, function, message, capsys):
    exercises.check(attempt(function))
    assert message in capsys.readouterr().out


def test_only_a_right_answer_is_used_and_a_wrong_one_is_said_to_be_wrong_once(attempt, capsys):
    used = []
    tried = attempt(lambda a, b: used.append(1) or a + b)
    assert tried(2, 3) == 5 and len(used) == 2 and capsys.readouterr().out == ""
    for wrong in (lambda a, b: a * b, lambda a, b: a / 0, lambda a, b: sys.exit()):
        tried = attempt(wrong)
        assert tried(2, 2) == 4 and tried(2, 3) == 5
        assert capsys.readouterr().out.count("is not right yet, so the reference stands in") == 1


def test_where_a_right_answer_fails_the_reference_stands_in(attempt, capsys):
    tried = attempt(lambda a, b: a + b if a < 3 else 1 / 0)
    assert (tried(2, 3), tried(4, 3)) == (5, 7)
    assert "stops with ZeroDivisionError" in capsys.readouterr().out


def test_a_loop_without_end_is_stopped_and_the_reference_stands_in(attempt, monkeypatch, capsys):
    def endless(a, b):
        while True:
            try:
                a = a + b - b
            except Exception:
                pass

    monkeypatch.setattr(endless_loops, "SECONDS", 0.05)
    tried = attempt(endless)
    exercises.check(tried)
    assert "Endless: it was still running" in capsys.readouterr().out and tried(2, 3) == 5


def test_a_function_may_call_itself_and_a_repaired_one_is_used(attempt):
    tried = attempt(lambda a, b: a if b == 0 else tried(a, b - 1) + 1)
    assert tried(2, 3) == 5 and tried.is_right


def test_what_comes_after_a_check_does_not_depend_on_it(attempt):
    def restless(a, b):
        return a + b + 0 * (random.random() + np.random.random() + float(torch.rand(1)))

    def drawn():
        return random.random(), np.random.random(), float(torch.rand(1))

    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = drawn()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    exercises.check(attempt(restless))
    assert drawn() == expected


def test_a_build_says_which_steps_are_right(monkeypatch, capsys):
    def pair(a, b):
        """a + b and a · b"""
        return a + b, a * b

    def first(function):
        exercises.compare(function(2, 3)[0], 5, {}, "the sum of 2 and 3:")

    def second(function):
        exercises.compare(function(2, 3)[1], 6, {}, "the product of 2 and 3:")

    one = exercises.Exercise(pair, {"adds": first, "multiplies": second}, "Pair", 3, 15, ("A.", "B."), {}, build=True)
    monkeypatch.setattr(frame, "catalogue", lambda: {"pair": one})
    assert one.header == "Build: Pair · ★★★ · 15 min"
    exercises.check(update_wrapper(lambda a, b: (a + b, 0), pair))
    assert capsys.readouterr().out == "✓ adds\n✗ pair: the product of 2 and 3: it gives 0, but 6 is right\n"
    exercises.check(update_wrapper(lambda a, b: (a + b, a * b), pair))
    assert capsys.readouterr().out == "✓ adds\n✓ multiplies\n✓ pair is right.\n"


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
