"""Figures: alt text, size, titles that state what the numbers say, colours of the operations."""

import base64
import io
import re
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import pytest
import torch
from matplotlib import pyplot
from matplotlib.figure import Figure
from PIL import Image

from nas_tutorial import data, spaces
from nas_tutorial.pictures import images, plots
from nas_tutorial.pictures.drawing import COLOURS, MARKERS
from nas_tutorial.pictures.probabilities import questions
from nas_tutorial.strategies import darts, enas


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
        "lines": plots.lines(range(5), {"one": generator.random((5, 4))}, title="T", x_label="x", y_label="y"),
        "pictures": plots.picture_sheet(noise, [0, 1] * 8, ["cat", "dog"]),
    }


# --- showing ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("alt", ["", "   "])
def test_a_figure_without_alt_text_is_refused(alt):
    with pytest.raises(ValueError, match="alt text"):
        plots.show(Figure(), alt)


def shown(figure, alt):
    """What `show` hands to the notebook: (data, metadata)."""
    with pytest.MonkeyPatch.context() as patch:
        kept = {}
        patch.setattr("IPython.display.display", lambda data, **options: kept.update(data=data, **options))
        plots.show(figure, alt)
    assert kept["raw"]
    return kept["data"], kept["metadata"]


def test_show_displays_html_png_and_words_and_closes_the_figure():
    figure, axes = pyplot.subplots(figsize=(4, 3))
    axes.plot([1, 2])
    data, metadata = shown(figure, 'A line that "rises"')
    assert set(data) == {"text/html", "image/png", "text/plain"}
    assert 'alt="A line that &quot;rises&quot;"' in data["text/html"] and 'width="384"' in data["text/html"]
    assert content(data["text/html"]).startswith(b"\x89PNG")
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == 'A line that "rises"'
    assert metadata == {"image/png": {"alt": 'A line that "rises"', "width": 384}}
    assert not pyplot.fignum_exists(figure.number)


def test_every_figure_fits_into_87_kB_in_large_letters(figures):
    for name, figure in figures.items():
        assert title(figure), name
        assert min(text.get_fontsize() for text in texts(figure)) >= 11, name
        data, _ = shown(figure, "A figure")
        assert len(data["text/html"]) <= 60_200 and len(data["image/png"]) <= 26_700, name
        assert Image.open(io.BytesIO(content(data["text/html"]))).width >= 96 * figure.get_figwidth() - 1, name


def test_a_figure_whose_copy_would_be_too_large_is_shown_as_html_alone():
    figure = Figure(figsize=(6, 4))
    figure.subplots().imshow(np.random.default_rng(0).random((600, 900, 3)))
    data, metadata = shown(figure, "Noise")
    assert set(data) == {"text/html", "text/plain"} and metadata == {}


def test_a_figure_full_of_noise_is_drawn_with_fewer_dots():
    figure = Figure(figsize=(6, 4))
    figure.subplots().imshow(np.random.default_rng(0).random((600, 900, 3)))
    drawn = plots.png(figure)
    assert len(drawn) <= images.LIMIT and Image.open(io.BytesIO(drawn)).width < 144 * 6
    with pytest.raises(ValueError, match="more than 1000"):
        plots.png(figure, limit=1000)


def test_as_many_colours_as_fit_are_kept():
    picture = Image.fromarray(np.arange(30_000, dtype=np.uint8).reshape(100, 100, 3))
    drawn = io.BytesIO()
    picture.save(drawn, "PNG")
    sizes = [len(images.palette(drawn.getvalue(), colours)) for colours in images.COLOURS]
    assert sizes[0] > sizes[1] > sizes[2]
    assert [len(images.small_png(lambda dpi: drawn.getvalue(), limit)) for limit in sizes] == sizes


def test_lines_have_few_colours_and_pictures_many():
    words = {"title": "T", "x_label": "x", "y_label": "y"}
    noise = np.random.default_rng(0).integers(0, 256, (8, 3, 16, 16), dtype=np.uint8)
    figures = plots.lines([0, 1], {"one": [0, 1]}, **words), plots.picture_sheet(noise, [0] * 8, ["cat"])
    few, many = (len(Image.open(io.BytesIO(plots.png(figure))).getcolors()) for figure in figures)
    assert few <= 32 < 64 < many


def test_the_difference_of_pictures_is_a_mean():
    drawn = []
    for level in (10, 13):
        Image.new("RGB", (4, 4), (level, 0, 0)).save(made := io.BytesIO(), "PNG")
        drawn.append(made.getvalue())
    assert images.difference(*drawn) == 1 and images.difference(drawn[0], drawn[0]) == 0


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


