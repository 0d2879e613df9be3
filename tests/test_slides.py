"""Slides: what stands on them, that they need no network, and (in a Chromium) that everything fits and can be read."""

import re
from importlib import import_module

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import deck, formulas, lecturers, notebooks, slides

SOURCES = notebooks.sources()
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)

LESSON = """# %% [markdown]
# # 7 · Try it
#
# You will try it.
#
# <!-- badges -->
#
# 25 min reading

# %% [markdown]
# ![A dot.](data:image/png;base64,{dot})
#
# More.

# %% [markdown]
# ## Set-up

# %% [markdown]
# ## First part

# %% [markdown] tags=["slide"]
# ## 2 min: How many?
#
# Guess, with $x_1$.
#
# Note:
# 2.5 min. Let them guess.

# %% [markdown] tags=["slide", "answer"]
# Four.
#
# Note:
# Two and two.

# %% tags=["slide-code", "slide-output"]
print(2 + 2)  # noqa: T201

# %% [markdown] tags=["on-slide"]
# ## Second part
#
# What we see: *four*.

# %% [markdown] tags=["slide"]
# ## Done
#
# Bye.
#
# Note:
# 1 min. That is all.
"""
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="

PRINTED = (new_output("stream", text="4\n"),)


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """Writes a source and its notebook, in which each cell of code has these outputs, and returns the source."""
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    (tmp_path / "source").mkdir()

    def write(text=LESSON, outputs=PRINTED):
        source = tmp_path / "source" / "07_try_it.py"
        source.write_text(text.replace("{dot}", DOT), encoding="utf-8")
        cells = [new_code_cell(c.source, id=c.id) for c in notebooks.read_source(source).cells if c.cell_type == "code"]
        for cell in cells:
            cell.outputs = list(outputs)
        nbformat.write(new_notebook(cells=cells), notebooks.target(source))
        return source

    return write


# What stands on them --------------------------------------------------------------------------------------------------


def test_the_first_slide_has_title_promise_and_picture_only(lesson):
    title = deck.read(lesson())[0]
    assert title.headline == "7 · Try it" and [piece.kind for piece in title.pieces] == ["text", "figure"]
    assert title.pieces[0].content == "You will try it." and 'alt="A dot."' in title.pieces[1].content


def test_a_slide_begins_goes_on_and_is_joined_by_cells_of_the_notebook(lesson):
    _, question, done = deck.read(lesson())
    assert [piece.kind for piece in question.pieces] == ["text", "text", "code", "print", "text"]
    assert [piece.step for piece in question.pieces] == [0, 1, 1, 1, 1]
    assert question.pieces[2].content == "print(2 + 2)" and question.pieces[3].content == "4"
    assert question.pieces[4].content.strip() == "What we see: *four*."
    assert question.section == done.section == "Second part"


def test_minutes_and_words_are_counted(lesson):
    _, question, done = deck.read(lesson())
    assert (question.task, question.noted, question.title) == (2, 2.5, "How many?")
    assert question.words(answers=False) == 2 + 3 - 1  # "How many? Guess, with", no formula
    assert question.words(answers=True) == 1 + 4 and question.spoken == 4 + 5 + 3 + 3
    assert (done.task, done.noted, done.spoken) == (0, 1, 5)


def test_a_slide_belongs_to_the_part_of_the_cell_that_joins_it(lesson):
    alone = LESSON.replace('tags=["on-slide"]', "")
    assert [slide.section for slide in deck.read(lesson(alone))] == ["", "First part", "Second part"]


def test_a_quiz_becomes_a_question_and_its_answer(lesson, monkeypatch):
    quiz = import_module("nas_tutorial.exercises.quiz")
    two = quiz.Quiz("1 + 1?", ("One.", "Two.", "`3`."), "B", ("Too few.", "Right.", "Too many."))
    monkeypatch.setattr(quiz, "quizzes", lambda: {"two": two})
    asked, answered = deck.read(lesson(re.sub(r"print\(2.*", 'quiz("two")', LESSON)))[1].pieces[2:4]
    assert asked.content == "1 + 1?\n\n- **A.** One.\n- **B.** Two.\n- **C.** `3`."
    assert answered.content == "**B.** Right." and answered.step == asked.step + 1


