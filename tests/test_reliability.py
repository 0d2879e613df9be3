"""Every bad input of `tests/reliability` gets a clear answer, and does no harm."""

import pytest

from tests.reliability import CLEAR, areas, forget_folder, judge
from tools import reliability

CASES = [(name, case) for name, area in areas().items() for case in area.CASES]


@pytest.fixture(scope="module", autouse=True)
def folder():
    """The folder that all cases copy."""
    yield
    forget_folder()


@pytest.mark.parametrize(("area", "case"), CASES, ids=[f"{area}: {case.given[:60]}" for area, case in CASES])
def test_a_bad_input_is_answered_in_a_sentence_and_does_no_harm(area, case):
    verdict = judge(case)
    assert verdict.kind == CLEAR, f"{case.given}: {verdict.kind}: {verdict.answer}; expected words {case.says}"
    assert not verdict.harmed, f"{case.given}: {verdict.harmed}"


def test_no_bad_input_is_tried_twice():
    given = [(area, case.given) for area, case in CASES]
    assert len(given) == len(set(given)) >= 300


def test_the_page_is_up_to_date():
    """With the test above: every row of its table is what these cases give."""
    clear = {name: (len(area.CASES), len(area.CASES), 0) for name, area in areas().items()}
    assert reliability.PAGE.read_text(encoding="utf-8") == reliability.page(clear), "python -m tools.reliability"
