"""result.json, architecture.json, retrain.json: cut, foreign, of wrong types, with NaN, doubled keys, nested."""

import json
from pathlib import Path

from nas_tutorial import spaces
from nas_tutorial.strategies import SearchResult
from tests.reliability import Case, called, typed, with_file

RESULT, ARCHITECTURE, SCORES = (f"runs/first/{name}.json" for name in ("result", "architecture", "retrain"))
NO_JSON = ("", "{", "[]", "3", "null", '"text"', "NaN", "[" * 100_000, '{"a":' * 50_000, "1" * 5000, b"\xff\xfe\x00")


def changed(name: str, then: Case, **changes: object) -> Case:
    """A file of the finished search in which some values are others; None removes a key; a.b is b in a."""

    def prepare() -> None:
        record = json.loads(Path(name).read_text(encoding="utf-8"))
        for key, value in changes.items():
            *outer, last = key.split("__")
            place = record
            for step in outer:
                place = place[int(step) if isinstance(place, list) else step]
            if value is None:
                del place[last]
            else:
                place[last] = value
        Path(name).write_text(json.dumps(record), encoding="utf-8")

    given = ", ".join(f"{key.replace('__', '.')} = {str(value)[:30]}" for key, value in changes.items())
    return Case(f"{then.given} with {given}", then.attempt, then.says, prepare)


def replaced(name: str, before: str, after: str, then: Case) -> Case:
    """A file of the finished search in which a text is another one."""

    def prepare() -> None:
        text = Path(name).read_text(encoding="utf-8")
        assert before in text
        Path(name).write_text(text.replace(before, after, 1), encoding="utf-8")

    return Case(f"{then.given} with {after} for {before}", then.attempt, then.says, prepare)


READ_RESULT = typed("draw runs/first --out a.svg", "result.json")
LOAD_RESULT = called("result.json", SearchResult.load, "runs/first")
READ_ARCHITECTURE = typed("draw runs/first/architecture.json --out a.svg", "architecture.json")
READ_SCORES = typed("retrain runs/first --seeds 0 --epochs 1 --resume", "retrain.json")
CELL = "|skip~0|+|skip~0|skip~1|"
TEXTS = (
    "",
    "nonsense",
    '{"space": "tiny"}',
    '{"space": "moon", "sizes": {}, "architecture": ""}',
    '{"space": "tiny", "sizes": {"channels": true}, "architecture": "' + CELL + '"}',
    '{"space": "tiny", "sizes": {"channels": 2.0}, "architecture": "' + CELL + '"}',
    '{"space": "tiny", "sizes": {"channels": 1e999}, "architecture": "' + CELL + '"}',
    '{"space": "tiny", "sizes": {"channels": NaN}, "architecture": "' + CELL + '"}',
    '{"space": "tiny", "sizes": null, "architecture": "' + CELL + '"}',
    '{"space": "tiny", "sizes": {}, "sizes": {}, "architecture": "' + CELL + '"}',
    '{"space": "tiny", "sizes": {}, "architecture": "' + CELL + '", "more": 1}',
    '{"space": "tiny", "sizes": {}, "architecture": 3}',
    '{"space": ["tiny"], "sizes": {}, "architecture": "' + CELL + '"}',
    '{"space": "tiny", "sizes": {}, "operations": "skip", "architecture": "' + CELL + '"}',
)

CASES = [
    *(with_file(RESULT, content, READ_RESULT) for content in NO_JSON),
    *(with_file(RESULT, content, LOAD_RESULT) for content in NO_JSON),
    *(with_file(ARCHITECTURE, content, READ_ARCHITECTURE) for content in NO_JSON),
    *(with_file(SCORES, content, READ_SCORES) for content in NO_JSON),
    *(called((), spaces.from_json, text) for text in TEXTS),
    *(called((), spaces.from_json, text) for text in (None, 3, b"{}")),
    *(
        changed(RESULT, LOAD_RESULT, **{key: value})
        for key, value in {
            "architecture": 3,
            "history": [],
            "history__0__loss": "low",
            "history__0__train_accuracy": 55,
            "history__0__epoch": 1.5,
            "history__0__epochs": True,
            "history__0__seconds": -1,
            "history__0__more": 1,
            "history__0__architecture": "|skip~0|",
            "strategy": 3,
            "seed": -1,
            "config": [],
            "versions": 3,
            "more": 1,
            "data": 3,
        }.items()
    ),
    *(
        changed(RESULT, LOAD_RESULT, **{key: None})
        for key in ("architecture", "history", "strategy", "config", "seed", "data", "history__0__loss")
    ),
    replaced(RESULT, '"loss": ', '"loss": NaN, "x": ', LOAD_RESULT),
    replaced(RESULT, '"loss": ', '"loss": 1e999, "x": ', LOAD_RESULT),
    replaced(RESULT, '"strategy": ', '"strategy": "enas", "strategy": ', LOAD_RESULT),
    *(
        changed(ARCHITECTURE, READ_ARCHITECTURE, **{key: value})
        for key, value in {"space": 3, "sizes": [], "sizes__channels": 0, "architecture": "|", "more": 1}.items()
    ),
    *(changed(ARCHITECTURE, READ_ARCHITECTURE, **{key: None}) for key in ("space", "sizes", "architecture")),
    *(
        changed(SCORES, READ_SCORES, **{key: value})
        for key, value in {
            "accuracies": [55.0],
            "accuracies__": None,
            "seeds": "0",
            "parameters": -1,
            "more": 1,
            "recipe": 3,
            "mean": "high",
        }.items()
        if key != "accuracies__"
    ),
]
