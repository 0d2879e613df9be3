"""Two rules of Adam that differ in where epsilon stands: TensorFlow's, by which ENAS was published, and torch's."""

from collections.abc import Callable
from typing import Any

import torch


class TensorFlowAdam(torch.optim.Adam):
    """Adam with the epsilon of TensorFlow: step = rate · √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε̂).

    It is the "epsilon hat" of Kingma & Ba (2015) at the end of their second section. torch steps by rate · m̂/(√v̂ + ε).
    As v̂ = v/(1 − β₂ᵗ), that is the same where ε = ε̂/√(1 − β₂ᵗ): so large at first that with the official ε̂ of 1e-3 the
    first step of the policy is about a fifteenth (macro space) or a ninth (micro space) of torch's.
    """

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step; the `eps` of each group is ε̂."""
        hats = [group["eps"] for group in self.param_groups]
        for group in self.param_groups:
            group["eps"] /= (1 - group["betas"][1] ** (1 + self._steps(group))) ** 0.5
        try:
            return super().step(closure)
        finally:
            for group, hat in zip(self.param_groups, hats, strict=True):
                group["eps"] = hat

    def _steps(self, group: dict[str, Any]) -> float:
        return max((float(self.state[p]["step"]) for p in group["params"] if p in self.state), default=0.0)


ADAM_RULES: dict[str, type[torch.optim.Adam]] = {"tensorflow": TensorFlowAdam, "torch": torch.optim.Adam}
