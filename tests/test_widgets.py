"""Widgets, driven as a reader drives them: by setting values and pressing buttons."""

import html
import math
import os
import re
import time
from contextlib import contextmanager

import ipykernel
import ipywidgets
import pytest
import torch
from jupyter_client.manager import start_new_kernel
from packaging.version import Version

from nas_tutorial import data, spaces, strategies, training
from nas_tutorial.measures import describe, tables
from nas_tutorial.measures.edges import edge_figures
from nas_tutorial.pictures import drawing, widgets
from nas_tutorial.pictures.widgets import choosing, frame, sampling, watching, words
from nas_tutorial.pictures.widgets.edges import edge_table
from nas_tutorial.strategies import toy
from nas_tutorial.strategies.recordings import Recording
from tools.notebooks import ROOT


def samples(name="darts", n=3):
    generator = torch.Generator().manual_seed(0)
    return [spaces.get(name).sample(generator) for _ in range(n)]


def page(box):
    assert isinstance(box.children[-1], ipywidgets.HTML)
    return html.unescape(box.children[-1].value.replace("<wbr>", ""))


def shows(box, architecture):
    return drawing.svg(architecture) in box.children[-1].value and str(architecture) in page(box)


def controls(widget, kind):
    """All controls of a kind at or below a widget, by the words beside them."""
    found = {widget.description: widget} if isinstance(widget, kind) else {}
    for child in getattr(widget, "children", ()):
        found |= controls(child, kind)
    return found


def strokes():
    return data.load("strokes", seed=0, per_class=8, test_per_class=4)


TINY = spaces.Tiny(channels=2)
ONE_BATCH = {"batch_size": 16, "updates": 1, "samples": 4, "candidates": 2}
SEARCHES = {
    "darts": lambda: strategies.search(TINY, strokes(), "darts", epochs=2, batch_size=16),
    "enas": lambda: strategies.search(TINY, strokes(), "enas", epochs=2, **ONE_BATCH),
    "macro": lambda: strategies.search(
        spaces.ENASMacro(channels=2, layers=3), strokes(), "enas", epochs=2, **ONE_BATCH
    ),
}


@pytest.fixture(scope="module", params=["darts", "enas", "macro"])
def result(request, results):
    """A search of two epochs."""
    return results[request.param]


@pytest.fixture(scope="module")
def results():
    """Searches of two epochs by name."""
    return {name: search().result for name, search in SEARCHES.items()}


# --- frame ------------------------------------------------------------------------------------------------------------
def test_view_shows_what_render_makes_of_the_values():
    number, word = ipywidgets.IntSlider(2), ipywidgets.Text("a")
    box = widgets.view(lambda n, w: f"<p>{w * n}</p>", n=number, w=word)
    assert page(box).startswith("<p>aa</p>") and box.children[:-1] == (number, word)
    number.value, word.value = 3, "b"
    assert page(box).startswith("<p>bbb</p>")


@pytest.mark.parametrize(
    "error, message",
    [(ValueError("n < 0 has no root"), "n < 0 has no root"), (KeyError("a\nb"), "KeyError: 'a\\nb'")],
)
def test_an_error_takes_the_place_of_the_picture_in_one_line_and_the_widget_recovers(error, message):
    def root(n):
        if n < 0:
            raise error
        return f"{n**0.5}"

    number = ipywidgets.IntSlider(4, -9, 9)
    box = widgets.view(root, n=number)
    number.value = -1
    assert page(box) == f'<p role="alert"><b>{message}</b></p>'
    number.value = 9
    assert page(box).startswith("3.0")


def test_every_line_of_text_has_its_room_whatever_it_says():
    heights = {re.search(r"min-height:[\d.]+em", widgets.figure("", line, 3))[0] for line in ("", "a" * 200)}
    assert heights == {f"min-height:{3 * frame.LINE}em"}


# --- browse -----------------------------------------------------------------------------------------------------------
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


