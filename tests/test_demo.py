"""The demonstration: from search to report, on small things; and what its report says."""

import json
import re
from types import SimpleNamespace

from nas_tutorial import data, spaces, training
from nas_tutorial.cli import main
from nas_tutorial.demo import demo, report
from nas_tutorial.strategies.results import Event, SearchResult


def test_demo_from_search_to_report(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "SEEDS", (0, 1))
    code = main(["demo", "--scale", "0.02"])
    done = capsys.readouterr()
    folder = tmp_path / "runs" / "demo"
    rows = json.loads((folder / "leaderboard.json").read_text())
    assert code == 0, done.err
    assert {row["name"] for row in rows} == {"DARTS", "ENAS", "random search", *(f"random cell {i}" for i in (1, 2, 3))}
    assert [row["mean"] for row in rows] == sorted((row["mean"] for row in rows), reverse=True)
    assert all(len(row["accuracies"]) == 2 for row in rows)
    for module in ("darts", "enas", "random"):
        found = SearchResult.load(folder / module).architecture
        assert str(found) in done.out and (folder / module / "cell.svg").is_file()
    first = rows[0]
    alone = training.retrain(
        spaces.get("nasbench201").parse(first["architecture"]),
        data.load("digits", seed=0, per_class=16, test_per_class=4),
        (0, 1),
    )
    assert tuple(first["accuracies"]) == alone.accuracies  # the other process measured what this one measures
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not loads(page)
    assert page.count("<svg") == 6 and all(str(row["parameters"])[-3:] in page for row in rows)


def loads(page):
    """Whatever a page would fetch: addresses in attributes, style sheets and scripts, other than data within it."""
    addresses = re.findall(r"""(?:src|href|srcset|data|action)\s*=\s*["']?([^"'\s>]+)""", page)
    addresses += re.findall(r"url\(([^)]*)\)|@import\s+(\S+)|<script", page)
    return [a for a in addresses if not str(a).startswith("data:")]


def entry(name, accuracies, found=True, choices=(3, 0, 1, 2, 3, 4)):
    """A row of a leaderboard that nobody measured."""
    architecture = spaces.get("nasbench201").architecture(choices)
    event = Event(1, 1, 2.0, 0.2, 0.3, architecture, seconds=4.0)
    result = SearchResult("darts", architecture, [event], {}, 0, "digits") if found else None
    return SimpleNamespace(
        name=name,
        architecture=architecture,
        search=result,
        multiply_adds=5 * 10**9 * found,
        scores=training.Scores(accuracies, 1234),
    )


def test_verdict_says_who_lost():
    random_ones = [entry("random cell 1", (0.2, 0.2), found=False), entry("random cell 2", (0.4, 0.4), found=False)]
    good, bad = entry("DARTS", (0.6, 0.8)), entry("ENAS", (0.1, 0.3))
    assert "All three searches beat" in report.verdict([good, *random_ones])
    assert "30 %" in report.verdict([good, *random_ones]) and "DARTS, 70 ± 14 %" in report.verdict([good, *random_ones])
    assert report.verdict([good, *random_ones, bad]).startswith("ENAS: no better than")


def test_leaderboard_and_drawing_say_which_cell_is_dead():
    live, dead = entry("ENAS", (0.5, 0.5)), entry("DARTS", (0.1, 0.1), choices=(0, 0, 3, 0, 3, 0))
    table = report.leaderboard([live, dead, entry("random cell 1", (0.2, 0.4), found=False)])
    assert [line for line in table.splitlines() if "is dead" in line] == [f"DARTS: {dead.architecture.warning}"]
    assert "is dead" in report.cell(dead) and "<p>" not in report.cell(live)


def test_leaderboard_as_text():
    table = report.leaderboard([entry("DARTS", (0.5, 0.7)), entry("random cell 1", (0.2, 0.4), found=False)])
    assert re.search(r"DARTS +60 ± 14 % +1,234 +4 s +5 G  \|", table)
    assert re.search(r"random, mean +30 %", table)
