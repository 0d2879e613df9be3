"""The page of a replay in a Chromium: every control by mouse and by keys, themes, sizes, and help for all readers.

Screenshots of each view are kept in tests/browser/screenshots.
"""

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from made_up import recording
from small import SMALL

from nas_tutorial import spaces
from nas_tutorial.pictures import replay
from nas_tutorial.pictures.chances import on_edges
from nas_tutorial.pictures.replay_plan import active_ops
from nas_tutorial.pictures.replay_view import sentence

SHOTS = Path(__file__).parent / "screenshots"
EPOCHS = 4
ENAS, DARTS, MACRO, RANDOM = RECORDINGS = (
    recording(SMALL["nasbench201"], "enas", EPOCHS),
    recording(SMALL["darts"], "darts", EPOCHS),
    recording(spaces.ENASMacro(4, 12), "enas", EPOCHS),
    recording(SMALL["nasbench201"], "random", EPOCHS),
)
SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 800, "height": 800}}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The page of all recordings."""
    return replay.save(RECORDINGS, tmp_path_factory.mktemp("page") / "replay.html")


@pytest.fixture
def opened(browser, file):
    """Opens the page; in the end it must have asked for nothing else, and complained of nothing."""
    pages, said = [], []

    def opener(path=file, size="wide", **options):
        page = browser.new_page(viewport=SIZES[size], **options)
        pages.append(page)
        page.on("request", lambda request: request.url == path.as_uri() or said.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
        page.goto(path.as_uri())
        return page

    yield opener
    for page in pages:
        page.close()
    assert said == []


@pytest.fixture
def page(opened):
    """The page in a wide window, time standing still."""
    found = opened()
    found.clock.install(time=datetime(2030, 1, 1))
    found.clock.pause_at(datetime(2030, 1, 1, 1))
    return found


# --- what is to be seen -----------------------------------------------------------------------------------------------
def panel(page, n=0):
    """The first or the second view."""
    return page.locator(".panel").nth(n)


def assert_shows(view, made, i):
    """Hold text, curves, cell and heat maps of a view against an epoch (from 0) of a recording."""
    event = made.epochs[i]
    assert view.locator("h2").inner_text() == f"Epoch {i + 1} of {EPOCHS}"
    assert view.locator("input[type=range]").input_value() == str(i + 1)
    said = sentence(event, EPOCHS)
    assert view.locator(".says").text_content() == view.locator("svg.stage").get_attribute("aria-label") == said
    assert view.locator("code").text_content() == str(event.architecture)
    assert f"{event.loss:.3g}" in view.locator("figcaption").first.inner_text()
    assert f"{percent(event.train_accuracy)}" in view.locator("figcaption").last.inner_text()
    assert_draws(view, made, event, event.architecture)
    for name, table in (event.probabilities or {}).items():
        if name != "skip":
            shown = view.get_by_role("table", name=f"{name}: probabilities").locator("td").all_inner_texts()
            assert [int(text) for text in shown if text] == [whole(round(p, 4)) for row in table for p in row]


def whole(p):
    """Per cent as JavaScript rounds them: halves up, where Python takes the even neighbour."""
    return math.floor(100 * p + 0.5)


def percent(p):
    return f"{whole(p)}\N{NO-BREAK SPACE}%"


def assert_draws(view, made, event, architecture):
    """Hold the drawn boxes and skips against an architecture and the probabilities of an epoch."""
    active = active_ops(architecture)
    operations = {key: op for key, op in active.items() if "/skip " not in key and "/out<" not in key}
    chances = on_edges(made.space, event.probabilities) if event.probabilities else {}
    expected = [
        [op, percent(round(chances[key][made.space.operations.index(op)], 4)) if chances else ""]
        for key, op in operations.items()
    ]
    assert sorted(view.locator("svg.stage > g:has(.frame)[visibility=visible]").evaluate_all(WORDS)) == sorted(expected)
    assert view.locator(".square.there").count() == sum("/skip " in key for key in active)


WORDS = "groups => groups.map((group) => [...group.querySelectorAll('text')].map((text) => text.textContent))"


def choose(page, made):
    """Choose a recording."""
    page.locator("input[type=radio]").nth(RECORDINGS.index(made)).check()


# --- controls ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("made", RECORDINGS, ids=lambda made: made.strategy + made.space.name)
def test_the_slider_by_keys_and_by_mouse(page, made):
    choose(page, made)
    view = panel(page)
    assert_shows(view, made, EPOCHS - 1)
    slider = view.get_by_role("slider", name="Epoch, first view")
    for key, at in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", EPOCHS - 1)):
        slider.press(key)
        assert_shows(view, made, at)
    assert slider.get_attribute("aria-valuetext") == f"Epoch {EPOCHS} of {EPOCHS}"
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    assert_shows(view, made, 1)  # while it is dragged
    page.mouse.up()


def test_keys_without_a_control(page):
    for key, at in (("ArrowLeft", 2), ("Home", 0), ("ArrowRight", 1), ("End", EPOCHS - 1), ("ArrowRight", EPOCHS - 1)):
        page.keyboard.press(key)
        assert_shows(panel(page), ENAS, at)


@pytest.mark.parametrize("press", ["mouse", "key", "key on the button"])
def test_play_and_pause(page, press):
    def toggle():
        if press == "mouse":
            panel(page).locator(".play").click()
        elif press == "key":
            page.keyboard.press(" ")
        else:
            panel(page).locator(".play").press(" ")

    toggle()  # at the end: from the beginning
    view = panel(page)
    assert_shows(view, ENAS, 0)
    assert (view.locator(".play").inner_text(), view.locator(".says").get_attribute("aria-live")) == ("⏸ Pause", "off")
    page.clock.run_for(1000)
    assert_shows(view, ENAS, 1)
    toggle()
    page.clock.run_for(5000)
    assert_shows(view, ENAS, 1)
    toggle()
    page.clock.run_for(5000)
    assert_shows(view, ENAS, EPOCHS - 1)
    assert (view.locator(".play").inner_text(), view.locator(".says").get_attribute("aria-live")) == (
        "▶ Play",
        "polite",
    )


def test_recordings_by_mouse_and_by_keys(page):
    page.get_by_label("enas on enas_macro, seed 0").check()
    assert_shows(panel(page), MACRO, EPOCHS - 1)
    page.keyboard.press("ArrowUp")
    assert_shows(panel(page), DARTS, EPOCHS - 1)
    assert page.get_by_label("darts on darts, seed 0").is_checked()
    assert DARTS.command in page.locator("#app > .soft").last.inner_text()


def test_two_epochs_side_by_side(page):
    beside = page.get_by_label("two epochs side by side")
    beside.press(" ")
    assert_shows(panel(page, 0), ENAS, EPOCHS - 1)
    assert_shows(panel(page, 1), ENAS, 0)
    panel(page, 1).locator(".play").focus()
    page.keyboard.press("ArrowRight")  # goes to the view that has the focus
    assert_shows(panel(page, 0), ENAS, EPOCHS - 1)
    assert_shows(panel(page, 1), ENAS, 1)
    first, second = (panel(page, n).bounding_box() for n in (0, 1))
    assert first["y"] == second["y"] and first["x"] + first["width"] <= second["x"]
    beside.click()
    assert page.locator(".panel").count() == 1


def test_a_point_of_a_curve_is_an_epoch(page):
    box = panel(page).locator(".plot").last.bounding_box()
    page.mouse.click(box["x"] + 0.45 * box["width"], box["y"] + box["height"] / 2)
    assert_shows(panel(page), ENAS, 1)


@pytest.mark.parametrize("made", [ENAS, MACRO], ids=["cell", "macro"])
def test_samples_are_sorted_and_drawn(page, made):
    choose(page, made)
    page.keyboard.press("Escape")
    panel(page).get_by_role("slider").press("Home")
    view, event = panel(page), made.epochs[0]
    samples = view.get_by_role("table", name="Architectures tried")
    columns = {"reward": "reward", "accuracy": "accuracy", "log π": "log_prob", "entropy": "entropy"}

    def order():
        return [int(text.removeprefix("sample ")) - 1 for text in samples.locator("tbody th").all_inner_texts()]

    def ranked(name):
        return sorted(range(len(event.samples)), key=lambda i: -getattr(event.samples[i], name))

    assert order() == ranked("reward")
    for label, name in list(columns.items())[1:]:
        samples.get_by_role("button", name=label).click()
        assert order() == ranked(name) and samples.locator("[aria-sort=descending]").inner_text() == label
    samples.get_by_role("button", name="entropy").press("Enter")
    assert order() == ranked("entropy")[::-1] and samples.locator("[aria-sort=ascending]").count() == 1
    shown = samples.locator("tbody tr").first.locator("td").all_inner_texts()
    best = event.samples[order()[0]]
    assert [float(text.replace("−", "-")) for text in shown] == [
        float(f"{getattr(best, name):.3g}") for name in columns.values()
    ]

    samples.get_by_role("button", name="sample 2").click()
    assert_draws(view, made, event, made.space.architecture(event.samples[1].choices))
    assert view.locator(".says").inner_text().startswith("Epoch 1, drawn: sample 2, reward ")
    samples.get_by_role("button", name="sample 3").press("Enter")  # focus stays on it
    assert_draws(view, made, event, made.space.architecture(event.samples[2].choices))
    assert page.evaluate("document.activeElement.textContent") == "sample 3"
    assert samples.locator("[aria-pressed=true]").all_inner_texts() == ["sample 3"]
    page.keyboard.press("Enter")
    assert_shows(view, made, 0)


@pytest.mark.parametrize(("scheme", "press"), [("light", "mouse"), ("dark", "key")])
def test_the_theme_follows_the_system_and_can_be_changed(opened, scheme, press):
    page = opened(color_scheme=scheme)
    other = {"light": "dark", "dark": "light"}[scheme]
    grounds = {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 28)"}

    def ground():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    button = page.get_by_role("button", name=f"{other} theme")
    assert ground() == grounds[scheme]
    button.click() if press == "mouse" else button.press("Enter")
    assert ground() == grounds[other]
    page.get_by_role("button", name=f"{scheme} theme").click()
    assert ground() == grounds[scheme]


NAME = "(e => e.ariaLabel || e.labels?.[0]?.textContent || e.textContent)(document.activeElement)"


def test_every_control_is_reached_by_tabs(page):
    names = []
    for _ in range(40):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate("(e => e.ariaLabel || e.labels?.[0]?.textContent || e.textContent)(document.activeElement)")
        )
    wanted = ["Dark theme", "two epochs side by side", "▶ Play", "Epoch, first view", "reward", "sample 1"]
    assert set(wanted) <= set(names) and "enas on nasbench201, seed 0" in names


# --- for all readers --------------------------------------------------------------------------------------------------
STATES = [(made, two) for made in (ENAS, DARTS, MACRO) for two in (False, True)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_and_axe_finds_no_serious_fault(opened, scheme, size):
    page = opened(size=size, color_scheme=scheme)
    for made, two in STATES:
        choose(page, made)
        page.get_by_label("two epochs side by side").set_checked(two)
        if made.epochs[0].samples and two:
            panel(page).get_by_role("button", name="sample 2").click()
        name = f"replay-{made.strategy}-{made.space.name}-{'two' if two else 'one'}-{scheme}-{SIZES[size]['width']}"
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
        assert overflowing(page) == []
        if size == "wide" or two:
            assert faults(page) == []


def overflowing(page):
    """What is wider than the window, or runs out of its own box, unless that scrolls."""
    return page.evaluate(
        """() => [...document.querySelectorAll("body, body *:not(svg *)")].filter((e) => {
             const scrolls = e.closest(".samples, .heat");
             return !scrolls && e.checkVisibility() && (e.getBoundingClientRect().right > innerWidth + 1
               || (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline"));
           }).map((e) => e.outerHTML.slice(0, 80))"""
    )


def faults(page):
    """What axe calls serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], node["html"][:80], node["failureSummary"])
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def test_what_does_not_fit_is_found(opened):
    page = opened(size="narrow")
    page.evaluate("document.querySelector('.says').textContent = 'w'.repeat(300)")
    page.evaluate("document.querySelector('input[type=range]').removeAttribute('aria-label')")
    assert "says" in "".join(overflowing(page))
    assert "label" in [name for name, *_ in faults(page)]


def test_without_scripts_the_last_epoch_of_each_search_is_there(opened):
    page = opened(java_script_enabled=False)
    sections = page.locator("#still section")
    assert sections.count() == len(RECORDINGS) and not page.locator("#app").is_visible()
    for i, made in enumerate(RECORDINGS):
        assert sentence(made.epochs[-1], EPOCHS) in sections.nth(i).text_content()
        assert sections.nth(i).locator("svg").is_visible()
    page.screenshot(path=SHOTS / "replay-without-scripts.png", full_page=True)


def test_what_a_file_calls_itself_is_only_text(opened, tmp_path):
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    made = replace(ENAS, strategy=evil, data=evil, command=evil)
    page = opened(replay.save([made], tmp_path / "evil.html"))
    assert_shows(panel(page), made, EPOCHS - 1)
    assert evil in page.locator("h1").inner_text() and page.locator("img").count() == 0
