"""The build of notebook 02: rarer mistakes are named, and a half-written loop passes the steps that it has."""

import inspect

import pytest

from nas_tutorial.exercises import nb02_build_answers as answers
from nas_tutorial.exercises import watching
from nas_tutorial.exercises.frame import catalogue

BUILD = catalogue()["train_table"]


@pytest.mark.parametrize("part", answers.RARER)
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_rarer_mistakes_are_named(part):
    assert part in (BUILD.mistake(answers.RARER[part]) or "it was taken for right")


STOPS = {  # the line after which the loop is not written yet → steps passed
    "network = new_network(cell)": 1,
    "loss = cross_entropy(network(images[batch]), labels[batch])": 2,
    "optimiser.step()": 3,
    "schedule.step()": 4,
    "answers = network(new_images).argmax(1)": 5,
    "return table": 6,
}


@pytest.mark.parametrize(("last", "steps"), STOPS.items())
def test_a_half_written_loop_passes_the_steps_that_it_has(last, steps):
    lines = inspect.getsource(answers.train_table).splitlines()
    end = next(i for i, line in enumerate(lines) if line.strip().startswith(last))
    names = dict(vars(answers))
    exec("\n".join(lines[: end + 1]), names)
    passed, mistake = BUILD.judge(names["train_table"])
    assert len(passed) == steps and (mistake is None) == (steps == 6)


def test_nothing_is_taken_from_where_nothing_was_given():
    """The spies find what they were shown: each epoch's pictures, the steps, and the networks of all pairs."""
    seen = watching.watched(answers.train_table, ("a", "b"), (1, 2))
    assert [(t.cell, t.seed) for t in seen.trainings] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert all(len(t.steps) == watching.STEPS * watching.RECIPE.epochs for t in seen.trainings)
    assert seen.table.shape == (2, 2)
