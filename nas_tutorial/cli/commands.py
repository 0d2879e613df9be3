"""What each command does."""

import json
import shutil
from argparse import Namespace
from pathlib import Path

import nas_tutorial
from nas_tutorial import spaces, training
from nas_tutorial.cli import choices
from nas_tutorial.demo.progress import Bar, followed
from nas_tutorial.files import write_whole
from nas_tutorial.measures import describe as describing
from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.pictures import drawing
from nas_tutorial.pictures.keeping import keep_pictures, listing
from nas_tutorial.settings import configured
from nas_tutorial.spaces import Architecture
from nas_tutorial.strategies import Search
from nas_tutorial.training import Scores

RUNS = Path("runs")


# --- search -----------------------------------------------------------------------------------------------------------
def search(options: Namespace) -> None:
    """Search, print each epoch, and keep state and result after every one of them."""
    folder = run_folder(options)
    run = begin(options, folder)
    try:
        with Bar(run.config["epochs"], options.strategy, done=len(run.log)) as bar:
            if run.log:
                bar.tqdm.write(f"{folder} goes on after epoch {len(run.log)} of {run.config['epochs']}")
            for _ in followed(run, bar, MultiplyAddCounter(bar.tick)):
                pass
    except KeyboardInterrupt:
        raise KeyboardInterrupt(kept(run, folder)) from None
    keep_pictures(run.result, folder)
    print(f"\nfound  {run.result.architecture}\nkept   {folder}: {listing(folder)}")
    if run.result.architecture.warning:
        print(f"note   {run.result.architecture.warning}")
    print(f"next   nas-tutorial retrain --architecture {folder / 'architecture.json'} --data {options.data}")


def begin(options: Namespace, folder: Path) -> Search:
    """The search asked for, ready for its first epoch, or for the one after the last that is kept in the folder."""
    special = {"order": options.order, "shared": options.shared or None}
    return nas_tutorial.search(
        choices.space(options),
        choices.pictures(options),
        options.strategy,
        epochs=options.epochs,
        seed=options.seed,
        profile=options.profile or "small",
        device=options.device,
        resume=folder,
        **{name: value for name, value in special.items() if value is not None},
        **choices.settings(options.set),
    )


def run_folder(options: Namespace) -> Path:
    """runs/NAME, or a folder of a new name that says what the search is.

    Raises ValueError where NAME is taken and --resume was not given, or --resume without a name.
    """
    if options.name:
        folder = RUNS / options.name
        if any((folder / kept).exists() for kept in ("result.json", "checkpoints")) and not options.resume:
            raise ValueError(
                f"{folder} holds a search already: add --resume to go on with it, or choose another --name."
            )
        return folder
    if options.resume:
        raise ValueError("--resume goes on with a search that has a name: give --name NAME, too.")
    name = f"{options.space}-{options.strategy}-{Path(options.data).stem}-seed{options.seed}"
    names = (name, *(f"{name}-{i}" for i in range(2, 10**6)))
    return next(RUNS / n for n in names if not (RUNS / n).exists())


def kept(run: Search, folder: Path) -> str:
    """What is left of a search that was stopped, in words."""
    if not run.log:
        return "No epoch was over yet, so nothing was kept."
    keep_pictures(run.so_far, folder)
    return (
        f"Epochs 1 to {len(run.log)} of {run.config['epochs']} are kept in {folder}: {listing(folder)}. "
        f"The same command with --name {folder.name} --resume goes on."
    )


