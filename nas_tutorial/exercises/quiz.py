"""Quiz questions: three options, and the answer folded. Their texts are in `quizzes/NN.toml`, one file a notebook."""

import html
import re
import textwrap
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LETTERS = "ABC"
LIST = '<ol type="A" style="list-style-type:upper-alpha">'  # Jupyter's style sheet overrules the type
TEXTS = Path(__file__).parent / "quizzes"


@dataclass(frozen=True)
class Quiz:
    """A question with three options. right: the letter of the right one; why: for each option, why (not)."""

    question: str
    options: tuple[str, str, str]
    right: str
    why: tuple[str, str, str]

    def __post_init__(self) -> None:
        if self.right not in LETTERS or not len(self.options) == len(self.why) == len(LETTERS):
            raise ValueError(f"A quiz has three options, A, B and C, and a reason for each: {self.question!r} has not.")

    @property
    def page(self) -> str:
        """As HTML: the answer opens with a click."""
        options = "".join(f"<li>{marked_up(option)}</li>" for option in self.options)
        reasons = "".join(f"<li>{'<b>Yes.</b> ' * (x == self.right)}{marked_up(y)}</li>" for x, y in self._reasons)
        return (
            f'<div role="group" style="border-left:4px solid #0072B2;padding-left:1em"><p><b>Quiz.</b> '
            f"{marked_up(self.question)}</p>{LIST}{options}</ol><details><summary>Answer</summary>"
            f"<p>{self.right} is right.</p>{LIST}{reasons}</ol></details></div>"
        )

    @property
    def plain(self) -> str:
        """As text: the answer stands at the end."""
        options = (f"  {letter}. {option}" for letter, option in zip(LETTERS, self.options, strict=True))
        reasons = (f"  {letter}. {reason}" for letter, reason in self._reasons)
        lines = [f"Quiz. {self.question}", *options, "", f"Answer: {self.right}.", *reasons]
        return "\n".join(textwrap.fill(line, 100, subsequent_indent="     " * line.startswith("  ")) for line in lines)

    @property
    def _reasons(self) -> list[tuple[str, str]]:
        return list(zip(LETTERS, self.why, strict=True))


def marked_up(text: str) -> str:
    """Text as HTML, with `code` in fixed width."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


@cache
def quizzes() -> dict[str, Quiz]:
    """All quiz questions by name."""
    found: dict[str, Quiz] = {}
    for notebook in (of_notebook(path.stem) for path in sorted(TEXTS.glob("*.toml"))):
        if twice := found.keys() & notebook.keys():
            raise ValueError(f"Two quizzes have the name {', '.join(sorted(twice))}; a name says which one is meant.")
        found |= notebook
    return found


def of_notebook(number: str) -> dict[str, Quiz]:
    """The quiz questions of a notebook, such as "02", by name."""
    read = tomllib.loads((TEXTS / f"{number}.toml").read_text(encoding="utf-8"))
    return {
        name: Quiz(text["question"], tuple(text["options"]), text["right"], tuple(text["why"]))
        for name, text in read.items()
    }


def quiz(name: str) -> None:
    """Show a quiz question: a page whose answer is folded, and for viewers without pages a text.

    Raises ValueError for an unknown name.
    """
    from IPython.display import display

    if name not in quizzes():
        raise ValueError(f"There is no quiz {name!r}; there are {', '.join(quizzes())}.")
    shown = quizzes()[name]
    display({"text/html": shown.page, "text/plain": shown.plain}, raw=True)
