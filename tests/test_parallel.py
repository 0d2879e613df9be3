"""Two processes that train together do what one does with the whole batch: α, weights, statistics of batch norm."""

import multiprocessing
import os
import socket
from dataclasses import replace

import pytest
import torch
from small import TINY

from nas_tutorial import data
from nas_tutorial.strategies import darts
from nas_tutorial.training import Meter, parallel

FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["torch", "accelerate", "nas_tutorial.strategies.darts"])
STEPS = 2


def searched(order):
    """Some steps in float64; returns α, weights and statistics, and the mean loss and accuracy."""
    strokes = replace(data.load("strokes", per_class=16, test_per_class=2), crop=1, flip=True)
    config = darts.Config(batch_size=16, order=order, cutout=3, learning_rate=0.1, alpha_rate=0.05)
    device = parallel.join("cpu") or torch.device("cpu")
    torch.manual_seed(3)
    search = darts.DARTS(TINY, strokes, config, 3, device)
    search.network.double()
    for alpha in search.alphas.values():
        alpha.data = alpha.data.double()
    meter = Meter()
    search.network.train()
    for _, pair in zip(range(STEPS), search.pairs_of_batches(), strict=False):
        search.step(*((images.double(), labels) for images, labels in pair), meter)
    tensors = {name: tensor.numpy() for name, tensor in search.weights().items()}
    return tensors, (meter.loss, meter.accuracy)


def one_of_two(rank, port, order, results):
    """In a process of its own: join the other one as accelerate's launcher would have it, and search."""
    torch.set_num_threads(1)
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ.update(address, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", LOCAL_WORLD_SIZE="2")
    try:
        found = searched(order)
        results.put((rank, parallel.processes(), parallel.from_first(lambda: f"of {rank}"), found))
    except Exception as error:
        results.put((rank, 0, repr(error), None))
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def together(order):
    """What two processes found, in the order of their numbers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    results = FORK.Queue()
    children = [FORK.Process(target=one_of_two, args=(rank, port, order, results)) for rank in range(2)]
    for child in children:
        child.start()
    try:
        return sorted((results.get(timeout=300) for _ in children), key=lambda row: row[0])
    finally:
        for child in children:
            child.join(30)
            child.kill()


@pytest.mark.parametrize("order", [1, 2])
def test_two_processes_equal_one_with_the_joined_batch(order):
    pytest.importorskip("accelerate")
    expected, (loss, accuracy) = searched(order)
    start = searched_start()
    (_, count, said, first), (_, _, also_said, second) = together(order)
    assert (count, said, also_said) == (2, "of 0", "of 0")
    assert {"alpha.cell"} < expected.keys() and any(name.endswith("running_var") for name in expected)
    for tensors, (own_loss, own_accuracy) in (first, second):
        assert tensors.keys() == expected.keys()
        for name, tensor in expected.items():
            assert abs(tensors[name] - tensor).max() <= 1e-5, name
        assert (own_loss, own_accuracy) == (pytest.approx(loss, abs=1e-5), accuracy)
    assert abs(expected["alpha.cell"] - start).max() > 0.01  # the control: α has moved


def searched_start():
    """α before the first step."""
    return TINY.alphas(torch.Generator().manual_seed(3), 1e-3)["cell"].detach().double().numpy()


def test_a_process_alone_has_nothing_to_share():
    batch = torch.ones(3, 1, 2, 2), torch.zeros(3)
    assert parallel.join("cpu") is None and parallel.is_first() and parallel.part(*batch) == batch
    assert parallel.average([batch[1]])[0] is batch[1] and parallel.from_first(lambda: 7) == 7


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch):
    monkeypatch.setattr(parallel, "processes", lambda: 2)
    with pytest.raises(ValueError, match="batch of 3 cannot be shared by 2 processes: give a multiple of 2"):
        parallel.part(torch.ones(3, 1, 2, 2), torch.zeros(3))


def test_several_processes_without_accelerate_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(__import__("sys").modules, "accelerate", None)
    with pytest.raises(ValueError, match=r"accelerate, which joins them, is missing: install nas_tutorial\[gpu\]"):
        parallel.join()
