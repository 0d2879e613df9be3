"""The page of a replay: that it says what its recordings say, runs nothing of theirs, and replaces no other file."""

import base64
import hashlib
import json
import math
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest
from made_up import recording
from small import SMALL

from nas_tutorial import spaces
from nas_tutorial.cli import main
from nas_tutorial.pictures import graphs, replay, replay_plan
from nas_tutorial.pictures.chances import on_edges
from nas_tutorial.pictures.layout import layout
from nas_tutorial.pictures.replay_view import sentence, view

NB201 = SMALL["nasbench201"]
EVIL = """</script><script>alert(1)</script><!--"'&<img src=x onerror=alert(2)>\u2028"""
each_strategy = pytest.mark.parametrize("strategy", ["darts", "enas", "random"])


# --- what the page knows ----------------------------------------------------------------------------------------------
@each_strategy
def test_probabilities_are_those_of_the_recording_and_answers_are_marked(space, strategy):
    made = recording(space, strategy)
    for event, epoch in zip(made.epochs, view(made)["epochs"], strict=True):
        tables = event.probabilities or {}
        assert {name: [p / replay_plan.STEPS for p in flat] for name, flat in epoch["p"].items()} == {
            name: pytest.approx([p for row in table for p in row], abs=6e-5) for name, table in tables.items()
        }
        widths = {name: len(table[0]) for name, table in tables.items()}
        marked = {name: {divmod(at, widths[name]) for at in places} for name, places in epoch["picked"].items()}
        assert marked == answers(event.architecture, tables)


def answers(architecture, tables):
    """(row, column) of each answer in the tables, worked out from names."""
    space, found = architecture.space, {name: set() for name in tables}
    for decision, option in zip(space.decisions, architecture.answers.values(), strict=True):
        rows = [d.name for d in space.decisions if d.table == decision.table]
        if decision.table in found:
            found[decision.table].add((rows.index(decision.name), decision.options.index(option)))
    if space.name == "darts" and "normal" in found:
        names = [name for name, *_ in space.edge_names]
        for kind, ops in architecture.active_ops.items():
            found[kind] = {(names.index(name), space.operations.index(op)) for name, op in ops.items()}
    return found


def test_a_word_of_letters_is_the_architecture(space):
    made, places = recording(space, epochs=1), layout(space)
    seen = view(made)
    sampled = [space.architecture(sample.choices) for sample in made.epochs[0].samples]
    words = [sample[-1] for sample in seen["epochs"][0]["samples"]]
    for architecture, word in zip([made.architecture, *sampled], [seen["epochs"][0]["drawn"], *words], strict=True):
        looks = [seen["looks"].get(letter) for letter in word]
        drawn = dict(zip([place.key for place in (*places.edges, *places.squares)], looks, strict=True))
        active = replay_plan.active_ops(architecture)
        assert {key: look["operation"] for key, look in drawn.items() if look and look["operation"]} == {
            key: operation for key, operation in active.items() if "/out<" not in key
        }
        dead = {(name, *edge) for name, edges in architecture.dead_edges.items() for edge in edges if edge.operation}
        assert {operation for *_, operation in dead} == {
            look["operation"] for look in drawn.values() if look and look["dead"] and look["operation"]
        }


@each_strategy
def test_edges_are_as_wide_as_they_are_probable(space, strategy):
    made = recording(space, strategy, epochs=1)
    (epoch,) = view(made)["epochs"]
    if strategy == "random":
        assert epoch["on"] == [] and epoch["p"] == {}
        return
    keys = [place.key for place in (*layout(space).edges, *layout(space).squares)]
    for key, row in on_edges(space, made.epochs[0].probabilities).items():
        if key in keys:
            assert epoch["on"][keys.index(key)] == [round(p * replay_plan.STEPS) for p in row]


def test_tables_that_are_not_known_leave_the_edges_plain():
    assert replay_plan.likely(NB201, layout(NB201), {"other": [[1.0]]}) == []


def test_a_grid_names_the_answer_of_each_square():
    """A policy's choice between pairs of inputs: the pairs of a small node are not in the order of the columns."""
    made = recording(SMALL["darts"], "enas", epochs=1)
    grid = next(grid for grid in view(made)["grids"] if grid["table"] == "normal.inputs")
    table = made.epochs[0].probabilities["normal.inputs"]
    for r, decision in enumerate(d for d in made.space.decisions if d.table == "normal.inputs"):
        squares = dict(zip(grid["columns"], grid["places"][r * len(grid["columns"]) :], strict=False))
        for column, place in squares.items():
            option = column.replace(" and ", ",")
            assert (place >= 0) == (option in decision.options)
            if place >= 0:
                row, at = divmod(place, len(table[0]))
                assert (row, decision.options[at]) == (r, option)


def test_the_sentence_says_what_an_epoch_came_to():
    made = recording(NB201, "darts", epochs=2)
    table = [[0.2, 0.2, 0.2, 0.2, 0.2], [0.01, 0.9, 0.03, 0.03, 0.03], *[[0.5, 0.125, 0.125, 0.125, 0.125]] * 4]
    cell = NB201.parse("|skip_connect~0|+|none~0|nor_conv_3x3~1|+|nor_conv_3x3~0|skip_connect~1|none~2|")
    event = replace(made.epochs[0], loss=1.234, train_accuracy=0.5, validation_accuracy=0.25, architecture=cell,
                    probabilities={"cell": table}, info={"step": 3.0})  # fmt: skip
    assert sentence(event, 2).replace("\N{NO-BREAK SPACE}", " ") == (
        "Epoch 1 of 2: loss 1.23, training accuracy 50 %, validation accuracy 25 %, step 3. "
        "Derived now: 2 skips, 2 × none, 2 × nor_conv_3x3. "
        "Surest: 0 → 2: skip_connect (90 %); least sure: 0 → 1: none (20 %)."
    )


