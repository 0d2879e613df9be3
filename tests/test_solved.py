"""Notebooks with their exercises solved, rightly and wrongly, run to the end; `make solved` runs these tests.

A notebook runs once with all reference solutions: the cells that an answer can change, and those they need; the
others come out as without answers, when the references stand in, and `make test` runs them so. Then, in the same
kernel, the stubs are replaced by other known answers, and what depends on them runs again: nothing that a student
writes may stop a notebook.
"""

import ast
from functools import cache
from symtable import symtable

import pytest

from nas_tutorial.exercises.frame import catalogue
from tools import notebooks, template

WITH_EXERCISES = [source for source in notebooks.sources() if "\n@exercise\n" in source.read_text(encoding="utf-8")]


def exercises_of(source):
    """The exercises of a notebook, in the catalogue's order."""
    return [one for one in catalogue().values() if one.notebook == source.stem[:2]]


def write(cells, answers):
    """Put lines, by the name of the exercise, in place of the stubs; return the names of the exercises met."""
    met = []
    for cell in cells:
        if "@exercise" in cell.source:
            lines = cell.source.splitlines()
            (stub,) = (node for node in ast.parse(cell.source).body if getattr(node, "decorator_list", None))
            lines[stub.decorator_list[0].lineno - 1 : stub.end_lineno] = answers[stub.name]
            cell.source = "\n".join(lines)
            met.append(stub.name)
    return met


def references(exercises):
    """Lines that define each exercise by its solution."""
    return {one.name: ["@exercise", *one.source.splitlines()] for one in exercises}


@cache
def names(text):
    """The global names that a cell needs, in its functions, too, and those that it gives a value."""
    table = symtable(text.replace("%pip", "# %pip"), "cell", "exec")
    given = {name.get_name() for name in table.get_symbols() if name.is_assigned() or name.is_imported()}
    return {*used(table)} - own(text), given


def used(table):
    """The global names that a scope refers to; a function's own names hide those of the same spelling."""
    for name in table.get_symbols():
        if name.is_referenced() and (name.is_global() or table.get_type() == "module"):
            yield name.get_name()
    for inner in table.get_children():
        yield from used(inner)


def affected(cells, wanted, kind):
    """The cells that may come out otherwise with answers of this kind to the exercises of these names.

    Behind a wrong answer the reference stands in, so only the cells that call it themselves can tell the difference.
    What a right one returns may be of another type, so the cells that go on with it are among them, too.
    """
    tainted, found = set(wanted), []
    for cell in cells:
        uses, given = names(cell.source)
        if uses & tainted or ("@exercise" in cell.source and given & set(wanted)):
            found.append(cell)
            tainted |= given if kind == "right" else set()
        else:
            tainted -= given
    return found


def needed(cells, targets):
    """The targets, and what they are made from: the cells before them that give a name that they use, or change it."""
    wanted, found = set(), []
    for cell in reversed(cells):
        uses, given = names(cell.source)
        if cell in targets or wanted & (given | changed(cell.source)):
            found.insert(0, cell)
            wanted = (wanted - given) | uses
    return found


@cache
def changed(text):
    """The global names whose values a cell changes in place: a method is called on them, or a part is set."""
    nodes = [*ast.walk(parsed(text))]
    calls = [node.value.func for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    parts = [one for one in nodes if isinstance(one, ast.Attribute | ast.Subscript) and isinstance(one.ctx, ast.Store)]
    return {node.value.id for node in [*calls, *parts] if isinstance(getattr(node, "value", None), ast.Name)}


@cache
def own(text):
    """The names that a cell gives a value before it uses them."""
    first = {}
    for name, is_given in in_order(parsed(text)):
        first.setdefault(name, is_given)
    return {name for name, is_given in first.items() if is_given}


def in_order(node):
    """(name, whether it is given a value) as a program comes upon them: what is assigned before the names it gets."""
    if isinstance(node, ast.Name):
        yield node.id, isinstance(node.ctx, ast.Store)
    elif isinstance(node, ast.alias | ast.FunctionDef | ast.ClassDef):
        yield (getattr(node, "asname", None) or node.name).split(".")[0], True
    for inner in sorted(ast.iter_child_nodes(node), key=lambda one: given_last(node, one)):
        yield from in_order(inner)


def given_last(node, inner):
    """Whether a part of a statement comes after the others: names of an assignment, what stands in a loop."""
    late = node.targets if isinstance(node, ast.Assign) else getattr(node, "body", ())
    return isinstance(late, list) and inner in late


def parsed(text):
    return ast.parse(text.replace("%pip", "# %pip"))


def known(name, kind, number):
    """Lines that define an exercise by one of its known answers: kind "wrong" or "right"."""
    return [
        "from nas_tutorial.exercises.frame import catalogue",
        f'answers = catalogue()["{name}"].{kind}',
        f"answer = list(answers.values() if hasattr(answers, 'values') else answers)[{number}]",
        f"def {name}(*args, answer=answer, **named):",
        "    return answer(*args, **named)",
        f"{name} = exercise({name})",
    ]


def rounds(exercises):
    """(kind, number of the answer, names of the exercises that have one), until each known answer had its turn."""
    for kind in ("wrong", "right"):
        counts = {one.name: len(getattr(one, kind)) for one in exercises}
        for number in range(max(counts.values())):
            yield kind, number, {name for name, count in counts.items() if number < count}


def said(cells):
    """What cells printed."""
    return "\n".join(output.text for cell in cells for output in cell.outputs if "text" in output)


@pytest.mark.solved
@pytest.mark.parametrize("source", WITH_EXERCISES, ids=lambda source: source.stem)
def test_a_notebook_runs_with_every_known_answer_and_its_checks_say_what_they_are(source):
    notebook, exercises = notebooks.read_source(source), exercises_of(source)
    met = write(template.code_cells(notebook), references(exercises))
    assert sorted(met) == sorted(one.name for one in exercises)
    cells = template.code_cells(notebook)
    notebook.cells = needed(cells, affected(cells, met, "right"))
    with notebooks.executed(notebook) as client:
        for name in met:
            assert f"✓ {name} is right" in said(template.code_cells(notebook)), f"check({name}) is not content"
        before = set()
        for kind, number, answered in rounds(exercises):
            again = affected(template.code_cells(notebooks.read_source(source)), answered | before, kind)
            write(again, references(exercises) | {name: known(name, kind, number) for name in answered})
            for cell in again:
                client.nb.cells.append(cell)
                client.execute_cell(cell, len(client.nb.cells) - 1)
            for name in answered:
                message = list(catalogue()[name].wrong)[number] if kind == "wrong" else f"✓ {name} is right"
                assert message in said(again), f"check says something else to the {kind} answer {number} of {name}"
            before = answered
