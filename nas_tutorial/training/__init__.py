"""Training of networks: recipes, epochs, retraining from scratch, stacks of small networks, states that are kept."""

from nas_tutorial.training.checkpoints import Checkpoints, Resumable, Run
from nas_tutorial.training.descent import Descent, optimiser_step
from nas_tutorial.training.devices import best_device, to_device
from nas_tutorial.training.fitting import (
    EndlessBatches,
    Epoch,
    Meter,
    Training,
    batches,
    evaluate,
    fit,
    loss_of,
    train_epoch,
)
from nas_tutorial.training.norms import batch_statistics, frozen_statistics
from nas_tutorial.training.randomness import seeded
from nas_tutorial.training.recipes import RECIPES, Recipe
from nas_tutorial.training.retraining import Scores, count_parameters, epochs_kept, retrain, train_from_scratch

__all__ = [
    "RECIPES",
    "Checkpoints",
    "Descent",
    "EndlessBatches",
    "Epoch",
    "Meter",
    "Recipe",
    "Resumable",
    "Run",
    "Scores",
    "Training",
    "batch_statistics",
    "batches",
    "best_device",
    "count_parameters",
    "epochs_kept",
    "evaluate",
    "fit",
    "frozen_statistics",
    "loss_of",
    "optimiser_step",
    "retrain",
    "seeded",
    "to_device",
    "train_epoch",
    "train_from_scratch",
]
