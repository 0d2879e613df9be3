"""Sheets of a space of three edges: every cell at its place, and what is refused."""

import re

import pytest

from nas_tutorial import spaces
from nas_tutorial.pictures import blocks

TINY = spaces.get("tiny")


def written(picture):
    """The numbers in the tiles, row by row from top to bottom, each row from left to right."""
    found = re.findall(r'<text x="(\d+)" y="(\d+)">([\d.]+)</text>', picture.svg)
    return [text for _, _, text in sorted(found, key=lambda one: (int(one[1]), int(one[0])))]


def test_a_number_stands_in_its_block_row_and_column():
    table = written(blocks.numbers(TINY, range(125), "Numbers", "All numbers."))
    expected = [25 * block + 5 * row + column for row in range(5) for block in range(5) for column in range(5)]
    assert table == [str(number) for number in expected]


def test_numbers_are_written_as_asked_and_large_ones_stand_on_a_darker_ground():
    picture = blocks.numbers(TINY, [0.25] * 124 + [1], "Shares", "Shares.", form="{:.2f}")
    assert written(picture).count("0.25") == 124 and written(picture)[-1] == "1.00"
    shades = re.findall(r'<path d="M([^"]*)" fill="(#\w+)"/>', picture.svg)
    (many, light), (one, dark) = sorted(shades, key=lambda shade: -shade[0].count("z"))
    assert many.count("z") == 124 and one.count("z") == 1 and int(dark[1:3], 16) < int(light[1:3], 16)


def test_every_cell_is_an_arch_and_idle_edges_are_grey():
    svg = blocks.arches(TINY, "All", "All cells.").svg
    lines = {(colour, width): path.count("M") for path, colour, width in re.findall(LINE, svg)}
    assert len(lines) == 6 and sum(lines.values()) == 3 * 125
    idle = sum(edge.operation != "zero" for cell in TINY.enumerate() for edge in cell.dead_edges["cell"])
    assert lines["#767676", "1"] == idle


LINE = r'<path d="([^"]*)" stroke="(#\w+)" stroke-width="([\d.]+)" fill="none"'


@pytest.mark.parametrize("draw", [blocks.arches, lambda *args: blocks.numbers(args[0], range(125), *args[1:])])
def test_a_sheet_says_what_it_shows_and_names_every_operation(draw):
    picture = draw(TINY, "A < B", "What it shows")
    assert 'aria-label="What it shows"' in picture.svg and picture.alt == "What it shows"
    assert "A &lt; B" in picture.svg and all(picture.svg.count(name) >= 3 for name in TINY.operations)


def test_other_spaces_and_missing_values_are_refused():
    with pytest.raises(ValueError, match="three edges, such as tiny; a cell of nasbench201 has 6"):
        blocks.arches(spaces.get("nasbench201"), "", "x")
    with pytest.raises(ValueError, match="one value for each of the 125 cells of tiny; got 3"):
        blocks.numbers(TINY, [1, 2, 3], "", "x")
