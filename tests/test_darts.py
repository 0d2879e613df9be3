"""The search of DARTS from end to end: Algorithm 1 step by step, and what it finds."""

from dataclasses import replace

import pytest
import torch
from scipy.stats import chi2
from small import TINY
from torch import nn
from torch.nn.functional import cross_entropy

from nas_tutorial import data, spaces
from nas_tutorial.strategies import darts
from nas_tutorial.strategies.results import SearchResult
from nas_tutorial.strategies.searching import drive
from nas_tutorial.training import Meter, batches, evaluate


@pytest.fixture(scope="module")
def strokes():
    """120 pictures each for training and validation."""
    return data.load("strokes", per_class=60, test_per_class=10)


@pytest.fixture(scope="module")
def found():
    """A search on more strokes, long enough to find something."""
    many = data.load("strokes", per_class=300, test_per_class=10)
    return many, darts.search(TINY.resized(channels=8), many, epochs=6, batch_size=32, seed=0).result


# --- what it finds ---
def test_a_cell_that_sees_neighbours_is_found(found):
    _, result = found
    print(f"found {result.architecture}, {result.history[-1]}")
    assert "conv_3x3" in str(result.architecture)
    assert result.history[-1].validation_accuracy > 0.9 > 0.5 > result.history[0].validation_accuracy
    assert result.history[-1].loss < result.history[0].loss


def test_alpha_is_saved_with_the_weights(found, tmp_path):
    many, result = found
    space, loaded = result.space, SearchResult.load(result.save(tmp_path))
    alpha = {"cell": loaded.weights["alpha.cell"]}
    assert space.derive(space.probabilities(alpha)) == loaded.architecture
    table = torch.tensor(result.history[-1].probabilities["cell"])
    torch.testing.assert_close(table, alpha["cell"].exp() / alpha["cell"].exp().sum(-1, keepdim=True))
    supernet = space.supernet(many.classes)
    supernet.load_state_dict({k.removeprefix("network."): w for k, w in loaded.weights.items() if "alpha" not in k})
    again = evaluate(supernet, many.validation, many, space.relax(alpha))
    assert again == result.history[-1].validation_accuracy


def test_events_tell_one_epoch_each(strokes):
    events = list(darts.search(TINY, strokes, epochs=2))
    assert [(e.epoch, e.epochs) for e in events] == [(1, 2), (2, 2)]
    assert all(len(e.probabilities["cell"]) == 3 and len(e.probabilities["cell"][0]) == 5 for e in events)
    assert events[1].seconds > events[0].seconds > 0


# --- Algorithm 1, written out ---
def plain_search(space, pictures, config, seed, epochs):
    """First-order DARTS in a dozen lines, with one batch for everything."""
    torch.manual_seed(seed)
    alphas = space.alphas(torch.Generator().manual_seed(seed), config.alpha_scale)
    network = space.supernet(pictures.classes, pictures.channels).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(alphas.values(), config.alpha_rate, betas=(0.5, 0.999), weight_decay=config.alpha_decay)
    sgd = torch.optim.SGD(network.parameters(), config.learning_rate, 0.9, weight_decay=config.weight_decay)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, config.epochs, config.final_rate)
    train, validation = (next(iter(batches(s, pictures, len(s)))) for s in (pictures.train, pictures.validation))
    for _ in range(epochs):
        statistics = {k: b.clone() for k, b in network.named_buffers()}
        adam.zero_grad()
        cross_entropy(network(validation[0], space.relax(alphas)), validation[1]).backward()
        adam.step()
        network.load_state_dict(statistics, strict=False)
        sgd.zero_grad()
        cross_entropy(network(train[0], space.relax(alphas)), train[1]).backward()
        nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        sgd.step()
        cosine.step()
    return network, alphas


