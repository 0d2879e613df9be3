"""From options to pictures: those that are asked for, those that a record names, or the latter with some changes."""

import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from nas_tutorial import data
from nas_tutorial.data import Data, records
from nas_tutorial.strategies.profiles import PICTURES

ARGUMENTS = {"data": "source", "test_data": "test_data", "per_class": "per_class", "data_seed": "seed", "side": "side"}


def given(options: Namespace) -> dict[str, Any]:
    """What the options say about pictures, by the names that an origin has for it."""
    said = {name: getattr(options, option) for option, name in ARGUMENTS.items()}
    return {name: value for name, value in said.items() if value is not None}


def pictures(options: Namespace, record: Mapping[str, Any] | None = None) -> Data:
    """The pictures asked for; with a record its pictures, except for what the options say otherwise.

    --data brings its own --test-data, or none, unless it is the recorded file, in this place or another. Raises
    ValueError or OSError where they cannot be had.
    """
    asked = given(options)
    if record is None:
        return records.load_again(asked if "source" in asked else {**usual(options.profile), **asked}, options.root)
    records.check_record(record)
    if not asked:
        return data.from_record(record, root=options.root)
    if "source" in asked and "source" not in records.moved(record, asked):
        asked = {"test_data": None, **asked}
    kept = {} if "source" in asked and not has_origin(record) else records.origin_of(record)
    records.check_there({name: path for name, path in kept.items() if name not in asked})
    return records.load_again({**kept, **asked}, options.root)


def usual(profile: str | None) -> dict[str, Any]:
    """The pictures of a profile, by the names that an origin has for what `data.load` takes."""
    chosen = dict(PICTURES[profile or "small"])
    return {"source": chosen.pop("name_or_path"), **chosen}


def has_origin(record: Any) -> bool:
    """Whether a record tells where its pictures are from."""
    return isinstance(record, Mapping) and bool(record.get("origin"))


def for_retraining(options: Namespace, record: Mapping[str, Any] | None) -> tuple[Data, Data | None]:
    """The pictures to train and to test on, and those that were searched on where these are others; says so."""
    found = pictures(options, record)
    if record is None or not given(options) or (isinstance(record, Mapping) and not records.differs(record, found)):
        return found, None
    say("These are other pictures than were searched on: the scores hold for them, not for those of the search.")
    try:
        return found, data.from_record(record, root=options.root, **records.moved(record, given(options)))
    except (ValueError, OSError) as error:
        name = record if isinstance(record, str) else record["name"]
        say(f"It was searched on {name}; whether test pictures were among those could not be measured: {error}")
        return found, None


def say(sentence: str) -> None:
    """A sentence, where there is one, that the reader should know, apart from what the command prints."""
    if sentence:
        print(f"nas-tutorial: note: {sentence}", file=sys.stderr)
