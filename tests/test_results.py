"""The page of recorded results says what the records say, and the records hold what they promise."""

import statistics

import pytest

from benchmarks.leaderboard import SEARCHES, TOLERANCE
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


def test_the_record_of_real_pictures_is_complete():
    whole = RECORDS["real_pictures_cifar10_jpeg.json"]
    assert {(entry["strategy"], entry["seed"]) for entry in whole["searches"]} == {
        (strategy, seed) for strategy in ("darts", "enas", "random") for seed in (0, 1)
    }
    assert len(whole["random_cells"]) == 10 and {"command", "date", "device", "versions"} <= set(whole)
    assert all(len(e["accuracies"]) == 3 for e in [*whole["searches"], *whole["random_cells"]])
    assert all(entry["multiply_adds"] > 0 and SPACE.parse(entry["architecture"]).live for entry in whole["searches"])
    assert whole["data"]["splits"]["test"]["size"] == 10_000


def test_the_leaderboard_has_three_seeds_of_each_search_and_says_how_each_line_was_made():
    lines = RECORDS["leaderboard_digits.jsonl"]
    assert {(line["search"], line["seed"]) for line in lines} == {(name, s) for name in SEARCHES for s in (0, 1, 2)}
    for line in lines:
        assert len(line["test"]) == 3 and SPACE.parse(line["architecture"]).live
        assert abs(line["multiply_adds"] / 800e9 - 1) <= TOLERANCE
        assert {"config", "data", "versions", "device", "space", "retrained_epochs"} <= line.keys()
        assert (line["cell at inherited weights"] is None) == (line["search"] == "random search")
