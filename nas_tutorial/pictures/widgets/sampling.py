"""Page through the architectures that a policy sampled, and take one step of REINFORCE with them."""

import math
from collections.abc import Sequence
from typing import Any

from ipywidgets import IntSlider, ToggleButton, VBox

from nas_tutorial.pictures.widgets import words
from nas_tutorial.pictures.widgets.frame import figure, side_by_side, slider_row, sliding, toggles, view
from nas_tutorial.pictures.widgets.heat import heat_map
from nas_tutorial.pictures.widgets.replaying import epochs, events_of
from nas_tutorial.pictures.widgets.stage import mixture
from nas_tutorial.strategies.results import Event, Sampled

ORDERS = {"as drawn": None, "reward": "reward", "accuracy": "accuracy", "log π": "log_prob"}
STEP = 1.0  # how far a step of REINFORCE goes along the gradient of the logits


def explore_samples(source: Any) -> VBox:
    """Page through what a policy sampled in two epochs, side by side, on the probabilities that it drew from.

    source: a recording or a result whose epochs have samples, such as one of ENAS; ValueError where one has none. Sort
    by reward, accuracy or log π. "REINFORCE step" shows what one step with the samples of an epoch would change.
    """
    events = events_of(source)
    if not all(event.samples for event in events):
        raise ValueError("These epochs hold no samples; record a search by ENAS, or use explore_alpha for DARTS.")

    def render(left: int, right: int, number: int, order: str, step: bool) -> str:
        shown = (one_epoch(events[epoch - 1], number, ORDERS[order], step) for epoch in (left, right))
        return side_by_side(shown, "24em")

    left, right = epochs(events, "epoch on the left"), epochs(events, "epoch on the right")
    left.value = 1
    number = sliding(IntSlider(1, 1, min(len(event.samples) for event in events), description="sample"))
    order = toggles([(name, name) for name in ORDERS], "as drawn", "sort by")
    step = ToggleButton(description="REINFORCE step")
    box = view(render, left=left, right=right, number=number, order=order, step=step)
    box.children = [left, right, slider_row(number), order, step, box.children[-1]]
    return box


def one_epoch(event: Event, number: int, order: str | None, step: bool) -> str:
    """One sample of an epoch, or a step of REINFORCE with all of them."""
    space = event.architecture.space
    if step:
        tables, line = after_step(event)
        maps = "".join(heat_map(space, name, rows, event.probabilities[name]) for name, rows in tables.items())
        return figure(maps, line, lines=6)
    sample, advantage = ranked(event, order)[number - 1]
    architecture = space.architecture(sample.choices)
    facts = {"log π": sample.log_prob, "entropy": sample.entropy, "reward": sample.reward, "accuracy": sample.accuracy}
    known = ", ".join(f"{name} {value:.3f}" for name, value in facts.items() if value is not None)
    known += "" if advantage is None else f", R − b {advantage:+.3f}"
    line = f"Epoch {event.epoch}, sample {number} of {len(event.samples)}: {known}. {words.in_notation(architecture)}."
    return figure(mixture(space, event.probabilities, architecture), line, lines=6)


def ranked(event: Event, order: str | None) -> Sequence[tuple[Sampled, float | None]]:
    """The samples of an epoch with R − b, as they were drawn, or from the largest of these numbers to the smallest."""
    pairs = list(zip(event.samples, advantages(event) or [None] * len(event.samples), strict=True))
    if order is None or any(getattr(sample, order) is None for sample in event.samples):
        return pairs
    return sorted(pairs, key=lambda pair: getattr(pair[0], order), reverse=True)


def advantages(event: Event) -> list[float] | None:
    """R − b of each sample, b the mean reward of the others; None where there are none, or no rewards."""
    rewards = [sample.reward for sample in event.samples]
    if len(rewards) < 2 or any(reward is None for reward in rewards):
        return None
    return [r - (sum(rewards) - r) / (len(rewards) - 1) for r in rewards]


def after_step(event: Event) -> tuple[dict[str, list[list[float]]], str]:
    """The probabilities after one step of REINFORCE with an epoch's samples, for a policy with one logit an option.

    logit ← logit + STEP · mean over samples of (R − b) · (1[chosen] − p), b the mean of the other samples' rewards;
    and what happened, in words.
    """
    space, gains = event.architecture.space, advantages(event)
    if gains is None:
        return event.probabilities, f"Epoch {event.epoch}: without the rewards of two samples there is no step to take."
    chosen = list(zip(gains, (sample.choices for sample in event.samples), strict=True))
    moved = [stepped(row, [(gain, choices[i]) for gain, choices in chosen]) for i, row in enumerate(rows_of(event))]
    best = max(range(len(gains)), key=gains.__getitem__)
    line = (
        f"Epoch {event.epoch}: one step with {len(gains)} samples, R − b from {min(gains):+.3f} to "
        f"{gains[best]:+.3f}, b being the mean reward of the others. What samples with R &gt; b chose becomes "
        f"likelier, most of all by {words.in_notation(space.architecture(event.samples[best].choices))}."
    )
    return space.tabulate(moved), line


def rows_of(event: Event) -> list[list[float]]:
    """The probabilities of each decision's options, in the order of the decisions."""
    left = {name: iter(table) for name, table in event.probabilities.items()}
    return [list(next(left[d.table]))[: len(d.options)] for d in event.architecture.space.decisions]


def stepped(row: Sequence[float], chosen: Sequence[tuple[float, int]]) -> list[float]:
    """A row of probabilities after the step; chosen: (R − b, option) of each sample."""
    gradient = [
        sum(advantage * ((option == o) - p) for advantage, option in chosen) / len(chosen) for o, p in enumerate(row)
    ]
    weights = [p * math.exp(STEP * slope) for p, slope in zip(row, gradient, strict=True)]
    return [weight / sum(weights) for weight in weights]
