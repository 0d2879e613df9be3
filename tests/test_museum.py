"""Every bug of the museum, and every slip in `mutants`, makes an ordinary test fail that stands without it."""

import re
import sys
from contextlib import nullcontext
from inspect import isclass, signature
from pathlib import Path

import pytest
import torch
from mutants import SLIPS, adapters, gradients, learning, networks, policies
from small import TINY

from nas_tutorial import museum
from nas_tutorial.museum import EXHIBITS, replaced
from nas_tutorial.spaces.enas_micro import MicroCell
from nas_tutorial.strategies import controller, darts, enas
from nas_tutorial.strategies import gradients as home
from nas_tutorial.strategies.enas import Config, Reinforce
from nas_tutorial.training import norms

HERE = Path(__file__).parent
MODULES = adapters, gradients, learning, networks, policies  # of slips: imported, they fill SLIPS
NO_TRACE = "test_gradients.py::test_an_estimate_leaves_no_trace[unrolled]"
PICTURES = "test_training.py::test_a_search_changes_training_pictures_only_and_never_sees_test_pictures"
EVERY_WEIGHT = "test_controller.py::test_every_weight_gets_gradient"

WITNESSES = {
    "autodl_attached_entropy": "test_enas.py::test_entropy_is_a_number_in_the_reward[enas_macro]",
    "autodl_baseline": "test_enas.py::test_the_baseline_by_hand",
    "enas_auxiliary_head": "test_networks.py::test_every_weight_of_the_auxiliary_head_gets_gradient",
    "enas_forgetful_lstm": "test_controller.py::test_the_memory_reaches_past_the_last_answer",
    "enas_late_binding": "test_supernets.py::test_changing_one_answer_changes_the_output[tiny-0]",
    "enas_log_prob": "test_controller.py::test_probabilities_of_all_architectures_add_up_to_one",
    "enas_logged_entropy": "test_controller.py::test_a_macro_controller_without_opinions_is_uniform",
    "enas_running_statistics": "test_enas.py::test_rewards_use_the_statistics_of_the_batch",
    "enas_unclipped": "test_training.py::test_the_optimiser_never_sees_more_than_the_bound",
    "nni_augmented_rewards": f"{PICTURES}[enas]",
    "nni_frozen_start": EVERY_WEIGHT,
    "nni_idle_attention": EVERY_WEIGHT,
    "nni_incomplete_groups": "test_enas.py::test_each_architecture_gets_its_own_batch_and_batches_never_end",
    "nni_input_instead_of_operation": "test_supernets.py::test_only_the_chosen_operations_get_gradient[enas_micro-0]",
    "nni_sum_of_indices": "test_controller.py::test_every_figure_equals_the_account_kept_by_hand",
    "nni_virtual_step": "test_gradients.py::test_the_virtual_step_has_the_length_it_should",
    "pt_darts_hessian": "test_gradients.py::test_unrolled_converges_to_exact_as_the_square_of_r[tiny]",
    "pt_darts_raw_alpha": "test_darts.py::test_the_architecture_is_rounded_from_probabilities",
    "quark0_augmented_validation": f"{PICTURES}[darts, order 1]",
    "quark0_bare_except": "test_gradients.py::test_the_virtual_step_is_the_next_step_of_sgd",
    "quark0_moving_statistics": NO_TRACE,
    "quark0_unneeded_gradients": "test_darts.py::test_each_step_computes_the_gradients_it_needs_and_no_others[1]",
    "quark0_unsaved_alpha": "test_darts.py::test_weights_hold_supernet_and_alpha_after_an_epoch",
    "quark0_weights_by_subtraction": NO_TRACE,
}
"""For every exhibit the ordinary test that must fail with it; all its parametrised cases where none is named."""

BUGS = {name: (entry.block, (WITNESSES[name],)) for name, entry in EXHIBITS.items()} | SLIPS


