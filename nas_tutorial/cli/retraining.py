"""`nas-tutorial retrain`: training from scratch, with states and scores in files that nothing else is lost for."""

import json
import tempfile
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nas_tutorial import training
from nas_tutorial.cli import choices, sources
from nas_tutorial.cli.searching import RUNS
from nas_tutorial.demo.progress import Bar
from nas_tutorial.files import claim, write_whole
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.settings import configured, read_json, to_text
from nas_tutorial.training import Scores
from nas_tutorial.training.inputs import checked_seeds
from nas_tutorial.training.score_files import ScoresRecord


def retrain(options: Namespace) -> None:
    """Train one network per seed, test each, and keep state and scores: after every epoch, after every network."""
    profile = options.profile or "small"
    settings = choices.settings(options, training.RECIPES) | ({"epochs": options.epochs} if options.epochs else {})
    recipe, chosen = configured(training.RECIPES, profile, settings), choices.chosen(options)
    training.best_device(options.device)
    checked_seeds(options.seeds)
    pictures, searched = sources.for_retraining(options, chosen.pictures)
    what = {"architecture": json.loads(chosen.architecture.to_json()), "data": pictures.record}
    out, states = files(options, chosen, what)
    lock = claim(states)
    files(options, chosen, what)  # again, as another process may have had the folder up to here
    sources.say(chosen.architecture.warning)
    shared = {"profile": profile, "device": options.device, "resume": states, "searched": searched, **settings}
    accuracies, done = [], sum(training.epochs_kept(states, seed) for seed in options.seeds)
    total = len(options.seeds) * recipe.epochs
    try:
        with Bar(total, "retrain", done=done) as bar, MultiplyAddCounter(bar.tick):
            if done:
                bar.tqdm.write(f"{states} goes on after {done} of {total} epochs")
            for seed in options.seeds:
                scores = training.retrain(chosen.architecture, pictures, (seed,), report=lambda _: bar.step(), **shared)
                accuracies += scores.accuracies
                bar.tqdm.write(f"seed {seed}: test accuracy {accuracies[-1]:.3f}")
                write_scores(out, what, options.seeds, replace(scores, accuracies=tuple(accuracies)))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(kept(options, states)) from None
    except OSError as error:
        raise OSError(f"{error} {kept(options, states)}") from error
    finally:
        lock.release()
    print(f"\n{Scores(tuple(accuracies), 0)} test accuracy over {len(accuracies)} seeds, kept in {out}")


def files(options: Namespace, chosen: choices.Chosen, what: Mapping[str, Any]) -> tuple[Path, Path]:
    """The file of the scores, and the folder of the states beside it; nothing that lies there is ever removed.

    Raises ValueError where they cannot be written, or would replace scores or anything else.
    """
    home = chosen.folder or RUNS / f"retrain-{options.space}"
    out = Path(options.out) if options.out else home / "retrain.json"
    states = out.with_name(f"{out.stem}-states")
    begun = any(states.glob("seed-*/step-*.safetensors"))
    if out.exists():
        check_kept(scores_in(out), what, options, out)
    if (out.exists() or begun) and not options.resume:
        raise ValueError(
            f"{out if out.exists() else states} holds scores already: add --resume or choose another --out."
        )
    if options.resume and not begun:
        raise ValueError(f"{states} holds no training to go on with: leave out --resume to begin one, or mend --out.")
    try:
        states.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out.parent).close()
    except OSError as error:
        raise ValueError(f"{out} and {states} cannot be written ({error.strerror}): choose another --out.") from error
    return out, states


def scores_in(path: Path) -> dict[str, Any]:
    """What a file of scores holds; ValueError for any other file."""
    try:
        return read_json(path, ScoresRecord, "it")
    except (OSError, ValueError) as error:
        why = str(error).removesuffix(".")
        raise ValueError(
            f"{path} is no file of scores, so it is left as it is: choose another --out ({why})."
        ) from error


def check_kept(found: Mapping[str, Any], what: Mapping[str, Any], options: Namespace, out: Path) -> None:
    """Raise ValueError where going on would replace the scores of another architecture, other pictures or seeds."""
    if options.resume and found["architecture"] != what["architecture"]:
        raise ValueError(f"{out} holds scores of another architecture: choose another --out.")
    if options.resume and found["data"]["splits"] != what["data"]["splits"]:
        raise ValueError(f"{out} holds scores on other pictures: choose another --out.")
    if options.resume and (missing := [seed for seed in found["seeds"] if seed not in options.seeds]):
        raise ValueError(
            f"{out} holds scores of the seeds {missing}, too: name them in --seeds, or choose another --out."
        )


def write_scores(out: Path, what: Mapping[str, Any], seeds: list[int], scores: Scores) -> None:
    """The scores so far, as JSON."""
    record = {
        **what,
        **scores.about,
        "seeds": seeds[: len(scores.accuracies)],
        "accuracies": scores.accuracies,
        "mean": scores.mean,
        "std": scores.std,
        "parameters": scores.parameters,
    }
    write_whole(out, to_text(record, indent=1))


def kept(options: Namespace, states: Path) -> str:
    """What is left of a retraining that was stopped, in words."""
    if not any(training.epochs_kept(states, seed) for seed in options.seeds):
        return "No epoch was over yet, so nothing was kept."
    return f"All whole epochs are kept in {states}; the same command with --resume goes on."