# --- retrain ----------------------------------------------------------------------------------------------------------
def retrain(options: Namespace) -> None:
    """Train one network per seed, test each, and keep state and scores: after every epoch, after every network."""
    architecture, pictures, out = choices.architecture(options), choices.pictures(options), retrain_file(options)
    profile = options.profile or "small"
    settings = choices.settings(options.set) | ({"epochs": options.epochs} if options.epochs else {})
    recipe, accuracies, states = configured(training.RECIPES, profile, settings), [], states_folder(out, options.resume)
    try:
        with Bar(len(options.seeds) * recipe.epochs, "retrain") as bar, MultiplyAddCounter(bar.tick):
            for done, seed in enumerate(options.seeds, start=1):
                shared = {"profile": profile, "device": options.device, "resume": states, **settings}
                scores = training.retrain(architecture, pictures, (seed,), report=lambda _: bar.step(), **shared)
                bar.jump(done * recipe.epochs)
                accuracies += scores.accuracies
                bar.tqdm.write(f"seed {seed}: test accuracy {accuracies[-1]:.3f}")
                write_scores(Scores(tuple(accuracies), scores.parameters), architecture, options, out)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"All whole epochs are kept in {states}; the same command with --resume goes on."
        ) from None
    print(f"\n{Scores(tuple(accuracies), 0)} test accuracy over {len(accuracies)} seeds, kept in {out}")


def states_folder(out: Path, resume: bool) -> Path:
    """Where the states of a retraining lie, beside its scores; empty unless it shall go on."""
    folder = out.with_name(f"{out.stem}-states")
    if not resume:
        shutil.rmtree(folder, ignore_errors=True)
    return folder


def retrain_file(options: Namespace) -> Path:
    """Where the scores go."""
    if options.out:
        return Path(options.out)
    given = Path(options.architecture)
    return (given.parent if given.suffix == ".json" else RUNS / f"retrain-{options.space}") / "retrain.json"


def write_scores(scores: Scores, architecture: Architecture, options: Namespace, out: Path) -> None:
    """The scores so far, as JSON."""
    record = {
        "architecture": json.loads(architecture.to_json()),
        "data": options.data,
        "seeds": options.seeds[: len(scores.accuracies)],
        "accuracies": scores.accuracies,
        "mean": scores.mean,
        "std": scores.std,
        "parameters": scores.parameters,
    }
    write_whole(out, json.dumps(record, indent=1))


# --- look -------------------------------------------------------------------------------------------------------------
def draw(options: Namespace) -> None:
    """Draw an architecture into a file."""
    try:
        print(drawing.save(choices.architecture(options), options.out))
    except RuntimeError as error:  # no Graphviz
        raise ValueError(str(error)) from error


def describe(options: Namespace) -> None:
    """Print the figures of a network."""
    architecture = choices.architecture(options) if options.architecture else None
    if not architecture and not options.space:
        raise ValueError("Give --space, --architecture or both; `nas-tutorial spaces` lists what there is.")
    sizes = {"classes": options.classes, "side": options.side}
    if options.supernet or not architecture:
        space = architecture.space if architecture else choices.space(options)
        found = describing.supernet(space, architecture, **sizes)
    else:
        found = describing.stand_alone(architecture, **sizes)
    print(found.to_json() if options.json else found)


def list_spaces(options: Namespace) -> None:
    """A table of the spaces, in the sizes of the small profile."""
    print(f"{'space':<13}{'decisions':>9}  {'architectures':>13}  operations")
    for name in spaces.BY_NAME:
        space = spaces.get(name)
        size = f"{space.size:,}" if space.size < 10**6 else f"{space.size:.1e}"
        print(f"{name:<13}{len(space.decisions):>9}  {size:>13}  {', '.join(space.operations)}")
        profiles = (
            f"{profile}: {', '.join(f'{k} {v}' for k, v in s.items())}" for profile, s in space.profiles.items()
        )
        print(f"{'':<13}sizes: {'; '.join(profiles)}")
        if space.published:
            print(f"{'':<13}published architectures: {', '.join(space.published)}")
    print("\nArchitectures and decisions are counted in the small sizes; --profile paper gives the published ones.")


def demo(options: Namespace) -> None:
    """The demonstration of all strategies."""
    from nas_tutorial.demo import demo as demonstration

    demonstration.run(RUNS / demonstration.folder_name(options.seed), options.scale, options.seed)


BY_NAME = {
    "demo": demo,
    "search": search,
    "retrain": retrain,
    "draw": draw,
    "describe": describe,
    "spaces": list_spaces,
}
