"""Trials: many trainings that need nothing of each other, in this process, in several, or on many machines."""

from nas_tutorial.trials.engines import ENGINES, engine
from nas_tutorial.trials.keeping import Folder
from nas_tutorial.trials.running import TrialsFailed, run

__all__ = ["ENGINES", "Folder", "TrialsFailed", "engine", "run"]
