"""Widgets, driven as a reader drives them: by setting values and pressing buttons."""

import html

import ipywidgets
import pytest
import torch

from nas_tutorial import spaces, training
from nas_tutorial.pictures import drawing, widgets


def samples(name="darts", n=3):
    generator = torch.Generator().manual_seed(0)
    return [spaces.get(name).sample(generator) for _ in range(n)]


def page(box):
    assert isinstance(box.children[-1], ipywidgets.HTML)
    return html.unescape(box.children[-1].value.replace("<wbr>", ""))


def shows(box, architecture):
    return drawing.svg(architecture) in box.children[-1].value and str(architecture) in page(box)


def test_view_shows_what_render_makes_of_the_values():
    number, word = ipywidgets.IntSlider(2), ipywidgets.Text("a")
    box = widgets.view(lambda n, w: f"<p>{w * n}</p>", n=number, w=word)
    assert page(box) == "<p>aa</p>" and box.children[:-1] == (number, word)
    number.value, word.value = 3, "b"
    assert page(box) == "<p>bbb</p>"


def test_view_shows_a_complaint_in_place_of_the_picture_and_recovers():
    def root(n):
        if n < 0:
            raise ValueError("n < 0 has no root")
        return f"{n**0.5}"

    number = ipywidgets.IntSlider(4, -9, 9)
    box = widgets.view(root, n=number)
    number.value = -1
    assert "n &lt; 0 has no root" in box.children[-1].value
    number.value = 9
    assert page(box) == "3.0"


@pytest.mark.parametrize("name", sorted(spaces.BY_NAME))
def test_browse_pages_through_architectures(name):
    architectures = samples(name)
    box = widgets.browse(architectures)
    back, forth, slider = box.children[0].children
    assert shows(box, architectures[0]) and "Architecture 1 of 3" in page(box)
    forth.click()
    assert slider.value == 2 and shows(box, architectures[1])
    slider.value = 3
    assert shows(box, architectures[2]) and "Architecture 3 of 3" in page(box)
    forth.click()
    assert slider.value == 3
    for _ in range(3):
        back.click()
    assert slider.value == 1 and shows(box, architectures[0])
    count = training.count_parameters(architectures[0].space.network(architectures[0]))
    assert f"{count:,} parameters" in page(box)


def test_browse_says_which_cell_is_dead():
    dead, live = (
        spaces.Tiny().parse(text) for text in ("|zero~0|+|zero~0|conv_3x3~1|", "|zero~0|+|conv_3x3~0|skip~1|")
    )
    box = widgets.browse([dead, live])
    assert "architecture is dead: no path leads" in page(box)
    box.children[0].children[2].value = 2
    assert "is dead" not in page(box)


def test_browse_shows_scores_and_leaves_parameters_out_if_told():
    box = widgets.browse(samples(), scores=[0.5, 0.625, 0.7], parameters=None)
    box.children[0].children[2].value = 2
    assert "Accuracy 62.5 %" in page(box) and "parameters" not in page(box)


def test_browse_wants_architectures_and_as_many_scores():
    with pytest.raises(ValueError, match="at least one architecture"):
        widgets.browse([])
    with pytest.raises(ValueError, match="3 architectures and 1 scores"):
        widgets.browse(samples(), scores=[0.5])


@pytest.mark.parametrize("space", [spaces.Tiny(), spaces.NASBench201()])
def test_explore_cell_follows_every_menu(space):
    box = widgets.explore_cell(space, space.architecture([0] * len(space.decisions)))
    menus, choices = box.children[:-1], [0] * len(space.decisions)
    assert len(menus) == len(choices) and shows(box, space.architecture(choices))
    for i, menu in enumerate(menus):
        menu.label = space.operations[1 + i % 4]
        choices[i] = 1 + i % 4
        assert shows(box, space.architecture(choices))
    assert f"One of {space.size:,} cells" in page(box) and "parameters" in page(box)


def test_the_menus_are_named_after_the_ends_of_their_edges():
    names = [menu.description for menu in widgets.explore_cell(spaces.Tiny(nodes=3)).children[:-1]]
    assert names == ["input → node 1", "input → output", "node 1 → output"]


def test_explore_cell_refuses_spaces_with_more_than_one_cell():
    with pytest.raises(ValueError, match="darts.*browse"):
        widgets.explore_cell(spaces.DARTS())


def test_counting_parameters_leaves_the_auxiliary_head_out_and_draws_no_random_numbers():
    before = torch.get_rng_state()
    assert widgets.count_parameters(spaces.DARTS(channels=36, cells=20).parse("DARTS_V2")) == 3_349_342  # as published
    assert torch.equal(before, torch.get_rng_state())
