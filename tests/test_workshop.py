"""The workshop: notebooks agree with their sources and have the form of a lesson, links resolve, set-up decides."""

import base64
import io
import os
import posixpath
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import yaml
from jupyter_server.services.contents.largefilemanager import LargeFileManager
from matplotlib.figure import Figure
from nbconvert import LatexExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from nas_tutorial import drawing, plots, spaces
from tools import make_venv, notebooks, snapshot, template

ROOT = notebooks.ROOT
SOURCES = notebooks.sources()
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


# Notebooks ------------------------------------------------------------------------------------------------------------


def test_there_is_a_first_notebook_and_none_without_a_source():
    assert SOURCES[0].stem == "00_start_here"
    assert notebooks.orphans() == []


@each_source
def test_source_and_notebook_agree(source):
    assert notebooks.disagreement(source) is None


@each_source
def test_notebook_keeps_the_form_of_a_lesson(source):
    assert notebooks.faults(source) == []


def test_set_up_is_the_same_in_every_notebook():
    read = [nbformat.read(notebooks.target(source), as_version=4) for source in SOURCES]
    texts = {template.set_up_cell(notebook) for notebook in read}
    assert len(texts) == 1 and "" not in texts


def test_set_up_takes_one_thread_where_there_is_no_gpu():
    code = template.set_up_cell(notebooks.read_source(SOURCES[0])).replace("%pip", "# %pip")
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(torch.get_num_threads())"],
        env={**os.environ, "OMP_NUM_THREADS": "4", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A small source of a lesson in a folder of its own."""
    (tmp_path / "source").mkdir()
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    source = tmp_path / "source" / "04_sums.py"
    source.write_text(LESSON, encoding="utf-8")
    return source


LESSON = """\
# %% [markdown]
# # 4 · Add numbers
#
# You will add.
#
# <!-- badges -->
#
# 1 min reading · 1 min exercises · longest cell 1 s · all cells 1 s · 0.1 GB

# %% tags=["keep"]
import sys, time
print("nobody reads this", file=sys.stderr)
print(f"{time.time():.3f} s")

# %%
import ipywidgets
ipywidgets.VBox([ipywidgets.IntSlider(), ipywidgets.HTML('<svg aria-label="a ring"><circle r="3"/></svg>')])

# %%
1 + 1
"""


def test_building_twice_gives_the_same_bytes(lesson):
    notebooks.build(lesson)
    first = notebooks.target(lesson).read_bytes()
    notebooks.build(lesson)
    assert notebooks.target(lesson).read_bytes() == first


def test_a_built_notebook_is_clean(lesson):
    notebooks.build(lesson)
    built = nbformat.read(notebooks.target(lesson), as_version=4)
    assert template.outputs(built) == []
    assert [cell.execution_count for cell in template.code_cells(built)] == [1, 2, 3]
    assert [dict(cell.metadata) for cell in built.cells] == [{}, {"tags": ["keep"]}, {}, {}]
    assert built.cells[3].outputs[0].data["text/plain"] == "2"
    assert "nobody reads this" not in str(built.cells[1].outputs)
    assert [alt for _, alt, _ in template.output_figures(built)] == ["a ring"]
    assert "widgets" not in built.metadata


def test_check_finds_a_changed_a_missing_and_an_added_cell(lesson):
    notebooks.build(lesson)
    assert notebooks.disagreement(lesson) is None
    lesson.write_text(LESSON.replace("1 + 1", "1 + 2"), encoding="utf-8")
    assert "cell 3 differs" in notebooks.disagreement(lesson)
    lesson.write_text(LESSON + "\n# %%\n2 + 2\n", encoding="utf-8")
    assert "has 4 cells, its source 5" in notebooks.disagreement(lesson)
    notebooks.target(lesson).unlink()
    assert "is missing" in notebooks.disagreement(lesson)


def test_a_check_fails_for_a_faulty_form_and_names_the_faults(lesson, capsys):
    notebooks.build(lesson)
    assert notebooks.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "no heading '## Predict first …'" in said and "figure" in said and "words of prose" in said


def test_a_set_up_of_ones_own_is_found(lesson):
    lesson.with_name("00_first.py").write_text("# %% [markdown]\n# ## Set-up\n\n# %%\nimport os\n", encoding="utf-8")
    lesson.write_text(LESSON + "\n# %% [markdown]\n# ## Set-up\n\n# %%\nimport os\n", encoding="utf-8")
    assert not [fault for fault in notebooks.build(lesson) if "Set-up" in fault and "copy" in fault]
    lesson.write_text(LESSON + "\n# %% [markdown]\n# ## Set-up\n\n# %%\nimport re\n", encoding="utf-8")
    assert [fault for fault in notebooks.build(lesson) if "a copy of the one in the first notebook" in fault]


def test_an_output_that_changes_in_more_than_seconds_is_written_anew(lesson):
    notebooks.build(lesson)
    path = notebooks.target(lesson)
    old = nbformat.read(path, as_version=4)
    old.cells[3].outputs[0].data["text/plain"] = "3"
    nbformat.write(old, path)
    notebooks.build(lesson)
    assert nbformat.read(path, as_version=4).cells[3].outputs[0].data["text/plain"] == "2"


def test_unknown_number_is_answered_with_the_known_ones():
    with pytest.raises(SystemExit, match="no notebook 77; there are 00"):
        notebooks.sources(["77"])


def test_badges_follow_the_address_of_a_fork():
    line = notebooks.badges("01_draw", "https://github.com/somebody/fork")
    assert "colab.research.google.com/github/somebody/fork/blob/main/notebooks/01_draw.ipynb" in line
    assert "mybinder.org/v2/gh/somebody/fork/main?labpath=notebooks%2F01_draw.ipynb" in line


def test_the_address_is_written_once():
    address = PROJECT["urls"]["Repository"]
    sources_and_texts = [*ROOT.glob("*.*"), *ROOT.glob("notebooks/source/*"), *ROOT.glob("nas_tutorial/**/*.py")]
    readable = [path for path in sources_and_texts if path.suffix in (".py", ".toml", ".yml") and path.is_file()]
    assert [path.name for path in readable if address in path.read_text(encoding="utf-8")] == ["pyproject.toml"]


# The rules can fail ---------------------------------------------------------------------------------------------------


def markdown(*texts):
    """A notebook of Markdown cells."""
    return new_notebook(cells=[new_markdown_cell(text) for text in texts])


def test_parts_of_a_lesson_must_be_there_and_in_order():
    parts = [f"## {part}" for part in template.HEADINGS]
    assert template.order(markdown("# 1 · Go", *parts)) == []
    assert template.order(markdown("# 1 · Go", *parts[1:], parts[0]))[0] == (
        "the heading '## You will …' must stand before '## Set-up …'"
    )
    assert len(template.order(markdown("# 1 · Go", *reversed(parts)))) == len(parts) - 1


def test_all_missing_parts_of_a_lesson_are_named():
    named = [f"no heading '## {part} …'" for part in template.HEADINGS]
    assert template.order(markdown("# 1 · Go")) == named
    assert template.order(markdown("# 1 · Go", "## Versions")) == [part for part in named if "Versions" not in part]


def test_a_skipped_level_and_a_second_title_are_found_but_not_comments_in_code():
    parts = [f"## {part}" for part in template.HEADINGS]
    assert "skips a level" in template.order(markdown("# 1 · Go", *parts, "#### Deep"))[0]
    assert "exactly one" in template.order(markdown("# 1 · Go", *parts, "# Again"))[0]
    assert template.order(markdown("# 1 · Go", *parts, "```\n# a comment\n```")) == []


def figure_of(data, alt=None):
    """A notebook whose only output has these forms, and this alternative text in the metadata of its PNG."""
    metadata = {"image/png": {"alt": alt}} if alt else {}
    return new_notebook(cells=[new_code_cell("show()", outputs=[new_output("display_data", data, metadata=metadata)])])


PNG, PAGE = base64.b64encode(b"x").decode(), '<img alt="a cell" src="data:image/png;base64,eA==">'


@pytest.mark.parametrize(
    ("data", "alt", "texts"),
    [
        ({"text/html": '<img src="a.png">'}, None, [""]),
        ({"text/html": "<svg><g><title>node</title></g></svg>"}, None, [""]),
        ({"text/html": '<img alt="a cell" src="a.png"><svg aria-label="a cell"></svg>'}, None, ["a cell", "a cell"]),
        ({"text/html": PAGE, "image/png": PNG, "text/plain": "a cell"}, "a cell", ["a cell", "a cell"]),
        ({"text/html": PAGE, "image/png": PNG, "text/plain": "a cell"}, None, ["a cell", ""]),
        ({"text/html": PAGE, "image/png": PNG, "text/plain": "<Figure>"}, "a cell", ["a cell", ""]),
        ({"text/html": PAGE, "image/png": PNG, "text/plain": "another"}, "another", ["a cell", ""]),
        ({"image/png": PNG, "text/plain": "a cell"}, "a cell", [""]),  # JupyterLab would give it no alt text
    ],
)
def test_pictures_are_heard_in_all_their_forms_or_found(data, alt, texts):
    notebook = figure_of(data, alt)
    assert [text for _, text, _ in template.output_figures(notebook)] == texts
    silent = [complaint for complaint in template.pictures(notebook) if "no alternative text" in complaint]
    assert len(silent) == texts.count("")


def test_an_svg_that_would_stop_the_pdf_is_found():
    svg = '<svg aria-label="a cell"></svg>'
    assert any("Inkscape" in found for found in template.pictures(figure_of({"image/svg+xml": svg})))
    assert not any("Inkscape" in found for found in template.pictures(figure_of({"text/html": svg})))


def test_every_form_of_a_picture_is_weighed():
    large = base64.b64encode(bytes(90_000)).decode()
    for data in ({"image/png": large}, {"text/html": f'<img alt="a" src="data:image/png;base64,{large}">'}):
        assert max(size for _, _, size in template.output_figures(figure_of(data))) == 90


def test_what_is_shown_has_the_form_that_the_template_wants(monkeypatch):
    figure, kept = Figure(figsize=(3, 2)), []
    figure.subplots().plot([1, 2])
    monkeypatch.setattr("IPython.display.display", lambda data, metadata, raw: kept.append((data, metadata)))
    plots.show(figure, alt="A line < a curve.")
    kept.append(drawing.draw(spaces.Tiny(nodes=3).parse("|conv_3x3~0|+|skip~0|skip~1|"))._repr_mimebundle_())
    for data, metadata in kept:
        notebook = figure_of(data, metadata["image/png"]["alt"])
        texts = {text for _, text, _ in template.output_figures(notebook)}
        assert len(texts) == 1 and "" not in texts
        latex, _ = LatexExporter().from_notebook_node(notebook)
        assert "output_0_0.png" in latex


@pytest.mark.parametrize(
    "output",
    [
        new_output("stream", name="stderr", text="warning"),
        new_output("error", ename="ValueError", evalue="", traceback=[]),
        new_output("stream", name="stdout", text="saved to /home/ada/runs/x"),
        new_output("display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}),
    ],
    ids=["stderr", "error", "path", "widget"],
)
def test_unclean_outputs_are_found(output):
    assert len(template.outputs(new_notebook(cells=[new_code_cell("x", outputs=[output], execution_count=1)]))) == 1


def test_execution_counts_must_run_from_one():
    assert template.outputs(new_notebook(cells=[new_code_cell("x", execution_count=2)]))


def test_words_leave_out_code_formulas_and_addresses():
    text = "Two words [and three more](https://a.example/b) $x_1 + y$ <b>bold</b>\n\n```python\nnot these\n```"
    assert template.words(markdown(text)) == 6


def test_minutes_are_held_against_words_lines_and_exercises():
    title = "# 4 · Go\n\n3 min reading · 7 min exercises · longest cell 10 s · all cells 50 s · 0.5 GB"
    exercises = "## A\n\n### Exercise: Do · ★☆☆ · 2 min\n\n### Build: Make · ★★★ · 5 min\n\n" + "word " * 360
    lesson = markdown(title, exercises)
    assert template.minutes(lesson) == []
    lesson.cells.append(new_code_cell("a = 1\n\n" * 36))
    assert template.minutes(lesson) == ["the first cell should say '5 min reading · 7 min exercises'"]


def test_a_lesson_has_quizzes_and_one_build():
    asked = [new_code_cell(f'quiz("{name}")') for name in "abc"]
    build = new_markdown_cell("### Build: Make · ★★★ · 5 min")
    assert template.tasks(new_notebook(cells=[*asked, build]), Path("01_x.ipynb")) == []
    assert template.tasks(new_notebook(cells=asked), Path("00_x.ipynb")) == []
    assert len(template.tasks(new_notebook(cells=[*asked[:2], build, build]), Path("01_x.ipynb"))) == 2


def test_an_svg_in_markdown_is_refused():
    assert any("make it a PNG" in said for said in template.pictures(markdown("![a](data:image/svg+xml,%3Csvg)")))


def test_opening_pictures_are_carried_by_the_notebook_and_slide_cells_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    (tmp_path / "source" / "pictures").mkdir(parents=True)
    (tmp_path / "source" / "pictures" / "05.png").write_bytes(b"a picture")
    source = tmp_path / "source" / "05_x.py"
    source.write_text('# %% [markdown]\n# ![a](pictures/05.png)\n\n# %% [markdown] tags=["slide"]\n# ## Slide\n')
    (picture,) = notebooks.read_source(source).cells
    assert picture.source == "![a](data:image/png;base64,YSBwaWN0dXJl)"
    assert [cell.source for cell in notebooks.read_source(source, slides=True).cells][1] == "## Slide"


def test_costs_are_held_against_the_line_of_timings():
    title = "# 4 · Go\n\n1 min reading · 1 min exercises · longest cell 10 s · all cells 50 s · 0.5 GB"
    assert template.cost_problems(markdown(title), (12.0, 60.0, 0.6)) == []
    assert "should say" in template.cost_problems(markdown(title), (40.0, 60.0, 0.6))[0]
    assert len(template.cost_problems(markdown("# 4 · Go"), (61.0, 241.0, 1.9))) == 3


# Still pictures of widgets --------------------------------------------------------------------------------------------


def test_a_picture_keeps_its_text_and_its_drawing():
    image = snapshot.pictures('<p>a</p><svg width="9" aria-label="x &lt; y"><g/></svg>')
    assert 'alt="x &lt; y"' in image and image.startswith("<p>a</p><img")
    drawing = base64.b64decode(re.search(r"base64,([^\"]+)", image)[1]).decode()
    assert drawing.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="9"')


def test_drawings_within_a_drawing_stay_in_it():
    inner = '<svg aria-label="a"><svg x="1"><g/></svg><text>b</text><svg x="2"></svg></svg>'
    image = snapshot.pictures(f"{inner}<i>c</i><svg aria-label='d'></svg>")
    drawn = [base64.b64decode(code).decode() for code in re.findall(r"base64,([^\"]+)", image)]
    assert len(drawn) == 2 and drawn[0].endswith(inner[4:]) and "<i>c</i>" in image and "svg>" not in image


def widget(value):
    """The output of a cell that shows a box with a slider and this HTML, and the state of its widgets."""
    view = {snapshot.VIEW: {"model_id": "box"}, "text/plain": "VBox()"}
    states = {
        "box": {"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_slider", "IPY_MODEL_page"]}},
        "slider": {"model_name": "IntSliderModel", "state": {"value": 3}},
        "page": {"model_name": "HTMLModel", "state": {"value": value}},
    }
    return new_output("display_data", view), states


def test_a_widget_becomes_html_words_and_its_png():
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2])
    page = plots.html(figure, "a cell")
    still = snapshot.still(*widget(f"{page}<p>a line</p>"))
    assert still.data["text/html"] == f"{page}<p>a line</p>\n{snapshot.HINT}"
    assert set(still.data) == {"text/html", "image/png", "text/plain"} and still.data["text/plain"] == "a cell"
    assert Image.open(io.BytesIO(base64.b64decode(still.data["image/png"]))).size == (3 * 96, 2 * 96)
    notebook = new_notebook(cells=[new_code_cell("x", outputs=[still])])
    assert [text for _, text, _ in template.output_figures(notebook)] == ["a cell", "a cell"]


def test_a_widget_with_a_drawing_becomes_html_and_words():
    still = snapshot.still(*widget('<svg aria-label="a ring"><circle r="3"/></svg>'))
    assert set(still.data) == {"text/html", "text/plain"} and still.data["text/plain"] == "a ring"
    assert "<img" in still.data["text/html"] and "<svg" not in still.data["text/html"]


def test_a_widget_that_shows_nothing_says_what_to_do():
    still = snapshot.still(*widget(""))
    assert still.data["text/html"] == snapshot.HINT and "run the notebook" in still.data["text/plain"]


# Links ----------------------------------------------------------------------------------------------------------------


def texts_with_links():
    """Yield (file, Markdown text) of everything that a reader may click in."""
    folders = (ROOT, ROOT / "docs", ROOT / "slides", ROOT / "notebooks", ROOT / "benchmarks", ROOT / "tests")
    for path in [path for folder in folders for path in folder.glob("*.md")]:
        yield path, template.FENCE.sub("", path.read_text(encoding="utf-8"))
    for source in SOURCES:
        path = notebooks.target(source)
        yield path, template.prose(nbformat.read(path, as_version=4))


def links(text):
    """Return the targets of Markdown and HTML links, without those that leave the repository."""
    found = re.findall(r"\]\(\s*<?([^)>\s]+)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def test_links_within_the_repository_resolve():
    broken = []
    for path, text in texts_with_links():
        for link in links(text):
            file, _, anchor = unquote(link).partition("#")
            where = path.parent / file if file else path
            if not where.exists() or (anchor and anchor not in anchors(where)):
                broken.append(f"{path.relative_to(ROOT)}: {link}")
    assert broken == []


def anchors(path):
    """Return the anchors that GitHub makes of a file's headings."""
    if path.suffix == ".ipynb":
        titles = [text for _, text in template.headings(nbformat.read(path, as_version=4))]
    else:
        text = template.FENCE.sub("", path.read_text(encoding="utf-8")) if path.suffix == ".md" else ""
        titles = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower().strip()).replace(" ", "-") for title in titles}


