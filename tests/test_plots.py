"""Figures: alt text, size, titles that state what the numbers say, colours of the operations."""

import base64
import io
import re
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from matplotlib import pyplot
from matplotlib.figure import Figure
from PIL import Image

from nas_tutorial import spaces
from nas_tutorial.pictures import plots
from nas_tutorial.pictures.drawing import COLOURS, MARKERS


@dataclass
class Event:
    """What the figures read of an event of a search."""

    epoch: int
    loss: float
    validation_accuracy: float
    architecture: spaces.Architecture
    probabilities: dict | None = None


def history(space, accuracies, favourite=None):
    """Events in which the option `favourite` of every question ends up likeliest."""
    generator, events = torch.Generator().manual_seed(0), []
    for epoch, accuracy in enumerate(accuracies):
        alphas = {name: torch.zeros(shape) for name, shape in space.alpha_shapes.items()}
        for alpha in alphas.values():
            alpha[:, (favourite or 0) % alpha.shape[1]] = epoch
        found = favourite is not None and {name: p.tolist() for name, p in space.probabilities(alphas).items()}
        events.append(Event(epoch, 2.3 - epoch / 10, accuracy, space.sample(generator), found or None))
    return events


def title(figure):
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left")


def texts(figure):
    return [text for text in figure.findobj(lambda artist: hasattr(artist, "get_fontsize")) if text.get_text().strip()]


def content(element):
    return base64.b64decode(re.search(r'src="data:image/png;base64,([^"]+)"', element).group(1))


@pytest.fixture
def figures():
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (16, 3, 32, 32), dtype=np.uint8)
    return {
        "curves": plots.curves({name: history(spaces.Tiny(), [0.1, 0.5]) for name in ("DARTS", "ENAS")}),
        "alphas": plots.alphas_over_time(history(spaces.DARTS(), [0.1, 0.5], favourite=3), "reduce"),
        "scatter": plots.ranking_scatter(generator.random(50), generator.random(50)),
        "bars": plots.bars_with_bands(["one", "two"], [0.5, 0.6], [0.1, 0.02], points=[[0.4, 0.6], [0.58, 0.62]]),
        "pictures": plots.picture_sheet(noise, [0, 1] * 8, ["cat", "dog"]),
    }


# --- showing ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("alt", ["", "   "])
def test_a_figure_without_alt_text_is_refused(alt):
    with pytest.raises(ValueError, match="alt text"):
        plots.show(Figure(), alt)


def test_show_displays_an_image_with_the_alt_text_and_closes_the_figure(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    figure, axes = pyplot.subplots(figsize=(4, 3))
    axes.plot([1, 2])
    plots.show(figure, 'A line that "rises"')
    assert 'alt="A line that &quot;rises&quot;"' in shown[0].data and 'width="384"' in shown[0].data
    assert content(shown[0].data).startswith(b"\x89PNG")
    assert not pyplot.fignum_exists(figure.number)


def test_every_figure_fits_into_80_kB_in_large_letters(figures):
    for name, figure in figures.items():
        assert title(figure), name
        assert min(text.get_fontsize() for text in texts(figure)) >= 11, name
        assert len(plots.html(figure, "A figure")) <= 80_200, name


def test_a_figure_full_of_noise_is_drawn_with_fewer_dots():
    figure = Figure(figsize=(6, 4))
    figure.subplots().imshow(np.random.default_rng(0).random((600, 900, 3)))
    drawn = plots.png(figure)
    assert len(drawn) <= plots.LIMIT and Image.open(io.BytesIO(drawn)).width < 144 * 6
    with pytest.raises(ValueError, match="more than 1000"):
        plots.png(figure, limit=1000)


def test_a_figure_is_the_same_every_time():
    def draw():
        return plots.png(plots.ranking_scatter([0.1, 0.2, 0.3], [0.1, 0.3, 0.2]))

    assert draw() == draw()


def test_the_style_ends_with_its_block():
    before = pyplot.rcParams["font.size"]
    with plots.style():
        assert pyplot.rcParams["font.size"] == 12
    assert pyplot.rcParams["font.size"] == before


# --- the figures ------------------------------------------------------------------------------------------------------
def test_curves_draw_every_search_and_say_which_ends_highest():
    space = spaces.Tiny()
    figure = plots.curves({"DARTS": history(space, [0.1, 0.9, 0.4]), "ENAS": history(space, [0.2, 0.6])})
    assert title(figure) == "ENAS ends highest, at 60 % of the validation pictures"
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in right.lines] == [[10, 90, 40], [20, 60]]
    assert [line.get_label() for line in left.lines] == ["DARTS", "ENAS"]
    assert len({line.get_color() for line in right.lines}) == len({line.get_marker() for line in right.lines}) == 2
    assert title(plots.curves({"DARTS": history(space, [0.5])}, title="mine")) == "mine"