@pytest.mark.parametrize(
    ("data", "kind", "part"),
    [
        ({"text/html": "<div><img src='a'></div><p>hint</p>", "text/plain": "b"}, "figure", "<img src='a'>"),
        ({"text/html": "<details><summary>s</summary><pre>a &lt; b\n</pre></details>"}, "code", "a < b"),
        ({"text/html": "<table></table>", "text/plain": "b"}, "page", "<table></table>"),
        ({"image/png": "abc", "text/plain": "b"}, "figure", "base64,abc"),
        ({"text/plain": "b"}, "print", "b"),
    ],
)
def test_outputs_become_figures_code_pages_and_print(lesson, data, kind, part):
    piece = deck.read(lesson(outputs=[new_output("display_data", data)]))[1].pieces[3]
    assert piece.kind == kind and part in piece.content and "hint" not in piece.content


# Complaints -----------------------------------------------------------------------------------------------------------


def test_a_notebook_without_slides_is_told_so(lesson):
    assert "there are no slides" in deck.problems(lesson(LESSON[: LESSON.index("# %% [markdown] tags")]))[0]


def test_a_lesson_of_the_wanted_length_has_no_complaint(lesson):
    more = "".join(
        f'\n# %% [markdown] tags=["slide"]\n# ## Point {n}\n#\n# So.\n#\n# Note:\n# 1 min.{" yes" * 110}\n'
        for n in range(18)
    )
    assert deck.problems(lesson(LESSON + more)) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("# ## Done", "# Done", "the first line must be a headline"),
        ("# 1 min. That", "# That", "its notes must begin with minutes"),
        ("# Bye.\n#\n", "", "nothing stands under the headline"),
        ("# Bye.", "# " + "word " * 60, "61 words of text, at most 60"),
        ("Guess,", "word " * 88, "91 words of text, at most 90"),
        ("# Four.", "# " + "word " * 42, "46 words of answers, at most 45"),
        ("Guess,", "**Answer.** Four. Guess,", "the answer stands beside the question"),
        ("$x_1$", r"$\nothing$", "a formula that cannot be drawn"),
        ("print(2 + 2)", "\n".join(["x = 1"] * 13), "13 lines of code, at most 12"),
        ("print(2 + 2)", "print(" + "2 + " * 30 + "2)", "a line of code with 128 letters, at most 95"),
        ('["on-slide"]', '["slide-output"]', "the tag 'slide-output' says nothing here"),
        ('["on-slide"]', '["on_slide"]', "the tag 'on_slide' says nothing here"),
        ("# ## Done", "# ## 2 min: How many?", "2 slides have the headline"),
        ("2.5 min", "9 min", "the notes plan 10 minutes; words take 0 and tasks 2"),
        ("## 2 min: How", "## 40 min: How", "at most 30 together, as three notebooks share a lecture"),
    ],
)
def test_what_is_wrong_with_slides_is_named(lesson, old, new, complaint):
    assert LESSON.count(old) == 1 and deck.problems(lesson())[0].endswith("3 slides, 20 to 30 wanted")
    assert complaint in "\n".join(deck.problems(lesson(LESSON.replace(old, new))))


def test_an_output_that_was_not_made_is_missed(lesson):
    assert "has no output in the notebook" in "\n".join(deck.problems(lesson(outputs=())))


@each_source
def test_slides_keep_the_form_of_a_lecture(source):
    assert deck.problems(source) == []


# The page -------------------------------------------------------------------------------------------------------------


@each_source
def test_slides_need_no_network_and_no_second_file(source):
    page = slides.page(source)
    without_code = re.sub(r"(<script[^>]*>).*?</script>", r"\1", page, flags=re.S)
    tags = re.findall(r"<(?:script|link|iframe)\b[^>]*>", without_code)
    assert tags and not [tag for tag in tags if "src=" in tag or "href=" in tag]
    assert not re.findall(r"@import[^;]*|url\(['\"]?(?!data:)[^)]*", without_code)
    assert not re.findall(r'<img[^>]*src="(?!data:)[^"]*', without_code)
    assert page.count("<section") == page.count("</section") == len(deck.read(source))