def test_jupyterlab_finds_every_linked_file_below_the_folder_it_is_started_in():
    manager = LargeFileManager(root_dir=str(ROOT))  # what answers JupyterLab when a link is followed
    followed = set()
    for source in SOURCES:
        path = notebooks.target(source)
        for link in links(template.prose(nbformat.read(path, as_version=4))):
            if file := unquote(link).partition("#")[0]:
                followed.add(posixpath.normpath(f"{path.parent.relative_to(ROOT).as_posix()}/{file}"))
    assert "slides/README.md" in followed
    assert [file for file in sorted(followed) if manager.get(file, content=False)["path"] != file] == []


def test_make_lab_starts_in_the_folder_of_the_repository_and_opens_the_first_notebook():
    make = ["make", "--no-print-directory", "-n", "lab"]  # a make within `make test` names its folders otherwise
    command = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    words = shlex.split(command.splitlines()[-1])
    first = notebooks.target(SOURCES[0]).relative_to(ROOT).as_posix()
    assert words[1:3] == ["-m", "jupyterlab"] and words[-1] == f"--LabApp.default_url=/lab/tree/{first}"
    assert not [word for word in words[3:] if not word.startswith("--") or "root_dir" in word]  # a file sets the root


def test_links_are_seen():
    assert links('[a](b.md) ![c](<d.png>) <a href="e">f</a> [g](https://h.example)') == ["b.md", "d.png", "e"]


