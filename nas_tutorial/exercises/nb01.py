"""Exercises of notebook 01, Draw a space of networks."""

import random
from math import comb, prod
from typing import Any

import numpy as np

from nas_tutorial.exercises import nb01_answers as answers
from nas_tutorial.exercises.cases import judge, returned
from nas_tutorial.exercises.frame import Exercise, expect


# --- spell ------------------------------------------------------------------------------------------------------------
def test_spell(function):
    rng = random.Random(0)
    cases = [tuple(rng.sample(answers.OPERATIONS, 3)) for _ in range(6)]

    def read(answer, case):
        returned(answer, case)
        expect(isinstance(answer, str), f"{case} it returns {answer!r}, which is no text")
        return answer.replace(" ", "").strip()

    got = [read(function(*case), f"for {', '.join(case)}") for case in cases]
    expect("{" not in got[0], "arguments: braces are filled in only if an f stands before the quotation mark")
    expect(len(set(got)) > 1, f"arguments: it gives {got[0]!r} for any operations; put the arguments in")
    judge(function, answers.spell, answers.SPELLED, cases, read=read)


# --- decode -----------------------------------------------------------------------------------------------------------
def plain(answer: Any, case: str) -> Any:
    """A tuple of ints, from whatever holds them: a tuple, a list, an array, a generator."""
    returned(answer, case)
    whole = isinstance(answer, int | float | str)
    expect(not whole, f"{case} it returns {answer!r}; return one answer for each decision, in a tuple or a list")
    choices = list(answer)
    expect(not any(isinstance(choice, str) for choice in choices), f"{case} it gives texts, {choices}; give numbers")
    whole = all(choice == int(choice) for choice in choices)
    expect(whole, f"whole numbers: {case} it gives {choices}; // divides without a rest, % is the rest")
    return tuple(int(choice) for choice in choices)


def test_decode(function):
    rng = random.Random(0)
    cases = [(0, (2, 3, 4)), (23, (2, 3, 4)), (1, (5, 5, 5))]
    for length in (3, 3, 4, 6):
        options = tuple(rng.randint(2, 7) for _ in range(length))
        cases.append((rng.randrange(prod(options)), options))
    judge(function, answers.decode, answers.DECODED, cases, first_division, read=plain)


def first_division(number, options):
    """The way to `decode`."""
    left, rest = divmod(number, options[-1])
    return f"{number} divided by the {options[-1]} options of the last decision is {left}, and {rest} is left over"


# --- darts_size -------------------------------------------------------------------------------------------------------
def test_darts_size(function):
    rng = random.Random(0)
    cases = [(2, 3), (4, 7), (1, 4), *((rng.randint(2, 4), rng.randint(3, 6)) for _ in range(3))]
    judge(function, answers.darts_size, answers.SIZES, cases, choices_of_nodes)


def choices_of_nodes(nodes, operations):
    """The way to `darts_size`."""
    pairs = " and ".join(f"{comb(k + 2, 2)} for node {k}" for k in range(nodes))
    cell = answers.darts_size(nodes, operations) ** 0.5
    return (
        f"pairs of inputs: {pairs}; ways to put operations on a pair: {operations**2}; there are {cell:,.0f} normal "
        "cells"
    )


# --- sees -------------------------------------------------------------------------------------------------------------


def test_sees(function):
    cases = [(a, b, c) for a in answers.OPERATIONS for b in answers.OPERATIONS for c in answers.OPERATIONS]
    random.Random(0).shuffle(cases)
    judge(function, answers.sees, answers.VIEWS, cases, sides)


def sides(first, second, third):
    """The way to `sees`."""
    direct, over = (round(answers.sees(*cell) ** 0.5) for cell in (("zero", second, "zero"), (first, "zero", third)))
    return " and ".join(
        f"{road} sees {f'a square of side {side}' if side else 'nothing'}"
        for road, side in (("0 → 2", direct), ("0 → 1 → 2", over))
    )


# --- all of them ------------------------------------------------------------------------------------------------------