# --- ordinary tests, run with bugs ---
class Trials:
    """A plugin that runs every test as it is, and once more with each bug that it is a witness of, until it is caught.

    healthy: test → what it raised without a bug; found: bug → what its witnesses raised. None where nothing was raised.
    """

    def __init__(self, bugs):
        self.bugs, self.healthy, self.found = bugs, {}, {name: {} for name in bugs}

    def pytest_collection_modifyitems(self, items):
        """Keep the witnesses only."""
        witnesses = {witness for _, witnesses in self.bugs.values() for witness in witnesses}
        items[:] = [item for item in items if any(is_case(item, witness) for witness in witnesses)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        """Run a test in all the ways it is wanted."""
        test = pyfuncitem.nodeid
        self.healthy[test] = raised(pyfuncitem, nullcontext)
        for name, (block, witnesses) in self.bugs.items():
            wanted = any(is_case(pyfuncitem, witness) for witness in witnesses)
            if wanted and not is_caught(self.found[name]):
                self.found[name][test] = raised(pyfuncitem, block)
        return True


def is_case(item, witness):
    """Whether a test is the witness, or one of its parametrised cases."""
    return item.nodeid == f"tests/{witness}" or item.nodeid.startswith(f"tests/{witness}[")


def raised(item, block):
    """What a test raises inside a block, None if it stands."""
    arguments = {name: item.funcargs[name] for name in signature(item.obj).parameters}
    try:
        with block():
            item.obj(**arguments)
    except (Exception, pytest.fail.Exception) as error:
        return error
    finally:
        if "monkeypatch" in arguments:
            arguments["monkeypatch"].undo()


def is_caught(found):
    """Whether a test failed by an AssertionError: one that merely crashes has caught nothing."""
    return any(isinstance(error, AssertionError) for error in found.values())


def run(bugs):
    """Run all witnesses of these bugs in a session of their own."""
    trials = Trials(bugs)
    files = sorted({str(HERE / witness.partition("::")[0]) for _, witnesses in bugs.values() for witness in witnesses})
    without = [option for plugin in ("cacheprovider", "faulthandler") for option in ("-p", f"no:{plugin}")]
    pytest.main(
        [
            "-q",
            "--durations=25",
            "--continue-on-collection-errors",
            "--capture=no",
            f"--rootdir={HERE.parent}",
            *without,
            *files,
        ],
        plugins=[trials],
    )
    return trials


@pytest.fixture(scope="module")
def trials():
    """All bugs, tried out."""
    return run(BUGS)


def test_witnesses_stand_without_a_bug(trials):
    assert {test: error for test, error in trials.healthy.items() if error} == {}
    assert len(trials.healthy) > 30


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_is_caught(trials, name):
    found = trials.found[name]
    assert found, f"{name} has no witness: {BUGS[name][1]} was not run"
    assert is_caught(found), f"{name} goes unnoticed: {found}"


def test_what_changes_nothing_or_crashes_is_not_called_caught():
    witness = ("test_enas.py::test_the_loss_by_hand",)

    def crash(*_):
        raise TypeError("crash")

    trials = run(
        {
            "harmless": (nullcontext, witness),
            "crash": (lambda: replaced(enas, "reinforce_loss", crash), witness),
        }
    )
    assert list(trials.healthy.values()) == list(trials.found["harmless"].values()) == [None]
    assert not is_caught(trials.found["harmless"])
    assert not is_caught(trials.found["crash"])
    assert [str(error) for error in trials.found["crash"].values()] == ["crash"]


# --- blocks leave nothing behind ---
def everything():
    """All names of the package's modules and of their classes, and what they stand for."""
    modules = [module for name, module in sys.modules.items() if name.startswith("nas_tutorial")]
    classes = [thing for module in modules for thing in vars(module).values() if isclass(thing)]
    return {(place, name): thing for place in (*modules, *classes) for name, thing in dict(vars(place)).items()}


def differences(before):
    """Which names stand for something else now."""
    now = everything()
    return [key for key in before.keys() | now.keys() if before.get(key) is not now.get(key)]


@pytest.mark.parametrize("name", BUGS)
def test_a_block_changes_something_and_behind_it_all_is_as_it_was(name):
    block, _ = BUGS[name]
    with block():
        pass  # what is loaded late is loaded now
    before = everything()
    with block():
        assert differences(before) or name == "evaluation_in_training_mode"  # nn.Module is not the package's
    assert differences(before) == []
    with pytest.raises(KeyError), block():
        raise KeyError
    assert differences(before) == []


def test_a_function_is_replaced_wherever_it_was_imported_by_name():
    healthy = home.unrolled
    with museum.pt_darts_hessian():
        assert darts.unrolled is home.unrolled is not healthy
    assert darts.unrolled is home.unrolled is healthy


def test_one_that_a_module_imported_is_replaced_there_only():
    with museum.enas_running_statistics():
        assert enas.batch_statistics is not norms.batch_statistics
    assert enas.batch_statistics is norms.batch_statistics


def test_a_method_that_was_inherited_is_inherited_again():
    with museum.nni_input_instead_of_operation():
        assert "node_states" in vars(MicroCell)
    assert "node_states" not in vars(MicroCell)


def test_a_name_that_is_not_there_is_an_error():
    with pytest.raises(AttributeError, match="no_such_name"), replaced(enas, "no_such_name", None):
        pass


def test_a_group_that_the_pictures_do_not_fill_moves_no_policy():
    for count, moves in ((2, False), (3, True)):
        policy = controller.for_space(TINY)
        sample = policy.sample(3, torch.Generator().manual_seed(0))
        with museum.nni_incomplete_groups():
            Reinforce(policy, Config()).update(sample, lambda _, count=count: [1.0] * count)
        after = policy.score(sample.choices).log_prob
        assert torch.equal(after, sample.log_prob) != moves


# --- the catalogue ---
def test_every_exhibit_has_a_place_that_can_be_looked_up():
    address = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/blob/[0-9a-f]{40}/[\w./-]+\.py#L\d+(-L\d+)?")
    for name, entry in EXHIBITS.items():
        assert address.fullmatch(entry.link)
        project, path, lines = re.fullmatch(r"(\S+), (\S+):([\d-]+)", entry.where).groups()
        assert project in entry.link and f"/{path}#L{lines.replace('-', '-L')}" in entry.link
        assert name in museum.__all__ and getattr(museum, name) is entry.block
        assert re.fullmatch(r"\S.{30,}\.\n\n    \S.+", entry.block.__doc__, re.DOTALL)  # a sentence; what it costs
        assert entry.block.__doc__.startswith(f"{entry.sentence}\n")
    assert len({entry.link for entry in EXHIBITS.values()}) == len(EXHIBITS)


def test_the_catalogue_lists_them_all():
    text = museum.catalogue()
    assert all(f"{entry}" in text for entry in EXHIBITS.values())
    assert f"{len(EXHIBITS)}. " in text and f"{len(EXHIBITS) + 1}. " not in text


def claims(text):
    """The numbers of real bugs that a text speaks of."""
    return [int(number) for number in re.findall(r"(\d+)\s+(?:\w+\s+)?bugs", text)]


def test_where_the_readme_says_how_many_it_is_true():
    assert claims("[a museum of 7 real bugs](museum), and 8 bugs\nbeside") == [7, 8]
    assert set(claims((HERE.parent / "README.md").read_text(encoding="utf-8"))) <= {len(EXHIBITS)}


def test_the_table_of_notebook_06_names_what_is_caught():
    """What NNI does, row by row: an exhibit of the museum or a slip, and so the subject of the tests above."""
    source = next((HERE.parent / "notebooks" / "source").glob("06_*.py")).read_text(encoding="utf-8")
    table = source.split("| NNI does | we do |")[1].split("# %%")[0]
    names = re.findall(r"\| `(\w+)` \|", table)
    assert len(names) >= 9 and set(names) <= {*EXHIBITS, *SLIPS}
