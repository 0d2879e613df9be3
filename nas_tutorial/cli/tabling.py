"""`nas-tutorial table`: every architecture of a space, trained with several seeds, here or on many machines."""

import re
from argparse import Namespace
from concurrent.futures import Executor
from pathlib import Path

from nas_tutorial import data, training
from nas_tutorial.cli import choices, sources
from nas_tutorial.cli.searching import RUNS
from nas_tutorial.files import claim
from nas_tutorial.measures.plans import Plan, Trial
from nas_tutorial.measures.table_files import file_format
from nas_tutorial.measures.tables import Table
from nas_tutorial.settings import configured, shown
from nas_tutorial.spaces import Space
from nas_tutorial.trials import Folder, engine, run
from nas_tutorial.trials.running import shard

MOST = 100_000
"""So many architectures a space may have for a table of all of them: NAS-Bench-201's has 15,625."""


def table(options: Namespace) -> None:
    """Train all architectures that are not trained yet, and write the table; of one shard, only train them."""
    part = shard_of(options.shard)
    plan, out = planned(options), Path(options.out or RUNS / f"table-{options.space}.json")
    check_out(out, plan)
    with engine(options.engine, options.workers, options.address) as executor:
        folder = plan.folder(out.with_name(f"{out.stem}-trials"))
        found = trained(plan, folder, executor, part)
    if part:
        print(f"{done(plan, folder)}; when all are there, the same command without --shard makes {out}.")
        return
    made = Table(*plan.table(found))
    made.save(out)
    print(f"{made}\nkept   {out}")


def trained(plan: Plan, folder: Folder, executor: Executor, part: tuple[int, int] | None) -> dict[str, Trial]:
    """The results of all trials, or of a shard of them. Shards share the folder; otherwise nobody else may use it."""
    lock = None if part else claim(folder.path)
    try:
        return run(plan.work, shard(plan.jobs, *part) if part else plan.jobs, executor, folder, label="table")
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{done(plan, folder)}; the same command goes on.") from None
    finally:
        if lock:
            lock.release()


def planned(options: Namespace) -> Plan:
    """The trials that the options ask for; ValueError where that cannot be, before anything is loaded or trained."""
    space = choices.space(options)
    check_size(space)
    settings = choices.settings(options, training.RECIPES) | ({"epochs": options.epochs} if options.epochs else {})
    recipe, pictures = configured(training.RECIPES, options.profile or "small", settings), sources.pictures(options)
    data.check_test_pictures(pictures)
    return Plan.of(space, pictures, recipe, options.seeds, None, options.at_once)


def check_size(space: Space) -> None:
    """Raise ValueError where a space has more architectures than anybody can train."""
    if space.size > MOST:
        size = f"{space.size:,}" if space.size < 10**9 else f"{space.size:.1e}"
        raise ValueError(
            f"{space.name} has {size} architectures in this size, but a table trains all of them, at most {MOST:,}: "
            "take tiny or nasbench201, or fewer --operations."
        )


def shard_of(text: str | None) -> tuple[int, int] | None:
    """The number of a shard and how many there are, of "3/10"; ValueError for anything else."""
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", text)
    if not match or int(match[1]) > int(match[2]):
        raise ValueError(f"--shard is {shown(text)}; give its number and how many there are, such as 3/10.")
    return int(match[1]), int(match[2])


def check_out(out: Path, plan: Plan) -> None:
    """Raise ValueError where the table would replace another table, more seeds, or anything else."""
    file_format(out)
    if not out.exists():
        return
    if out.suffix == ".npz":
        raise ValueError(f"{out} is there already: choose another --out.")
    try:
        found = Table.load(out)
    except (OSError, ValueError) as error:
        why = str(error).removesuffix(".")
        raise ValueError(f"{out} is no table, so it is left as it is: choose another --out ({why}).") from error
    same = (found.space, found.architectures) == (plan.architectures[0].space, plan.architectures)
    if not same or any(found.about.get(name) != plan.about[name] for name in ("recipe", "pictures")):
        raise ValueError(f"{out} is another table, of another space, other pictures or settings: choose another --out.")
    if missing := [seed for seed in found.about.get("seeds", []) if seed not in plan.seeds]:
        raise ValueError(f"{out} holds the seeds {missing}, too: name them in --seeds, or choose another --out.")


def done(plan: Plan, folder: Folder) -> str:
    """How many trials of all are kept, in words."""
    count = sum(folder.result(name) is not None for name in plan.jobs)
    return f"{count} of {len(plan.jobs)} trials are kept in {folder.path}"
