"""The same pictures again: from what a data set tells about itself, `Data.record`, checked picture by picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import Field

from nas_tutorial.data.loading import BUILT_IN, load, sha256
from nas_tutorial.data.pictures import Data
from nas_tutorial.settings import Record, fitting

PLACES = ("source", "test_data")  # what of an origin may be a file


class OriginRecord(Record):
    """What pictures were loaded from: the arguments of `load`, and the sha256 sum of each file."""

    source: str
    test_data: NotRequired[str | None]
    seed: NotRequired[int]
    per_class: NotRequired[int | None]
    validation: NotRequired[float]
    test_per_class: NotRequired[int | None]
    side: NotRequired[int]
    sha256: NotRequired[dict[str, str]]


class SplitRecord(Record):
    """How many pictures a split has, and a sum of them."""

    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(min_length=1)]


class SplitRecords(Record):
    """Those of all splits."""

    train: SplitRecord
    validation: SplitRecord
    test: SplitRecord


class PicturesRecord(Record):
    """What `Data.record` tells; origin: None for data made by hand."""

    name: str
    origin: OriginRecord | None
    class_names: list[str]
    flip: bool
    crop: Annotated[int, Field(ge=0)]
    splits: SplitRecords


def from_record(
    record: Mapping[str, Any],
    *,
    source: str | Path | None = None,
    test_data: str | Path | None = None,
    root: str | Path | None = None,
) -> Data:
    """Load the pictures that `Data.record` describes, and make sure that they are the same.

    source, test_data, root: where the files are now, if they were moved (root: of CIFAR-10).
    Raises FileNotFoundError, or ValueError that says which pictures differ, or that nobody can load them again.
    """
    now = {name: str(path) for name, path in (("source", source), ("test_data", test_data)) if path is not None}
    origin = {**origin_of(record), **now}
    check_there(origin)
    data = load_again(origin, root)
    if difference := differs(record, data):
        raise ValueError(difference)
    return data


def check_record(record: Any) -> None:
    """Raise ValueError where a record is damaged; that of an old version may be the name of the data alone."""
    if isinstance(record, str):
        return
    try:
        fitting(PicturesRecord, record, "it")
    except ValueError as error:
        raise ValueError(
            "The record of the pictures is damaged, so nobody can tell which ones were searched on: bring back the "
            f"result.json that the search wrote, or search again ({str(error).removesuffix('.')})."
        ) from error


def moved(record: Any, places: Mapping[str, Any]) -> dict[str, str]:
    """Those of the given places (source, test_data) where a recorded file is now, by its sha256 sum."""
    kept = (isinstance(record, Mapping) and record["origin"] or {}).get("sha256", {})
    given = {name: str(path) for name, path in places.items() if name in kept and path and Path(path).exists()}
    return {name: path for name, path in given.items() if sha256(path) == kept[name]}


def origin_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the pictures of a record were loaded from; ValueError where it does not tell, or is damaged."""
    check_record(record)
    origin = record.get("origin") if isinstance(record, Mapping) else None
    if not origin:
        name = record["name"] if isinstance(record, Mapping) else record
        raise ValueError(
            f"Nothing is recorded of where the pictures {name!r} are from, as they were not made by data.load: "
            "make them again, and pass them yourself (on the command line: --data FILE.npz)."
        )
    return dict(origin)


def check_there(origin: Mapping[str, Any]) -> None:
    """Raise FileNotFoundError that says what to do where a file of an origin is gone."""
    for path in (origin.get(name) for name in PLACES):
        if path and path not in BUILT_IN and not Path(path).exists():
            raise FileNotFoundError(
                f"There is no file {path!r}, from which the recorded pictures were read: bring it back, or say "
                "where it is now (source and test_data; on the command line --data and --test-data)."
            )


def load_again(origin: Mapping[str, Any], root: str | Path | None = None) -> Data:
    """Load what an origin describes, whatever its pictures are now."""
    arguments = {name: value for name, value in origin.items() if name not in ("source", "sha256")}
    return load(origin["source"], root=root, **arguments)


def differs(record: Mapping[str, Any], data: Data) -> str | None:
    """In one sentence, how a data set differs from the recorded one; None for the same pictures and classes."""
    found, recorded = data.record["splits"], record["splits"]
    for name in recorded:
        if found[name] != recorded[name]:
            kept, now = (f"{s['size']:,} with sha256 {s['sha256'][:8]}…" for s in (recorded[name], found[name]))
            return f"These are other {name} pictures than the recorded ones ({now}, not {kept}): {_why(record, data)}"
    for name in ("class_names", "flip", "crop"):
        if data.record[name] != record[name]:
            return f"{data.name} has {name} {data.record[name]}, recorded was {record[name]}: make the data as before."
    return None


def _why(record: Mapping[str, Any], data: Data) -> str:
    """Whether a file has changed, or what was asked for, or only what the package makes of it; and what to do."""
    kept, now = record["origin"] or {}, data.origin or {}
    for place, recorded in kept.get("sha256", {}).items():
        if now.get("sha256", {}).get(place, recorded) != recorded:
            return f"{now[place]} is not the file that was used; bring that file back, or begin anew with this one."
    if asked := [n for n in kept if n not in (*PLACES, "sha256") and kept[n] != now.get(n)]:
        return f"{', '.join(f'{n} is {now.get(n)}, not {kept[n]}' for n in asked)}; load them with the recorded values."
    return "this version of the package makes others of the same arguments; use the recorded version, or begin anew."
