"""The NNI listing: it runs as printed, does what our ENAS does, and has none of the faults that it is known for."""

import copy
import inspect
import re
import weakref

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from nas_tutorial.adapters import nni, nni_trainer
from nas_tutorial.adapters.nni import EnasTrainer, GeneralNetwork, MicroNetwork, accuracy, get_dataset, reward_accuracy
from nas_tutorial.adapters.nni_model import Meters
from nas_tutorial.data import cifar10
from nas_tutorial.data.pictures import Split, describe
from nas_tutorial.strategies.sharing import train_paths
from nas_tutorial.training.descent import Descent
from nas_tutorial.training.recipes import Recipe

LISTING = """
import torch
import torch.nn as nn
from nas_tutorial.adapters import nni as datasets
from nas_tutorial.adapters.nni import GeneralNetwork, MicroNetwork, accuracy, reward_accuracy
from nas_tutorial.adapters.nni import EnasTrainer

dataset_train, dataset_valid = datasets.get_dataset("cifar10")
if search_for == "macro":
    model = GeneralNetwork()
    num_epochs = epochs or 310
    ctrl_kwargs = {}
else:
    model = MicroNetwork(num_layers=6, out_channels=20, num_nodes=5, dropout_rate=0.1, use_aux_heads=False)
    num_epochs = epochs or 150
    ctrl_kwargs = {"tanh_constant": 1.1}
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=1.0E-4)
lr_scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=num_epochs, eta_min=0.001)
trainer = EnasTrainer(model, loss=criterion, metrics=accuracy, reward_function=reward_accuracy,
                      optimizer=optimizer, batch_size=batch_size, num_epochs=num_epochs, dataset=dataset_train,
                      log_frequency=10, ctrl_kwargs=ctrl_kwargs)
trainer.fit()
found = trainer.export()
"""
LINE = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] (Model|RL) Epoch \[(\d)/2\] Step \[(\d+)/(\d+)\]"
FIGURE = r"  \w+ -?\d+\.\d{6} \(-?\d+\.\d{6}\)"