def test_the_search_is_algorithm_1(strokes):
    """α first, at the old weights; then the weights, at the new α; both optimisers as in the paper."""
    settings = {"epochs": 3, "batch_size": 1000, "clip": 0.5, "alpha_rate": 0.1, "final_rate": 0.01}
    result = darts.search(TINY, strokes, seed=5, profile="paper", **settings).result
    network, alphas = plain_search(TINY, strokes, darts.Config(**settings), 5, epochs=3)
    torch.testing.assert_close(result.weights["alpha.cell"], alphas["cell"].detach(), rtol=1e-3, atol=1e-4)
    for name, w in network.named_parameters():
        torch.testing.assert_close(result.weights[f"network.{name}"], w.detach(), rtol=1e-3, atol=1e-4)
    start = TINY.alphas(torch.Generator().manual_seed(5))["cell"]
    assert (alphas["cell"] - start).abs().median() > 0.1  # far more than the tolerance


def test_the_paper_profile_is_the_papers(strokes):
    config = darts.PROFILES["paper"]
    assert (config.epochs, config.batch_size, config.r, config.clip) == (50, 64, 0.01, 5)
    assert (config.learning_rate, config.final_rate, config.momentum, config.weight_decay) == (0.025, 0.001, 0.9, 3e-4)
    strategy = darts.DARTS(TINY, strokes, config, 0, torch.device("cpu"))
    adam, sgd = strategy.alpha_optimiser.param_groups[0], strategy.descent.optimiser.param_groups[0]
    assert (adam["lr"], adam["betas"], adam["weight_decay"]) == (3e-4, (0.5, 0.999), 1e-3)
    assert (sgd["lr"], sgd["momentum"], sgd["nesterov"], sgd["weight_decay"]) == (0.025, 0.9, False, 3e-4)


# --- order 2 ---
def test_order_2_runs_and_differs_from_order_1(strokes):
    """The unrolled gradient moves α to other places, and a step of length 0 would not."""
    tables = [darts.search(TINY, strokes, epochs=1, order=order).result.weights["alpha.cell"] for order in (1, 2)]
    assert not torch.equal(*tables)
    rest = {"learning_rate": 0.0, "final_rate": 0.0}
    tables = [darts.search(TINY, strokes, epochs=1, order=o, **rest).result.weights["alpha.cell"] for o in (1, 2)]
    torch.testing.assert_close(*tables, rtol=1e-5, atol=1e-6)


def test_order_2_looks_ahead_with_the_momentum_of_the_optimiser(strokes, monkeypatch):
    steps = []
    unrolled = darts.unrolled

    def spy(problem, train, validation, step, r):
        steps.append((step, r))
        return unrolled(problem, train, validation, step, r)

    monkeypatch.setattr(darts, "unrolled", spy)
    list(darts.search(TINY, strokes, epochs=2, batch_size=60, order=2, r=0.05))
    assert len(steps) == 4 and all(r == 0.05 for _, r in steps)
    weights = {name for name, _ in TINY.supernet(4).named_parameters()}
    assert [set(step.buffers) for step, _ in steps] == [set(), weights, weights, weights]
    assert [round(step.xi, 4) for step, _ in steps] == [0.1, 0.1, 0.075, 0.025]


# --- what must not be touched ---
@pytest.mark.parametrize("order", [1, 2])
def test_each_step_computes_the_gradients_it_needs_and_no_others(strokes, monkeypatch, order):
    counts = {"alpha": 0, "weights": 0}
    step_alpha, step_weights = darts.DARTS.step_alpha, darts.DARTS.step_weights

    def alpha(strategy, *rest):
        assert all(w.grad is None for w in strategy.problem.weights.values())
        step_alpha(strategy, *rest)
        assert all(w.grad is None for w in strategy.problem.weights.values())
        counts["alpha"] += 1
        for a in strategy.alphas.values():
            a.grad = None

    def weights(strategy, *rest):
        step_weights(strategy, *rest)
        assert all(a.grad is None for a in strategy.alphas.values())
        assert any(w.grad.any() for w in strategy.problem.weights.values())
        counts["weights"] += 1
        for w in strategy.problem.weights.values():
            w.grad = None

    monkeypatch.setattr(darts.DARTS, "step_alpha", alpha)
    monkeypatch.setattr(darts.DARTS, "step_weights", weights)
    assert len(list(darts.search(TINY, strokes, epochs=2, batch_size=40, order=order))) == 2
    assert counts == {"alpha": 6, "weights": 6}


