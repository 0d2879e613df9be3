"""Slips of the NNI listing's trainer: what NNI does, put back into ours."""

from nas_tutorial.adapters import nni_checks, nni_trainer, official
from nas_tutorial.adapters.nni_trainer import EnasTrainer
from nas_tutorial.museum import replaced
from nas_tutorial.strategies.enas import Reinforce
from nas_tutorial.training.norms import evaluation_mode

from . import slip


@slip("test_adapters.py::test_the_schedule_of_the_caller_is_advanced")
def schedule_left_alone():
    """Nobody advances the schedule of the learning rate."""
    with replaced(nni_checks, "schedule_of", lambda optimizer, given: None):
        yield


@slip("test_adapters.py::test_rewards_use_the_statistics_of_the_batch")
def listing_rewards_at_moving_averages():
    """Batch norm judges each architecture by an average over all of them."""
    with replaced(nni_trainer, "batch_statistics", evaluation_mode):
        yield


@slip("test_adapters.py::test_the_policy_learns_from_few_pictures")
def listing_drops_incomplete_groups():
    """A group of rewards that the pictures do not fill teaches nothing."""
    healthy = Reinforce.update

    def update(self, sample, rewards):
        if len(sample.choices) == self.config.samples:
            return healthy(self, sample, rewards)
        return rewards(self.policy.architectures(sample))

    with replaced(Reinforce, "update", update):
        yield


@slip("test_adapters.py::test_rewards_are_counted_on_pictures_without_augmentation")
def listing_augments_for_rewards():
    """Both halves share one transform."""
    with replaced(nni_checks, "reward_pictures", lambda dataset, given, model: dataset):
        yield


@slip("test_adapters.py::test_what_is_exported_is_the_best_of_ten_and_stays[macro]")
def export_draws_anew():
    """What is exported is any architecture that the policy draws."""
    with replaced(EnasTrainer, "architecture", property(EnasTrainer._draw_one)):
        yield


@slip("test_official.py::test_log_pi_and_penalty_are_those_of_the_official_formula")
def official_gates_left_in_their_order():
    """Columns of TensorFlow's LSTM become rows as they stand: candidate and output gate change places."""
    with replaced(official, "reordered", lambda columns: columns):
        yield