EXERCISES = (
    Exercise(
        answers.spell,
        test_spell,
        title="Spell a cell",
        difficulty=1,
        minutes=3,
        hints=(
            "Look at the printed cell above: one group per node, the groups joined by a plus sign.",
            "Two edges enter node 2: the first of them leaves the input, the other one node 1.",
            'An f-string does it: f"|{first}~0|+…|".',
        ),
        wrong=answers.SPELLED
        | {
            "which is no text": lambda first, second, third: [f"{first}~0", f"{second}~0", f"{third}~1"],
            "it returns nothing": lambda first, second, third: None,
            "for any operations": lambda first, second, third: "|skip~0|+|zero~0|conv_1x1~1|",
            "only if an f stands": lambda first, second, third: "|{first}~0|+|{second}~0|{third}~1|",
            "is right": lambda first, second, third: f"|{first}->0|+|{second}->0|{third}->1|",
        },
        right=(
            lambda first, second, third: "|" + first + "~0| + |" + second + "~0|" + third + "~1|",
            lambda first, second, third: "|%s~0|+|%s~0|%s~1|" % (first, second, third),  # noqa: UP031
        ),
    ),
    Exercise(
        answers.decode,
        test_decode,
        title="Find a cell by its number",
        difficulty=2,
        minutes=5,
        hints=(
            "How do you find the digits of 125 when you can only divide? The last digit is the rest of 125 / 10.",
            "divmod(number, count) gives what is left for the other decisions, and the answer to this one.",
            "Begin with the last decision, collect the answers, and turn the list around at the end.",
        ),
        wrong=answers.DECODED
        | {
            "it returns nothing": lambda number, options: print(end=""),
            "one answer for each decision": lambda number, options: number // 5,
            "whole numbers:": lambda number, options: tuple(number / prod(options[i + 1 :]) for i in range(3)),
            "is right": lambda number, options: tuple(int(d) for d in f"{number:0{len(options)}d}")[: len(options)],
        },
        right=(
            answers.lists_of_answers,
            lambda number, options: (choice for choice in answers.decode(number, options)),
            lambda number, options: np.array(answers.decode(number, options)),
            lambda number, options: np.unravel_index(number, options),
        ),
    ),
    Exercise(
        answers.darts_size,
        test_darts_size,
        title="Count the space of DARTS",
        difficulty=2,
        minutes=5,
        hints=(
            "Begin with one node: how many pairs of inputs, and how many operations for each edge?",
            "math.comb(k + 2, 2) counts the pairs that node k may read. Multiply over the nodes.",
            "The normal and the reduction cell are chosen independently of each other.",
        ),
        wrong=answers.SIZES
        | {
            "it returns nothing": lambda nodes, operations: None,
            "returns 2 numbers": lambda nodes, operations: [comb(k + 2, 2) * operations**2 for k in range(nodes)],
            "is right": lambda nodes, operations: (nodes * operations) ** 2,
        },
        right=(
            lambda nodes, operations: float(answers.darts_size(nodes, operations)),
            lambda nodes, operations: prod((k + 2) * (k + 1) // 2 * operations**2 for k in range(nodes)) ** 2.0,
        ),
    ),
    Exercise(
        answers.sees,
        test_sees,
        title="Say what a cell sees",
        difficulty=2,
        minutes=6,
        hints=(
            "Two roads lead to the output: 0 → 2 directly, and 0 → 1 → 2. Find the side of the square that each sees.",
            "A skip and a 1×1 have side 1, pool and 3×3 side 3. In a row: side + side − 1. A zero closes its road.",
            "Both squares have the same middle, so the larger one holds the smaller: take the maximum, and square it.",
        ),
        wrong=answers.VIEWS
        | {
            "it returns nothing": lambda first, second, third: None,
            "returns 2 numbers": lambda first, second, third: (5, 5),
            "is right": lambda first, second, third: 9,
        },
        right=(answers.searched_views, lambda first, second, third: float(answers.sees(first, second, third))),
    ),
)
