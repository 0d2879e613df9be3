"""The build of notebook 01: rarer mistakes, and draws that are fair in every seed."""

import random

import pytest

from nas_tutorial.exercises import nb01_build_answers as answers
from nas_tutorial.exercises.frame import catalogue

SURVEY = catalogue()["survey"]


@pytest.mark.parametrize(("part", "answer"), answers.RARER.items(), ids=answers.RARER)
def test_rarer_mistakes_are_named(part, answer):
    assert part in (SURVEY.mistake(answer) or "it was taken for right")


def test_every_known_formula_is_tried():
    assert set(answers.FORMULAS) <= answers.WRONG.keys() | answers.RARER.keys()


@pytest.mark.parametrize("seed", range(20))
def test_fair_draws_are_right_whatever_numbers_come(seed):
    def shifted(nodes, operations, rng, draws):
        return answers.survey(nodes, operations, random.Random(rng.random() + seed), draws)

    assert SURVEY.mistake(shifted) is None
