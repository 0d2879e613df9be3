"""A folder that keeps the results of trials, one small file each, whole or not there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas_tutorial.files import writable_folder, write_whole
from nas_tutorial.settings import read_json, to_text

FILE = "trials.json"


class Folder:
    """The results of trials in a folder: NAME.json for each, beside trials.json, which says what they are of.

    Several processes, on machines that share a disk, may use it at once. identity: all that every result depends on,
    plain values; ValueError where the folder holds trials with another one. kind: an annotation or a `Record` that
    results must fit.
    """

    def __init__(self, path: str | Path, identity: Mapping[str, Any], kind: Any = None):
        self.path, self.kind = writable_folder(path), kind
        identity = json.loads(to_text(identity))
        if (self.path / FILE).exists():
            self._check(identity)
        else:
            write_whole(self.path / FILE, to_text(identity, indent=1))

    def _check(self, identity: Mapping[str, Any]) -> None:
        from nas_tutorial.training.checkpoints import compare, in_words  # only here: it loads torch

        if differences := compare(self._read(FILE), identity):
            raise ValueError(
                f"{self.path} holds trials with {in_words(*differences[0])}: go on with the same settings, space and "
                "data, or choose another folder."
            )

    def _read(self, name: str, kind: Any = None) -> Any:
        try:
            return read_json(self.path / name, kind, "it")
        except ValueError as error:
            why = str(error).removesuffix(".")
            raise ValueError(
                f"{self.path / name} is not what a trial left ({why}): remove it, or choose another folder."
            ) from error

    def result(self, name: str) -> Any:
        """What a trial returned; None for one that is not done."""
        file = f"{name}.json"
        return self._read(file, self.kind) if (self.path / file).is_file() else None

    def keep(self, name: str, result: Any) -> Any:
        """Write down what a trial returned; returns it as `result` will."""
        text = to_text(result)
        write_whole(self.path / f"{name}.json", text)
        return json.loads(text)
