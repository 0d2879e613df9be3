"""Curves with bands, and estimates as dots."""

import numpy as np
import pytest

from nas_tutorial.pictures.spreads import bands, dots


def test_a_band_goes_from_the_lowest_run_to_the_highest_around_their_mean():
    runs = np.array([[0.0, 1.0, 2.0], [1.0, 3.0, 8.0]])
    (axes,) = bands({"ours": runs, "theirs": runs[:1]}, "step", "value", "Ours rises", ylim=(0, 10)).axes
    ours, theirs = axes.lines
    assert ours.get_ydata() == pytest.approx(runs.mean(0)) and theirs.get_ydata() == pytest.approx(runs[0])
    (band,) = axes.collections  # one run alone has none
    edge = band.get_paths()[0].vertices
    assert edge[:, 1].min() == 0 and edge[:, 1].max() == 8
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ours", "theirs"]
    assert axes.get_ylim() == (0, 10) and axes.get_title("left") == "Ours rises"
    assert ours.get_linestyle() != theirs.get_linestyle() and ours.get_marker() != theirs.get_marker()


def test_dots_show_some_values_and_the_mean_of_all():
    values = np.arange(200.0)
    figure = dots({"a": {"one": values, "two": values[:3]}, "b": {"one": values}}, 1.0, "estimate")
    left, right = figure.axes
    some, mean, few, _, target = left.lines
    assert len(some.get_ydata()) == 80 and len(few.get_ydata()) == 3
    assert list(mean.get_ydata()) == [values.mean()] * 2
    assert list(target.get_ydata()) == [1.0, 1.0]
    assert [label.get_text() for label in left.get_xticklabels()] == ["one", "two"]
    assert right.get_title("left") == "b" and left.get_ylabel() == "estimate"
