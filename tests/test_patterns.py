"""What a check adds where a wrong number is explained by no known mistake."""

import pytest

from nas_tutorial import exercises
from nas_tutorial.exercises.patterns import pattern, unexplained

RIGHT = [0.3, 2.7, 41.5]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x: -x, "right but for its sign"),
        (lambda x: 1 - x, "1 minus that"),
        (lambda x: x**2, "the square of that"),
        (lambda x: 7 * x, "7 times that"),
        (lambda x: x / 3, "divided by 3"),
        (lambda x: 0.37 * x, "0.37 times that"),
        (lambda x: x + 1, "1 too large"),
        (lambda x: x - 0.25, "0.25 too small"),
        (lambda x: round(x), "rounded to 0 digits"),
        (lambda x: 5.0, "the same in every case"),
    ],
)
def test_what_all_answers_share_is_named(wrong, words):
    assert words in pattern([wrong(x) for x in RIGHT], RIGHT)


def test_nothing_is_claimed_where_one_case_does_not_fit():
    assert pattern([-0.3, -2.7, 41.5], RIGHT) == "" and pattern([1.234], [5.0]) == ""
    assert pattern([3.0], [0.0]) == "" and pattern([float("nan")], [2.0]) == ""


def test_a_comparison_says_it():
    with pytest.raises(exercises.Mistake, match="for 2 it gives -8, but 8 is right: it is right but for its sign"):
        exercises.compare(-8.0, 8.0, {}, "for 2")


@pytest.mark.parametrize(
    ("got", "right", "words"),
    [
        (0.22500001, 0.225, "it gives 0.22500001, but 0.225 is right"),
        (59049.5, 59049, "it gives 59,049.5, but 59,049 is right"),
        ((1, 2), [0.25, 3], "it gives (1, 2), but [0.25, 3] is right"),
        (float("nan"), 2.0, "it gives nan, but 2 is right"),
    ],
)
def test_numbers_are_written_with_as_many_digits_as_tell_them_apart(got, right, words):
    assert unexplained("for 2", got, right) == f"for 2 {words}"


def test_the_way_is_a_sentence_of_its_own():
    assert unexplained("for 2", 5, 8, ": it is odd", "2³ is 8").endswith(
        "8 is right: it is odd. The way there: 2³ is 8"
    )
