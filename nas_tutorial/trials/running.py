"""Run a function on many arguments, on any `concurrent.futures.Executor`, and keep each result as soon as it is there.

An executor is what Python calls a pool of workers: threads, processes, or the machines of a cluster.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from itertools import islice
from typing import Any

from tqdm import tqdm

from nas_tutorial.trials.engines import Here
from nas_tutorial.trials.keeping import Folder

TRIES = 3
"""So often a trial is begun at most, where the process or the machine that is at it dies."""

AHEAD = 1000
"""So many trials are handed to an executor at once, more when some are done."""

Jobs = Mapping[str, tuple[Any, ...]]
"""Trials by name, which is the name of a file, too: the arguments of each."""


class TrialsFailed(ValueError):
    """Some trials ended with an error; the message names the first one and says what is kept of the others."""

    def __init__(self, faults: Mapping[str, Exception], total: int, kept: str):
        (name, first), *others = faults.items()
        more = f" {len(others)} more of {total} failed, too." if others else ""
        super().__init__(f"The trial {name} failed: {type(first).__name__}: {first}{more} {kept}")
        self.faults, self.exit_status = dict(faults), getattr(first, "exit_status", 2)


def run(
    work: Callable[..., Any],
    jobs: Jobs,
    executor: Executor | None = None,
    folder: Folder | None = None,
    label: str | None = None,
) -> dict[str, Any]:
    """What `work(*arguments)` returns for each job, by its name, in the order of the jobs.

    work, arguments and results must be such that pickle can send them to another process. executor: None for this
    process. folder: where results are kept as they come, so they must be plain values then; what is kept there already
    is not done again. label: of a bar that shows how many trials are done; None for no bar.
    A trial whose worker dies is begun again, `TRIES` times in all, with a warning. Raises TrialsFailed where a trial
    ends with an error: at once without a folder, and when all others are done with one.
    """
    results = {name: found for name in jobs if folder and (found := folder.result(name)) is not None}
    todo = {name: arguments for name, arguments in jobs.items() if name not in results}
    faults: dict[str, Exception] = {}
    with tqdm(total=len(jobs), initial=len(results), desc=label, unit="trials", disable=label is None) as bar:
        for name, outcome in finished(work, todo, executor or Here()):
            if isinstance(outcome, Exception):
                faults[name] = outcome
                if not folder:
                    break
            else:
                results[name] = folder.keep(name, outcome) if folder else outcome
                bar.update()
    if faults:
        kept = f"{len(results)} of {len(jobs)} are kept in {folder.path}; the same call goes on." if folder else ""
        raise TrialsFailed(faults, len(jobs), kept or "Nothing was kept: give a folder to keep what succeeds.")
    return {name: results[name] for name in jobs}


def finished(work: Callable[..., Any], jobs: Jobs, executor: Executor) -> Iterator[tuple[str, Any]]:
    """Yield the name of each job with its result, or with the error that ended it, as soon as it is over."""
    waiting, tries, running = iter(jobs), Counter(), {}
    ahead = getattr(executor, "ahead", AHEAD)

    def begin(name: str) -> None:
        tries[name] += 1
        running[executor.submit(work, *jobs[name])] = name

    try:
        while True:
            for name in islice(waiting, ahead - len(running)):
                begin(name)
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                if died(future) and tries[name] < TRIES:
                    warnings.warn(f"The worker of trial {name} died; another one does it again.", stacklevel=3)
                    begin(name)
                else:
                    yield name, outcome_of(future, tries[name])
    finally:
        for future in running:
            future.cancel()


def died(future: Future) -> bool:
    """Whether the worker of a job is gone, so that its error says nothing about the job."""
    return isinstance(future.exception(), BrokenExecutor)


def outcome_of(future: Future, tries: int) -> Any:
    """What a job returned, or the error that ended it."""
    if died(future):
        return ChildProcessError(
            f"its worker was ended from outside {tries} times, perhaps because memory ran out: give it more, or use "
            f"fewer workers ({future.exception()})"
        )
    return future.exception() or future.result()


def shard(jobs: Jobs, number: int, of: int) -> Jobs:
    """The jobs of one of several helpers, who share them evenly: number 1 to `of`; together they have all jobs."""
    return {name: jobs[name] for name in islice(jobs, number - 1, None, of)}
