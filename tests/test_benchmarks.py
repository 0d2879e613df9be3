"""Benchmarks give the figures they promise, and the textbook baseline computes what the fast path computes."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import (
    ablation,
    drawing,
    early_late,
    figures,
    frame,
    leaderboard,
    retrain_step,
    sampling,
    scaling,
    search_step,
    textbook,
)
from nas_tutorial import data, measures, retrain, spaces
from nas_tutorial.networks import fast
from nas_tutorial.settings import processor, versions
from nas_tutorial.strategies.gradients import Bilevel, VirtualStep, first_order, unrolled

KEYS = {"name", "seconds_median", "min", "max", "cpu_seconds_median", "cpu_min", "n", "config", "peak_rss_mb"}
MODULES = {
    "search_step/tiny/order 1/fast": search_step,
    "sampling/tiny": sampling,
    "retrain_step/tiny": retrain_step,
    "drawing/tiny": drawing,
    "scaling/operations/2": scaling,
}


def smallest(start):
    return [case for case in MODULES[start].cases() if case.name.startswith(start)]


@pytest.mark.parametrize("start", MODULES)
def test_a_benchmark_prints_one_json_line_per_case(start, capsys):
    cases = smallest(start)
    for case in cases:
        frame.main("unused", cases, ["--here", case.name, "--repeats", "2"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == [case.name for case in cases]
    for row in rows:
        assert row.keys() == KEYS | {"torch", "threads", "device"}
        assert row["config"].keys() == {"C", "layers", "batch", "order"}
        assert row["n"] == 2 and 0 < row["min"] <= row["seconds_median"] <= row["max"] and row["peak_rss_mb"] > 50


def test_each_case_has_a_name_of_its_own():
    names = [case.name for module in set(MODULES.values()) for case in module.cases()]
    assert len(set(names)) == len(names)


def test_a_case_runs_in_a_process_of_its_own_with_the_threads_asked_for(capfd):
    frame.main("benchmarks.sampling", sampling.cases(), ["--only", "tiny/fast", "--threads", "2", "--repeats", "1"])
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line)["threads"] == 2


@pytest.mark.parametrize(("baseline", "ours"), [(textbook.first_order, first_order), (textbook.second_order, unrolled)])
def test_the_textbook_step_is_the_same_step(baseline, ours):
    gradients = []
    for estimate in (baseline, ours):
        torch.manual_seed(0)
        space = spaces.Tiny(4, 1)
        alphas = {k: a.detach().double().requires_grad_() for k, a in space.alphas(torch.Generator()).items()}
        batches = [(torch.randn(8, 3, 8, 8).double(), torch.randint(10, (8,))) for _ in range(2)]
        torch.manual_seed(1)
        problem = Bilevel(space, space.supernet().double(), alphas)
        gradients.append(estimate(problem, *batches, VirtualStep(0.025)))
    for name, gradient in gradients[1].items():
        torch.testing.assert_close(gradients[0][name], gradient, rtol=0, atol=1e-9)
        assert gradient.abs().max() > 1e-6


@pytest.mark.parametrize("part", [part for part, prepare in ablation.PARTS.items() if prepare])
def test_no_part_of_the_ablation_changes_a_gradient(part, monkeypatch):
    monkeypatch.setattr(fast, "is_separable", fast.is_separable)  # one part replaces it for its process
    found = []
    for prepare in (ablation.PARTS[part], ablation.as_it_is):
        torch.manual_seed(0)
        space = spaces.DARTS(4, 3, nodes=2)
        network = prepare(space.supernet().double())
        alphas = {k: a.detach().double().requires_grad_() for k, a in space.alphas(torch.Generator()).items()}
        batches = [(torch.randn(4, 3, 8, 8).double(), torch.randint(10, (4,))) for _ in range(2)]
        found.append(first_order(Bilevel(space, network, alphas), *batches, VirtualStep(0.025)))
    for name, gradient in found[1].items():
        torch.testing.assert_close(found[0][name], gradient, rtol=0, atol=1e-10)
        assert gradient.abs().max() > 1e-6


@pytest.mark.parametrize("varied", scaling.VARIED)
def test_a_scaling_case_varies_one_size(varied):
    for value in scaling.VARIED[varied]:
        given = {name: size for name, size in {**scaling.BASE, varied: value}.items() if name != "batch"}
        space = scaling.resized(**given)
        assert (space.channels, space.cells, space.nodes, len(space.operations)) == tuple(given.values())
        edges = given["nodes"] * (given["nodes"] + 3) // 2
        assert space.alpha_shapes == dict.fromkeys(("normal", "reduce"), (edges, given["operations"]))


def study(power):
    """Lines of a study in which cost and memory are `power` of the size, and the fast path takes half of both."""
    lines = [{"name": "scaling/floor", "cpu_seconds_median": 0.0, "peak_rss_mb": 500}]
    for case in scaling.cases():
        if case.name != "scaling/floor":
            *_, value, path = case.name.split("/")
            cost = int(value) ** power * (2 if path == "slow" else 1)
            lines.append({"name": case.name, "cpu_seconds_median": cost, "peak_rss_mb": 500 + 1000 * cost})
    return figures.read(json.dumps(line) for line in lines)


@pytest.mark.parametrize("measure", figures.MEASURES.values(), ids=figures.MEASURES)
def test_the_plots_of_a_scaling_study_say_how_costs_grow(measure):
    figure = figures.scaling(study(1.5), measure)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert sum("×2.8, fast ×2.8" in title for title in titles) == 4  # 2 to the power of 1.5
    assert "2.0 to 2.0 times" in figure.get_suptitle()
    values, found = figures.series(study(1.5), "channels", "fast", measure)
    assert list(found) == pytest.approx([v**1.5 for v in values])


def test_a_training_of_the_leaderboard_comes_out_as_recorded():
    file = Path(measures.__file__).with_name("leaderboard_digits.jsonl")
    lines = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    line = min(lines, key=lambda line: line["architecture"].count("conv"))  # the quickest to train
    pictures = data.from_record(line["data"])
    again = retrain(
        spaces.from_record(line["space"]).parse(line["architecture"]), pictures, (0,), epochs=line["retrained_epochs"]
    )
    same = (line["versions"], line["device"]) == (versions(), f"{processor()}, one thread")
    assert again.accuracies[0] == pytest.approx(line["test"][0], abs=0 if same else 0.05)


def test_a_search_that_misses_its_budget_is_run_again_with_other_epochs():
    tried = []

    def run(epochs):  # the longer it is, the dearer is an epoch
        tried.append(epochs)
        return leaderboard.Run("found", epochs * (50 + epochs), 0.0)

    assert abs(leaderboard.at_cost(run, 2000, 55).multiply_adds - 2000) <= 200
    assert tried == [36, 23, 27]
    with pytest.raises(ValueError, match="comes near the budget"):
        leaderboard.at_cost(lambda epochs: leaderboard.Run("found", 1, 0.0), 2000, 55)


def test_a_search_that_becomes_too_dear_is_stopped_and_says_what_the_whole_would_cost():
    pictures = data.load("strokes", per_class=20, test_per_class=2)
    contest = leaderboard.Contest(spaces.Tiny(2, 1), pictures)
    whole, stopped = (contest.searched("DARTS, first order", 0, 4, limit) for limit in (float("inf"), 1))
    assert whole.result is not None and stopped.result is None
    assert stopped.multiply_adds == pytest.approx(whole.multiply_adds, rel=0.2)


def test_what_is_drawn_early_and_late_is_recorded_as_it_is_measured():
    record = json.loads(early_late.RECORD.read_text(encoding="utf-8"))
    assert (record["space"], record["data"]) == (early_late.SPACE.to_record(), early_late.DATA)
    keys = [(line["reward"], line["seed"]) for line in record["searches"]]
    assert keys == [(name, seed) for name in early_late.REWARDS for seed in early_late.SEEDS]
    for line in record["searches"]:
        assert len(line["rewards"]) == record["epochs"] == early_late.EPOCHS
        assert all(len([early_late.SPACE.parse(text) for text in line[when]]) == 20 for when in ("early", "late"))
    few = data.load(early_late.DATA["name_or_path"], per_class=20)
    again = [early_late.measure("accuracy", 0, few, epochs=1) for _ in range(2)]
    assert again[0] == again[1] and again[0]["early"] == again[0]["late"]