# Environments ---------------------------------------------------------------------------------------------------------

CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}


def conda(file):
    """Return an environment file's channels and packages."""
    content = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    return content["channels"], content["dependencies"]


def test_binder_has_the_packages_of_the_environment():
    assert conda("binder/environment.yml") == conda("environment.yml")


def test_the_environment_has_what_the_package_and_its_notebooks_need():
    _, packages = conda("environment.yml")
    names = {re.split(r"[<>=]", package)[0] for package in packages}
    needed = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["notebooks"]
    pypi = {re.split(r"[<>=;\[ ]", requirement)[0] for requirement in needed}
    assert {CONDA_NAMES.get(name, name) for name in pypi} - names == set()


def test_nothing_is_pinned_from_above():
    everything = PROJECT["dependencies"] + sum(PROJECT["optional-dependencies"].values(), [])
    assert [needed for needed in everything if re.search(r"<|==|~=", needed.partition(";")[0])] == []


def test_binder_adds_the_package_alone():
    script = ROOT / "binder" / "postBuild"
    assert script.stat().st_mode & 0o100 and "--no-deps ." in script.read_text(encoding="utf-8")


def test_binder_starts_everything_with_one_thread_that_does_not_spin():
    start = ROOT / "binder" / "start"
    show = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['OMP_WAIT_POLICY'])"
    done = subprocess.run([start, sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout == "1 PASSIVE\n"


# Set-up ---------------------------------------------------------------------------------------------------------------


def chosen_index(wish="auto", config="", system="Linux", gpu=False, net=True):
    """The index that set-up takes torch from on a machine like this."""
    return make_venv.torch_index(wish, config, lambda: system, lambda: gpu, lambda url: net)


def test_bare_linux_without_a_gpu_takes_the_cpu_build():
    assert chosen_index() == make_venv.CPU_INDEX


@pytest.mark.parametrize(
    "machine",
    [
        {"gpu": True},
        {"system": "Darwin"},
        {"net": False},
        {"wish": "default"},
        {"config": "global.constraint='/etc/pip/constraints.txt'"},
        {"config": ":env:.find-links='/opt/wheels'"},
        {"config": "install.index-url='https://mirror.example/simple'"},
        {"config": "global.extra-index-url='https://mirror.example/simple'"},
    ],
    ids=str,
)
def test_all_others_take_plain_pip(machine):
    assert chosen_index(**machine) is None


def test_harmless_pip_settings_do_not_count_and_a_named_index_wins():
    assert chosen_index(config="global.timeout='60'\n:env:.cert='/etc/ssl/cert.pem'") == make_venv.CPU_INDEX
    assert chosen_index(wish="https://a.example/whl", gpu=True) == "https://a.example/whl"


def test_a_silent_or_absent_index_is_not_waited_for():
    assert make_venv.answers("http://127.0.0.1:9", seconds=2) is False
    assert make_venv.answers("no address at all", seconds=2) is False


VERSIONS = {"old": (3, 10), "good": (3, 12), "new": (3, 15), "broken": None}


def test_tested_pythons_come_first_then_newer_ones():
    assert make_venv.choose_python(["broken", "new", "old", "good"], VERSIONS.get) == "good"
    assert make_venv.choose_python(["old", "new"], VERSIONS.get) == "new"
    with pytest.raises(SystemExit, match="needs Python 3.11 to 3.13, but old is 3.10"):
        make_venv.choose_python(["old", "broken"], VERSIONS.get)


def test_this_python_knows_its_version():
    assert make_venv.version_of(sys.executable) == sys.version_info[:2]
    assert make_venv.version_of("no-such-python") is None


def test_half_installed_packages_are_removed_and_whole_ones_stay(tmp_path):
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    for name in ("half-1.dist-info", "whole-1.dist-info", "~orch"):
        (packages / name).mkdir(parents=True)
    (packages / "whole-1.dist-info" / "RECORD").touch()
    assert make_venv.remove_half_installed(tmp_path) == ["half-1.dist-info", "~orch"]
    assert [path.name for path in packages.iterdir()] == ["whole-1.dist-info"]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A project folder whose commands are written down instead of run; `fail` names a word that makes one fail."""
    (tmp_path / "pyproject.toml").write_text("[project]", encoding="utf-8")
    commands, fail = [], []

    def run(*command):
        commands.append(" ".join(command))
        if any(word in commands[-1] for word in fail):
            raise SystemExit(3)
        (tmp_path / ".venv").mkdir(exist_ok=True)

    done = subprocess.CompletedProcess([], 0, stdout=b"global.constraint='c.txt'")
    monkeypatch.setattr(make_venv, "run", run)
    monkeypatch.setattr(make_venv.subprocess, "run", lambda *args, **kwargs: done)
    monkeypatch.setattr(make_venv, "choose_python", lambda candidates: candidates[0])
    return tmp_path, commands, fail


def set_up(root, *extras, wish="auto"):
    """Set up a project folder."""
    make_venv.set_up(root, set(extras), wish, ["python"])


def test_a_finished_set_up_is_not_repeated_until_something_changes(machine):
    root, commands, _ = machine
    set_up(root)
    assert [command for command in commands if "-e" in command.split()]
    commands.clear()
    set_up(root)
    assert commands == []
    (root / "pyproject.toml").write_text("[project] # changed", encoding="utf-8")
    set_up(root)
    assert commands


def test_an_extra_is_added_to_those_there(machine):
    root, commands, _ = machine
    set_up(root, "test")
    commands.clear()
    set_up(root, "dev")
    assert any(command.endswith("[dev,notebooks,test,workshop]") for command in commands)
    commands.clear()
    for extra in make_venv.NESTED:
        set_up(root, extra)
    assert commands == []


def test_extras_are_nested_as_set_up_believes():
    extras = PROJECT["optional-dependencies"]
    for inner, outer in pairwise(make_venv.NESTED):
        assert f"nas_tutorial[{inner}]" in extras[outer]


@pytest.mark.parametrize("word", ["venv", "-e", "import nas_tutorial"])
def test_a_failed_set_up_is_repeated_in_full(machine, word):
    root, commands, fail = machine
    fail.append(word)
    with pytest.raises(SystemExit):
        set_up(root)
    fail.clear()
    commands.clear()
    set_up(root)
    assert commands[-1].endswith("import nas_tutorial")
    commands.clear()
    set_up(root)
    assert commands == []


def test_torch_comes_first_and_alone_from_its_index(machine):
    root, commands, _ = machine
    set_up(root, wish="https://a.example/whl")
    installs = [command for command in commands if "install" in command]
    assert installs[0].endswith("torch torchvision --index-url https://a.example/whl")
    assert "--index-url" not in installs[1]


def test_help_lists_every_command():
    text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    assert [name for name in named if f"make {name} " not in text] == []


def test_ci_runs_the_tests_from_any_folder(tmp_path):
    fake = tmp_path / "make"
    fake.write_text('#!/bin/sh\necho "$PWD: $@"\nexit 7\n', encoding="utf-8")
    fake.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["bash", ROOT / ".ci" / "run"], cwd="/", env=environment, capture_output=True, text=True)
    where, _, words = done.stdout.rpartition(": ")
    assert (done.returncode, Path(where), words) == (7, ROOT, "test solved\n")
