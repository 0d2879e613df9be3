"""The report on searches: what it shows, what it leaves out and says so, and that no name can become markup."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_up import recording
from small import SMALL

from nas_tutorial.cli import main
from nas_tutorial.measures import papers
from nas_tutorial.pictures import report, report_runs
from nas_tutorial.strategies.results import SearchResult

NASTY = "<b onclick=x> & $x$"
PICTURES = {
    "name": "strokes", "origin": {"source": "strokes", "seed": 0}, "class_names": ["a", "b"], "flip": False, "crop": 0,
    "splits": {name: {"size": 4, "sha256": name} for name in ("train", "validation", "test")},
}  # fmt: skip
RECIPE = {"epochs": 3, "batch_size": 32}


def searched(folder, space="tiny", strategy="darts", epochs=3, of=None, seed=0):
    """A search that never was, saved as searches are; `of`: how many epochs it was to have."""
    made = recording(SMALL[space], strategy, epochs, seed)
    config = {"epochs": of or epochs, "learning_rate": 0.025}
    result = SearchResult(strategy, made.architecture, list(made.epochs), config, seed, PICTURES)
    result.save(folder)
    return result


def retrained(folder, result, accuracies, **changes):
    """Scores beside a search."""
    record = {
        "architecture": json.loads(result.architecture.to_json()), "data": PICTURES, "recipe": RECIPE,
        "seeds": list(range(len(accuracies))), "accuracies": list(accuracies), "parameters": 1234,
    }  # fmt: skip
    (folder / "retrain.json").write_text(json.dumps({**record, **changes}), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, in which commands are typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(capsys, *words):
    code = main(["report", *map(str, words)])
    return SimpleNamespace(code=code, **capsys.readouterr()._asdict())


def without_data(page):
    """A page without the pictures that it carries."""
    return re.sub(r'src="data:[^"]*"', 'src=""', page)


def test_a_page_shows_every_search_and_needs_nothing_beside_it(folder, capsys):
    first, second = searched(folder / "first"), searched(folder / "second", "nasbench201", "enas", seed=1)
    searched(folder / "third", strategy="random")
    retrained(folder / "first", first, (0.5, 0.75))
    retrained(folder / "second", second, (0.875,))
    done = typed(capsys, "first", "second", "third")
    assert done.code == 0 and done.out == "report.html\n" and done.err == ""
    page = without_data((folder / "report.html").read_text(encoding="utf-8"))
    assert "second: 87.5 % of the test pictures right" in page and "62.5 ± 17.7 %" in page
    assert "third was not trained from scratch yet: nas-tutorial retrain third" in page
    assert "Trained with a single seed, so nothing is known of the spread: second." in page
    assert page.count("<section>") == 3 and page.count("<svg") == 3
    assert page.count("<img") == 1 + 3 + len(first.history[-1].probabilities) + len(second.history[-1].probabilities)
    assert all(str(r.architecture).replace("<", "&lt;").replace(">", "&gt;") in page for r in (first, second))
    assert "learning_rate" in page and "strokes" in page
    for record in papers():
        assert record["method"] in page and f'<a href="{record["url"]}">{record["source"]}</a>' in page
    loaded = re.findall(r"""(?:src|srcset|data|action)\s*=\s*["']?([^"'\s>]+)|url\(|@import|<script|<link""", page)
    assert not [address for address in loaded if address]


def test_papers_have_numbers_and_sources():
    assert all(p["source"] and p["url"].startswith("https://arxiv.org/abs/") and p["value"] > 0 for p in papers())
    assert {p["value"] for p in papers() if p["method"].startswith("DARTS,")} == {3.00, 2.76}


def test_what_is_left_out_is_said(folder, capsys):
    whole = searched(folder / "runs" / "whole")
    retrained(folder / "runs" / "whole", whole, (50,))
    searched(folder / "runs" / "begun", epochs=2, of=5)
    (folder / "runs" / "empty").mkdir()
    (folder / "runs" / "notes.txt").write_text("mine")
    (folder / "runs" / "demo").mkdir()
    (folder / "runs" / "demo" / "leaderboard.json").write_text("{}")
    done = typed(capsys, *sorted((folder / "runs").iterdir()), "--output", "r.html")
    assert done.code == 0
    lines = done.err.splitlines()
    assert len(lines) == 5 and all(line.startswith("nas-tutorial: note: ") for line in lines)
    for name, why in {
        "begun": "only 2 of its 5 epochs are over: finish it with --resume",
        "demo": "a demonstration, which has a report of its own",
        "empty": "holds no result.json",
        "notes.txt": "it is a file, not the folder of a search",
        "retrain.json": "accuracies",
    }.items():
        (line,) = [line for line in lines if f"{name} is left out" in line]
        assert why in line
    page = (folder / "r.html").read_text(encoding="utf-8")
    assert page.count("<section>") == 1 and page.count(" is left out: ") == 5


def test_scores_of_another_architecture_are_left_out(folder):
    one, other = searched(folder / "one"), searched(folder / "other", seed=2)
    assert one.architecture != other.architecture
    retrained(folder / "one", other, (0.5,))
    runs, left_out = report_runs.gather([folder / "one"])
    assert runs[0].scores is None and "scores of another architecture than the search has found" in left_out[0]


def test_trainings_that_differ_are_not_ranked(folder):
    for name, recipe in (("one", RECIPE), ("two", {**RECIPE, "epochs": 9})):
        retrained(folder / name, searched(folder / name), (0.5, 0.6), recipe=recipe)
    page = report.page(report_runs.gather([folder / "one", folder / "two"]))
    assert "so this is no ranking" in page and "compare only those that were" in page


def test_bands_that_overlap_are_no_ranking(folder):
    for name, accuracies in (("one", (0.5, 0.7)), ("two", (0.55, 0.75))):
        retrained(folder / name, searched(folder / name), accuracies)
    assert "is too close to tell them apart" in report.page(report_runs.gather([folder / "one", folder / "two"]))


def test_folders_of_one_name_are_told_apart(folder):
    for place in ("a/run", "b/run"):
        searched(folder / place)
    runs, _ = report_runs.gather([Path("a/run"), Path("b/run"), Path("b/run")])
    assert [run.name for run in runs] == ["a/run", "b/run"]


def test_no_name_becomes_markup(folder):
    result = searched(folder / NASTY)
    retrained(folder / NASTY, result, (0.5, 0.6))
    searched(folder / "b" / NASTY)
    page = report.page(report_runs.gather([folder / NASTY, folder / "b" / NASTY]))
    assert "<b onclick" not in page and page.count("&lt;b onclick=x&gt; &amp; $x$") > 3


def test_no_search_and_no_foreign_file(folder, capsys):
    searched(folder / "first")
    (folder / "mine.html").write_text("<p>mine")
    refused = typed(capsys, "first", "--output", "mine.html")
    assert refused.code == 2 and "mine.html is there already and is no report page" in refused.err
    assert (folder / "mine.html").read_text() == "<p>mine"
    nothing = typed(capsys, "gone", "--output", "r.html")
    assert (
        nothing.code == 2 and "There is no finished search to report on. gone is left out: gone holds no" in nothing.err
    )
    assert not (folder / "r.html").exists() and nothing.err.count("\n") == 1
    for _ in range(2):  # an older report is replaced
        assert typed(capsys, "first").code == 0
