"""A bilevel problem small enough to solve by hand: one number α for the architecture, one weight w  (DARTS, fig. 2).

    min over α of L_val(α, w*) = α w* − 2α + 1    where    w* = argmin over w of L_train(α, w) = w² − 2αw + α²

By hand: L_train = (w − α)², so w* = α, so L_val(α, w*) = (α − 1)², so the best architecture is α = 1.
The first four functions take numbers, torch tensors and numpy arrays alike.
"""

from typing import Any

Position = tuple[float, float]  # (α, w)


def validation_loss(alpha: Any, w: Any) -> Any:
    """L_val(α, w) = α w − 2α + 1: what the architecture is judged by."""
    return alpha * w - 2 * alpha + 1


def training_loss(alpha: Any, w: Any) -> Any:
    """L_train(α, w) = w² − 2αw + α²: what the weight is trained on."""
    return w**2 - 2 * alpha * w + alpha**2


def look_ahead(alpha: Any, w: Any, xi: float) -> Any:
    """One step of training with learning rate ξ: w' = w − ξ · ∂L_train/∂w = w − 2ξ(w − α)."""
    return w - 2 * xi * (w - alpha)


def hypergradient(alpha: Any, w: Any, xi: float) -> Any:
    """dL_val(α, w'(α))/dα = (w' − 2) + α · 2ξ, with w' one step ahead  (DARTS, eq. 7); ξ = 0 is the first order."""
    return (look_ahead(alpha, w, xi) - 2) + alpha * 2 * xi


def resting_point(xi: float) -> float:
    """Where the hypergradient vanishes while w = α: α∞ = 2 / (1 + 2ξ), which is the best α = 1 for ξ = ½ only."""
    return 2 / (1 + 2 * xi)


def search(
    xi: float,
    steps: int = 600,
    alpha_rate: float = 0.05,
    weight_rate: float = 0.1,
    start: Position = (2.0, -2.0),
) -> list[Position]:
    """All positions (α, w) of a search that takes turns: a step of α, then a step of w  (DARTS, algorithm 1).

    xi: how far α looks ahead; alpha_rate, weight_rate: the two learning rates (a weight_rate of ½ solves the inner
    problem in one step). Returns steps + 1 pairs. Raises ValueError for rates with which w runs away.
    """
    if not 0 < weight_rate < 1:
        raise ValueError(
            f"weight_rate is {weight_rate}; between 0 and 1 the weight approaches α, elsewhere it does not."
        )
    path = [start]
    for _ in range(steps):
        alpha, w = path[-1]
        alpha -= alpha_rate * hypergradient(alpha, w, xi)
        path.append((alpha, look_ahead(alpha, w, weight_rate)))
    return path
