"""Two processes that search and train from scratch, while the first one shows how far they are."""

import functools
import multiprocessing
import queue
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from tqdm import tqdm

import nas_tutorial
from nas_tutorial import data, spaces, training
from nas_tutorial.demo.journal import Journal, training_of
from nas_tutorial.demo.progress import Bar
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.spaces import Architecture
from nas_tutorial.training import Scores
from nas_tutorial.trials.processes import Worker

WORKERS = 2
Pictures = tuple[tuple[str, int], ...]
"""Arguments of `data.load("digits", …)` as pairs, so that they can be remembered."""


@dataclass
class Job:
    """Work for a process: what it is called in messages, the file that keeps its result, and the result to come."""

    label: str
    name: str
    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    future: Future = field(default_factory=Future)
    deaths: int = 0


class Process:
    """A working process, which does one job at a time."""

    def __init__(self) -> None:
        self.news = multiprocessing.get_context("spawn").Queue()
        self._worker = Worker(begin, self.news)
        self.job: Job | None = None

    def give(self, job: Job) -> None:
        """Begin a job."""
        self.job, self._doing = job, self._worker.submit(job.work, *job.arguments)

    def over(self) -> Future | None:
        """What came of the job, where it is over."""
        return self._doing if self.job and self._doing.done() else None

    def end(self, at_once: bool = False) -> None:
        """End the process, at once or after its job."""
        self._worker.end(at_once)


class WorkerPool:
    """Takes jobs, and shows a bar for each search and one for all trainings from scratch.

    journal: the results of jobs that need not be done again. Results do not depend on the number of processes: each
    job is seeded and runs on one thread. A job whose process dies is done again once, by a new process.
    """

    def __init__(self, pictures: Pictures, trainings: int, journal: Journal):
        self.pictures, self.trainings, self.journal = pictures, trainings, journal
        self.jobs: list[Job] = []
        self.waiting: deque[Job] = deque()
        self.bars: dict[str, Bar] = {}

    def __enter__(self) -> "WorkerPool":
        self._stack = ExitStack()
        self.processes = [Process() for _ in range(WORKERS)]
        look = "training from scratch: {n}/{total} networks [{elapsed}]"
        self.bar = self._stack.enter_context(tqdm(total=self.trainings, bar_format=look, position=0, leave=False))
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """After a failure or Ctrl-C, forget what has not begun and end the processes at once."""
        self._stack.close()
        with ExitStack() as ends:  # a Ctrl-C in the midst of one leaves none of the others out
            for process in self.processes:
                ends.callback(process.end, at_once=failure is not None)

    def search(self, name: str, strategy: str, epochs: int, seed: int, space: str, folder: Path) -> Future:
        """Queue a search; in the end `folder` holds its result, and the future the multiply-adds it took."""
        unit = "architectures" if strategy == "random" else "epochs"
        self.bars[name] = self._stack.enter_context(Bar(epochs, name, unit, position=len(self.bars) + 1, leave=False))
        arguments = (name, strategy, epochs, seed, space, self.pictures, folder)
        return self._take(Job(f"the search by {name}", f"search-{strategy}", searched, arguments))

    def train(self, architecture: Architecture, seeds: tuple[int, ...]) -> list[Future]:
        """Queue one training per seed; each future will hold the scores of one seed."""
        text = architecture.to_json()
        jobs = (
            Job(f"the training of {architecture} with seed {seed}", training_of(text, seed), trained, arguments)
            for seed in seeds
            for arguments in [(text, self.pictures, seed)]
        )
        futures = [self._take(job) for job in jobs]
        for future in futures:
            future.add_done_callback(lambda _: self.bar.update())
        return futures

    def _take(self, job: Job) -> Future:
        self.jobs.append(job)
        if (known := self.journal.result(job.name)) is None:
            self.waiting.append(job)
        else:
            job.future.set_result(known)
        return job.future

    def working(self, seconds: float = 0.5) -> bool:
        """Show the news of half a second; tells whether any job is left. Raises what went wrong in a job."""
        end = time.monotonic() + seconds
        while any(not job.future.done() for job in self.jobs) and time.monotonic() < end:
            for number, process in enumerate(self.processes):
                self._show(process)
                if (done := process.over()) is not None:
                    self._collect(number, process, done)
                if not process.job and self.waiting:
                    self.processes[number].give(self.waiting.popleft())
            time.sleep(0.02)
        self.bar.refresh()
        return any(not job.future.done() for job in self.jobs)

    def _collect(self, number: int, process: Process, done: Future) -> None:
        """Keep what came of a job; where its process died, let a new one do it again, once."""
        job, process.job = process.job, None
        try:
            self.journal.keep(job.name, done.result())
            job.future.set_result(done.result())
        except BrokenProcessPool:
            process.end(at_once=True)
            self.processes[number] = Process()
            self._again(job)

    def _again(self, job: Job) -> None:
        if job.deaths:
            raise ChildProcessError(
                f"The process of {job.label} was ended from outside twice, perhaps because memory ran out: close other "
                f"programs and start the demonstration again. What is done is kept in {self.journal.folder}."
            )
        job.deaths += 1
        self.waiting.appendleft(job)
        if bar := self.bars.get(job.arguments[0]):
            bar.restart()
        tqdm.write(f"The process of {job.label} was ended from outside; another one does it again.", sys.stderr)

    def _show(self, process: Process) -> None:
        """Show all that a process has told."""
        with suppress(queue.Empty):
            while True:
                name, passes, line = process.news.get_nowait()
                self.bars[name].tick(passes)
                if line:
                    self.bars[name].step()
                    tqdm.write(f"{name:<14}{line}")


def begin(news: queue.Queue) -> None:
    """First thing in a working process: where its news go."""
    Reporter.news = news


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
    shutil.rmtree(folder, ignore_errors=True)  # a search that was not finished begins anew
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
