"""Choose every decision of a space, and see what comes of it."""

import re
from collections.abc import Callable

import torch
from ipywidgets import HTML, HBox, Label, Layout, ToggleButton, VBox, Widget

from nas_tutorial.measures.tables import Table
from nas_tutorial.pictures.probabilities import in_words, title
from nas_tutorial.pictures.widgets import words
from nas_tutorial.pictures.widgets.edges import edge_table
from nas_tutorial.pictures.widgets.frame import button, figure, show, toggles
from nas_tutorial.pictures.widgets.guessing import Guess
from nas_tutorial.pictures.widgets.stage import picture
from nas_tutorial.spaces import Architecture, Space


def explore_space(
    space: Space, start: Architecture | None = None, *, table: Table | None = None, seed: int = 0
) -> VBox:
    """Choose each decision of any space by toggle buttons: see the cell, its notation, parameters and multiply-adds.

    start: the architecture to begin with, else one with many operations. table: where accuracy and rank are read; the
    tiny space has one of its own, and one can guess before the rank is shown. seed: of the buttons "Random" and "Mutate
    one decision". "Edges in figures" tells what each edge gives out, weighs, costs and sees.
    """
    table, page, generator = table or words.table_of(space), HTML(), torch.Generator().manual_seed(seed)
    edges = ToggleButton(description="Edges in figures", layout=Layout(width="auto"))
    edges.observe(lambda _: panel.changed(), names="value")
    guess = Guess(table, lambda: panel.changed()) if table else None

    def render() -> str:
        architecture = space.architecture(panel.choices)
        known = guess.said_of(architecture) if guess else ""
        line = f"One of {count(space)}: {words.in_words(architecture, work=True)}{known}"
        return figure(picture(architecture), line, lines=4) + (edge_table(architecture) if edges.value else "")

    def mutate() -> None:
        decision = int(torch.randint(len(panel.choices), (), generator=generator))
        options = len(space.decisions[decision].options)
        by = 1 + int(torch.randint(max(options - 1, 1), (), generator=generator))
        panel.show(space.architecture(panel.choices).mutated(decision, (panel.choices[decision] + by) % options))

    panel = Panel(space, start or colourful(space), lambda: show(page, render))
    show(page, render)
    chance = [
        button("Random", lambda: panel.show(space.sample(generator))),
        button("Mutate one decision", mutate),
        edges,
    ]
    return VBox(
        [panel.box, HBox(chance, layout=Layout(flex_flow="row wrap")), *(guess.controls if guess else []), page]
    )


def colourful(space: Space) -> Architecture:
    """An architecture with many operations: the last option of the first decision, the one before of the second, …"""
    return space.architecture([-k % len(d.options) for k, d in enumerate(space.decisions, start=1)])


def count(space: Space) -> str:
    """How many architectures there are, in words."""
    what = "cells" if list(colourful(space).cells) == ["cell"] else "architectures"
    return f"{space.size:,} {what}" if space.size < 1e9 else f"{space.size:.1e} {what}"


class Panel:
    """Toggle buttons for the decisions of a space: all of a cell, else those of one node or layer at a time.

    choices: the answers, in the order of the decisions; changed: called after each change. The box is `box`.
    """

    def __init__(self, space: Space, start: Architecture, changed: Callable[[], None]):
        self.space, self.choices, self.changed = space, list(start.choices), changed
        self.controls: dict[int, Widget] = {}
        self.titles = titles(start)
        parts = parts_of(space)
        self._rows = VBox()
        self.part = toggles(
            [(name, tuple(numbers)) for name, numbers in parts.items()], tuple(parts[next(iter(parts))])
        )
        self.part.observe(lambda _: self._show_rows(), names="value")
        self.box = VBox([self.part, self._rows] if len(parts) > 1 else [self._rows])
        self._show_rows()

    def show(self, architecture: Architecture) -> None:
        """Put all controls where an architecture has them, and tell of it once."""
        self.choices, changed, self.changed = list(architecture.choices), self.changed, lambda: None
        for number, control in self.controls.items():
            control.value = type(control.value)(self.choices[number])
        self.changed = changed
        changed()

    def _show_rows(self) -> None:
        """The controls of the chosen part; answers of two options stand side by side."""
        numbers = self.part.value
        skips = [n for n in numbers if self.space.decisions[n].table == "skip"]
        rows = [self._control(n) for n in numbers if n not in skips]
        look = Layout(flex_flow="row wrap", align_items="center")
        names = Label("adds the output of", layout=Layout(width="9em"))
        self._rows.children = rows + ([HBox([names, *map(self._control, skips)], layout=look)] if skips else [])

    def _control(self, number: int) -> Widget:
        if number not in self.controls:
            decision, choice = self.space.decisions[number], self.choices[number]
            if decision.table == "skip":
                name = self.titles[number].partition(" →")[0]
                control = ToggleButton(value=bool(choice), description=name, layout=Layout(width="auto"))
            else:
                options = [(in_words(option), i) for i, option in enumerate(decision.options)]
                control = toggles(options, choice, self.titles[number])
            control.observe(lambda change: self._answer(number, int(change["new"])), names="value")
            self.controls[number] = control
        return self.controls[number]

    def _answer(self, number: int, choice: int) -> None:
        self.choices[number] = choice
        self.changed()


def titles(architecture: Architecture) -> list[str]:
    """Each decision in words; those of a single cell by the ends of their edges."""
    names = [title(decision.name) for decision in architecture.space.decisions]
    if list(architecture.cells) != ["cell"]:
        return [name.partition(", ")[2] or name for name in names]
    return [f"{edge.source} → {edge.target}" for edge in architecture.cells["cell"].edges]


def parts_of(space: Space) -> dict[str, list[int]]:
    """The numbers of the decisions that belong together: of a cell with one table, of a node, or of a layer."""
    parts: dict[str, list[int]] = {}
    for number, decision in enumerate(space.decisions):
        parts.setdefault(_part(decision.name), []).append(number)
    return parts


def _part(name: str) -> str:
    if found := re.fullmatch(r"(\w+)\.(\d+)\.\w+", name):
        return f"{found[1]} node {int(found[2]) + 2}" if not found[1].isdigit() else f"layer {int(found[1]) + 1}"
    if found := re.match(r"(\d+)\.", name):
        return f"layer {int(found[1]) + 1}"
    return "cell"
