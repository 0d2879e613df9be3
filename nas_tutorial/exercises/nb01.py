"""Exercises of notebook 01, Draw a space of networks."""

import random
from collections.abc import Callable, Mapping, Sequence
from math import comb, prod
from typing import Any

import numpy as np

from nas_tutorial.exercises import nb01_answers as answers
from nas_tutorial.exercises.frame import Exercise, expect, near
from nas_tutorial.exercises.patterns import pattern


def diagnose(
    function: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Sequence[tuple],
    mistakes: Mapping[str, Callable[..., Any]],
    read: Callable[[Any, str], Any],
) -> None:
    """Raise `Mistake` unless a function is right in all cases: in the words of a wrong one that agrees in all of them.

    mistakes: sentence → wrong function. read: makes an answer comparable, given it and the case in words; it may raise
    `Mistake`, too.
    """
    got = [read(function(*case), f"for {', '.join(map(repr, case))}") for case in cases]
    right = [reference(*case) for case in cases]
    for sentence, wrong in mistakes.items():
        expect(got == right or got != [wrong(*case) for case in cases], sentence)
    numbers = all(isinstance(answer, int | float) for answer in (*got, *right))
    seen = pattern(got, right) if numbers else ""
    for case, answer, wanted in zip(cases, got, right, strict=True):
        expect(answer == wanted, f"for {', '.join(map(repr, case))} it gives {answer!r}, but {wanted!r} is right{seen}")


def returned(answer: Any, case: str) -> Any:
    """The answer, where there is one."""
    expect(answer is not None, f"{case} it returns nothing; is there a `return`?")
    return answer


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
    diagnose(function, answers.spell, cases, answers.SPELLED, read)


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
    diagnose(function, answers.decode, cases, answers.DECODED, plain)


class Size(float):
    """A size of a space; two are equal if they differ by rounding only, such as that of a float."""

    def __eq__(self, other):
        return near(self / max(1, other), other / max(1, other), 1e-9)

    __hash__ = float.__hash__

    def __repr__(self):
        return f"{float(self):,.0f}" if self < 1e12 else f"{float(self):.4g}"


def size_of(answer: Any, case: str) -> Size:
    """A number to compare."""
    returned(answer, case)
    expect(not isinstance(answer, str), f"{case} it returns the text {answer!r}; return a number")
    expect(not hasattr(answer, "__len__"), f"{case} it returns {answer!r}; return one number, the product of all")
    return Size(answer)


def test_darts_size(function):
    rng = random.Random(0)
    cases = [(2, 3), (4, 7), (1, 4), *((rng.randint(2, 4), rng.randint(3, 6)) for _ in range(3))]
    diagnose(function, answers.darts_size, cases, answers.SIZES, size_of)


def pixels(answer: Any, case: str) -> Any:
    """A number to compare."""
    returned(answer, case)
    number = hasattr(answer, "__float__") and not isinstance(answer, bool)
    expect(number, f"{case} it returns {answer!r}; return a number of pixels")
    return float(answer) if float(answer) % 1 else int(answer)


def test_sees(function):
    cases = [(a, b, c) for a in answers.OPERATIONS for b in answers.OPERATIONS for c in answers.OPERATIONS]
    random.Random(0).shuffle(cases)
    diagnose(function, answers.sees, cases, answers.VIEWS, pixels)


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
            "return one number": lambda nodes, operations: [comb(k + 2, 2) * operations**2 for k in range(nodes)],
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
            "return a number of pixels": lambda first, second, third: (5, 5),
            "is right": lambda first, second, third: 9,
        },
        right=(answers.searched_views, lambda first, second, third: float(answers.sees(first, second, third))),
    ),
)
