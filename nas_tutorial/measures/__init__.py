"""What architectures are worth: tables of trained ones, rankings, and what networks consist of and cost."""

from nas_tutorial.measures.recorded import leaderboard
from nas_tutorial.measures.tables import Table, tiny, train_all

__all__ = ["Table", "leaderboard", "tiny", "train_all"]
