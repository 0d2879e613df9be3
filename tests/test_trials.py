"""Trials: each is done, kept and counted once, whatever dies meanwhile, and gives the same numbers everywhere."""

import json
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from trial_jobs import failing, killed, killed_once, noted, stuck_on

from nas_tutorial import data, spaces, tables, training
from nas_tutorial.cli import arguments, main
from nas_tutorial.trials import ENGINES, Folder, TrialsFailed, engine, processes, run, running
from nas_tutorial.trials.retraining import retrain_all

JOBS = {f"job-{number}": (number,) for number in range(6)}
SQUARES = {name: number**2 for name, (number,) in JOBS.items()}


def lines(log):
    """How often each number was worked on to the end."""
    return Counter(map(int, log.read_text().split())) if log.exists() else Counter()


def files(folder):
    """What a folder keeps, by the name of the trial."""
    return {p.stem: json.loads(p.read_text()) for p in folder.glob("job-*.json")}


# --- each once --------------------------------------------------------------------------------------------------------
def test_every_job_is_done_once_and_kept_as_it_comes(tmp_path):
    folder, kept = Folder(tmp_path / "f", {"seed": 0}), []

    def watched(log, number):
        kept.append(len(files(tmp_path / "f")))
        return noted(log, number)

    assert run(partial(watched, tmp_path / "log"), JOBS, folder=folder) == SQUARES
    assert kept == [0, 1, 2, 3, 4, 5] and files(tmp_path / "f") == SQUARES
    assert run(partial(watched, tmp_path / "log"), JOBS, folder=folder) == SQUARES
    assert set(lines(tmp_path / "log").values()) == {1}


def test_after_an_interruption_only_the_rest_is_done(tmp_path):
    def interrupted(number):
        if number == 3:
            raise KeyboardInterrupt
        return noted(tmp_path / "log", number)

    with pytest.raises(KeyboardInterrupt):
        run(interrupted, JOBS, folder=Folder(tmp_path / "f", {}))
    assert set(files(tmp_path / "f")) == {"job-0", "job-1", "job-2"}
    assert list(run(partial(noted, tmp_path / "log"), JOBS, folder=Folder(tmp_path / "f", {})).items()) == [
        *SQUARES.items()
    ]
    assert lines(tmp_path / "log") == Counter(range(6))


def test_processes_that_are_killed_once_lose_nothing_and_do_nothing_twice(tmp_path):
    work = partial(killed_once, tmp_path / "log", victims=(1, 4))
    with engine("processes", 2) as executor, pytest.warns(UserWarning, match="The worker of trial job-. died") as seen:
        assert run(work, JOBS, executor, Folder(tmp_path / "f", {})) == SQUARES
    assert sorted(str(w.message).split()[4] for w in seen) == ["job-1", "job-4"]  # and no other job was hit
    assert lines(tmp_path / "log") == Counter(range(6)) and files(tmp_path / "f") == SQUARES
    assert not multiprocessing.active_children()


def test_a_job_that_kills_each_of_its_workers_is_named_and_the_others_are_kept(tmp_path):
    with engine("processes", 1) as executor, pytest.warns(UserWarning, match="job-2 died"):
        with pytest.raises(TrialsFailed, match="The trial job-2 failed: .* ended from outside 3 times") as failure:
            run(partial(killed, tmp_path / "log", victims=(2,)), JOBS, executor, Folder(tmp_path / "f", {}))
    assert f"5 of 6 are kept in {tmp_path / 'f'}; the same call goes on." in str(failure.value)
    assert files(tmp_path / "f") == {name: square for name, square in SQUARES.items() if name != "job-2"}


@pytest.mark.parametrize("name", ["serial", "processes"])
def test_jobs_that_fail_are_named(tmp_path, name):
    work = partial(failing, tmp_path / "log", bad=(1, 3))
    with engine(name, 1) as executor:
        with pytest.raises(TrialsFailed, match="The trial job-1 failed: ArithmeticError: 1 is bad.*Nothing was kept"):
            run(work, JOBS, executor)
    assert 5 not in lines(tmp_path / "log")  # where nothing is kept, nothing more is begun
    with engine(name, 1) as executor, pytest.raises(TrialsFailed, match="1 more of 6 failed, too. 4 of 6 are kept"):
        run(work, JOBS, executor, Folder(tmp_path / "f", {}))
    assert set(files(tmp_path / "f")) == {"job-0", "job-2", "job-4", "job-5"}


def test_an_error_keeps_its_exit_status(tmp_path):
    def diverging(_):
        raise training.retraining.Diverged("The loss is NaN", "a lower rate")

    with pytest.raises(TrialsFailed) as failure:
        run(diverging, JOBS)
    assert failure.value.exit_status == 3


def test_what_cannot_be_sent_is_said():
    with engine("processes", 1) as executor, pytest.raises(ValueError, match="cannot be sent to another process"):
        run(lambda number: number, JOBS, executor)


