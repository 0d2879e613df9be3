"""What architectures are worth: tables of trained ones, rankings, and what networks consist of and cost."""

from nas_tutorial.measures.recalled import recalled
from nas_tutorial.measures.recorded import leaderboard, papers, recording, recording_names
from nas_tutorial.measures.tables import Table, tiny, train_all

__all__ = ["Table", "leaderboard", "papers", "recalled", "recording", "recording_names", "tiny", "train_all"]
