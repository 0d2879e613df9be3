"""Every notebook with exercises runs from top to bottom with all of them solved; `make solved` runs these tests."""

import ast

import pytest

from nas_tutorial.exercises.frame import catalogue
from tools import notebooks, template

WITH_EXERCISES = [source for source in notebooks.sources() if "\n@exercise\n" in source.read_text(encoding="utf-8")]


def solve(notebook):
    """Write every solution where its stub stands; return the names of the exercises."""
    solved = []
    for cell in template.code_cells(notebook):
        if "@exercise" in cell.source:
            lines = cell.source.splitlines()
            (stub,) = (node for node in ast.parse(cell.source).body if getattr(node, "decorator_list", None))
            lines[stub.lineno - 1 : stub.end_lineno] = catalogue()[stub.name].source.splitlines()
            cell.source = "\n".join(lines)
            solved.append(stub.name)
    return solved


@pytest.mark.solved
@pytest.mark.parametrize("source", WITH_EXERCISES, ids=lambda source: source.stem)
def test_a_solved_notebook_runs_and_every_check_is_content(source):
    notebook = notebooks.read_source(source)
    solved = solve(notebook)
    assert solved
    assert solved == [one.name for one in catalogue().values() if one.notebook == source.stem[:2]]
    notebooks.execute(notebook)
    said = [output.text for cell in template.code_cells(notebook) for output in cell.outputs if "text" in output]
    for name in solved:
        assert any(text.startswith(f"✓ {name}") for text in said), f"check({name}) is not content"
