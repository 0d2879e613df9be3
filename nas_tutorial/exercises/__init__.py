"""Exercises of the notebooks: write a function under `@exercise`, then `check`, `hint` or `solution`.

One module per notebook (`nb02.py` for notebook 02) holds a tuple `EXERCISES`; `frame.py` says what an exercise is.
"""

from nas_tutorial.exercises.frame import Attempt, Exercise, Mistake, check, compare, exercise, expect, hint, solution

__all__ = ["Attempt", "Exercise", "Mistake", "check", "compare", "exercise", "expect", "hint", "solution"]
