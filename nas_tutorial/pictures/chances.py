"""Tables of probabilities laid out on the edges of a drawing, whatever strategy they come from."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from nas_tutorial.spaces import Space
from nas_tutorial.spaces.darts import KINDS

Tables = Mapping[str, Sequence[Sequence[float]] | Tensor]
"""As in `Event.probabilities`: tables by name, a row for each question, a column for each option."""


def on_edges(space: Space, probabilities: Tables) -> dict[str, list[float]]:
    """For each edge (key of `layout`) the probability of each operation on it; of a skip, and of a loose end, just one.

    Reads the tables of softmax(α) (`Space.alpha_shapes`) and those of a policy's decisions (`Space.tabulate`).
    Raises ValueError for others.
    """
    tables = {name: torch.as_tensor(table, dtype=torch.float64) for name, table in probabilities.items()}
    if space.name == "darts" and "normal.inputs" in tables:
        tables = {kind: _of_pairs(space, tables[f"{kind}.inputs"], tables[f"{kind}.op"]) for kind in KINDS}
    for name, shape in space.alpha_shapes.items():
        if name not in tables or tuple(tables[name].shape) != shape:
            found = {name: tuple(table.shape) for name, table in tables.items()}
            raise ValueError(
                f"A mixture of {space.name} needs tables of shapes {space.alpha_shapes}, as in the probabilities of an "
                f"event; got {found}."
            )
    weights = space.assign(tables)
    return {f"{cell}/{name}": p.tolist() for cell, edges in weights.items() for name, p in edges.items()}


def _of_pairs(space: Space, inputs: Tensor, ops: Tensor) -> Tensor:
    """The policy's choices of two inputs a node, and of two operations, as operations on edges.

    P(edge i with o) = Σ p(pair) · p(o of the branch that reads i), over the pairs with i.
    inputs: (nodes, pairs); ops: (2 · nodes, operations without "none"); returns (edges, operations).
    """
    table = torch.zeros(len(space.edge_names), len(space.operations), dtype=ops.dtype)
    columns = [space.operations.index(op) for op in space.choosable]
    rows = {(node, source): row for row, (_, node, source) in enumerate(space.edge_names)}
    for node in range(space.nodes):
        for pair, p in zip(combinations(range(node + 2), 2), inputs[node], strict=False):
            for branch, source in enumerate(pair):
                table[rows[node, source], columns] += p * ops[2 * node + branch]
    return table