def test_browse_sorts_by_parameters_and_by_score():
    architectures, scores = samples("tiny", 6), [0.5, 0.9, 0.3, 0.7, 0.8, 0.6]
    box = widgets.browse(architectures, scores=scores)
    (order,) = controls(box, ipywidgets.ToggleButtons).values()
    assert shows(box, architectures[0])
    order.value = "accuracy"
    assert shows(box, architectures[1]) and "Architecture 1 of 6 by accuracy, number 2 as given" in page(box)
    order.value, slider = "parameters", box.children[0].children[2]
    seen = []
    for place in range(1, 7):
        slider.value = place
        seen.append(int(re.search(r"([\d,]+) parameters", page(box))[1].replace(",", "")))
    assert seen == sorted(map(words.count_parameters, architectures)) and len(set(seen)) > 2
    assert not controls(widgets.browse(architectures, parameters=None), ipywidgets.ToggleButtons)


def test_browse_wants_architectures_and_as_many_scores():
    with pytest.raises(ValueError, match="at least one architecture"):
        widgets.browse([])
    with pytest.raises(ValueError, match="3 architectures and 1 scores"):
        widgets.browse(samples(), scores=[0.5])


# --- explore_space ----------------------------------------------------------------------------------------------------
def answer_everything(box, space):
    """Change every decision by its own control; yields the answers after each change."""
    choices = list(choosing.colourful(space).choices)
    panel = box.children[0]
    part = panel.children[0] if len(panel.children) > 1 else None
    for name, numbers in choosing.parts_of(space).items():
        if part is not None:
            part.label = name
        rows = panel.children[-1].children
        found = [c for row in rows for c in getattr(row, "children", (row,)) if not isinstance(c, ipywidgets.Label)]
        assert len(found) == len(numbers)
        order = sorted(numbers, key=lambda n: space.decisions[n].table == "skip")
        for number, control in zip(order, found, strict=True):
            choices[number] = (choices[number] + 1) % len(space.decisions[number].options)
            control.value = type(control.value)(choices[number])
            yield choices


def test_explore_space_follows_every_decision(space):
    box = widgets.explore_space(space)
    assert shows(box, choosing.colourful(space))
    for choices in answer_everything(box, space):
        assert shows(box, space.architecture(choices))


def test_the_choices_of_explore_space_are_toggle_buttons_named_after_the_ends_of_their_edges():
    rows = widgets.explore_space(spaces.Tiny(nodes=3)).children[0].children[-1].children
    assert [row.description for row in rows] == ["input → node 1", "input → output", "node 1 → output"]
    assert all(isinstance(row, ipywidgets.ToggleButtons) for row in rows)


def test_explore_space_begins_where_it_is_told_and_chance_moves_it(space):
    start = space.architecture([0] * len(space.decisions))
    box = widgets.explore_space(space, start, seed=1)
    chance, mutate, _ = box.children[1].children
    assert shows(box, start)
    generator = torch.Generator().manual_seed(1)
    chance.click()
    expected = space.sample(generator)
    assert shows(box, expected)
    mutate.click()
    moved = next(
        n
        for n, d in enumerate(space.decisions)
        for k in range(len(d.options))
        if k != expected.choices[n] and shows(box, expected.mutated(n, k))
    )
    assert 0 <= moved < len(space.decisions)


def test_explore_space_tells_accuracy_and_rank_of_the_tiny_space():
    table = tables.tiny()
    box = widgets.explore_space(spaces.Tiny())
    for best_first, number in enumerate(table.mean().argsort()[::-1][:2], start=1):
        architecture = table.architectures[number]
        rows = box.children[0].children[-1].children
        for row, choice in zip(rows, architecture.choices, strict=True):
            row.value = choice
        assert f"{100 * table.mean()[number]:.1f} % (mean of 3 seeds), rank {best_first} of 125" in page(box)
    assert "rank" not in page(widgets.explore_space(spaces.NASBench201()))


