"""The demonstration: from search to report, on small things; and what its report says."""

import json
import os
import re
import signal
from concurrent.futures import Future

import pytest

import nas_tutorial
from benchmarks import demo as benchmark
from nas_tutorial import data, spaces, training
from nas_tutorial.cli import main
from nas_tutorial.demo import demo, journal, report, workers
from nas_tutorial.demo.leaderboard import Entry, Leaderboard
from nas_tutorial.strategies import recordings
from nas_tutorial.strategies.results import Event, SearchResult

SPACE = spaces.get("nasbench201")
LIVE = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|nor_conv_3x3~1|avg_pool_3x3~2|"
DEAD = "|none~0|+|none~0|nor_conv_3x3~1|+|none~0|nor_conv_3x3~1|none~2|"


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """Three random cells and two trainings, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "TRAINING_SEEDS", (0, 1))
    monkeypatch.setattr(demo, "RANDOM_CELLS", 3)
    return tmp_path / "runs"


# --- from search to report --------------------------------------------------------------------------------------------
def test_demo_from_search_to_report(quick, capsys, monkeypatch):
    assert main(["demo", "--scale", "0.02", "--seed", "3"]) == 0, capsys.readouterr().err
    out, folder = capsys.readouterr().out, quick / "demo-seed3"
    record = json.loads((folder / "leaderboard.json").read_text())
    assert [entry["mean"] for entry in record["found"]] == sorted((e["mean"] for e in record["found"]), reverse=True)
    assert all(len(entry["accuracies"]) == 2 for entry in record["found"]) and record["seed"] == 3
    assert [(cell["name"], len(cell["accuracies"])) for cell in record["random_cells"]] == [
        (f"random cell {i}", 1) for i in (1, 2, 3)
    ]
    for module in ("darts", "enas", "random"):
        result = SearchResult.load(folder / module)
        assert result.seed == 3 and str(result.architecture) in out and (folder / module / "cell.svg").is_file()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not loads(page)
    recorded = [recordings.load(folder / module / "recording.json") for module in ("darts", "enas", "random")]
    assert [(each.strategy, each.command) for each in recorded] == [
        (module, "nas-tutorial demo --seed 3 --scale 0.02") for module in ("darts", "enas", "random")
    ]
    replayed = (folder / "replay.html").read_text(encoding="utf-8")
    assert all(f"{each.strategy} on nasbench201, seed 3" in replayed for each in recorded)
    assert page.count('<a href="replay.html">') == 1
    assert page.count("<svg") == 6 and all(f"{e['parameters']:,}" in page for e in record["found"])
    is_what_one_process_computes(record)


def is_what_one_process_computes(record):
    """Hold searches and trainings of other processes against the same ones in this process."""
    digits = data.load("digits", seed=0, per_class=16, test_per_class=4)
    names = {"DARTS": "darts", "ENAS": "enas", "random search": "random"}
    for entry in record["found"]:
        config = record["settings"]["searches"][entry["name"]]
        run = nas_tutorial.search(SPACE, digits, names[entry["name"]], seed=3, **config)
        assert str([*run][-1].architecture) == entry["architecture"]
    for entry, seeds in ((record["found"][0], (0, 1)), (record["random_cells"][2], (0,))):
        alone = training.retrain(SPACE.parse(entry["architecture"]), digits, seeds)
        assert tuple(entry["accuracies"]) == alone.accuracies


def loads(page):
    """Whatever a page would fetch by itself: addresses in attributes, style sheets and scripts, other than data."""
    page = page.replace('<a href="replay.html">', "")
    addresses = re.findall(r"""(?:src|href|srcset|data|action)\s*=\s*["']?([^"'\s>]+)""", page)
    addresses += re.findall(r"url\(([^)]*)\)|@import\s+(\S+)|<script", page)
    return [a for a in addresses if not str(a).startswith("data:")]


class NoProcesses:
    """In place of the pool: every search has found the same cell, every training ends with the same scores."""

    def __init__(self):
        self.trained = []

    def working(self):
        return False

    def search(self, name, strategy, epochs, seed, space, folder):
        entry = found(name, 0.5)
        entry.search.save(folder)
        return over(entry.multiply_adds)

    def train(self, architecture, seeds):
        self.trained.append((architecture, seeds))
        return [over(training.Scores((0.5 + seed / 100,), 7)) for seed in seeds]


def over(result):
    """A job that is over."""
    future = Future()
    future.set_result(result)
    return future


def test_random_cells_are_the_same_for_every_seed_and_trained_once_or_not_at_all(tmp_path):
    first, again = NoProcesses(), NoProcesses()
    _, cells = demo.work(first, SPACE, tmp_path, 1.0, 0, None)
    entries, known = demo.work(again, SPACE, tmp_path, 1.0, 1, [cell.scores for cell in cells])
    assert cells == known and len({cell.architecture for cell in cells}) == 10
    assert [seeds for _, seeds in first.trained] == [(0,)] * 10 + [(0, 1, 2)] * 3
    assert [seeds for _, seeds in again.trained] == [(0, 1, 2)] * 3
    assert [entry.scores.accuracies for entry in entries] == [(0.5, 0.51, 0.52)] * 3


def test_settings_hold_all_that_a_result_depends_on(monkeypatch):
    before = demo.settings(1.0)
    assert demo.settings(0.5) != before
    monkeypatch.setitem(training.RECIPES, "small", training.Recipe(epochs=4))
    assert demo.settings(1.0) != before


# --- what ends early --------------------------------------------------------------------------------------------------
def die(*_):
    """A job that the system kills."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(place, number):
    """A job that the system kills the first time."""
    if not place.exists():
        place.write_text("begun")
        die()
    return number


def test_a_process_that_is_killed_twice_is_told_in_one_sentence(quick, monkeypatch, capsys):
    monkeypatch.setattr(demo, "SEARCHES", {"DARTS": ("darts", 10)})
    monkeypatch.setattr(workers, "searched", die)
    assert main(["demo", "--scale", "0.02"]) == 2
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("nas-tutorial: error: The process of the search by DARTS was ended from outside twice")


def test_a_job_whose_process_dies_is_done_again_and_the_others_go_on(tmp_path, capsys):
    kept = journal.Journal(tmp_path / "kept", {})
    with workers.WorkerPool((), 0, kept) as pool:
        jobs = [workers.Job(f"job {i}", f"job-{i}", die_once, (tmp_path / f"{min(i, 1)}", i)) for i in range(4)]
        (tmp_path / "1").write_text("only job 0 is killed")
        futures = [pool._take(job) for job in jobs]
        while pool.working():
            pass
    assert [future.result() for future in futures] == [0, 1, 2, 3]
    assert "The process of job 0 was ended from outside; another one does it again." in capsys.readouterr().err
    assert [kept.result(f"job-{i}") for i in range(5)] == [0, 1, 2, 3, None]


# --- what goes on -----------------------------------------------------------------------------------------------------
def test_what_is_done_is_not_done_again_and_another_demonstration_is_refused(tmp_path):
    scores, cell = training.Scores((0.25,), 7), SPACE.parse(LIVE)
    first = journal.Journal(tmp_path, {"seed": 0})
    first.keep(journal.training_of(cell.to_json(), 3), scores)
    again = workers.WorkerPool((), 1, journal.Journal(tmp_path, {"seed": 0}))
    again.bar = type("Bar", (), {"update": lambda _: None})()
    assert again.train(cell, (3,))[0].result() == scores and not again.waiting
    with pytest.raises(ValueError, match=r"holds a demonstration with seed = 0, not 1: add --overwrite"):
        journal.Journal(tmp_path, {"seed": 1})
    assert journal.Journal(tmp_path, {"seed": 1}, overwrite=True).result("training") is None
    assert not (tmp_path / "jobs").exists()


def test_what_an_older_version_left_is_not_overwritten(tmp_path):
    (tmp_path / "leaderboard.json").write_text("mine")
    with pytest.raises(ValueError, match="holds leaderboard.json of an older demonstration: add --overwrite"):
        journal.Journal(tmp_path, {})
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["leaderboard.json"]


# --- what the leaderboard says ----------------------------------------------------------------------------------------
def found(name, *accuracies, cell=LIVE, multiply_adds=5 * 10**9):
    """A search that nobody ran."""
    architecture = SPACE.parse(cell)
    event = Event(1, 1, 2.0, 0.2, 0.3, architecture, seconds=4.0)
    result = SearchResult("darts", architecture, [event], {}, 0, "digits")
    return Entry(name, architecture, training.Scores(accuracies, 1234), result, multiply_adds)


def board(*entries, accuracies=(0.2, 0.4, 0.6)):
    """A leaderboard of these searches beside random cells with these accuracies."""
    cells = [
        Entry(f"random cell {i}", SPACE.parse(LIVE), training.Scores((a,), 99)) for i, a in enumerate(accuracies, 1)
    ]
    return Leaderboard(entries, tuple(cells), 10, {"seed": 0, "finished": "today"})


def test_the_verdict_tells_points_against_the_random_mean_also_where_they_are_missing():
    told = board(found("DARTS", 0.6, 0.8), found("ENAS", 0.401), found("random search", 0.1, 0.3)).verdict
    assert told == "DARTS +30, ENAS ±0, random search −20 points, compared with the mean of 3 random cells (40 %)"


def test_a_search_beats_the_random_cells_that_are_worse_than_its_mean():
    entries = [found("A", 0.9), found("B", 0.4, 0.6), found("C", 0.4), found("D", 0.2)]
    assert [board(*entries).beaten(entry) for entry in entries] == [3, 2, 1, 0]


def test_a_dead_cell_is_said_to_be_dead():
    entry = found("DARTS", 0.1, 0.1, cell=DEAD)
    dead, alive = board(entry), board(found("DARTS", 0.1, 0.1))
    page = report.page(dead, data.load("digits", per_class=8, test_per_class=1))
    assert "no path leads from input to output" in str(dead) and page.count("no path leads from input to output") == 2
    assert "no path" not in str(alive) and entry.to_record()["warning"].startswith("This architecture is dead")


def test_leaderboard_as_text():
    table = str(board(found("DARTS", 0.5, 0.7), accuracies=[0.21, 0.77, *[0.56] * 8]))
    assert re.search(r"DARTS +60 ± 14 % +1,234 +4 s +5 G  \|", table)
    assert "ten random cells  mean 55 % (21 … 77); one training each, guessing 10 %" in table
    assert "Equal budgets: each search computes about as much, 5 to 5 billion" in table


def test_unequal_budgets_are_not_called_equal():
    told = board(found("DARTS", 0.5), found("ENAS", 0.5, multiply_adds=6 * 10**9)).budget
    assert told.startswith("Budgets differ: the searches compute 5 to 6 billion")


def test_the_chart_shows_every_training_and_says_it_in_words():
    chart = report.chart(board(found("DARTS", 0.5, 0.7)))
    places = re.findall(r'class="dot" style="left:([\d.]+)%"', chart)
    assert places == ["50.0", "70.0", "20.0", "40.0", "60.0"]
    assert "--mean:40.0%;--chance:10.0%" in chart
    (spoken,) = re.findall(r'aria-label="([^"]*)"', chart)
    assert "DARTS 60 ± 14 % (50.0 70.0)" in spoken and "mean 40 % (20 … 60)" in spoken and "guessing 10 %" in spoken


# --- several seeds ----------------------------------------------------------------------------------------------------
@pytest.fixture
def demos_run(quick, monkeypatch):
    """Replaces the demonstration by one that takes no time; gives the (seed, random scores known) of each run."""
    runs = []

    def run(folder, scale, seed, random_scores):
        runs.append((seed, random_scores is not None))
        made = board(found("DARTS", 0.5 + seed / 10, 0.7), found("ENAS", 0.4, 0.4))
        facts = {"seed": seed, "settings": demo.settings(scale), "versions": {}, "finished": "today", "seconds": 1}
        folder.mkdir(parents=True)
        made = Leaderboard(made.found, made.random_cells, 10, facts)
        (folder / "leaderboard.json").write_text(json.dumps(made.to_record()))

    monkeypatch.setattr(demo, "run", run)
    return runs


def test_five_seeds_become_one_summary_and_what_is_there_is_not_run_again(demos_run, quick, capsys):
    benchmark.main(["--seeds", "1", "--out", "one.json"])
    benchmark.main(["--seeds", "0", "1", "2", "--out", "three.json"])
    assert demos_run == [(1, False), (0, True), (2, True)]  # random cells are trained once
    summary = json.loads(open("three.json").read())
    assert summary["command"] == "python -m benchmarks.demo --seeds 0 1 2 --out three.json"
    assert summary["strategies"]["DARTS"]["points"] == pytest.approx([20, 25, 30])
    assert summary["strategies"]["DARTS"]["least_points"] == pytest.approx(20)
    assert summary["strategies"]["ENAS"]["std_between_seeds"] == 0
    assert [seed["seed"] for seed in summary["seeds"]] == [0, 1, 2]
    out = capsys.readouterr().out
    assert re.search(r"seed 2 +70 ± 0 % \(\+30\) +40 ± 0 % \(±0\)", out) and "3 random cells, 40 % (20 … 60)" in out


def test_results_with_other_settings_are_run_again(demos_run, quick):
    benchmark.main(["--seeds", "0", "--out", "one.json"])
    (quick / "demo").rename(quick / "demo-seed7")
    record = json.loads((quick / "demo-seed7" / "leaderboard.json").read_text())
    assert benchmark.kept(quick / "demo-seed7", 1.0) == record
    assert benchmark.kept(quick / "demo-seed7", 0.5) is None and benchmark.kept(quick / "demo", 1.0) is None


def test_seeds_with_different_random_cells_are_not_joined():
    records = [{**board(found("DARTS", 0.5)).to_record(), "seed": seed} for seed in (0, 1)]
    records[1]["random_cells"] = records[1]["random_cells"][:2]
    with pytest.raises(ValueError, match="random cells of the seeds 0 and 1 have different accuracies"):
        benchmark.summary(records)


def test_a_ctrl_c_while_processes_are_ended_leaves_none_out():
    ended = []

    class Ending:
        def __init__(self, number):
            self.number = number

        def end(self, at_once=False):
            ended.append(self.number)
            if self.number == 1:
                raise KeyboardInterrupt

    pool = workers.WorkerPool((), 0, None)
    with pytest.raises(KeyboardInterrupt), pool:
        pool.processes = [Ending(0), Ending(1), Ending(2)]
    assert sorted(ended) == [0, 1, 2]
