"""Two processes that search and train from scratch, while the first one shows how far they are."""

import functools
import multiprocessing
import os
import queue
import shutil
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

import torch
from tqdm import tqdm

import nas_tutorial
from nas_tutorial import data, spaces, training
from nas_tutorial.demo.progress import Bar
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.spaces import Architecture
from nas_tutorial.training import Scores

WORKERS = 2
Pictures = tuple[tuple[str, int], ...]
"""Arguments of `data.load("digits", …)` as pairs, so that they can be remembered."""


class WorkerPool:
    """Takes jobs, and shows a bar for each search and one for all trainings from scratch.

    Results do not depend on the number of processes: each job is seeded and runs on one thread.
    """

    def __init__(self, pictures: Pictures, trainings: int):
        self.pictures, self.trainings = pictures, trainings
        self.jobs: list[Future] = []
        self.bars: dict[str, Bar] = {}

    def __enter__(self) -> "WorkerPool":
        context, self._stack = multiprocessing.get_context("spawn"), ExitStack()
        self.news = context.Queue()
        other_end, self.link = context.Pipe(duplex=False)
        self.pool = ProcessPoolExecutor(WORKERS, context, initializer=begin, initargs=(self.news, other_end))
        look = "training from scratch: {n}/{total} networks [{elapsed}]"
        self.bar = self._stack.enter_context(tqdm(total=self.trainings, bar_format=look, position=0, leave=False))
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """After a failure or Ctrl-C, forget what has not begun and end the processes at once."""
        self._stack.close()
        if failure:
            self.pool.shutdown(wait=False, cancel_futures=True)
            self.link.close()
        self.pool.shutdown()
        self.link.close()

    def search(self, name: str, strategy: str, epochs: int, seed: int, space: str, folder: Path) -> Future:
        """Queue a search; in the end `folder` holds its result, and the future the multiply-adds it took."""
        unit = "architectures" if strategy == "random" else "epochs"
        self.bars[name] = self._stack.enter_context(Bar(epochs, name, unit, position=len(self.bars) + 1, leave=False))
        return self._submit(searched, name, strategy, epochs, seed, space, self.pictures, folder)

    def train(self, architecture: Architecture, seeds: tuple[int, ...]) -> list[Future]:
        """Queue one training per seed; each future will hold the scores of one seed."""
        futures = [self._submit(trained, architecture.to_json(), self.pictures, seed) for seed in seeds]
        for future in futures:
            future.add_done_callback(lambda _: self.bar.update())
        return futures

    def _submit(self, job: Any, *arguments: Any) -> Future:
        self.jobs.append(self.pool.submit(job, *arguments))
        return self.jobs[-1]

    def working(self, seconds: float = 0.5) -> bool:
        """Show the news of half a second; tells whether any job is left. Raises what went wrong in a job."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._show(*self.news.get(timeout=left))
            except queue.Empty:
                break
        self.bar.refresh()
        done = [job for job in self.jobs if job.done()]
        for job in done:
            job.result()
        return len(done) < len(self.jobs)

    def _show(self, name: str, passes: int, line: str | None) -> None:
        self.bars[name].tick(passes)
        if line:
            self.bars[name].step()
            tqdm.write(f"{name:<14}{line}")


def begin(news: queue.Queue, link: Connection) -> None:
    """First thing in a working process: where its news go, and when it ends."""
    Reporter.news = news
    end_with(link)


def end_with(link: Connection) -> None:
    """Let this process end when the other end of a pipe is closed, as it is when the first process is gone.

    Ctrl-C is left to the first process, which closes that end.
    """

    def watch() -> None:
        with suppress(EOFError, OSError):
            link.recv()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()


class Reporter:
    """In a working process: gathers passes through networks, and sends their number twice a second."""

    news: ClassVar[queue.Queue]

    def __init__(self, name: str):
        self.name = name
        self.passes, self.sent = 0, time.monotonic()

    def tick(self) -> None:
        """One pass through a network is over."""
        self.passes += 1
        if time.monotonic() - self.sent > 0.5:
            self.send()

    def send(self, line: str | None = None) -> None:
        """Send the passes since the last time and, at the end of an epoch, what to print."""
        self.news.put((self.name, self.passes, line))
        self.passes, self.sent = 0, time.monotonic()


def searched(name: str, strategy: str, epochs: int, seed: int, space: str, pictures: Pictures, folder: Path) -> int:
    """Search in a working process, keeping the result after each epoch; returns the multiply-adds."""
    torch.set_num_threads(1)
    reporter = Reporter(name)
    shutil.rmtree(folder, ignore_errors=True)  # a demonstration begins at the beginning
    run = nas_tutorial.search(spaces.get(space), digits_of(pictures), strategy, epochs=epochs, seed=seed, resume=folder)
    with MultiplyAddCounter(reporter.tick) as counter:
        for event in run:
            reporter.send(str(event))
    return counter.multiply_adds


def trained(architecture: str, pictures: Pictures, seed: int) -> Scores:
    """Train one network from scratch in a working process and test it: JSON text → scores of one seed."""
    torch.set_num_threads(1)
    return training.retrain(spaces.from_json(architecture), digits_of(pictures), (seed,))


@functools.cache
def digits_of(pictures: Pictures) -> data.Data:
    """The pictures, made once per process."""
    return data.load("digits", **dict(pictures))
