"""How well do scores rank architectures? Kendall's τ, top-k, regret, and what picking the best of n gives.

Scores and truths are sequences of equal length, one accuracy per architecture, larger is better.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field
from scipy.stats import DegenerateDataWarning, bootstrap, kendalltau

from nas_tutorial.settings import checked, shown, whole_number


def paired(scores: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both as (N,) float arrays; ValueError unless they are equally long, with at least two entries."""
    scores, truth = _numbers(scores), _numbers(truth)
    if scores.ndim != 1 or scores.shape != truth.shape or len(scores) < 2:
        raise ValueError(
            f"Rankings are compared between two rows of equal length, at least 2; got shapes {scores.shape} and "
            f"{truth.shape}. Give one number per architecture, in the same order."
        )
    return scores, truth


def _numbers(given: ArrayLike) -> np.ndarray:
    """A row as floats; ValueError where one of them is no finite number."""
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Rankings are made of numbers, but {shown(given)} was given ({error}).") from None
    if not (fine := np.isfinite(values)).all():
        raise ValueError(f"{values[~fine][0]} has no place in a ranking; leave out what has no score, in both rows.")
    return values


def kendall(scores: ArrayLike, truth: ArrayLike) -> float:
    """Kendall's τ-b: of all pairs, the share in the same order minus the share in opposite order, corrected for ties.

    τ_b = (n₊ − n₋) / √((n₀ − n₁)(n₀ − n₂)), n₀ = N(N − 1)/2 pairs, n₁ and n₂ of them tied in one ranking  (Kendall,
    1945). 1: the same order, 0: unrelated, −1: reversed; nan where one ranking is all ties.
    """
    return float(kendalltau(*paired(scores, truth)).statistic)


def top_k_overlap(scores: ArrayLike, truth: ArrayLike, k: int) -> float:
    """Share of the k best by score that are also among the k best in truth; ties go to the earlier entry.

    Raises ValueError unless 1 ≤ k ≤ N.
    """
    scores, truth = paired(scores, truth)
    whole_number("k", k)
    if not 1 <= k <= len(scores):
        raise ValueError(f"The best k of {len(scores)} architectures exist for k from 1 to {len(scores)}, not for {k}.")
    best = [set(np.argsort(-values, kind="stable")[:k]) for values in (scores, truth)]
    return len(best[0] & best[1]) / k


def regret(scores: ArrayLike, truth: ArrayLike) -> float:
    """What is lost by choosing with the score: best truth minus the truth of the one with the best score, ≥ 0."""
    scores, truth = paired(scores, truth)
    return float(truth.max() - truth[scores.argmax()])


def best_of_n(scores: ArrayLike, n: int, truth: ArrayLike | None = None) -> float:
    """Expected truth of the best-scored one among n uniform draws with replacement; without `truth`, its score.

    The k-th smallest of N scores is the best of n with probability (k/N)ⁿ − ((k − 1)/N)ⁿ, for its rank is at most k
    if and only if all n draws are. Among equal scores the choice is uniform. Raises ValueError for n < 1.
    """
    whole_number("n", n)
    if n < 1:
        raise ValueError(f"The best of n draws exists for n ≥ 1, not for {n}.")
    scores, truth = paired(scores, scores if truth is None else truth)
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)  # groups of equal scores, ascending
    at_most = np.cumsum(sizes) / len(scores)  # (groups,)
    probability = np.diff(at_most**n, prepend=0.0)  # (groups,)
    return float(probability @ (np.bincount(group, truth) / sizes))


def band(
    statistic: Callable[..., float], *columns: ArrayLike, seed: int = 0, draws: int = 500, level: float = 0.95
) -> tuple[float, float]:
    """Bootstrap band of a statistic of paired columns: (low, high), between which `level` of the resamples fall.

    Each resample draws N architectures with replacement (percentile bootstrap; Efron, 1979). columns: (N,) each, handed
    to `statistic` in this order. The band tells how far the value depends on which architectures were looked at.
    Give each architecture once: copies are not new witnesses, but make the band narrower, k of each about √k times.
    Resamples for which the statistic is nan, such as τ where all are ties, are left out; nan where none is left.
    Raises ValueError unless all columns are equally long, with at least two entries.
    """
    checked("level", level, Annotated[float, Field(gt=0, lt=1)])
    whole_number("draws", draws, 1)
    settings = {"n_resamples": draws, "paired": True, "vectorized": False, "method": "percentile"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)  # scipy's own band is nan as soon as one resample is
        values = bootstrap(columns, statistic, random_state=np.random.default_rng(seed), **settings)
    low, high = np.nanquantile(values.bootstrap_distribution, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def pairwise(statistic: Callable[[ArrayLike, ArrayLike], float], runs: Sequence[ArrayLike]) -> list[float]:
    """The statistic of every pair of runs, such as τ between seeds 0 and 1, 0 and 2, 1 and 2; runs: S × (N,)."""
    return [statistic(runs[i], runs[j]) for i in range(len(runs)) for j in range(i + 1, len(runs))]