def test_alphas_over_time_has_a_panel_an_edge_and_a_line_an_operation():
    space = spaces.NASBench201()
    figure = plots.alphas_over_time(history(space, [0.1] * 4, favourite=1))
    assert title(figure) == "skip_connect ends likeliest on 6 of 6 edges"
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert titles == ["0 → 1", "0 → 2", "1 → 2", "0 → 3", "1 → 3", "2 → 3"]
    for panel in figure.axes:
        assert [line.get_label() for line in panel.lines] == list(space.operations)
        assert [line.get_color() for line in panel.lines] == [COLOURS[op] for op in space.operations]
        assert [line.get_marker() for line in panel.lines] == [MARKERS[op] for op in space.operations]
        assert panel.lines[1].get_ydata()[-1] == pytest.approx(np.exp(3) / (np.exp(3) + 4))


@pytest.mark.parametrize(
    ("space", "name", "panels", "labels", "first"),
    [
        (spaces.DARTS(), "normal", 14, spaces.DARTS.operations, "0 → 2"),
        (spaces.ENASMacro(layers=5), "op", 5, spaces.ENASMacro.operations, "layer 1"),
        (spaces.ENASMacro(layers=5), "skip", 10, ("no skip", "skip"), "choice 1"),
        (spaces.ENASMicro(), "normal.op", 10, spaces.ENASMicro.operations, "choice 1"),
        (spaces.ENASMicro(), "reduce.input", 10, tuple(f"input {i}" for i in range(6)), "choice 1"),
    ],
)
def test_alphas_over_time_of_every_table(space, name, panels, labels, first):
    figure = plots.alphas_over_time(history(space, [0.1, 0.2], favourite=1), name)
    visible = [panel for panel in figure.axes if panel.get_visible()]
    assert len(visible) == panels and visible[0].get_title(loc="left") == first
    assert title(figure).endswith(f"on {panels} of {panels} {'edges' if '→' in first else first[:-2] + 's'}")
    assert tuple(line.get_label() for line in visible[0].lines) == labels


def test_alphas_over_time_needs_probabilities():
    with pytest.raises(ValueError, match="no probabilities"):
        plots.alphas_over_time(history(spaces.Tiny(), [0.1]))


def test_the_scatter_states_kendalls_tau():
    figure = plots.ranking_scatter([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.4, 0.3])  # 5 pairs alike, 1 not: τ = 4/6
    assert title(figure) == "Kendall's τ = 0.67 over 4 architectures"
    assert figure.axes[0].collections[0].get_offsets()[3].tolist() == pytest.approx([40, 30])
    with pytest.raises(ValueError, match="got 2 and 1"):
        plots.ranking_scatter([1, 2], [1])


def test_bars_are_ordered_and_say_whether_the_bands_tell_the_first_two_apart():
    close = plots.bars_with_bands(["a", "b", "c"], [0.5, 0.6, 0.1], [0.08, 0.03, 0.01])
    assert title(close) == "b and a are too close to call: their bands overlap"
    assert [bar.get_width() for bar in close.axes[0].patches] == pytest.approx([10, 50, 60])
    assert [label.get_text() for label in close.axes[0].get_yticklabels()] == ["c", "a", "b"]
    assert {"60 ± 3", "50 ± 8", "10 ± 1"} <= {text.get_text() for text in texts(close)}
    assert title(plots.bars_with_bands(["a", "b"], [0.5, 0.6], [0.02, 0.03])) == "b leads"
    with pytest.raises(ValueError, match="2 names, 1 means and 2 deviations"):
        plots.bars_with_bands(["a", "b"], [0.5], [0.1, 0.1])


def test_bars_show_the_single_runs_beside_their_own_bar():
    figure = plots.bars_with_bands(["a", "b"], [0.5, 0.3], [0.1, 0.1], points=[[0.4, 0.6], [0.2, 0.4]])
    runs = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [(line.get_xdata().tolist(), line.get_ydata()[0]) for line in runs] == [([20, 40], 0), ([40, 60], 1)]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_sheet_shows_every_picture_with_its_class(channels):
    images = torch.arange(5 * channels * 4 * 4).reshape(5, channels, 4, 4).to(torch.uint8)
    figure = plots.picture_sheet(images, torch.tensor([0, 1, 0, 1, 1]), ["cat", "dog"], columns=3)
    filled = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in filled] == ["cat", "dog", "cat", "dog", "dog"]
    for axes, picture in zip(filled, images, strict=True):
        assert np.array_equal(np.atleast_3d(axes.images[0].get_array()), picture.permute(1, 2, 0).numpy())
