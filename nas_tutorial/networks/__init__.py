"""What the spaces build their networks of: operations, edges, the fast path, and what networks cost."""

from nas_tutorial.networks.costs import MultiplyAddCounter
from nas_tutorial.networks.edges import (
    ActiveOps,
    Candidates,
    DagCell,
    Edge,
    Skeleton,
    copy_weights,
    mixed_op,
    node_sum,
    set_drop_path,
)
from nas_tutorial.networks.fast import speed_up

__all__ = [
    "ActiveOps",
    "Candidates",
    "DagCell",
    "Edge",
    "MultiplyAddCounter",
    "Skeleton",
    "copy_weights",
    "mixed_op",
    "node_sum",
    "set_drop_path",
    "speed_up",
]