@pytest.mark.parametrize("latex", [r"\big[\,a \le b\,\big]", r"\lVert v\rVert \ge \frac{1}{2}", r"\min_w \mathbb{E}_a"])
def test_formulas_are_drawn_on_the_line(latex):
    image = formulas.image(latex)
    assert formulas.mistakes(f"so ${latex}$") == [] and 'alt="' in image and "vertical-align:-" in image
    height, depth = map(float, re.search(r"height:([\d.]+)em;vertical-align:-([\d.]+)em", image).groups())
    assert 0 < depth < height < 3


def test_dollars_in_code_are_no_formulas():
    assert formulas.mistakes("`$HOME` and `$PATH`, and $\\nothing$") != formulas.mistakes("`$HOME` and `$PATH`") == []


def test_a_wide_figure_stands_under_its_text_and_a_square_one_beside_it():
    def slide(width, height, words=20):
        svg = f"data:image/svg+xml,<svg viewBox='0 0 {width} {height}'/>".replace("'", "%22")
        return deck.Slide(
            "part", "h", [deck.Piece("text", "word " * words), deck.Piece("figure", f'<img src="{svg}">')]
        )

    assert slides.is_beside(slide(600, 500)) and not slides.is_beside(slide(900, 200))
    assert not slides.is_beside(deck.Slide("", *[slide(600, 500).headline, slide(600, 500).pieces]))  # the title


# In a browser ---------------------------------------------------------------------------------------------------------

MEASURE = (notebooks.ROOT / "tests" / "measure_slides.js").read_text(encoding="utf-8")


def opened(browser, source, tmp_path):
    """Open the slides of a source in a window of 1280 × 720; return the page and the addresses that it asked for."""
    path = tmp_path / "slides.html"
    path.write_text(slides.page(source), encoding="utf-8")
    page, asked = browser.new_page(viewport={"width": 1280, "height": 720}), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function("Reveal.isReady() && document.fonts.status === 'loaded'")
    return page, [url for url in asked if not url.startswith("data:") and url != path.as_uri()]


@each_source
def test_everything_fits_and_can_be_read_from_the_last_row(browser, source, tmp_path):
    page, asked = opened(browser, source, tmp_path)
    assert page.evaluate(MEASURE) == [] and asked == []


def test_an_answer_waits_for_its_click(browser, lesson, tmp_path):
    page, _ = opened(browser, lesson(), tmp_path)
    answer, seen = page.get_by_text("Four.", exact=True), []
    assert not answer.is_visible()
    for _ in range(4):
        is_there = answer.evaluate("text => text.closest('.fragment').classList.contains('visible')")
        seen.append((page.evaluate("Reveal.getIndices().h"), is_there))
        page.keyboard.press("ArrowRight")
    assert seen == [(0, False), (1, False), (1, True), (2, True)]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Guess,", "word " * 300, "below the slide"),
        ("print(2 + 2)", "print(" + "2 + " * 40 + "2)", "right of the slide"),
        ("Guess,", '<span style="font-size:12px">tiny</span>', "letters of 12 px"),
    ],
)
def test_what_does_not_fit_is_found(browser, lesson, tmp_path, old, new, fault):
    page, _ = opened(browser, lesson(LESSON.replace(old, new)), tmp_path)
    assert fault in "\n".join(page.evaluate(MEASURE))


# The plan of the lectures ---------------------------------------------------------------------------------------------


def test_the_page_for_lecturers_is_what_the_slides_take():
    assert lecturers.DOCUMENT.read_text(encoding="utf-8") == lecturers.page(), "run `python -m tools.lecturers`"


def test_no_lecture_takes_more_than_ninety_minutes():
    assert lecturers.problems() == []


def test_a_plan_adds_up(lesson):
    lesson()
    assert lecturers.missing(("07", "08")) == ["08"] and lecturers.link(lesson_source := lesson()).startswith(
        "[07 Try it]"
    )
    one = lecturers.part(lesson_source)
    assert (one.slides, one.tasks, one.noted, one.minutes) == (3, 2, 4, one.speaking + 2)
    assert "| 07 | 2 | 2 | How many? |" in lecturers.tasks()
    assert f"| {one.minutes} | **together** | 3 |" in lecturers.plan() and "without slides: 08, 09" in lecturers.plan()


def test_a_long_lecture_is_named(lesson):
    lesson(LESSON.replace("2 min: How", "95 min: How"))
    assert lecturers.problems() == ["lecture 3 takes 95 minutes by words and tasks, at most 90"]
