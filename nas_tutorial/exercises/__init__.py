"""Exercises of the notebooks: write a function under `@exercise`, then `check`, `hint` or `solution`; and quizzes.

One module per notebook (`nb02.py` for notebook 02, and `nb02_build.py` where that grows long) holds a tuple
`EXERCISES`; `frame.py` says what an exercise is, `quiz.py` what a quiz is.
"""

from nas_tutorial.exercises.frame import Attempt, Exercise, Mistake, check, compare, exercise, expect, hint, solution
from nas_tutorial.exercises.quiz import quiz

__all__ = ["Attempt", "Exercise", "Mistake", "check", "compare", "exercise", "expect", "hint", "quiz", "solution"]