def test_a_search_that_diverged_can_be_replayed():
    made = recording(NB201, epochs=1)
    event = replace(made.epochs[0], loss=math.nan, validation_accuracy=math.nan)
    (epoch,) = view(replace(made, epochs=(event,)))["epochs"]
    assert epoch["loss"] is None and "validation accuracy unknown" in epoch["says"] and "loss unknown" in epoch["says"]


# --- the page ---------------------------------------------------------------------------------------------------------
class Tags(HTMLParser):
    """What a browser would find in a page: tags with their attributes, and what is in each script."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.scripts, self.inside = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag == "script"

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.scripts.append(data)


@each_strategy
def test_nothing_of_a_recording_becomes_markup(strategy):
    made = replace(recording(NB201, strategy, data=EVIL, command=EVIL, versions={EVIL: EVIL}), strategy=EVIL)
    made = replace(made, epochs=tuple(replace(event, info={EVIL: 1.0}) for event in made.epochs))
    plain, evil = (Tags(replay.page([made_of])) for made_of in (recording(NB201, strategy), made))
    assert [tag for tag, _ in evil.tags] == [tag for tag, _ in plain.tags]
    assert len(evil.scripts) == 2 and not {name for _, names in evil.tags for name in names if name.startswith("on")}
    (back,) = json.loads(evil.scripts[0])
    assert ["pictures", EVIL] in back["facts"] and EVIL in back["title"] and EVIL in back["epochs"][0]["says"]


def test_a_browser_may_run_our_script_only_and_fetch_nothing():
    found = Tags(replay.page([recording(NB201)]))
    policy = next(names["content"] for _, names in found.tags if "http-equiv" in names)
    ours = base64.b64encode(hashlib.sha256(found.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{ours}'" in policy and policy.startswith("default-src 'none'")
    addresses = [value for _, names in found.tags for name, value in names.items() if name in ("src", "href", "data")]
    assert addresses == []
    assert not re.search(r"@import|url\(", (replay.HOME / "replay.css").read_text())


def test_without_scripts_the_end_of_every_search_is_there(space):
    made = [recording(space, seed=seed) for seed in (0, 1)]
    page = replay.page(made)
    still = page[page.index('<div id="still">') : page.index('<div id="app"')]
    for each in made:
        assert escape(sentence(each.epochs[-1], 3)) in still and escape(str(each.architecture)) in still
    assert still.count("<svg") == 2 and f"<h2>enas on {space.name}, seed 1</h2>" in still


def test_no_graphviz_is_needed(monkeypatch):
    monkeypatch.setattr(graphs, "render", lambda *_: pytest.fail("Graphviz was called"))
    assert "<svg" in replay.page([recording(NB201)])


def test_equal_names_are_numbered():
    page = replay.page([recording(NB201), recording(NB201), recording(NB201, seed=5)])
    assert (
        re.findall("<h2>(.*?)</h2>", page) == [f"enas on nasbench201, seed {end}" for end in ("0", "0 (2)", "5")]
        and "<title>3 searches, replayed</title>" in page
    )


def test_a_macro_search_of_fifty_epochs_is_small():
    made = recording(spaces.ENASMacro(layers=12), epochs=50)
    crowded = replace(made, epochs=tuple(replace(event, samples=3 * event.samples) for event in made.epochs))
    assert len(crowded.epochs[0].samples) == 12
    assert len(replay.page([crowded]).encode()) < 500_000


def test_the_script_is_short():
    assert len((replay.HOME / "replay.js").read_text(encoding="utf-8").splitlines()) <= 300


def test_no_recording_no_page():
    with pytest.raises(ValueError, match="no recording to replay; give one or more"):
        replay.page([])


# --- the file ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def file(tmp_path):
    """A recording in the folder of its search."""
    return recording(NB201).save(tmp_path / "runs" / "first" / "recording.json")


def test_the_command_writes_a_page_of_files_and_folders_and_replaces_an_older_one(file, tmp_path, capsys):
    output = tmp_path / "new" / "page.html"
    assert main(["replay", str(file), "--output", str(output)]) == 0
    alone = output.read_text(encoding="utf-8")
    assert main(["replay", str(file), str(file.parent), "--output", str(output)]) == 0
    assert capsys.readouterr().out == f"{output}\n" * 2
    assert alone.count("<h2>") == 1 and output.read_text(encoding="utf-8").count("<h2>") == 2


def fault(capsys, *words):
    """The only line on stderr of a command that fails."""
    assert main(["replay", *map(str, words)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    return err


def test_no_other_file_is_overwritten(file, tmp_path, capsys):
    letter = tmp_path / "letter.html"
    letter.write_text("<!doctype html><p>nas_tutorial replay</p>")
    assert "is there already and is no replay page; give the name of a new file" in fault(
        capsys, file, "--output", letter
    )
    assert letter.read_text() == "<!doctype html><p>nas_tutorial replay</p>"
    before = file.read_bytes()
    assert "is no replay page" in fault(capsys, file, "--output", file) and file.read_bytes() == before
    assert "is a folder; give the name of a file in it" in fault(capsys, file, "--output", tmp_path)
    assert "cannot be written" in fault(capsys, file, "--output", letter / "page.html")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "There is no file"), ("{}", "is no recording of a search"), ("\x00", "is no recording of a search")],
)
def test_what_is_no_recording_is_named(content, message, tmp_path, capsys):
    other = tmp_path / "recording.json"
    if content is not None:
        other.write_text(content)
    for given in (other, tmp_path):
        error = fault(capsys, given, "--output", tmp_path / "page.html")
        assert message in error and str(other) in error
    assert not (tmp_path / "page.html").exists()