def test_shards_have_all_jobs_together():
    parts = [running.shard(JOBS, number, 4) for number in (1, 2, 3, 4)]
    assert sorted(name for part in parts for name in part) == sorted(JOBS)
    assert all(part[name] == JOBS[name] for part in parts for name in part)
    assert {len(part) for part in parts} == {1, 2}


# --- folders ----------------------------------------------------------------------------------------------------------
def test_a_folder_of_other_trials_is_refused(tmp_path):
    Folder(tmp_path, {"recipe": {"epochs": 3}}).keep("a", 1)
    with pytest.raises(ValueError, match="holds trials with recipe.epochs = 3, not 4 .*: go on with the same settings"):
        Folder(tmp_path, {"recipe": {"epochs": 4}})
    assert Folder(tmp_path, {"recipe": {"epochs": 3}}).result("a") == 1


@pytest.mark.parametrize("name", ["trials", "a"])
def test_a_damaged_file_is_named_and_left(tmp_path, name):
    Folder(tmp_path, {}, int).keep("a", 1)
    (tmp_path / f"{name}.json").write_text("{")
    with pytest.raises(ValueError, match=f"{name}.json is not what a trial left .*: remove it"):
        Folder(tmp_path, {}, int).result("a")
    (tmp_path / "a.json").write_text('"a word"')
    with pytest.raises(ValueError, match="is not what a trial left"):
        Folder(tmp_path, {}, int).result("a")


# --- engines ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("threads",), "The engine is 'threads'; expected one of serial, processes, ray"),
        (("processes", 0), "number of workers is 0"),
        (("serial", 2), "The engine serial has one worker, not 2"),
        (("processes", 1, "auto"), "The address 'auto' is for the engine ray, not for processes"),
    ],
)
def test_engines_that_cannot_be_had_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        engine(*words)


def test_the_command_line_offers_all_engines():
    assert arguments.ENGINES == ENGINES


def sleep_unless_alone(link):
    """A process that works for an hour."""
    processes.end_with(link)
    time.sleep(3600)


def test_a_process_ends_when_the_first_one_is_gone_and_not_before():
    context = multiprocessing.get_context("spawn")
    other_end, link = context.Pipe(duplex=False)
    process = context.Process(target=sleep_unless_alone, args=(other_end,), daemon=True)
    process.start()
    process.join(1)
    assert process.is_alive()
    link.close()  # as the system does when a process ends, however it ends
    process.join(120)
    assert process.exitcode == 1


# --- tables and retraining --------------------------------------------------------------------------------------------
SPACE = spaces.Tiny(channels=3, cells=1, nodes=3)
FEW = [SPACE.architecture(choices) for choices in [(4, 4, 4), (0, 4, 2), (2, 4, 4)]]
PICTURES = data.load("strokes", per_class=32, test_per_class=8)
TABLE = {"space": SPACE, "data": PICTURES, "recipe": training.Recipe(epochs=4, batch_size=8, learning_rate=0.2)}
TABLE |= {"seeds": (0, 1), "architectures": FEW, "at_once": 2}


@pytest.fixture(scope="module")
def expected():
    """The table that this process makes."""
    table = tables.train_all(**TABLE)
    assert len(np.unique(table.runs())) > 2  # or any two tables would be equal
    return table


def assert_same(table, expected):
    """Equal bit for bit but for the time that it took."""
    assert all(np.array_equal(table.columns[name], values) for name, values in expected.columns.items())
    assert dict(table.about, seconds=0) == dict(expected.about, seconds=0)


def test_a_table_is_the_same_in_processes(expected, tmp_path):
    with engine("processes", 1) as executor:
        assert_same(tables.train_all(**TABLE, resume=tmp_path, executor=executor), expected)
        assert len(list(tmp_path.glob("seed-?-from-?.json"))) == 4


def test_many_are_retrained_as_one_is(tmp_path):
    found = retrain_all(FEW[:2], PICTURES, (0, 1), epochs=1, resume=tmp_path)
    assert found == [training.retrain(a, PICTURES, (0, 1), epochs=1) for a in FEW[:2]]
    assert found[0].about["seeds"] == [0, 1] and len(list(tmp_path.glob("*-seed-?.json"))) == 4
    with pytest.raises(ValueError, match="holds trials with recipe.epochs = 1, not 2"):
        retrain_all(FEW[:2], PICTURES, (0, 1), epochs=2, resume=tmp_path)


# --- Ray --------------------------------------------------------------------------------------------------------------
def free_port():
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("", 0))
        return one.getsockname()[1]


def machine():
    """A machine with one core; with ports of its own, as Ray waits 15 s at most for the choice of others."""
    ports = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
    return {"num_cpus": 1, "object_store_memory": 80_000_000} | {port: free_port() for port in ports}


