"""Recorded numbers: the first is always computed, the others are believed only while it comes out again."""

import json

import numpy as np
import pytest

from nas_tutorial.measures.recalled import RECORDS, Recalled, recalled
from nas_tutorial.settings import fitting, read_json
from tools import notebooks


class Squares:
    """Squares of items, which are counted; shift: what has changed in the code."""

    def __init__(self, shift=0.0):
        self.shift, self.asked = shift, []

    def __call__(self, item):
        self.asked.append(item)
        return [item**2 + self.shift, 1 / 3]


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_TUTORIAL_RECORD", "1")
    recalled("squares", Squares(), range(3), folder=tmp_path)
    monkeypatch.delenv("NAS_TUTORIAL_RECORD")
    return tmp_path


EXPECTED = np.array([[0, 1 / 3], [1, 1 / 3], [4, 1 / 3]])


def test_only_the_first_is_computed(written, capsys):
    squares = Squares()
    assert np.allclose(recalled("squares", squares, range(3), folder=written), EXPECTED, atol=1e-6)
    assert squares.asked == [0]
    assert "seed 0 computed here, 1, 2 read" in capsys.readouterr().out


def test_many_items_are_counted_in_the_line(tmp_path, monkeypatch, capsys):
    for writing in (True, False):
        monkeypatch.setenv("NAS_TUTORIAL_RECORD", "1" if writing else "")
        recalled("squares", Squares(), range(50), folder=tmp_path)
    assert "seed 0 computed here, the other 49 read" in capsys.readouterr().out


@pytest.mark.parametrize("shift, asked", [(0.01, [0]), (0.03, [0, 1, 2])])
def test_all_are_computed_where_the_first_differs(written, shift, asked, capsys):
    squares = Squares(shift)
    found = recalled("squares", squares, range(3), folder=written)
    assert squares.asked == asked and found[0, 0] == shift
    assert (found[2, 0] == 4 + shift) == (len(asked) == 3) == ("so all are computed" in capsys.readouterr().out)


@pytest.mark.parametrize("shift, asked", [(1.0, [0]), (3.0, [0, 1, 2])])
def test_elsewhere_the_first_may_differ_as_much_as_the_items_do(written, shift, asked):
    """The spread of 0, 1, 4 and of three times ⅓ is 0.85 on average; the first number alone is shifted."""
    file = written / "squares.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"versions": record["versions"] | {"processor": "another one"}}))
    squares = Squares(shift)
    recalled("squares", squares, range(3), folder=written)
    assert squares.asked == asked


def test_items_that_the_record_does_not_know_are_computed_too(written, capsys):
    squares = Squares()
    found = recalled("squares", squares, [5, 2, 3, 1], folder=written)
    assert found[:, 0].tolist() == [25, 4, 9, 1] and squares.asked == [2, 5, 3]  # 2 is compared with its record
    assert "seed 5, 2, 3 computed here, 1 read" in capsys.readouterr().out
    squares = Squares(shift=9)
    assert recalled("squares", squares, [5, 2, 1], folder=written)[:, 0].tolist() == [34, 13, 10]


def test_numbers_of_another_shape_are_computed(written):
    assert recalled("squares", lambda item: [item], range(3), folder=written).shape == (3, 1)


def test_without_a_file_all_are_computed_and_none_is_written(tmp_path):
    assert np.allclose(recalled("squares", Squares(), range(3), folder=tmp_path), EXPECTED)
    assert list(tmp_path.iterdir()) == []


def test_a_file_says_how_it_came_about_and_is_checked(written):
    file = written / "squares.json"
    record = fitting(Recalled, read_json(file), "squares")
    assert record["items"] == ["0", "1", "2"] and {"torch", "python"} <= {*record["versions"]}
    file.write_text(json.dumps(record | {"more": 1}))
    with pytest.raises(ValueError, match="more"):
        recalled("squares", Squares(), range(3), folder=written)


def test_what_is_not_finite_is_not_recorded(tmp_path):
    with pytest.raises(ValueError, match="squares.*NaN"):
        recalled("squares", lambda item: float("nan"), range(3), folder=tmp_path)


def test_every_record_is_whole_and_used_by_its_notebook():
    for file in RECORDS.glob("*.json"):
        record = fitting(Recalled, read_json(file), file.name)
        assert len(record["items"]) == len(record["values"]) > 1
        (source,) = notebooks.sources([file.stem[:2]])
        assert f'recalled("{file.stem}"' in source.read_text(encoding="utf-8")


def test_every_notebook_finds_the_file_it_names():
    named = {name for source in notebooks.sources() for name in _names(source.read_text(encoding="utf-8"))}
    assert named == {file.stem for file in RECORDS.glob("*.json")}


def _names(text):
    return [part.split('"')[1] for part in text.split("recalled(")[1:] if part.lstrip().startswith('"')]