def test_an_epoch_ends_with_the_shorter_split(strokes):
    few = replace(strokes, validation=data.Split(strokes.validation.images[:50], strokes.validation.labels[:50]))
    assert len(few.train) == 120
    assert len(list(darts.search(TINY, few, epochs=1, batch_size=50))) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lerning_rate": 0.1}, "'lerning_rate'.*learning_rate"),
        ({"order": 3}, "order is 3"),
        ({"order": "1"}, "order is '1'"),
        ({"profile": "huge"}, "'huge'.*paper"),
    ],
)
def test_a_wrong_setting_is_a_clear_error(strokes, settings, message):
    with pytest.raises(ValueError, match=message):
        darts.search(TINY, strokes, **settings)


def test_weights_hold_supernet_and_alpha_after_an_epoch(few):
    search = darts.search(TINY, few, epochs=2)
    next(search)
    names = {f"network.{name}" for name in TINY.supernet(few.classes).state_dict()}
    assert search.weights.keys() == names | {"alpha.cell"}


def test_the_architecture_is_rounded_from_probabilities(few):
    """An edge that is mostly "none" is a weak one, however large its other entries of α are."""
    space = spaces.DARTS(2, 1)
    strategy = darts.DARTS(space, few, darts.Config(), 0, torch.device("cpu"))
    with torch.no_grad():
        strategy.alphas["normal"].zero_()[4, [0, 4]] = torch.tensor([9.0, 5.0])  # node 3 reading node 2
    probabilities = space.probabilities(strategy.alphas)
    architecture = strategy.judged(Meter()).architecture
    assert architecture == space.derive(probabilities)
    assert architecture.answers["normal.1.inputs"] == "0,1"


def test_settings_that_are_for_training_from_scratch_are_refused(strokes):
    for name in ("drop_path", "auxiliary"):
        with pytest.raises(ValueError, match=f"{name} is for training from scratch; leave it out of a search"):
            darts.search(TINY, strokes, **{name: 0.2})


# --- variants: what α means is one function ---
class Sigmoid(darts.DARTS):
    """Every operation for itself, as in FairDARTS."""

    def probabilities(self, alphas):
        """sigmoid(α), (questions, options) each."""
        return {name: alpha.sigmoid() for name, alpha in self.space.possible(alphas).items()}


class Gumbel(darts.DARTS):
    """Noise in training, none in what is judged and kept."""

    def training_probabilities(self, alphas):
        """softmax(α − log(−log u)), (questions, options) each."""
        uniform = {name: torch.rand_like(alpha).clamp(1e-6, 1 - 1e-6) for name, alpha in alphas.items()}
        return self.probabilities({name: alpha - (-uniform[name].log()).log() for name, alpha in alphas.items()})


class EdgeNormalised(darts.DARTS):
    """Edges that enter a node share a weight of 1, as in PC-DARTS."""

    def fresh_alphas(self):
        """α, and β of every row."""
        alphas = super().fresh_alphas()
        return alphas | {f"{name}.edges": torch.zeros(len(alpha)) for name, alpha in alphas.items()}

    def probabilities(self, alphas):
        """softmax(β) over the rows of one node · softmax(α), (questions, options) each."""
        probabilities = self.space.probabilities({name: alphas[name] for name in self.space.alpha_shapes})
        return {name: self.shares(name, alphas)[:, None] * p for name, p in probabilities.items()}

    def shares(self, name, alphas):
        """softmax of β over the rows that enter the same node, (questions,)."""
        nodes, e = torch.tensor(self.space.target_nodes[name]), alphas[f"{name}.edges"].exp()
        return e / ((nodes[:, None] == nodes).float() @ e)


VARIANTS = {"sigmoid": Sigmoid, "Gumbel": Gumbel, "edge normalisation": EdgeNormalised}


@pytest.fixture(scope="module")
def few():
    """40 pictures each for training and validation."""
    return data.load("strokes", per_class=20, test_per_class=5)


