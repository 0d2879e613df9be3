"""Random search: alone it keeps the best, with shared weights it ranks many; uniform in both."""

import pytest
import torch
from scipy.stats import chi2
from small import TINY

from nas_tutorial import data, spaces, training
from nas_tutorial.strategies import random, sharing
from nas_tutorial.training import Recipe, evaluate, seeded, to_device


@pytest.fixture(scope="module")
def strokes():
    """60 pictures each for training and validation."""
    return data.load("strokes", per_class=30, test_per_class=5)


@pytest.fixture(scope="module")
def shared(strokes):
    """A search with shared weights, 48 paths long."""
    return random.search(TINY, strokes, epochs=8, batch_size=10, shared=True, candidates=3, seed=0).result


def test_alone_keeps_the_best_on_validation(strokes, monkeypatch):
    """Each trial's accuracy is its own; the architecture told is the best up to then, the first among equals."""
    trained, accuracies = [], iter([0.3, 0.7, 0.5, 0.7])
    network = spaces.Tiny.network
    monkeypatch.setattr(spaces.Tiny, "network", lambda s, a, *rest: trained.append(a) or network(s, a, *rest))
    monkeypatch.setattr(random, "evaluate", lambda *_: next(accuracies))
    events = list(random.search(TINY, strokes, epochs=4, trial_epochs=1))
    assert [e.validation_accuracy for e in events] == [0.3, 0.7, 0.5, 0.7]
    assert [e.architecture for e in events] == [trained[0], trained[1], trained[1], trained[1]]
    assert [e.info["best_validation"] for e in events] == [0.3, 0.7, 0.7, 0.7]
    assert len(set(trained)) == 4


def test_alone_judges_by_the_validation_split(strokes, monkeypatch):
    asked = []
    monkeypatch.setattr(random, "evaluate", lambda network, split, pictures: asked.append(split) or 0.5)
    list(random.search(TINY, strokes, epochs=2, trial_epochs=1))
    assert len(asked) == 2 and all(split is strokes.validation for split in asked)


def test_alone_trains_each_one_from_scratch(strokes):
    """More epochs for each trial give a lower loss; trials do not build on each other."""
    short, long = ([e.loss for e in random.search(TINY, strokes, epochs=2, trial_epochs=n, seed=3)] for n in (1, 12))
    assert long[0] < short[0]


def test_alone_keeps_the_weights_of_its_best_network(strokes):
    run = random.search(TINY, strokes, epochs=4, trial_epochs=4, batch_size=10, seed=7)
    accuracies = []
    for event in run:
        network = to_device(TINY.network(event.architecture, strokes.classes, strokes.channels))
        network.load_state_dict({name.removeprefix("network."): w for name, w in run.weights.items()})
        assert evaluate(network, strokes.validation, strokes) == event.info["best_validation"]
        accuracies.append(event.validation_accuracy)
    assert accuracies.index(max(accuracies)) not in (0, 3)  # the best was neither the first nor the last


def test_shared_trains_one_supernet(shared):
    """The weights of all operations move, and the loss on random paths falls."""
    with seeded(0):
        fresh = to_device(TINY.supernet(4)).state_dict()
    moved = {name for name, w in fresh.items() if not torch.equal(w, shared.weights[f"network.{name}"])}
    assert {n for n in fresh if n.endswith("weight") and ".ops." in n} <= moved
    print(f"loss on random paths: {[round(e.loss, 3) for e in shared.history]}")
    assert shared.history[-1].loss < shared.history[0].loss


def test_shared_compares_the_candidates_at_the_end(strokes, monkeypatch):
    asked = []
    shared_accuracies = random.shared_accuracies

    def spy(supernet, candidates, pictures):
        accuracies = shared_accuracies(supernet, candidates, pictures)
        asked.append((candidates, (candidates[accuracies.index(max(accuracies))], max(accuracies)), accuracies))
        return accuracies

    monkeypatch.setattr(random, "shared_accuracies", spy)
    events = list(random.search(TINY, strokes, epochs=2, shared=True, candidates=40))
    assert [len(candidates) for candidates, *_ in asked] == [10, 40]
    assert [(e.architecture, e.validation_accuracy) for e in events] == [best for _, best, _ in asked]
    for event, (candidates, _, accuracies) in zip(events, asked, strict=True):
        assert [s.choices for s in event.samples] == [c.choices for c in candidates[:12]]
        assert [s.accuracy for s in event.samples] == accuracies[:12]
    assert events[-1].architecture in asked[-1][0] and len(set(asked[-1][0])) > 20


def test_paths_are_drawn_uniformly(strokes, monkeypatch):
    """A χ² test over the operations of each edge; one path per batch, and a new one each time."""
    drawn, batches = [], 300
    supernet = TINY.supernet(4)
    monkeypatch.setattr(training.descent, "optimiser_step", lambda *_: None)
    supernet.register_forward_pre_hook(lambda module, args: drawn.append(args[1].choices))
    generator = torch.Generator().manual_seed(0)
    descent = training.Descent(supernet.parameters(), Recipe(batch_size=2), strokes.train)
    for _ in range(10):
        sharing.train_paths(supernet, lambda: TINY.sample(generator), strokes, descent, generator)
    assert len(drawn) == batches
    counts = torch.stack([torch.bincount(column, minlength=5) for column in torch.tensor(drawn).T]).float()
    statistic = float(((counts - batches / 5) ** 2 / (batches / 5)).sum())
    print(f"χ² = {statistic:.1f} with 12 degrees of freedom")
    assert statistic < chi2.ppf(0.999, 12)


# --- ranking at shared weights ---
def test_the_first_of_the_best_wins(monkeypatch):
    cells = [TINY.architecture([i, 0, 0]) for i in range(4)]
    monkeypatch.setattr(sharing, "shared_accuracies", lambda *_: [0.2, 0.9, 0.9, 0.1])
    assert sharing.best_of(None, cells, None) == (cells[1], 0.9)


def test_shared_accuracies_are_counted_on_the_first_validation_pictures(strokes, shared):
    """Against a count by hand in training mode, which also uses the statistics of the batch."""
    supernet = TINY.supernet(4)
    supernet.load_state_dict({name.removeprefix("network."): w for name, w in shared.weights.items()})
    before = {k: v.clone() for k, v in supernet.state_dict().items()}
    cells = [TINY.sample(torch.Generator().manual_seed(i)) for i in range(12)]
    found = sharing.shared_accuracies(supernet, cells, strokes, pictures=40)
    assert all(torch.equal(before[k], v) for k, v in supernet.state_dict().items())
    images = data.normalise(strokes.validation.images[:40], strokes)
    hits = [int((supernet(images, a).argmax(-1) == strokes.validation.labels[:40]).sum()) for a in cells]
    assert found == pytest.approx([h / 40 for h in hits])
    assert len(set(found)) > 1


def test_the_paper_profile_and_errors(strokes):
    paper = random.PROFILES["paper"]
    assert (paper.epochs, paper.trial_epochs, paper.candidates) == (150, 25, 1000)
    assert (paper.learning_rate, paper.final_rate, paper.momentum, paper.weight_decay) == (0.025, 0, 0.9, 3e-4)
    with pytest.raises(ValueError, match="'share'.*shared"):
        random.search(TINY, strokes, share=True)
