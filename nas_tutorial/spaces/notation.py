"""The notation of cells that NAS-Bench-201 introduced: `|op~source|+|op~source|op~source|+|…|`, one group per node."""

from collections.abc import Sequence

from nas_tutorial.settings import one_of, shown

Node = list[tuple[str, int]]  # (operation, index of the source node) of each incoming edge


def write_cell(nodes: Sequence[Node]) -> str:
    """Nodes as text, for example `|conv_3x3~0|+|skip~0|zero~1|`."""
    return "+".join("|" + "".join(f"{op}~{source}|" for op, source in node) for node in nodes)


def read_cell(text: str, operations: Sequence[str], first: int, nodes: int) -> list[Node]:
    """Text as nodes; node i of the cell has index `first` + i and may read any smaller index.

    Raises ValueError for a wrong number of nodes, an unknown operation, an edge from a later node or itself, or text
    that is not of this form.
    """
    groups = [group.strip().strip("|") for group in text.strip().split("+")]
    if len(groups) != nodes:
        raise ValueError(f"Expected {nodes} nodes separated by '+', got {len(groups)} in {shown(text)}.")
    return [[_read_edge(edge, operations, first + i) for edge in group.split("|")] for i, group in enumerate(groups)]


def _read_edge(text: str, operations: Sequence[str], target: int) -> tuple[str, int]:
    operation, tilde, source = text.strip().partition("~")
    if not tilde or not source.isdecimal():
        raise ValueError(f"{text!r} is not an edge; write operation~source, such as {operations[-1]}~0.")
    one_of(operations, operation, f"The operation of edge {text!r}")
    if int(source) >= target:
        raise ValueError(
            f"Edge {text!r} enters node {target}, so it must come from an earlier node, 0 to {target - 1}."
        )
    return operation, int(source)


def write_pair(normal: Sequence[Node], reduce: Sequence[Node]) -> str:
    """Two cells as text: `normal: |…| reduce: |…|`."""
    return f"normal: {write_cell(normal)} reduce: {write_cell(reduce)}"


def split_pair(text: str) -> tuple[str, str]:
    """The two halves of `normal: |…| reduce: |…|`; ValueError where a label is missing."""
    before, _, rest = text.partition("normal:")
    normal, label, reduce = rest.partition("reduce:")
    if before.strip() or not label:
        raise ValueError(f"Expected 'normal: |…| reduce: |…|', got {text!r}.")
    return normal, reduce