def test_a_guess_is_locked_before_the_truth_is_shown():
    table, space = tables.tiny(), spaces.Tiny()
    ranked = [table.architectures[number] for number in table.mean().argsort()[::-1]]
    box = widgets.explore_space(space, ranked[0])
    first, quarter = box.children[2:4]
    assert "rank 1 of 125" in page(box) and quarter.layout.display == "none"
    first.value = True
    assert "rank" not in page(box).replace("ranking", "") and quarter.layout.display == ""
    quarter.label = "second"
    assert "rank 1 of 125" in page(box) and "You said second: not so. 0 of 1 right." in page(box)
    quarter.label = "best quarter"  # too late
    assert quarter.label == "second" and "0 of 1 right" in page(box)
    for row, choice in zip(box.children[0].children[-1].children, ranked[-1].choices, strict=True):
        row.value = choice
    assert quarter.value is None and "Guess in which quarter" in page(box)
    quarter.label = "last quarter"
    assert "You said last quarter: right. 1 of 2 right." in page(box)
    first.value = False
    assert "You said" not in page(box) and "rank" in page(box)


def test_edges_in_figures_are_those_of_the_architecture_shown(space):
    box = widgets.explore_space(space)
    *_, edges = box.children[1].children
    assert "<table>" not in page(box)
    edges.value = True
    assert page(box).count('<th scope="row"') == len(edge_figures(choosing.colourful(space)))


def test_the_table_of_edges_names_them_as_the_drawing_does_and_says_what_is_dead():
    table = edge_table(spaces.Tiny(channels=4, nodes=3).parse("|zero~0|+|conv_3x3~0|skip~1|"))
    assert table.count("(dead)") == 2 and "input → node 1" in table and "4×32×32" in table and "3×3" in table
    macro = spaces.ENASMacro(4, 3).parse("conv_3x3 + conv_3x3:0 + conv_5x5:10")
    assert "layer 3" in edge_table(macro) and "stem → 3" in edge_table(macro)


def test_size_and_work_are_those_of_the_network_and_draw_no_random_numbers(space):
    architecture = space.sample(torch.Generator().manual_seed(0))
    expected = describe.stand_alone(architecture)
    before = torch.get_rng_state()
    assert words.size_and_work(architecture) == (expected.parameters, expected.multiply_adds)
    assert torch.equal(before, torch.get_rng_state())


def test_counting_parameters_leaves_the_auxiliary_head_out_and_draws_no_random_numbers():
    before = torch.get_rng_state()
    assert widgets.count_parameters(spaces.DARTS(channels=36, cells=20).parse("DARTS_V2")) == 3_349_342  # as published
    assert torch.equal(before, torch.get_rng_state())


# --- small worlds -----------------------------------------------------------------------------------------------------
def test_explore_bilevel_draws_the_search_of_every_setting():
    box = widgets.explore_bilevel()
    sliders = controls(box, ipywidgets.FloatSlider)
    sliders["look ahead ξ"].value, sliders["start α"].value = 0.5, 3.0
    path = toy.search(0.5, start=(3.0, -2.0))
    assert f"at α = {path[-1][0]:.3f}, w = {path[-1][1]:.3f}" in page(box)
    assert f"as far right as α = {max(a for a, _ in path):.2f}" in page(box)
    before = box.children[-1].value
    sliders["rate of w"].value = 0.6
    assert box.children[-1].value != before


def test_explore_mixed_op_shows_the_softmax_and_the_blend():
    outputs = {"skip": torch.tensor([[1.0, -1.0]]), "conv_3x3": torch.tensor([[0.5, 0.0]])}
    box = widgets.explore_mixed_op(outputs, [2.0, 0.0])
    assert f"skip {100 / (1 + math.exp(-2)):.1f} %" in page(box)
    sliders = controls(box, ipywidgets.FloatSlider)
    sliders["temperature T"].value = 4.0
    assert f"conv_3x3 {100 / (1 + math.exp(0.5)):.1f} %" in page(box)
    sliders["α of conv_3x3"].value = 2.0
    assert "skip 50.0 %, conv_3x3 50.0 %" in page(box)
    with pytest.raises(ValueError, match="2 outputs and 1 α"):
        widgets.explore_mixed_op(outputs, [1.0])


def test_explore_mixed_op_has_an_example_of_its_own():
    assert set(controls(widgets.explore_mixed_op(), ipywidgets.FloatSlider)) == {
        "temperature T",
        *(f"α of {name}" for name in spaces.Tiny().operations),
    }


