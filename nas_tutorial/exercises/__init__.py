"""Exercises of the notebooks: write a function under `@exercise`, then `check`, `hint` or `solution`; and quizzes.

`nb02.py` judges the exercises of notebook 02, `nb02_build.py` what is built there; each holds a tuple `EXERCISES`.
Their answers, the reference first, and the mistakes that are known by name, are in `nb02_answers.py` and
`nb02_build_answers.py` where they are many. `frame.py` says what an exercise is, `cases.py` how answers
are judged, `quiz.py` what a quiz is.
"""

from nas_tutorial.exercises.cases import compare
from nas_tutorial.exercises.frame import Attempt, Exercise, Mistake, check, exercise, expect, hint, solution
from nas_tutorial.exercises.quiz import quiz

__all__ = ["Attempt", "Exercise", "Mistake", "check", "compare", "exercise", "expect", "hint", "quiz", "solution"]
