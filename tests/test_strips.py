"""Film strips of probabilities: which epochs, which squares, how large."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from nas_tutorial import spaces
from nas_tutorial.pictures.probabilities import questions
from nas_tutorial.pictures.strips import SIDE, film_strip, policy_bars, policy_svg, squares
from nas_tutorial.pictures.style import COLOURS
from nas_tutorial.strategies.results import Event

TINY = spaces.Tiny()
ROWS = [[0.5, 0.5, 0, 0, 0], [0, 0, 1, 0, 0], [0.2] * 5]


def history(epochs):
    """Events with probabilities."""
    cell = TINY.architecture([0, 1, 2])
    return [Event(e + 1, epochs, 0.0, 0.0, 0.0, cell, probabilities={"cell": ROWS}) for e in range(epochs)]


def test_areas_are_probabilities_in_the_operations_colours():
    axes = Figure().subplots()
    squares(axes, ROWS, questions(TINY, "cell"))
    filled = [patch for patch in axes.patches if patch.get_facecolor()[3]]
    areas = [patch.get_width() * patch.get_height() for patch in filled]
    assert areas == pytest.approx([SIDE**2 * p for row in ROWS for p in row])
    centres = [patch.get_center() for patch in filled]
    assert [tuple(c) for c in centres] == [pytest.approx((x, y)) for y in range(3) for x in range(5)]
    from matplotlib.colors import to_hex

    assert [to_hex(p.get_facecolor()).upper() for p in filled[:5]] == [COLOURS[o].upper() for o in TINY.operations]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "s", "a", "1", "3"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0 → 1", "0 → 2", "1 → 2"]


def test_bars_are_sorted_by_reward_and_squares_are_marginals():
    rng = np.random.default_rng(0)
    pi, rewards = rng.dirichlet(np.ones(125)), rng.random(125)
    left, right = policy_bars(TINY, rewards, pi, "A policy").axes
    heights = [bar.get_height() for bar in right.patches]
    assert heights == pytest.approx([p for _, p in sorted(zip(rewards, pi, strict=True))])
    areas = [p.get_width() * p.get_height() / SIDE**2 for p in left.patches if p.get_facecolor()[3]]
    cube = pi.reshape(5, 5, 5)
    assert areas == pytest.approx([*cube.sum((1, 2)), *cube.sum((0, 2)), *cube.sum((0, 1))])


def test_svg_shows_the_same_marginals_and_order():
    rng = np.random.default_rng(0)
    pi, rewards = rng.dirichlet(np.ones(125)), rng.random(125)
    drawing = ElementTree.fromstring(policy_svg(TINY, rewards, pi, "A <policy>"))
    assert drawing.attrib["aria-label"] == "A <policy>"
    sizes = [(float(r.attrib["width"]), float(r.attrib["height"])) for r in drawing.iter() if r.tag.endswith("rect")]
    cube = pi.reshape(5, 5, 5)
    marginals = [*cube.sum((1, 2)), *cube.sum((0, 2)), *cube.sum((0, 1))]
    assert [w * h / 44**2 for w, h in sizes[:15]] == pytest.approx(marginals, abs=0.003)
    heights = [p * 138 / 0.6 for _, p in sorted(zip(rewards, pi, strict=True))]
    bars, _ = [path.attrib["d"] for path in drawing.iter() if path.tag.endswith("path")]
    assert [float(h) for h in re.findall(r"v-([\d.]+)h", bars)] == pytest.approx(heights, abs=0.06)


@pytest.mark.parametrize(
    ("epochs", "frames", "shown"), [(11, 6, [1, 3, 5, 7, 9, 11]), (2, 6, [1, 2]), (1, 6, [1]), (9, 1, [1])]
)
def test_frames_are_evenly_chosen_from_first_to_last(epochs, frames, shown):
    figure = film_strip(history(epochs), frames=frames)
    assert [axes.get_title("left") for axes in figure.axes] == [f"epoch {epoch}" for epoch in shown]


def test_a_history_without_probabilities_is_a_clear_error():
    bare = [Event(1, 1, 0.0, 0.0, 0.0, TINY.architecture([0, 1, 2]))]
    for nothing in ([], bare):
        with pytest.raises(ValueError, match="no probabilities"):
            film_strip(nothing)
    with pytest.raises(ValueError, match="'cel'.*cell"):
        film_strip(history(2), "cel")
