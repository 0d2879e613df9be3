"""Quizzes: complete, mixed, asked once each, shown with the answer folded."""

from collections import Counter

import pytest
from IPython import display

from nas_tutorial.exercises import quiz
from nas_tutorial.exercises.quiz import LETTERS, TEXTS, Quiz, of_notebook, quizzes
from nas_tutorial.pictures import plots
from tools import notebooks, template

A_QUIZ = Quiz("Is `x < 1`?", ("Yes", "No", "Perhaps"), "B", ("It is 2.", "It is 2, so no.", "It is known."))
NUMBERS = sorted(path.stem for path in TEXTS.glob("*.toml"))


def test_a_page_folds_the_answer_and_a_text_ends_with_it():
    before, _, after = A_QUIZ.page.partition("<details>")
    assert "<code>x &lt; 1</code>" in before and "It is" not in before and "<b>Yes.</b> It is 2, so no." in after
    assert A_QUIZ.plain.splitlines()[:4] == ["Quiz. Is `x < 1`?", "  A. Yes", "  B. No", "  C. Perhaps"]
    assert A_QUIZ.plain.index("Answer: B.") > A_QUIZ.plain.index("Perhaps")


@pytest.mark.parametrize("wrong", [{"right": "D"}, {"options": ("Yes", "No")}, {"why": ()}])
def test_an_incomplete_quiz_is_refused(wrong):
    with pytest.raises(ValueError, match="three options"):
        Quiz(**{"question": "q", "options": ("a", "b", "c"), "right": "A", "why": ("d", "e", "f"), **wrong})


def test_an_unknown_quiz_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="no quiz 'juggling'; there are"):
        quiz("juggling")


@pytest.mark.parametrize("number", NUMBERS)
def test_every_quiz_stands_once_in_its_notebook_and_the_letters_are_mixed(number):
    (source,) = notebooks.sources([number])
    asked = [cell.source for cell in template.code_cells(notebooks.read_source(source)) if "quiz(" in cell.source]
    texts = of_notebook(number)
    assert sorted(f'quiz("{name}")' for name in texts) == sorted(line for line in asked if line.startswith("quiz("))
    assert len({text.right for text in texts.values()}) >= 2


def test_no_letter_and_no_length_gives_the_answer_away():
    letters = Counter(text.right for text in quizzes().values())
    assert all(letters[letter] >= len(quizzes()) / 5 for letter in LETTERS)
    longest = [max(LETTERS, key=lambda x: len(text.options[LETTERS.index(x)])) for text in quizzes().values()]
    given_away = sum(letter == text.right for letter, text in zip(longest, quizzes().values(), strict=True))
    assert given_away <= len(quizzes()) / 2


def test_a_quiz_and_a_source_are_shown_as_page_and_as_text(monkeypatch):
    shown = []
    monkeypatch.setattr(display, "display", lambda data, raw: shown.append(data))
    quiz(next(iter(quizzes())))
    plots.source(Quiz)
    for data, word in zip(shown, ("Answer", "class Quiz"), strict=True):
        assert "<details>" in data["text/html"] and word in data["text/plain"]