def pictures(n=24, side=8, seed=0):
    """Pictures of three classes, each bright in a channel of its own, with noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    images = torch.randn(n, 3, side, side, generator=generator) + 2 * nn.functional.one_hot(labels, 3)[:, :, None, None]
    return TensorDataset(images, labels)


def macro(**sizes):
    """A small macro network, the same each time."""
    torch.manual_seed(1)
    return GeneralNetwork(**{"num_layers": 3, "out_filters": 4, "num_classes": 3} | sizes)


def micro(**sizes):
    """A small micro network, the same each time."""
    torch.manual_seed(1)
    return MicroNetwork(**{"num_layers": 1, "num_nodes": 2, "out_channels": 4, "num_classes": 3} | sizes)


both = pytest.mark.parametrize("make", [macro, micro])


def sgd(model, rate=0.05):
    """The optimizer of the listing."""
    return torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=1e-4)


def trainer_of(model, dataset=None, optimizer=None, **settings):
    """A trainer as the listing makes it, with small numbers."""
    given = {"num_epochs": 2, "batch_size": 4, "ctrl_steps_aggregate": 2, "seed": 5, "device": "cpu"} | settings
    functions = {"loss": nn.CrossEntropyLoss(), "metrics": accuracy, "reward_function": reward_accuracy}
    given = functions | given
    return EnasTrainer(model, optimizer=optimizer or sgd(model), dataset=dataset or pictures(), **given)


def state(*modules):
    """All weights and statistics, as one list of tensors."""
    return [tensor.clone() for module in modules for tensor in module.state_dict().values()]


def same(one, other):
    """Whether two lists of tensors are equal, bit for bit."""
    return len(one) == len(other) and all(map(torch.equal, one, other))


class Recorded(Dataset):
    """A data set that remembers which items were asked for."""

    def __init__(self, dataset):
        self.dataset, self.asked = dataset, []

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        self.asked.append(index)
        return self.dataset[index]


# --- the listing ---
@pytest.fixture
def small_cifar10(monkeypatch):
    """CIFAR-10 with four training and four test pictures."""
    generator = torch.Generator().manual_seed(0)

    def split(n, first):
        images = torch.randint(0, 256, (n, 3, 32, 32), generator=generator).to(torch.uint8)
        return Split(images, torch.arange(n) % 4, torch.arange(first, first + n)[:, None])

    parts = split(4, 0), split(4, 50_000), tuple(f"thing {k}" for k in range(10))
    monkeypatch.setattr(cifar10, "read", lambda *_: parts)
    return parts


@pytest.mark.parametrize("search_for", ["macro", "micro"])
def test_the_listing_runs_in_full_size(search_for, small_cifar10, capsys, monkeypatch):
    monkeypatch.setattr(nni_trainer, "CANDIDATES", 2)
    names = {"search_for": search_for, "epochs": 2, "batch_size": 2}
    torch.manual_seed(0)
    exec(LISTING, names)
    lines = capsys.readouterr().out.splitlines()
    found = [re.fullmatch(f"{LINE}(?:{FIGURE})+", line).groups() for line in lines]
    assert found == [(phase, epoch, "1", "1") for epoch in "12" for phase in ("Model", "RL")]
    architecture, model = names["trainer"].architecture, names["model"]
    assert model.space.asks_like(architecture.space) and names["found"] == model.choices(architecture)
    assert names["optimizer"].param_groups[0]["lr"] == pytest.approx(0.001)
    sizes = {"macro": {"channels": 24, "layers": 12}, "micro": {"channels": 20, "cells": 6, "nodes": 5}}
    assert model.space.sizes == sizes[search_for]
    assert names["trainer"].controller.tanh_constant == {"macro": 1.5, "micro": 1.1}[search_for]


def defaults(function):
    """Name → default of each argument that can be given by its place."""
    parameters = list(inspect.signature(function).parameters.values())
    return {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"}


def test_names_order_and_defaults_are_those_of_nni():
    """Read in release 2.8; `workers` is 4 there."""
    empty = inspect.Parameter.empty
    required = ("model", "loss", "metrics", "reward_function", "optimizer", "num_epochs", "dataset")
    more = {"batch_size": 64, "workers": 0, "device": None, "log_frequency": None, "grad_clip": 5.0}
    more |= {"entropy_weight": 1e-4, "skip_weight": 0.8, "baseline_decay": 0.999, "ctrl_lr": 0.00035}
    more |= {"ctrl_steps_aggregate": 20, "ctrl_kwargs": None}
    assert list(defaults(EnasTrainer).items()) == list((dict.fromkeys(required, empty) | more).items())
    pictures_in, rest = {"in_channels": 3, "num_classes": 10, "dropout_rate": 0.0}, {"use_aux_heads": False}
    general = {"num_layers": 12, "out_filters": 24} | pictures_in
    small = {"num_layers": 2, "num_nodes": 5, "out_channels": 24} | pictures_in | rest
    assert list(defaults(GeneralNetwork).items()) == list(general.items())
    assert list(defaults(MicroNetwork).items()) == list(small.items())
    assert defaults(accuracy) == {"output": empty, "target": empty, "topk": (1,)} == defaults(reward_accuracy)
    assert defaults(get_dataset) == {"cls": empty}


def test_lines_have_each_value_and_its_mean(capsys):
    meters = Meters("Model Epoch [1/310]", 391, 2)
    for value in (0.25, 0.5, 0.0):
        meters.add({"acc1": value, "loss": 2 * value})
    lines = [line.partition("] ")[2] for line in capsys.readouterr().out.splitlines()]
    first = "Model Epoch [1/310] Step [1/391]  acc1 0.250000 (0.250000)  loss 0.500000 (0.500000)"
    assert lines == [first, "Model Epoch [1/310] Step [3/391]  acc1 0.000000 (0.250000)  loss 0.000000 (0.500000)"]
    assert meters.means == {"acc1": 0.25, "loss": 0.5}


@pytest.mark.parametrize(("every", "steps"), [(None, []), (1, [1, 2, 3]), (2, [1, 3]), (10, [1])])
def test_lines_come_every_so_many_steps(every, steps, capsys):
    trainer_of(macro(), num_epochs=1, log_frequency=every).fit()
    lines = capsys.readouterr().out.splitlines()
    found = [(re.search("Model|RL", line)[0], int(re.search(r"Step \[(\d+)/3\]", line)[1])) for line in lines]
    assert found == [(phase, step) for phase in ("Model", "RL") for step in steps]


def test_accuracy_by_hand():
    logits = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.1, 0.4], [0.3, 0.4, 0.2]])
    labels = torch.tensor([1, 2, 2])
    assert accuracy(logits, labels, topk=(1, 2, 3)) == pytest.approx({"acc1": 1 / 3, "acc2": 2 / 3, "acc3": 1.0})
    assert accuracy(logits, nn.functional.one_hot(labels)) == pytest.approx({"acc1": 1 / 3})
    assert reward_accuracy(logits, labels) == pytest.approx(1 / 3)


# --- the same as ours ---
@both
def test_networks_are_our_supernets(make):
    model = make()
    ours = model.space.supernet(3, dropout=0.0)
    ours.load_state_dict(model.state_dict())
    architecture = model.space.sample(torch.Generator().manual_seed(3))
    images = pictures(4)[:][0]
    assert torch.equal(model(images, architecture), ours(images, architecture))
    with pytest.raises(ValueError, match="needs to know what to run"):
        model(images)


def uint8_data(n=24):
    """Pictures without augmentation, in halves of n."""
    generator = torch.Generator().manual_seed(4)

    def split():
        return Split(torch.randint(0, 256, (n, 3, 8, 8), generator=generator).to(torch.uint8), torch.arange(n) % 3)

    return describe("halves", (split(), split(), split()), ("a", "b", "c"), flip=False, crop=0)


@both
def test_the_weights_learn_as_in_our_strategies(make):
    """One epoch of `train_paths`, which ENAS and random search share, gives equal weights, bit for bit."""
    halves = uint8_data()
    dataset = nni.PictureSet(halves.full_train, halves, augmented=False)
    trainer = trainer_of(make(), dataset, num_epochs=1)
    supernet, policy = copy.deepcopy(trainer.model), trainer.controller
    before, drawn = state(supernet), []
    recipe = Recipe(1, 4, 0.05, 0.001, nesterov=False, per_step=False, warmup=0.0, weight_decay=1e-4)

    @torch.no_grad()
    def draw():
        drawn.append(policy.architectures(policy.sample(1, generator))[0])
        return drawn[-1]

    generator = torch.Generator().manual_seed(5)
    meter = train_paths(supernet, draw, halves, Descent(supernet.parameters(), recipe, halves.train), generator)
    trainer.fit()
    assert same(state(supernet), state(trainer.model)) and not same(before, state(supernet))
    assert len(set(drawn)) > 1
    means = trainer.history[0]["model"]
    assert (means["loss"], means["acc1"]) == pytest.approx((meter.loss, meter.accuracy))


@both
def test_the_policy_learns_as_written_out_by_hand(make, monkeypatch):
    """Five rewards in groups of two: REINFORCE with a moving baseline, entropy and skip penalty, and Adam."""
    trainer = trainer_of(make(), pictures(40), num_epochs=1, baseline_decay=0.9, entropy_weight=0.01, ctrl_lr=0.01)
    twin, rewards, drawn = copy.deepcopy(trainer.controller), [], []
    judge = trainer._judge

    def recorded(batches, figures, architectures):
        earned = judge(batches, figures, architectures)
        drawn.append([a.choices for a in architectures])
        rewards.append(earned)
        return earned

    monkeypatch.setattr(trainer, "_judge", recorded)
    trainer.fit()
    assert [len(group) for group in rewards] == [2, 2, 1]
    adam, baseline = torch.optim.Adam(twin.parameters(), 0.01), 0.0
    for group, choices in zip(rewards, drawn, strict=True):
        score, loss = twin.score(torch.tensor(choices)), 0.0
        for i, reward in enumerate(group):
            reward = reward + 0.01 * float(score.entropy[i].detach())
            baseline = 0.9 * baseline + 0.1 * reward
            loss = loss + (-score.log_prob[i] * (reward - baseline) + 0.8 * score.skip_penalty[i]) / len(group)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(twin.parameters(), 5.0)
        adam.step()
    assert trainer.learner.baseline == pytest.approx(baseline)
    for ours, by_hand in zip(state(trainer.controller), state(twin), strict=True):
        torch.testing.assert_close(ours, by_hand, rtol=1e-3, atol=1e-4)  # Adam magnifies the rounding of tiny gradients


def test_gradients_are_clipped(monkeypatch):
    model = macro()
    trainer = trainer_of(model, num_epochs=1, grad_clip=1e-3)
    norms = {"weights": [], "policy": []}

    def note(name, module):
        squares = [p.grad.square().sum() for p in module.parameters() if p.grad is not None]
        norms[name].append(float(torch.stack(squares).sum().sqrt()))

    trainer.optimizer.register_step_pre_hook(lambda *_: note("weights", model))
    trainer.learner.optimiser.register_step_pre_hook(lambda *_: note("policy", trainer.controller))
    trainer.fit()
    for found in norms.values():
        assert len(found) >= 2 and max(found) <= 1.01e-3
    assert max(norms["weights"]) > 0.9e-3


# --- what the original gets wrong ---
@both
def test_every_operation_that_is_chosen_runs(make):
    """A step changes weights of chosen operations, and of no others."""
    trainer = trainer_of(make(), num_epochs=1)
    trainer.model.train()
    space = trainer.model.space
    for seed in range(4):
        architecture = space.sample(torch.Generator().manual_seed(seed))
        trainer.model.zero_grad()
        trainer.model(pictures(4)[:][0], architecture).square().sum().backward()
        touched = {name for name, p in trainer.model.named_parameters() if p.grad is not None and ".ops." in name}
        active = {pair for cell in architecture.active_ops.values() for pair in cell.items()}
        used = {re.search(r"edges\.([^.]+)\.ops\.([^.]+)", name).groups() for name in touched}
        with_weights = {op for op in space.operations if "conv" in op or space.name == "enas_macro"} | {"conv_1x1"}
        assert used == {(edge, op) for edge, op in active if op in with_weights}


def test_the_policy_learns_from_few_pictures():
    """Fewer validation batches than a group: NNI never updates its policy here."""
    trainer = trainer_of(macro(), pictures(24), num_epochs=1, ctrl_steps_aggregate=20)
    before = state(trainer.controller)
    trainer.fit()
    assert not same(before, state(trainer.controller))


def test_every_reward_counts():
    """Five batches in groups of two: all five rewards enter the baseline."""
    trainer = trainer_of(
        macro(), pictures(40), num_epochs=1, baseline_decay=0.5, entropy_weight=0.0, reward_function=lambda *_: 1.0
    )
    trainer.fit()
    assert trainer.learner.baseline == pytest.approx(1 - 0.5**5)
    assert trainer.history[0]["rl"]["reward"] == 1.0


def test_every_weight_of_the_policy_learns():
    trainer = trainer_of(macro(num_layers=4), pictures(40), num_epochs=2)
    before = dict(trainer.controller.named_parameters())
    before = {name: weight.detach().clone() for name, weight in before.items()}
    trainer.fit()
    assert [n for n, w in trainer.controller.named_parameters() if torch.equal(w, before[n])] == []


class Doubled(Dataset):
    """Pictures whose augmentation shows: their pixels are 1, those of `plain` are 0."""

    def __init__(self, value=1.0, n=16):
        self.value, self.n = value, n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return torch.full((3, 8, 8), self.value), index % 3

    @property
    def plain(self):
        return Doubled(0.0, self.n)


@pytest.mark.parametrize("given", [None, Doubled(-1.0)])
def test_rewards_are_counted_on_pictures_without_augmentation(given):
    seen = {True: set(), False: set()}
    model = macro()
    model.register_forward_pre_hook(
        lambda module, inputs: seen[torch.is_grad_enabled()].update(inputs[0].unique().tolist())
    )
    trainer = trainer_of(model, Doubled(), num_epochs=1, reward_dataset=given)
    trainer.fit()
    trainer.export()
    assert seen == {True: {1.0}, False: {0.0 if given is None else -1.0}}


def test_rewards_use_the_statistics_of_the_batch():
    """Wherever the moving averages are, and they stay there."""
    trainer = trainer_of(macro(), num_epochs=1, ctrl_lr=0.0)
    architectures = [trainer.model.space.sample(torch.Generator().manual_seed(i)) for i in range(2)]
    logits = []
    trainer.reward_function = lambda output, target: float(logits.append(output) or 0)

    def judge():
        trainer._judge(trainer._batches(trainer.plain, torch.arange(8)), [], architectures)

    judge()
    for module in trainer.model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.fill_(3.0)
    before = state(trainer.model)
    judge()
    assert same(logits[:2], logits[2:]) and same(before, state(trainer.model))


def test_the_schedule_of_the_caller_is_advanced():
    model = macro()
    optimizer = sgd(model)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2, eta_min=0.001)
    rates = []
    optimizer.register_step_pre_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    trainer_of(model, optimizer=optimizer).fit()
    assert rates == pytest.approx([0.05] * 3 + [0.0255] * 3)
    assert schedule.last_epoch == 2 and optimizer.param_groups[0]["lr"] == pytest.approx(0.001)


def test_without_a_schedule_the_rate_stays():
    model = macro()
    optimizer = sgd(model)
    other = sgd(macro())
    kept = torch.optim.lr_scheduler.StepLR(other, 1)  # of another optimizer
    gone = weakref.ref(torch.optim.lr_scheduler.StepLR(optimizer, 1))
    assert gone() is None
    trainer_of(model, optimizer=optimizer).fit()
    assert optimizer.param_groups[0]["lr"] == 0.05 and kept.last_epoch == 0


def test_of_several_schedules_one_is_given():
    model = macro()
    optimizer = sgd(model)
    one = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    other = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.1)
    with pytest.raises(ValueError, match=r"several schedules \(ExponentialLR, StepLR\); pass lr_scheduler="):
        trainer_of(model, optimizer=optimizer)
    trainer_of(model, optimizer=optimizer, lr_scheduler=one).fit()
    assert (one.last_epoch, other.last_epoch) == (2, 0)


# --- whose weights, which pictures ---
def test_the_optimizer_of_the_caller_trains():
    model = macro()
    still = trainer_of(model, optimizer=sgd(model, 0.0), num_epochs=1)
    before = [p.clone() for p in model.parameters()]
    still.fit()
    assert same(before, list(model.parameters()))
    only = torch.optim.Adam(model.head.parameters(), 0.01)
    trainer_of(model, optimizer=only, num_epochs=1).fit()
    changed = [n for (n, p), b in zip(model.named_parameters(), before, strict=True) if not torch.equal(p, b)]
    assert changed and all(name.startswith("head.") for name in changed)


@pytest.mark.parametrize("n", [24, 25])
def test_the_two_halves_share_no_picture(n):
    train, reward = Recorded(pictures(n)), Recorded(pictures(n))
    trainer = trainer_of(macro(), train, num_epochs=1, reward_dataset=reward)
    train.asked.clear()
    reward.asked.clear()
    trainer.fit()
    middle = n - n // 2
    assert sorted(train.asked) == list(range(middle)) and train.asked != sorted(train.asked)
    assert sorted(reward.asked) == list(range(middle, n)) and reward.asked != sorted(reward.asked)


# --- what was found ---
@both
def test_what_is_exported_is_the_best_of_ten_and_stays(make, monkeypatch):
    trainer = trainer_of(make(), pictures(40), num_epochs=1)
    trainer.fit()
    scores = {}
    sample = trainer.controller.sample
    monkeypatch.setattr(trainer.controller, "sample", lambda n, g: noted.append(sample(n, g)) or noted[-1])
    noted = []
    best = trainer.architecture
    drawn = trainer.controller.architectures(noted[0])
    assert len(drawn) == 10
    with nni_trainer.batch_statistics(trainer.model), torch.no_grad():
        for a in drawn:
            batches = [pictures(40)[i : i + 4] for i in range(20, 40, 4)]
            scores[a] = sum(reward_accuracy(trainer.model(images, a), labels) for images, labels in batches)
    assert scores[best] == max(scores.values()) > min(scores.values())
    assert trainer.export() == trainer.export() == trainer.model.choices(best)


def test_asking_for_the_architecture_changes_nothing():
    asked, silent = trainer_of(macro()), trainer_of(macro())
    torch.manual_seed(3)
    before = torch.get_rng_state()
    asked.export()
    asked.run.advance()
    asked.export()
    asked.fit()
    silent.fit()
    assert torch.equal(before, torch.get_rng_state())
    assert same(state(asked.model, asked.controller), state(silent.model, silent.controller))


def test_choices_by_hand():
    network = macro(num_layers=3)
    a = network.space.parse("sep_conv_3x3 + max_pool_3x3:1 + conv_5x5:01")
    assert network.choices(a) == {
        "layer_0_op": "sep_conv_3x3",
        "layer_1_op": "max_pool_3x3",
        "layer_1_skip": ["stem"],
        "layer_2_op": "conv_5x5",
        "layer_2_skip": ["layer_0"],
    }
    network = micro()
    nodes = "|sep_conv_3x3~1|skip_connect~0|+|avg_pool_3x3~2|sep_conv_5x5~0|"
    found = network.choices(network.space.parse(f"normal: {nodes} reduce: {nodes}"))
    assert len(found) == 16
    assert found["normal_node_0_x_input"] == "input_1" and found["normal_node_0_x_op"] == "sep_conv_3x3"
    assert found["reduce_node_1_x_input"] == "reduce_node_0" and found["reduce_node_1_y_op"] == "sep_conv_5x5"


@both
def test_the_architecture_is_one_of_ours(make):
    trainer = trainer_of(make(), num_epochs=1)
    trainer.fit()
    space = trainer.model.space
    assert space.parse(str(trainer.architecture)) == trainer.architecture
    assert space.network(trainer.architecture, 3)(torch.randn(2, 3, 8, 8)).shape == (2, 3)


# --- random numbers, interruptions, folders ---
@both
def test_the_seed_decides_everything(make):
    """Drawn from torch's default generator: a listing that begins with `torch.manual_seed` gives the same each time."""

    def run(seed):
        model = make(dropout_rate=0.2)
        torch.manual_seed(seed)
        trainer = trainer_of(model, Noisy(pictures()), seed=None)
        trainer.fit()
        return state(trainer.model, trainer.controller), trainer.export(), trainer.history

    one, again, other = (run(seed) for seed in (7, 7, 8))
    assert same(one[0], again[0]) and one[1:] == again[1:]
    assert not same(one[0], other[0])


