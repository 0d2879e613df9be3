"""Every bug of the museum is caught by its check, and every check passes on healthy code."""

import pytest

from . import SLIP, Mutant, gradients, learning, networks, policies

MODULES = (networks, policies, gradients, learning)
MUTANTS = [mutant for module in MODULES for mutant in module.MUTANTS]
CHECKS = {mutant.check.__name__: mutant.check for mutant in MUTANTS}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_healthy_code_passes(check):
    check()


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_mutant_is_caught(mutant, monkeypatch):
    mutant.patch(monkeypatch)
    assert mutant.is_caught(), (
        f"the bug {mutant.name!r} ({mutant.where_seen}) goes unnoticed by {mutant.check.__name__}"
    )


def test_a_patch_that_changes_nothing_is_not_called_caught():
    harmless = Mutant("harmless", SLIP, lambda monkeypatch: None, policies.check_probabilities_add_up_to_one)
    assert not harmless.is_caught()


def test_a_crash_is_not_called_caught():
    def crash():
        raise TypeError

    with pytest.raises(TypeError):
        Mutant("crash", SLIP, lambda monkeypatch: None, crash).is_caught()


def test_names_are_unique():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