# --- what a search did ------------------------------------------------------------------------------------------------
def test_explore_alpha_plays_every_epoch_of_a_result_and_of_its_recording(result):
    for source in (result, Recording.of(result)):
        box = widgets.explore_alpha(source)
        slider = controls(box, ipywidgets.IntSlider)["epoch"]
        for event in reversed(result.history):
            slider.value = event.epoch
            assert f"Epoch {event.epoch}: loss {event.loss:.2f}" in page(box) and str(event.architecture) in page(box)
            for row in next(iter(event.probabilities.values())):
                assert f">{100 * max(row):.0f}</text>" in box.children[-1].value


def test_searches_without_probabilities_or_samples_are_refused(results):
    random = strategies.search(TINY, strokes(), "random", epochs=1, trial_epochs=1)
    with pytest.raises(ValueError, match="no probabilities"):
        widgets.explore_alpha(random.result)
    with pytest.raises(ValueError, match="no samples"):
        widgets.explore_samples(results["darts"])
    with pytest.raises(ValueError, match="is of tiny"):
        widgets.explore_macro(results["enas"])


def test_explore_macro_names_the_skips_of_the_chosen_layer(results):
    box = widgets.explore_macro(results["macro"])
    layer = controls(box, ipywidgets.ToggleButtons)["layer"]
    layer.value = 3
    last = results["macro"].history[-1].probabilities
    best = max(range(6), key=last["op"][2].__getitem__)
    assert f"Layer 3: {spaces.ENASMacro().operations[best]} {100 * max(last['op'][2]):.0f} %" in page(box)
    for name, row in zip(("stem", "layer 1"), last["skip"][1:3], strict=True):
        assert (f"{name} ({100 * row[1]:.0f} %)" in page(box)) == (row[1] > 0.5)


def test_explore_samples_shows_two_epochs_sorted_as_asked(results):
    box = widgets.explore_samples(results["enas"])
    history, slider = results["enas"].history, controls(box, ipywidgets.IntSlider)["sample"]
    controls(box, ipywidgets.ToggleButtons)["sort by"].value = "reward"
    slider.value = 2
    for event in history:
        second = sorted(event.samples, key=lambda s: -s.reward)[1]
        assert f"Epoch {event.epoch}, sample 2 of {len(event.samples)}: log π {second.log_prob:.3f}" in page(box)
        assert str(TINY.architecture(second.choices)) in page(box)
        others = [sample.reward for sample in event.samples if sample is not second]
        assert f"R − b {second.reward - sum(others) / len(others):+.3f}" in page(box)


def test_a_step_of_reinforce_is_that_of_autograd(results):
    event = results["enas"].history[0]
    logits = [torch.tensor(row).log().requires_grad_() for row in sampling.rows_of(event)]
    rewards = torch.tensor([sample.reward for sample in event.samples])
    baselines = (rewards.sum() - rewards) / (len(rewards) - 1)
    log_probs = torch.stack([
        sum(row.log_softmax(0)[choice] for row, choice in zip(logits, sample.choices, strict=True))
        for sample in event.samples
    ])  # fmt: skip
    (log_probs * (rewards - baselines)).mean().backward()
    (rows,) = sampling.after_step(event)[0].values()
    for row, logit in zip(rows, logits, strict=True):
        assert torch.allclose(torch.tensor(row), (logit + sampling.STEP * logit.grad).softmax(0), atol=1e-5)


def test_compare_sorts_by_each_column_and_opens_the_chosen_row(results):
    chosen = {name: results[name] for name in ("darts", "enas")}
    scores = {"darts": [0.5, 0.7], "enas": training.Scores((0.8, 0.9), 1)}
    box = widgets.compare(chosen, scores)
    order, name = (controls(box, ipywidgets.ToggleButtons)[words] for words in ("sort by", "show"))
    name.value = "enas"
    assert shows(box, results["enas"].architecture) and "enas, 1 of 2 by accuracy" in page(box)
    assert "60.0" in page(box) and "85.0" in page(box)
    order.value = "seconds"
    fastest = min(chosen, key=lambda name: chosen[name].seconds)
    assert f"enas, {1 if fastest == 'enas' else 2} of 2 by seconds" in page(box)
    assert "shared weights, not to be compared" in page(widgets.compare(chosen))
    with pytest.raises(ValueError, match="a score for each"):
        widgets.compare(chosen, {"darts": [0.5]})


