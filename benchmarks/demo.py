"""`python -m benchmarks.demo`: the demonstration for several seeds of its searches, as one summary.

The ten random cells are trained once: they are the same for all seeds. A seed whose result with the same settings lies
in its folder is not run again, so that the same command goes on after a stop.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas_tutorial.demo import demo
from nas_tutorial.demo.leaderboard import signed
from nas_tutorial.files import write_whole
from nas_tutorial.training import Scores

Record = Mapping[str, Any]
COMMON = ("settings", "counted", "random_mean")
OF_A_SEED = ("seed", "finished", "seconds", "versions", "found")


def records(seeds: Sequence[int], folder: Path, scale: float) -> list[Record]:
    """The leaderboard of each seed, read where it is kept, else made now."""
    places = {seed: folder / demo.folder_name(seed) for seed in seeds}
    known = {seed: record for seed, place in places.items() if (record := kept(place, scale))}
    for seed in [seed for seed in seeds if seed not in known]:
        print(f"\nsearches with seed {seed}\n")
        demo.run(places[seed], scale, seed, random_scores(list(known.values())))
        known[seed] = kept(places[seed], scale)
    return [known[seed] for seed in seeds]


def kept(folder: Path, scale: float) -> Record | None:
    """The leaderboard in a folder; None where there is none, or one with other settings."""
    path = folder / "leaderboard.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return record if isinstance(record, dict) and record["settings"] == demo.settings(scale) else None


def random_scores(known: Sequence[Record]) -> list[Scores] | None:
    """What the random cells are worth, if any record tells."""
    cells = known[0]["random_cells"] if known else []
    return [Scores(tuple(cell["accuracies"]), cell["parameters"]) for cell in cells] or None


def summary(found: Sequence[Record]) -> dict[str, Any]:
    """The records of all seeds as one: what they share, each seed, and each strategy over all seeds.

    Raises ValueError where their random cells differ, as they do after a change of the code.
    """
    first = found[0]
    for record in found:
        if record["random_cells"] != first["random_cells"]:
            raise ValueError(
                f"The random cells of the seeds {first['seed']} and {record['seed']} have different accuracies; "
                "delete the folders of these seeds and run them again."
            )
    names = sorted(entry["name"] for entry in first["found"])
    return {
        **{name: first[name] for name in COMMON},
        "random_cells": first["random_cells"],
        "seeds": [{name: record[name] for name in OF_A_SEED} for record in found],
        "strategies": {name: over_seeds([e for r in found for e in r["found"] if e["name"] == name]) for name in names},
    }


def over_seeds(entries: Sequence[Record]) -> dict[str, Any]:
    """One strategy: how far its cells are above the mean of the random cells, in points, and how that varies."""
    points = [entry["points"] for entry in entries]
    return {
        "points": points,
        "least_points": min(points),
        "mean_points": statistics.fmean(points),
        "mean": statistics.fmean(entry["mean"] for entry in entries),
        "std_between_seeds": statistics.stdev(entry["mean"] for entry in entries) if len(entries) > 1 else None,
        "std_between_trainings": statistics.fmean(entry["std"] for entry in entries),
    }


def table(joined: Record) -> str:
    """The summary as text: a row for each seed, a column for each strategy."""
    names = list(joined["strategies"])
    rows = [[f"seed {record['seed']}", *(field(record, name) for name in names)] for record in joined["seeds"]]
    means = [
        f"{100 * s['mean']:.0f} % ({signed(s['mean_points'])}, least {signed(s['least_points'])})"
        for s in joined["strategies"].values()
    ]
    lines = [["", *names], *rows, ["mean", *means]]
    return "\n".join(
        ("\n".join("".join(f"{text:<28}" for text in line).rstrip() for line in lines), "", baseline(joined))
    )


def field(record: Record, name: str) -> str:
    """One search: mean and deviation of its trainings, and points above the random mean."""
    entry = next(entry for entry in record["found"] if entry["name"] == name)
    return f"{100 * entry['mean']:.0f} ± {100 * entry['std']:.0f} % ({signed(entry['points'])})"


def baseline(joined: Record) -> str:
    """What the points are counted from."""
    accuracies = sorted(cell["mean"] for cell in joined["random_cells"])
    return (
        f"In brackets: points above the mean of {len(accuracies)} random cells, {100 * joined['random_mean']:.0f} % "
        f"({100 * accuracies[0]:.0f} … {100 * accuracies[-1]:.0f})."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, print the table, write the summary."""
    parser = argparse.ArgumentParser("benchmarks.demo", description=__doc__.split("\n\n")[1])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="of the searches (0 1 2 3 4)")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--folder", type=Path, default=Path("runs"), help="where the results of the seeds are (runs)")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of all epochs and pictures, for a try (1)")
    options = parser.parse_args(arguments)
    joined = summary(records(options.seeds, options.folder, options.scale))
    typed = " ".join(sys.argv[1:] if arguments is None else arguments)
    write_whole(options.out, json.dumps({"command": f"python -m benchmarks.demo {typed}", **joined}, indent=1))
    print(f"\n{table(joined)}\n\nkept  {options.out}")


if __name__ == "__main__":
    main()
