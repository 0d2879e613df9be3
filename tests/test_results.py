"""The page of recorded results says what the records say, and the records hold what they promise."""

import statistics

import pytest

from benchmarks.leaderboard import NO_SEARCH, SEARCHES, TOLERANCE
from nas_tutorial import spaces
from tools import results

RECORDS = {section.file: results.read(section.path) for section in results.SECTIONS}
SPACE = spaces.get("nasbench201")


def test_the_page_is_what_the_records_give():
    assert results.PAGE.read_text(encoding="utf-8") == results.page()


def test_the_record_of_the_demo_is_complete_and_counts_points_from_the_random_cells():
    demo = RECORDS["demo_seeds_0_to_4.json"]
    assert [record["seed"] for record in demo["seeds"]] == [0, 1, 2, 3, 4] and len(demo["random_cells"]) == 10
    mean = statistics.fmean(cell["mean"] for cell in demo["random_cells"])
    for record in demo["seeds"]:
        for entry in record["found"]:
            assert len(entry["accuracies"]) == 3 and SPACE.parse(entry["architecture"]).live
            assert entry["points"] == pytest.approx(100 * (statistics.fmean(entry["accuracies"]) - mean))


@pytest.mark.parametrize("file", ["late_alpha_digits.jsonl", "late_alpha_cifar10_jpeg.jsonl"])
def test_what_is_derived_without_none_is_live(file):
    for line in RECORDS[file]:
        assert SPACE.parse(line["without none"]["cell"]).live
        assert SPACE.parse(line["with none"]["cell"]).live == line["with none"]["live"]


def test_the_leaderboard_has_three_seeds_of_each_search_and_says_how_each_line_was_made():
    lines = RECORDS["leaderboard_digits.jsonl"]
    assert {(line["search"], line["seed"]) for line in lines} == {(name, s) for name in SEARCHES for s in (0, 1, 2)}
    for line in lines:
        assert len(line["test"]) == 3 and SPACE.parse(line["architecture"]).live
        assert abs(line["multiply_adds"] / 800e9 - 1) <= TOLERANCE
        assert {"config", "data", "versions", "device", "space", "retrained_epochs"} <= line.keys()
        assert (line["cell at inherited weights"] is None) == (line["search"] == "random search")


@pytest.mark.parametrize("space, sizes, pictures, budget, epochs", results.REAL, ids=[real[0] for real in results.REAL])
def test_a_contest_on_real_pictures_is_complete_and_keeps_to_its_price(space, sizes, pictures, budget, epochs):
    lines = RECORDS[f"leaderboard_cifar10_{space}.jsonl"]
    kinds = {(line["search"], line["seed"]) for line in lines}
    searched = {(name, seed) for name in ("DARTS, first order", "ENAS", "random search") for seed in (0, 1)}
    assert kinds == searched | {(NO_SEARCH, seed) for seed in range(4)} and len(lines) == len(kinds)
    for line in lines:
        of = spaces.from_record(line["space"])
        assert len(line["test"]) == 3 and of.parse(line["architecture"]).live == line["live"]
        assert line["data"]["origin"]["per_class"] == pictures and line["data"]["splits"]["test"]["size"] == 3000
        assert line["retrained_epochs"] == epochs
        assert of.name == space and sizes == " ".join(
            f"{name}={line['space']['sizes'][name]}" for name in sizes_of(sizes)
        )
        assert line["search"] == NO_SEARCH or abs(line["multiply_adds"] / (budget * 1e9) - 1) <= TOLERANCE


def sizes_of(text):
    """The names in "channels=4 cells=3"."""
    return [pair.partition("=")[0] for pair in text.split()]