def test_workers_change_nothing():
    with_workers, without = trainer_of(macro(), num_epochs=1, workers=2), trainer_of(macro(), num_epochs=1)
    with_workers.fit()
    without.fit()
    assert same(state(with_workers.model, with_workers.controller), state(without.model, without.controller))


class Interrupting(nn.CrossEntropyLoss):
    """A loss during whose call number `at` someone presses Ctrl-C."""

    def __init__(self, at):
        super().__init__()
        self.at, self.calls = at, 0

    def forward(self, logits, labels):
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return super().forward(logits, labels)


class Noisy(Dataset):
    """Pictures with an augmentation that draws from torch's default generator."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        image, label = self.dataset[index]
        return image + 0.1 * torch.randn(image.shape), label


def with_schedule(model, **settings):
    """A trainer with a schedule, on pictures that change, with dropout."""
    optimizer = sgd(model)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3, eta_min=0.001)
    return trainer_of(model, Noisy(pictures()), optimizer, num_epochs=3, lr_scheduler=schedule, **settings)


def outcome(trainer):
    """All that a search ends with."""
    return [*state(trainer.model, trainer.controller), torch.tensor(trainer.optimizer.param_groups[0]["lr"])]


@pytest.mark.parametrize(("make", "phase"), [(macro, "weights"), (macro, "policy"), (micro, "weights")])
def test_an_interrupted_fit_goes_on(make, phase):
    whole = with_schedule(make(dropout_rate=0.2))
    whole.fit()
    wrong = {"loss": Interrupting(5)} if phase == "weights" else {"reward_function": Interrupting(5)}
    cut = with_schedule(make(dropout_rate=0.2), **wrong)
    if phase == "policy":
        interrupting = cut.reward_function
        cut.reward_function = lambda *batch: (interrupting(*batch), reward_accuracy(*batch))[1]
    with pytest.raises(KeyboardInterrupt):
        cut.fit()
    assert len(cut.history) == 1
    first = cut.export()
    assert cut.export() == first
    cut.fit()
    assert same(outcome(cut), outcome(whole)) and cut.history == whole.history and cut.export() == whole.export()
    cut.fit()
    assert len(cut.history) == 3


def test_a_search_kept_in_a_folder_goes_on(tmp_path):
    whole = with_schedule(macro())
    whole.fit()
    first = with_schedule(macro(), resume=tmp_path / "run")
    first.run.advance()
    first.run.checkpoints._lock.release()  # as when a process ends
    again = with_schedule(macro(), resume=tmp_path / "run")
    assert len(again.history) == 1
    again.fit()
    assert same(outcome(again), outcome(whole)) and again.history == whole.history
    again.run.checkpoints._lock.release()
    with pytest.raises(ValueError, match="holds a run with batch_size = 4, not 8"):
        with_schedule(macro(), resume=tmp_path / "run", batch_size=8)


# --- pictures ---
def test_get_dataset_hands_out_training_and_test_pictures(small_cifar10):
    train, test = get_dataset("cifar10")
    assert (len(train), len(test)) == (4, 4)
    image, label = test[0]
    assert image.shape == (3, 32, 32) and image.dtype == torch.float32 and isinstance(label, int)
    pool = small_cifar10[0].images.float() / 255
    mean, std = pool.mean((0, 2, 3))[:, None, None], pool.std((0, 2, 3), correction=0)[:, None, None]
    torch.testing.assert_close(image, (small_cifar10[1].images[0].float() / 255 - mean) / std)
    assert not torch.equal(train[0][0], train[0][0]) or not torch.equal(train[1][0], train[1][0])
    assert torch.equal(train.plain[3][0], train.plain[3][0]) and train.plain[3][1] == train[3][1]
    assert len(list(train.plain)) == 4
    assert repr(train) == "PictureSet(cifar10: Split(4 pictures of 3×32×32), augmented)"


def test_get_dataset_knows_other_pictures_and_settings():
    train, test = get_dataset("strokes", per_class=20, test_per_class=5)
    assert (len(train), len(test)) == (80, 20)
    with pytest.raises(FileNotFoundError, match="no data set 'imagenet'"):
        get_dataset("imagenet")


# --- bad input ---
BAD = {
    "num_epochs is 0; give a whole number from 1 to 100,000": {"num_epochs": 0},
    "batch_size is 0.5": {"batch_size": 0.5},
    "log_frequency is 0": {"log_frequency": 0},
    "grad_clip is -1": {"grad_clip": -1},
    "baseline_decay is 2; give a finite number from 0 to 1": {"baseline_decay": 2},
    "ctrl_lr is 'fast'": {"ctrl_lr": "fast"},
    "metrics is 'acc'; give a function of logits and labels": {"metrics": "acc"},
    "lstm_num_layers is 2, but the policy here knows 1 only": {"ctrl_kwargs": {"lstm_num_layers": 2}},
    "entropy_reduction is 'mean', but the policy": {"ctrl_kwargs": {"entropy_reduction": "mean"}},
    "A setting of ctrl_kwargs is 'tanh'; expected one of lstm_size": {"ctrl_kwargs": {"tanh": 1.1}},
    "reward_dataset has 6 pictures and dataset 24": {"reward_dataset": pictures(6)},
    "The device is 'gpu'": {"device": "gpu"},
    "seed is -1": {"seed": -1},
    r"The data set has 1 picture\(s\)": {"dataset": pictures(1)},
    "no pair of a tensor and a label": {"dataset": [("picture", 0)] * 4},
    r"\(1, 8, 8\) of torch.float32, but the model reads \(3, ": {"dataset": [(torch.zeros(1, 8, 8), 0)] * 4},
    r"\(3, 8, 8\) of torch.uint8": {"dataset": [(torch.zeros(3, 8, 8, dtype=torch.uint8), 0)] * 4},
    "lr_scheduler is none of": {"lr_scheduler": "cosine"},
    "The optimizer trains no weight of this model": {"optimizer": sgd(nn.Linear(2, 2))},
    "The optimizer is a float": {"optimizer": 0.05},
}


@pytest.mark.parametrize(("message", "settings"), BAD.items(), ids=[*map(str, range(len(BAD)))])
def test_what_cannot_be_is_refused_in_a_sentence(message, settings):
    with pytest.raises(ValueError, match=message):
        trainer_of(macro(), **settings)


def test_other_networks_are_refused():
    linear = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="The model is a Linear; give a GeneralNetwork or a MicroNetwork"):
        trainer_of(linear)
    with pytest.raises(ValueError, match="use_aux_heads is True, but supernets here have no auxiliary head"):
        micro(use_aux_heads=True)
    with pytest.raises(ValueError, match="channels of enas_macro is 0"):
        macro(out_filters=0)


def test_a_plateau_cannot_be_waited_for():
    model = macro()
    optimizer = sgd(model)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match="ReduceLROnPlateau waits for a figure"):
        trainer_of(model, optimizer=optimizer, lr_scheduler=schedule)


def test_figures_and_labels_are_looked_at():
    with pytest.raises(ValueError, match=r"metrics returned 0.5; let it return a dictionary"):
        trainer_of(macro(), metrics=lambda *_: 0.5).fit()
    with pytest.raises(ValueError, match="labels from 0 to 2, but the model knows 0 to 1; make it with the right num_"):
        trainer_of(macro(num_classes=2), batch_size=12).fit()


def test_other_settings_reach_the_policy():
    kwargs = {"lstm_size": 8, "temperature": 5.0, "tanh_constant": None, "skip_target": 0.2}
    policy = trainer_of(macro(), ctrl_kwargs=kwargs).controller
    assert (policy.hidden, policy.temperature, policy.tanh_constant, policy.skip_target) == (8, 5.0, None, 0.2)
    policy = trainer_of(micro(), ctrl_kwargs={"skip_target": 0.2}).controller
    assert (policy.hidden, policy.tanh_constant) == (64, 1.5)


def test_pictures_are_learnt():
    """Three classes that differ in colour: after two epochs drawn architectures do much better than chance."""
    trainer = trainer_of(macro(), pictures(240), batch_size=8)
    trainer.fit()
    assert trainer.history[-1]["rl"]["reward"] > 0.6
