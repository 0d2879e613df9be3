"""Every widget in a JupyterLab, in a Chromium: moved by mouse and by keys, in light and dark, wide and narrow.

What the page shows is held against the kernel's objects, and against what is computed here. Screenshots of all widgets
are kept in tests/browser/screenshots.
"""

import re
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_notebook

from browser.lab import Kernel, eventually, menu, opened, run_above, served
from nas_tutorial import spaces
from nas_tutorial.measures import recording, tables
from nas_tutorial.strategies import toy
from tools.notebooks import KERNEL

SHOTS = Path(__file__).parent / "screenshots"
SET_UP = """import html, re
from nas_tutorial import data, measures, search, spaces, widgets
boxes = {}
def begin(name, box):
    boxes[name] = box
    return box
def text(name):
    drawn = re.sub("(?s)<style>.*?</style>|<img hidden.*", "", boxes[name].children[-1].value)
    return html.unescape(re.sub("<[^>]*>", "", drawn))
enas, macro = (measures.recording(name) for name in ("nasbench201_enas", "enas_macro_enas"))
pictures = data.load("strokes", seed=0, per_class=8, test_per_class=4)
watched = search(spaces.Tiny(channels=2), pictures, "darts", epochs=400, batch_size=16)"""
WIDGETS = {
    "explore_bilevel": "widgets.explore_bilevel()",
    "explore_space": "widgets.explore_space(spaces.Tiny())",
    "explore_mixed_op": "widgets.explore_mixed_op()",
    "explore_alpha": "widgets.explore_alpha(enas)",
    "explore_samples": "widgets.explore_samples(enas)",
    "explore_macro": "widgets.explore_macro(macro)",
    "compare": "widgets.compare({'ENAS': enas, 'DARTS': measures.recording('tiny_darts')})",
    "browse": "widgets.browse([event.architecture for event in enas.epochs])",
}
WATCH = "widgets.watch(watched)"
"""Run by its own test, as it takes the kernel for a while."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A notebook with a cell for each widget, and one for `watch`."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [f"begin({name!r}, {code})" for name, code in WIDGETS.items()]
    made = [new_code_cell(code) for code in (SET_UP, *cells, WATCH)]
    nbformat.write(new_notebook(cells=made, metadata={"kernelspec": KERNEL}), folder / "widgets.ipynb")
    return folder


@pytest.fixture(scope="module")
def page(browser, folder):
    """The notebook in a browser, all widgets shown."""
    with served(folder) as address:
        page = opened(browser, address, "widgets.ipynb")
        run_above(page, cell(page, WATCH))
        for name in WIDGETS:
            output(page, name)
        yield page
        page.close()


@pytest.fixture(scope="module")
def kernel(page, folder):
    """The kernel of the notebook."""
    kernel = Kernel(folder)
    yield kernel
    kernel.close()


# --- finding and moving -----------------------------------------------------------------------------------------------
def cell(page, code):
    """The cell with this code."""
    codes = [SET_UP, *(f"begin({name!r}, {code})" for name, code in WIDGETS.items()), WATCH]
    return page.locator(".jp-CodeCell").nth(codes.index(code))


def output(page, name):
    """What a cell shows, in sight."""
    code = WATCH if name == "watch" else f"begin({name!r}, {WIDGETS[name]})"
    found = cell(page, code).locator(".jp-OutputArea")
    found.locator(".widget-html p").last.wait_for()
    found.scroll_into_view_if_needed()
    return found


def shown(found):
    """The words on the page of a widget, of its picture, too."""
    return found.locator(".widget-html-content").evaluate(
        "e => { e = e.cloneNode(true); e.querySelectorAll('style').forEach(s => s.remove()); return e.textContent }"
    )


def words(text):
    return re.sub(r"\s+", " ", text).strip()


class Moves:
    """A widget on the page: after each move it must have changed, and say what the kernel says."""

    def __init__(self, page, kernel, name):
        self.page, self.kernel, self.name, self.output = page, kernel, name, output(page, name)
        self.before = words(shown(self.output))

    def follows(self):
        """Wait until page and kernel say the same, other than before."""

        def agree():
            now = words(shown(self.output))
            return now != self.before and now == words(self.kernel.ask(f"text({self.name!r})")) and now

        self.before = eventually(agree)
        return self.before

    def stays(self):
        """Page and kernel still say the same as before."""
        assert words(shown(self.output)) == words(self.kernel.ask(f"text({self.name!r})")) == self.before


def drag(handle, pixels):
    """Move the handle of a slider by mouse."""
    handle.scroll_into_view_if_needed()
    box, mouse = handle.bounding_box(), handle.page.mouse
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + pixels, y, steps=4)
    mouse.up()


def press(page, keys):
    """Press keys one after the other, where the focus is."""
    for key in keys.split():
        page.keyboard.press(key)


# --- every control ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", WIDGETS)
def test_every_slider_follows_keys_and_mouse(page, kernel, name):
    moves = Moves(page, kernel, name)
    for handle in moves.output.get_by_role("slider").all():
        assert handle.get_attribute("aria-label"), "a slider without a name"
        handle.focus()
        is_first = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemin")
        for key in ("End", "ArrowLeft", "Home") if is_first else ("Home", "ArrowRight", "End"):
            page.keyboard.press(key)  # one at a time, so that there is nothing in between to be taken for the end
            moves.follows()
        drag(handle, 60 if is_first else -60)
        moves.follows()


@pytest.mark.parametrize("name", WIDGETS)
def test_every_button_follows_keys_and_mouse(page, kernel, name):
    moves = Moves(page, kernel, name)
    for slider in moves.output.get_by_role("slider").all()[-1:]:
        slider.focus()
        press(page, "Home ArrowRight")
    moves.before = ""
    moves.follows()
    for group in moves.output.locator(".widget-toggle-buttons:visible").all():
        others = group.locator("button:not(.mod-active)")
        others.first.click()
        moves.follows()
        others.last.press("Space")
        moves.follows()
    for button in moves.output.locator(".widget-button, .widget-toggle-button:not(.widget-toggle-buttons *)").all():
        button.click()
        moves.follows()
        if button.inner_text() in ("Previous", "Next"):
            continue  # there may be no further one; `test_pages_are_turned_by_keys` presses them
        button.press("Space")
        moves.follows()


def test_a_guess_is_locked_by_a_click(page, kernel):
    moves = Moves(page, kernel, "explore_space")
    for name, said in (("Guess first", "Guess in which quarter"), ("third", "You said third"), ("Guess first", "rank")):
        moves.output.get_by_role("button", name=name, exact=True).click()
        moves.follows()
        assert said in shown(moves.output)


def test_keys_stay_in_the_widgets(page):
    """Closed menus would lose their arrow keys to JupyterLab, so there are none; sliders and buttons keep theirs."""
    cells = page.locator(".jp-Cell").count()
    page.locator(".jp-CodeCell .jp-InputPrompt").first.click()
    for name in WIDGETS:
        found = output(page, name)
        assert found.locator("select").count() == 0
        for control, keys in ((found.get_by_role("slider"), "ArrowDown ArrowUp"), (found.locator("button"), "Space")):
            if control.count():
                control = control.first
                control.focus()
                press(page, keys)
                assert control.evaluate("e => e === document.activeElement"), f"{name} lost the focus to JupyterLab"
    assert page.locator(".jp-Cell").count() == cells


def test_pages_are_turned_by_keys(page, kernel):
    epochs = recording("nasbench201_enas").epochs
    moves = Moves(page, kernel, "browse")
    moves.output.get_by_role("slider").focus()
    press(page, "Home")
    eventually(lambda: f"Architecture 1 of {len(epochs)}" in shown(moves.output))
    for button, number in (("Next", 2), ("Next", 3), ("Previous", 2)):
        moves.output.get_by_role("button", name=button).press("Space")
        eventually(lambda n=number: f"Architecture {n} of {len(epochs)}" in shown(moves.output))
    assert str(epochs[1].architecture) in shown(moves.output)
    moves.output.get_by_role("button", name="parameters").press("Space")
    eventually(lambda: f"Architecture 2 of {len(epochs)} by parameters, number" in shown(moves.output))


# --- what is shown is right -------------------------------------------------------------------------------------------
def test_the_path_on_the_map_is_that_of_the_search(page, kernel):
    moves = Moves(page, kernel, "explore_bilevel")
    moves.output.get_by_role("slider", name="look ahead ξ").focus()
    press(page, "End")
    weight_rate, alpha, w = kernel.ask("[c.value for c in boxes['explore_bilevel'].children[1:4]]")
    end = toy.search(1.0, weight_rate=weight_rate, start=(alpha, w))[-1]
    eventually(lambda: f"at α = {end[0]:.3f}, w = {end[1]:.3f}" in shown(moves.output))


def test_the_best_cell_of_the_table_is_found_by_buttons(page, kernel):
    table, operations = tables.tiny(), spaces.Tiny().operations
    best = table.architectures[int(table.mean().argmax())]
    moves = Moves(page, kernel, "explore_space")
    for group, choice in zip(moves.output.locator(".widget-toggle-buttons:visible").all(), best.choices, strict=True):
        group.get_by_role("button", name=operations[choice], exact=True).press("Space")
    eventually(lambda: f"{best}. " in shown(moves.output) and "rank 1 of 125" in shown(moves.output))
    drawings = moves.output.locator(".widget-html-content svg").count()
    assert kernel.ask("boxes['explore_space'].children[-1].value").count("<svg") == drawings


def test_playing_goes_through_all_epochs(page, kernel):
    moves = Moves(page, kernel, "explore_alpha")
    moves.output.get_by_role("slider").focus()
    press(page, "Home")
    eventually(lambda: "Epoch 1: " in shown(moves.output))
    moves.output.get_by_role("button", name="play").click()
    eventually(lambda: "Epoch 3: " in shown(moves.output))
    moves.output.get_by_role("button", name="stop").press("Space")
    eventually(lambda: "Epoch 1: " in shown(moves.output))


def test_a_running_search_ends_by_a_click_after_its_epoch(page, kernel):
    cell(page, WATCH).locator(".jp-InputArea-editor").click()
    page.keyboard.press("Shift+Enter")
    found = output(page, "watch")
    eventually(lambda: "The search runs: epoch" in shown(found))
    found.get_by_role("button", name="Stop after this epoch").click()
    eventually(lambda: "The search stopped" in shown(found))
    done = kernel.ask("len(watched.log)")
    assert 0 < done < 400 and f"epoch {done} of 400" in shown(found)


# --- for all readers --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_widgets_look_and_sound_well(page, kernel, theme):
    is_light = str(theme == "Light").lower()
    if page.locator("body").get_attribute("data-jp-theme-light") != is_light:
        menu(page, "Settings", "Theme", f"JupyterLab {theme}")
        page.locator(f"body[data-jp-theme-light={is_light}]").wait_for(state="attached")
    SHOTS.mkdir(exist_ok=True)
    for width in (1280, 800):
        page.set_viewport_size({"width": width, "height": 1400})
        for name in WIDGETS:
            found = output(page, name)
            found.screenshot(path=SHOTS / f"{name}-{theme.lower()}-{width}.png", animations="disabled")
            assert overflowing(found) == [], f"{name} is cut off"
    faults = Axe().run(page, ".jp-OutputArea-output").response["violations"]
    serious = [fault for fault in faults if fault["impact"] in ("serious", "critical")]
    assert [(fault["id"], node["html"][:120]) for fault in serious for node in fault["nodes"]] == []


def overflowing(found):
    """Pictures and texts of a widget that are wider than its output."""
    return found.evaluate(
        """e => [...e.querySelectorAll("svg, p, button")].filter((part) => part.checkVisibility()
             && part.getBoundingClientRect().right > e.getBoundingClientRect().right + 1)
             .map((part) => part.outerHTML.slice(0, 80))"""
    )