def test_compare_shows_of_recordings_what_it_shows_of_their_results(results):
    read = {name: Recording.from_json(Recording.of(results[name]).to_json()) for name in ("darts", "enas")}
    for scores in (None, {"darts": [0.5], "enas": [0.75]}):
        ours, theirs = (
            page(widgets.compare(chosen, scores)) for chosen in (read, {name: results[name] for name in read})
        )
        assert ours == theirs and str(results["darts"].architecture) in ours


# --- watch ------------------------------------------------------------------------------------------------------------
def test_watch_shows_a_search_from_its_beginning_to_its_end():
    search = SEARCHES["darts"]()
    watcher = watching.Watcher(search)
    assert "no epoch of 2 is over yet" in page(watcher.box)
    watcher.run()
    event = search.history[-1]
    assert "The search is done: epoch 2 of 2" in page(watcher.box) and str(event.architecture) in page(watcher.box)
    assert f"Loss {event.loss:.2f}" in page(watcher.box) and watcher.button.disabled


def test_the_button_of_watch_ends_a_search_after_its_epoch_and_leaves_a_checkpoint(tmp_path, results):
    def begun():
        return strategies.search(TINY, strokes(), "darts", epochs=2, batch_size=16, resume=tmp_path)

    search = begun()
    watcher = watching.Watcher(search)
    watcher.button.click()
    watcher.run()
    assert len(search.log) == 1 and "The search stopped: run the cell again" in page(watcher.box)
    del search, watcher
    again = watching.Watcher(begun())
    again.run()
    assert again.search.so_far.architecture == results["darts"].architecture
    assert [e.loss for e in again.search.history] == [e.loss for e in results["darts"].history]


def test_watch_survives_an_interrupt(monkeypatch, results):
    search = SEARCHES["darts"]()
    watcher = watching.Watcher(search)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(search, "advance", interrupt)
        watcher.run()
    assert "was interrupted" in page(watcher.box)
    watching.Watcher(search).run()
    assert [e.loss for e in search.history] == [e.loss for e in results["darts"].history]


def interrupt():
    raise KeyboardInterrupt


CLICKED = """
from nas_tutorial import data, search, spaces
from nas_tutorial.pictures.widgets.watching import Watcher
pictures = data.load("strokes", seed=0, per_class=8, test_per_class=4)
search = search(spaces.Tiny(channels=2), pictures, "darts", epochs=5000, batch_size=16)
watcher = Watcher(search)
print(watcher.button.model_id, flush=True)
watcher.run()
print(len(search.log), watcher.stopped)
"""


def test_a_click_reaches_its_widget_while_a_cell_runs():
    """As JupyterLab does it: by a subshell where the kernel has them, else by the queue of the cell."""
    with kernel() as client:
        cell = client.execute(CLICKED)
        button = printed(client, cell)
        header = subshell(client) if Version(ipykernel.__version__) >= Version("7") else {}
        time.sleep(0.5)
        click = {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}}
        message = client.session.msg("comm_msg", click)
        message["header"] |= header
        client.shell_channel.send(message)
        epochs, stopped = printed(client, cell).split()
        assert 0 < int(epochs) < 5000 and stopped == "True"


@contextmanager
def kernel():
    """A kernel that has this package, and a client of it."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    manager, client = start_new_kernel(env={**os.environ, "PYTHONPATH": path})
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def printed(client, cell):
    """The next thing that a cell prints."""
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") == cell:
            assert message["msg_type"] != "error", message["content"]
            if message["msg_type"] == "stream":
                return message["content"]["text"].strip()


def subshell(client):
    """What the header of a message says that is for a subshell of its own."""
    client.control_channel.send(client.session.msg("create_subshell_request"))
    return {"subshell_id": client.get_control_msg(timeout=120)["content"]["subshell_id"]}