def joined(cluster, **more):
    """One more machine. Ray waits 15 s for a helper process, too little where others use all cores: it is asked twice.

    See https://github.com/ray-project/ray/issues/65983. Where that does not help the test is skipped, but not by CI.
    """
    for last in (False, True):
        try:
            return cluster.add_node(**machine(), **more)
        except Exception as error:  # that is all that it raises
            if "timed out during startup" not in str(error) or last and os.environ.get("NAS_TUTORIAL_CI"):
                raise
    pytest.skip("Ray could not start a second machine on this one in time, as others use all cores: try again")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two machines on this one; in the end nothing of them is left."""
    pytest.importorskip("ray", reason='Ray is not installed: pip install "nas_tutorial[cluster]"')
    import psutil  # comes with Ray
    from ray.cluster_utils import Cluster

    quick = tmp_path_factory.mktemp("quick")
    (quick / "rfc3987_syntax.py").write_text("raise ImportError")  # else Ray's helpers compile a grammar of addresses
    before, own, made = signal.getsignal(signal.SIGTERM), set(psutil.Process().children(True)), Cluster()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_agent_register_timeout_ms", "100000")
        here = Path(__file__).resolve().parent  # where the machines find these jobs, and the package
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (quick, here, here.parent))))
        try:
            joined(made, include_dashboard=False)
            yield SimpleNamespace(address=made.address, kill=made.remove_node, second=joined(made))
        finally:
            made.shutdown()
            signal.signal(signal.SIGTERM, before)
            for process in set(psutil.Process().children(True)) - own:  # of a machine that did not start
                process.kill()
            assert not psutil.wait_procs(set(psutil.Process().children(True)) - own, timeout=60)[1]


def test_a_machine_that_dies_in_the_middle_loses_nothing_and_nothing_is_done_twice(cluster, expected, tmp_path):
    mark, log, victim = tmp_path / "stuck", tmp_path / "log", cluster.second

    def kill_when_stuck():
        while not mark.exists():
            time.sleep(0.05)
        cluster.kill(victim, allow_graceful=False)

    with engine("ray", address=cluster.address) as executor:
        killer = threading.Thread(target=kill_when_stuck, daemon=True)
        killer.start()
        with pytest.warns(UserWarning, match="The worker of trial job-. died; another one does it again."):
            work = partial(stuck_on, victim.node_id, mark, log)
            assert run(work, JOBS, executor, Folder(tmp_path / "f", {})) == SQUARES
        killer.join()
        assert lines(log) == Counter(range(6)) and files(tmp_path / "f") == SQUARES
        with pytest.raises(TrialsFailed, match="The trial job-1 failed: ArithmeticError: 1 is bad"):
            run(partial(failing, log, bad=(1,)), JOBS, executor)
        assert_same(tables.train_all(**TABLE, executor=executor), expected)


# --- the command line -------------------------------------------------------------------------------------------------
WORDS = ("table", "--space", "tiny", "--nodes", "2", "--channels", "2", "--cells", "1", "--data", "strokes")
WORDS += ("--per-class", "12", "--epochs", "1", "--at-once", "3", "--seeds", "0", "1")


@pytest.fixture
def typed(capsys, monkeypatch, tmp_path):
    """Run `nas-tutorial table` in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*more):
        code = main([*WORDS, *more])
        return SimpleNamespace(code=code, **capsys.readouterr()._asdict())

    return run


def test_shards_and_engines_make_the_same_table(typed, tmp_path):
    assert typed("--out", "whole.json").code == 0
    for number in (1, 2):
        done = typed("--out", "t.json", "--shard", f"{number}/2", *(("--engine", "processes") if number == 2 else ()))
        assert done.code == 0 and f"{2 * number} of 4 trials are kept in t-trials; when all are there" in done.out
        assert not (tmp_path / "t.json").exists()
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "t-trials").glob("seed-*")}
    done = typed("--out", "t.json")
    assert "5 architectures of tiny" in done.out and "kept   t.json" in done.out and "4/4" in done.err
    assert {p: p.stat().st_mtime_ns for p in before} == before and len(before) == 4
    whole, shared = (tables.Table.load(tmp_path / name) for name in ("whole.json", "t.json"))
    assert_same(shared, whole)
    more = typed("--out", "t.json", "--seeds", "2", "0", "1")
    assert more.code == 0 and tables.Table.load("t.json").runs().shape == (5, 3)
    assert typed("--out", "t.json").err.count("holds the seeds [2], too: name them in --seeds") == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--out", "notes.json"), "notes.json is no table, so it is left as it is: choose another --out"),
        (("--out", "t.csv"), "The suffix of a table's file is '.csv'"),
        (("--shard", "3/2"), "--shard is '3/2'; give its number and how many there are, such as 3/10"),
        (("--nodes", "12"), "but a table trains all of them, at most 100,000"),
        (("--set", "drop_path=0.2"), "no drop path"),
        (("--workers", "2"), "The engine serial has one worker, not 2"),
        (("--address", "auto"), "is for the engine ray, not for serial"),
    ],
)
def test_what_no_table_can_be_made_of_is_refused(typed, tmp_path, more, message):
    (tmp_path / "notes.json").write_text('{"mine": 1}')
    done = typed(*more)
    assert done.code == 2 and message in done.err and done.err.count("\n") == 1
    assert {p.name for p in tmp_path.iterdir()} == {"notes.json"} and "mine" in (tmp_path / "notes.json").read_text()
