"""A small part of `make fuzz` and `make chaos`, with the same contents and moments every time."""

import random
import signal
import time

import pytest

from benchmarks import chaos, fuzz

PARSERS = {parser.name: parser for parser in fuzz.parsers()}


@pytest.mark.parametrize("name", PARSERS)
def test_damaged_files_are_read_or_refused_with_a_sentence(name, tmp_path):
    dice, parser = random.Random(name), PARSERS[name]
    for content in parser.seeds:
        (tmp_path / "result.json").write_bytes(content)
        (tmp_path / f"x{parser.suffix}").write_bytes(content)
        if name not in ("notation", "scores, .json"):  # the former is of either space
            parser.read(tmp_path / ("result.json" if name.startswith("results") else f"x{parser.suffix}"))
    contents = [b"", b"[" * 5000, *(fuzz.damaged(dice.choice(parser.seeds), dice) for _ in range(30))]
    assert [fault for content in contents if (fault := fuzz.verdict(parser, content, tmp_path))] == []


def test_a_parser_that_fails_is_found(tmp_path):
    careless = fuzz.Parser("x", ".json", lambda path: path.read_bytes()[10], [b"x"])
    assert fuzz.verdict(careless, b"short", tmp_path).startswith("IndexError")


def test_what_the_chaos_looks_for_is_found(tmp_path):
    """A command that leaves a temporary file, another result, and less than before."""

    def careless(_):
        (tmp_path / "round" / "left.partial").write_text("half")

    subject = chaos.Subject("careless", careless, result=lambda folder: folder.name, kept=lambda folder: 1)
    chaos.finish(subject, chaos.prepare(tmp_path / "round"), chaos.prepare(tmp_path / "untouched"))
    assert chaos.check_kept(subject, tmp_path, before=2) == 1
    first, second, third = subject.faults
    assert "differs" in first and "left.partial" in second and third == "1 are kept where 2 were"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_command_that_is_ended_leaves_no_process(number, tmp_path):
    def work(_):
        time.sleep(3600)

    subject = chaos.Subject("sleep", work, result=lambda folder: 0)
    assert chaos.end_after(0.1, subject, chaos.prepare(tmp_path / "x"), number) and subject.faults == []