INPUTS = ("input 0", "input 1", "node 2", "node 3", "node 4", "node 5")
PAIRS = tuple(f"{a} and {b}" for a, b in combinations(range(5), 2))
MACRO = spaces.ENASMacro(layers=5)
TABLES = [  # space, table, number of panels, title of the first and of the last, options of the last, what is counted
    (spaces.Tiny(nodes=3), "cell", 3, "0 → 1", "1 → 2", spaces.Tiny.operations, "edges"),
    (spaces.NASBench201(), "cell", 6, "0 → 1", "2 → 3", spaces.NASBench201.operations, "edges"),
    (spaces.DARTS(), "normal", 14, "0 → 2", "4 → 5", spaces.DARTS.operations, "edges"),
    (spaces.DARTS(), "reduce.inputs", 4, "node 2, inputs", "node 5, inputs", PAIRS, "choices"),
    (spaces.DARTS(), "reduce.op", 8, "node 2, first", "node 5, second", spaces.DARTS().choosable, "choices"),
    (MACRO, "op", 5, "layer 1", "layer 5", MACRO.operations, "layers"),
    (MACRO, "skip", 10, "stem → 2", "3 → 5", ("no skip", "skip"), "edges"),
    (spaces.ENASMicro(), "normal.op", 10, "node 2, op a", "node 6, op b", spaces.ENASMicro.operations, "choices"),
    (spaces.ENASMicro(), "reduce.input", 10, "node 2, input a", "node 6, input b", INPUTS, "choices"),
]


@pytest.mark.parametrize(("of", "table", "number", "first", "last", "options", "counted"), TABLES)
def test_alphas_over_time_of_every_table(of, table, number, first, last, options, counted):
    figure = plots.alphas_over_time([event_of(of, epoch) for epoch in range(3)], table)
    panels = [panel for panel in figure.axes if panel.get_visible()]
    titles = [panel.get_title(loc="left") for panel in panels]
    assert (len(titles), titles[0], titles[-1]) == (number, first, last)
    lines = panels[-1].lines
    assert tuple(line.get_label() for line in lines) == options
    assert len({(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines}) == len(options)
    assert title(figure).startswith(f"{options[0]} ends likeliest on {number} of {number} {counted}")
    every = {(line.get_label(), line.get_color(), line.get_linestyle()) for panel in panels for line in panel.lines}
    assert len(every) == len(options)  # an option looks the same in all panels, and as the legend says
    legend = figure.legends[0]
    named = zip(legend.get_texts(), legend.get_lines(), strict=True)
    assert {(text.get_text(), line.get_color(), line.get_linestyle()) for text, line in named} == every


def event_of(space, epoch):
    """An event with the tables of both strategies; the first option of every question becomes likeliest."""
    event = history(space, [0.1] * (epoch + 1), favourite=0)[-1]
    rows = [(torch.arange(len(d.options)) * -float(epoch)).softmax(0).tolist() for d in space.decisions]
    event.probabilities |= space.tabulate(rows)
    return event


def test_the_lines_show_the_columns_of_their_own_question():
    space = spaces.ENASMicro(nodes=3)
    generator = torch.Generator().manual_seed(0)
    rows = [torch.rand(len(d.options), generator=generator).tolist() for d in space.decisions]
    event = history(space, [0.1])[0]
    event.probabilities = space.tabulate(rows)
    for table in event.probabilities:
        panels = [panel for panel in plots.alphas_over_time([event], table).axes if panel.get_visible()]
        wanted = [row for row, d in zip(rows, space.decisions, strict=True) if d.table == table]
        drawn = [[float(line.get_ydata()[0]) for line in panel.lines] for panel in panels]
        assert drawn == [pytest.approx(row) for row in wanted]  # node 2 has two inputs: no lines of zeros


QUICK = {"updates": 1, "samples": 2, "candidates": 2}


@pytest.mark.parametrize("search", [darts.search, partial(enas.search, **QUICK)], ids=["darts", "enas"])
def test_every_table_that_a_search_keeps_can_be_plotted(search, space):
    few = data.load("strokes", per_class=8, test_per_class=1)
    (event,) = search(space, few, epochs=1)
    for table, rows in event.probabilities.items():
        asked = questions(space, table)
        assert len(asked) == len(rows)
        for question, row in zip(asked, rows, strict=True):
            assert sum(row[: len(question.options)]) == pytest.approx(1, abs=1e-5)
            assert not any(row[len(question.options) :])
        assert plots.alphas_over_time([event], table).axes


def test_an_unknown_table_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="'normal'; expected one of cell"):
        plots.alphas_over_time(history(spaces.Tiny(), [0.1], favourite=1), "normal")


def test_panels_without_one_below_them_have_an_axis_of_their_own():
    panels = plots.alphas_over_time([event_of(spaces.DARTS(), 1)], "normal.inputs").axes[:4]
    labels = [panel.get_xlabel() for panel in panels]
    assert labels == ["", "epoch", "epoch", "epoch"]


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


def test_lines_are_means_of_runs_with_a_mark_for_each_run_and_levels_are_named():
    runs = np.array([[1.0, 3.0], [4.0, 8.0], [0.0, 2.0]])
    words = {"title": "T", "x_label": "x", "y_label": "y"}
    axes = plots.lines([0, 1, 2], {"runs": runs, "single": [1, 2, 3]}, levels={"chance": 0.5}, **words).axes[0]
    mean, *each, single, level = axes.lines
    assert mean.get_ydata().tolist() == [2, 6, 1] and len(each) == 2
    assert all(line.get_linestyle() == "None" and line.get_color() == mean.get_color() for line in each)
    assert single.get_ydata().tolist() == [1, 2, 3] and level.get_ydata()[0] == 0.5
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["runs", "single", "chance"]
