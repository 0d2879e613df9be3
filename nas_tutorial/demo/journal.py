"""What a demonstration has done already, one small file a job, so that after a stop no job is done twice."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from nas_tutorial.files import claim, writable_folder, write_whole
from nas_tutorial.training import Scores
from nas_tutorial.training.checkpoints import compare, in_words

FILE, JOBS = "demo.json", "jobs"
OLDER = ("leaderboard.json", "darts", "enas", "random")  # what a demonstration leaves, with or without a `FILE`


class Journal:
    """The results of finished jobs in a folder, which no other process may use meanwhile.

    identity: all that results depend on. A folder that holds anything of another demonstration is refused with a
    ValueError, unless overwrite is given.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], overwrite: bool = False):
        self.folder = writable_folder(folder)
        self._lock = claim(self.folder)
        if not overwrite:
            self._check(json.loads(json.dumps(identity)))
        else:
            shutil.rmtree(self.folder / JOBS, ignore_errors=True)
        write_whole(self.folder / FILE, json.dumps(identity, indent=1))

    def _check(self, identity: Mapping[str, Any]) -> None:
        ways_out = "add --overwrite to replace it, or move it elsewhere."
        if not (file := self.folder / FILE).is_file():
            if there := [name for name in OLDER if (self.folder / name).exists()]:
                raise ValueError(f"{self.folder} holds {', '.join(there)} of an older demonstration: {ways_out}")
            return
        if differences := compare(self._read(file), identity):
            raise ValueError(f"{self.folder} holds a demonstration with {in_words(*differences[0])}: {ways_out}")

    def _read(self, file: Path) -> Any:
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{file} is damaged: remove it, and add --overwrite to begin anew.") from error

    def path(self, job: str) -> Path:
        """The file of a job's result."""
        return self.folder / JOBS / f"{job}.json"

    def result(self, job: str) -> Any:
        """What a finished job returned: a number or scores; None for a job that is not finished."""
        if not (file := self.path(job)).is_file():
            return None
        found = self._read(file)
        return Scores(tuple(found["accuracies"]), found["parameters"]) if isinstance(found, dict) else found

    def keep(self, job: str, result: Any) -> None:
        """Write down what a job returned."""
        plain = asdict(result) if isinstance(result, Scores) else result
        write_whole(self.path(job), json.dumps(plain))


def training_of(architecture: str, seed: int) -> str:
    """The name of a training: JSON text of an architecture, seed → a name for a file."""
    return f"training-{sha256(architecture.encode()).hexdigest()[:16]}-seed{seed}"
