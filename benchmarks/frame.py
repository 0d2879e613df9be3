"""What all benchmarks share: cases, a fresh process for each, and one JSON line per case.

Each case runs in a process of its own, so that its peak of memory is its own, with `OMP_WAIT_POLICY=PASSIVE` and one
thread unless asked. CPU seconds are what other work on the machine disturbs least.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import torch

from nas_tutorial.files import write_whole
from nas_tutorial.settings import processor

Work = Callable[[], Any]


def keep(path: Path, seed: int, **found: Any) -> None:
    """Write what was found as JSON, with the seed, the day and the processor."""
    made = {"seed": seed, "date": str(date.today()), "processor": processor()}
    write_whole(path, json.dumps(made | found, indent=1) + "\n")


@dataclass(frozen=True)
class Case:
    """One measurement: `build(device)` prepares (untimed) and returns the work that is timed.

    per: things done in one go (64 architectures, say); seconds are per thing.
    """

    name: str
    build: Callable[[str], Work]
    C: int | None = None
    layers: int | None = None
    batch: int | None = None
    order: int | None = None
    per: int = 1

    @property
    def config(self) -> dict[str, int | None]:
        """The sizes of the case."""
        return {"C": self.C, "layers": self.layers, "batch": self.batch, "order": self.order}


def case(name: str, build: Callable[..., Work], *arguments: Any, **sizes: Any) -> Case:
    """A case whose work is `build(*arguments, device)`."""
    return Case(name, partial(build, *arguments), **sizes)


def measure(case: Case, repeats: int, device: str) -> dict[str, Any]:
    """Run a case once to warm up and `repeats` times on the clock; seconds per thing, peak in MB."""
    work, clock, cpu = case.build(device), [], []
    for _ in range(repeats + 1):
        start, cpu_start = time.perf_counter(), time.process_time()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        clock.append((time.perf_counter() - start) / case.per)
        cpu.append((time.process_time() - cpu_start) / case.per)
    clock, cpu = clock[1:], cpu[1:]  # the first was the warm-up
    return {
        "name": case.name,
        "seconds_median": round(statistics.median(clock), 6),
        "min": round(min(clock), 6),
        "max": round(max(clock), 6),
        "cpu_seconds_median": round(statistics.median(cpu), 6),
        "cpu_min": round(min(cpu), 6),
        "n": repeats,
        "config": case.config,
        "peak_rss_mb": peak_mb(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "device": device,
    }


def peak_mb() -> int:
    """The most memory this process has held so far; macOS counts in bytes, Linux in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)


def main(module: str, cases: Iterable[Case], arguments: Sequence[str] | None = None) -> None:
    """The command line of a benchmark: print one JSON line per case. module: its name after `python -m`."""
    by_name = {case.name: case for case in cases}
    options = _parser(module, list(by_name)).parse_args(arguments)
    if options.here:
        print(json.dumps(measure(by_name[options.here], options.repeats, options.device)), flush=True)
        return
    environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads), OMP_WAIT_POLICY="PASSIVE")
    for name in [name for name in by_name if options.only in name]:
        command = [sys.executable, "-m", module, "--here", name]
        command += ["--repeats", str(options.repeats), "--device", options.device]
        subprocess.run(command, check=True, env=environment)


def _parser(module: str, names: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(module, description="One JSON line per case. Cases: " + ", ".join(names))
    parser.add_argument("--only", default="", metavar="NAME", help="only cases whose name contains this")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs behind one to warm up (default: 3)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default: 1)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--here", choices=names, help="run this one case in this process")
    return parser