def searched(variant, space, pictures, order=1):
    """An epoch of a variant in two steps; the class takes the place of `darts.DARTS`."""
    run = drive(variant, "darts", darts.PROFILES, space, pictures, epochs=1, batch_size=20, order=order)
    return run, run.result


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_a_variant_searches_every_space(variant, space, few):
    run, result = searched(variant, space, few)
    alphas = {name.removeprefix("alpha."): w for name, w in result.weights.items() if name.startswith("alpha.")}
    fresh = variant(space, few, run.subject.config, 0, torch.device("cpu")).alphas
    assert fresh.keys() == alphas.keys() >= space.alpha_shapes.keys()
    moved = {name: int((fresh[name].detach() != alpha).sum()) for name, alpha in alphas.items()}
    assert all(moved[name] > 0.5 * alphas[name].numel() for name in space.alpha_shapes)
    found = run.subject.probabilities(alphas)
    assert result.architecture == space.derive(found)
    assert result.history[-1].probabilities == {name: table.tolist() for name, table in found.items()}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("order", [1, 2])
def test_a_variant_repeats_itself_and_differs_from_darts(variant, order, few):
    once, again, usual = (searched(v, TINY, few, order)[1].weights for v in (variant, variant, darts.DARTS))
    assert all(torch.equal(once[name], again[name]) for name in once)
    assert not torch.equal(once["alpha.cell"], usual["alpha.cell"])
    assert not torch.equal(once["network.stem.conv.weight"], usual["network.stem.conv.weight"])


def a_strategy(variant, space, few):
    """A variant with α far from uniform."""
    strategy = variant(space, few, darts.Config(alpha_scale=1.0), 0, torch.device("cpu"))
    return strategy, {name: alpha.detach() for name, alpha in strategy.alphas.items()}


def test_a_variant_decides_what_the_network_mixes(few):
    strategy, alphas = a_strategy(Sigmoid, TINY, few)
    images, _ = next(iter(batches(few.train, few, 8)))
    e = alphas["cell"].exp()
    mixture = TINY.assign({"cell": e / (1 + e)})
    torch.testing.assert_close(strategy.problem.logits(images), strategy.network(images, mixture))
    assert not torch.allclose(strategy.problem.logits(images), strategy.network(images, TINY.relax(alphas)))


def test_noise_picks_each_operation_as_often_as_its_probability_says(few):
    """The largest of α plus Gumbel noise is operation o with probability softmax(α)_o."""
    strategy, alphas = a_strategy(Gumbel, TINY, few)
    torch.manual_seed(0)
    n, p = 4000, TINY.probabilities(alphas)["cell"]  # (3, 5)
    drawn = torch.stack([strategy.training_probabilities(alphas)["cell"].argmax(-1) for _ in range(n)])  # (n, 3)
    counts = torch.stack([column.bincount(minlength=5) for column in drawn.T])
    statistic = float(((counts - n * p) ** 2 / (n * p)).sum())
    assert statistic < chi2.ppf(0.999, 3 * 4)
    assert torch.equal(strategy.probabilities(alphas)["cell"], p)


def test_edges_that_enter_a_node_share_a_weight_of_one(space, few):
    strategy, alphas = a_strategy(EdgeNormalised, space, few)
    alphas |= {name: torch.randn(len(alpha)) for name, alpha in alphas.items() if name.endswith(".edges")}
    for name, table in strategy.probabilities(alphas).items():
        weights, nodes = table.sum(-1), space.target_nodes[name]
        for node in set(nodes):
            rows = [row for row, target in enumerate(nodes) if target == node]
            torch.testing.assert_close(weights[rows], alphas[f"{name}.edges"][rows].softmax(0))
        torch.testing.assert_close(table / weights[:, None], space.probabilities(alphas)[name])


def test_alpha_may_start_some_epochs_after_the_weights(strokes):
    """Before, α is what it was drawn as while the weights learn; from then on it moves."""
    alphas = [
        event.probabilities["cell"] for event in darts.search(TINY, strokes, epochs=3, alpha_start=2, alpha_decay=0.0)
    ]
    start = TINY.probabilities(TINY.alphas(torch.Generator().manual_seed(0)))["cell"].tolist()
    assert alphas[0] == alphas[1] == start and alphas[2] != start
