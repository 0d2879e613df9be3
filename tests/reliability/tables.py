"""Tables of accuracies, JSON and npz: per cent for fractions, NaN, a column missing, short or doubled, other shapes."""

import io
import json
from pathlib import Path

import numpy as np

from nas_tutorial import spaces, tables
from nas_tutorial.measures.tables import Table
from tests.reliability import Case, called, with_file
from tests.reliability.json_files import NO_JSON

ROW, OTHER = "|zero~0|+|zero~0|zero~1|", "|skip~0|+|skip~0|skip~1|"
HEAD = {"space": "tiny", "sizes": {"nodes": 3}, "about": {}}
GOOD = {ROW: {"test": [0.5]}}
LOAD = called("table.json", Table.load, "table.json")
ROWS = (
    {},
    [],
    0.5,
    {ROW: 0.5},
    {ROW: {}},
    {ROW: {"test": []}},
    {ROW: {"test": ["high"]}},
    {ROW: {"test": [55]}},
    {ROW: {"test": [-0.1]}},
    {ROW: {"test": [True]}},
    {ROW: {"test": [None]}},
    {ROW: {"test": 0.5}},
    {ROW: {"test": [[0.5]]}},
    {ROW: {"test": [0.5]}, OTHER: {}},
    {ROW: {"test": [0.5]}, OTHER: {"tset": [0.5]}},
    {ROW: {"test": [0.5]}, OTHER: {"test": [0.5], "more": [0.5]}},
    {ROW: {"test": [0.5]}, OTHER: {"test": [0.5, 0.5]}},
    {"|skip": {"test": [0.5]}},
)
BEGIN, END = '{"space": "tiny", "sizes": {}, "about": {}, "rows": {', "}}"
TEXTS = (
    *(f'{BEGIN}"{ROW}": {{"test": [{number}]}}{END}' for number in ("NaN", "1e999", "-Infinity", "1" * 5000)),
    f'{BEGIN}"{ROW}": {{"test": [0.5], "test": [0.6]}}{END}',
    f'{BEGIN}"{ROW}": {{"test": [0.5]}}, "{ROW}": {{"test": [0.6]}}{END}',
    f'{BEGIN}"{ROW}": {{"test": [0.5]}}, " {ROW}": {{"test": [0.6]}}{END}',
    *(json.dumps({key: value for key, value in HEAD.items() if key != gone} | {"rows": GOOD}) for gone in HEAD),
    json.dumps(HEAD | {"rows": GOOD, "more": 1}),
)


def npz(**arrays: np.ndarray) -> bytes:
    """An npz archive of these arrays, others as they should be; None leaves one out."""
    usual = {
        "edges": np.zeros((1, 3), np.uint8),
        "ops": np.array(spaces.Tiny().operations),
        "acc_x100": np.array([[5000]], np.uint16),
        "columns": np.array(["test"]),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in (usual | arrays).items() if array is not None})
    return buffer.getvalue()


LOAD_NPZ = called("table.npz", Table.load, "table.npz", spaces.Tiny())
ARRAYS = (
    *({name: None} for name in ("edges", "ops", "acc_x100", "columns")),
    {"edges": np.zeros((1, 4), np.uint8)},
    {"edges": np.zeros((2, 3), np.uint8)},
    {"edges": np.zeros((1, 3))},
    {"edges": np.full((1, 3), 9, np.uint8)},
    {"edges": np.zeros((0, 3), np.uint8), "acc_x100": np.zeros((0, 1), np.uint16)},
    {"edges": np.zeros(3, np.uint8)},
    {"acc_x100": np.array([[55.5]])},
    {"acc_x100": np.array([[np.nan]])},
    {"acc_x100": np.array([[20_000]])},
    {"acc_x100": np.array([[-1]])},
    {"acc_x100": np.array([[5000, 5000]]), "columns": np.array(["test", "test"])},
    {"columns": np.array(["test", "more"])},
    {"columns": np.array("test")},
    {"ops": np.array(["a", "b"])},
    {"ops": np.array(["skip"] * 5)},
    {"ops": np.array(3)},
    {"edges": np.zeros((2, 3), np.uint8), "acc_x100": np.array([[1], [2]], np.uint16)},
)


def npz_case(arrays: dict) -> Case:
    """A table whose arrays are others."""
    given = ", ".join(f"{name} = {'gone' if a is None else ' '.join(str(a).split())}" for name, a in arrays.items())
    shapes = ", ".join(str(a.shape) for a in arrays.values() if a is not None)
    write = npz(**arrays)
    return Case(f"Table.load('table.npz') with {given} {shapes}", LOAD_NPZ.attempt, ("table.npz",),
                lambda: Path("table.npz").write_bytes(write))  # fmt: skip


SMALL = tables.tiny()
CASES = [
    *(with_file("table.json", content, LOAD) for content in NO_JSON),
    *(with_file("table.json", json.dumps(HEAD | {"rows": rows}), LOAD) for rows in ROWS),
    *(with_file("table.json", text, LOAD) for text in TEXTS),
    *(npz_case(arrays) for arrays in ARRAYS),
    with_file("table.npz", b"no archive", LOAD_NPZ),
    with_file("table.npz", b"", LOAD_NPZ),
    called("space", Table.load, "table.npz"),
    called(("'.csv'", ".json"), Table.load, "table.csv"),
    called("gone.json", Table.load, "gone.json"),
    called("gone.npz", Table.load, "gone.npz", spaces.Tiny()),
    called("NASBench201", Table.load, "table.json", spaces.NASBench201()),
    called("'tiny'", Table.load, "table.json", "tiny"),
    called(("'tset'", "validation, test"), SMALL.runs, "tset"),
    called(("accuracies", "nan"), Table, SMALL.architectures[:1], {"test": np.array([[np.nan]])}, {}),
    called(("accuracies", "55"), Table, SMALL.architectures[:1], {"test": np.array([[55.0]])}, {}),
    called(("(2, 1)", "1"), Table, SMALL.architectures[:1], {"test": np.zeros((2, 1))}, {}),
    called("architecture", Table, (), {"test": np.zeros((0, 1))}, {}),
    called("column", Table, SMALL.architectures[:1], {}, {}),
]
