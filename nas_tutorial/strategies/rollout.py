"""A pass through all decisions of a space, many architectures at once: what a policy answers, and how likely it was."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Categorical

from nas_tutorial.settings import Diverged


class Sample(NamedTuple):
    """A batch of n sampled architectures and what the policy thinks of them."""

    choices: Tensor  # (n, decisions) int64, one option index per decision
    log_prob: Tensor  # (n,) log π, never positive
    entropy: Tensor  # (n,) sum of the entropies of the distributions met on the way
    skip_penalty: Tensor  # (n,) mean over layers of KL(skip probabilities ‖ target rate); 0 in spaces without skips


class Rollout:
    """One pass through all decisions: each answer is drawn, or forced (teacher forcing), and what it cost is summed up.

    forced: (n, decisions), the answers to give; None to draw them.
    """

    def __init__(self, n: int, device: torch.device, generator: torch.Generator | None, forced: Tensor | None):
        self.generator, self.forced = generator, forced
        self.choices: list[Tensor] = []
        self.log_prob = torch.zeros(n, device=device)
        self.entropy = torch.zeros(n, device=device)
        self.skip_penalties: list[Tensor] = []
        self.distributions: list[Tensor] = []

    def answer(self, logits: Tensor) -> Tensor:
        """Answer one decision from logits (n, options); returns the option indices (n,)."""
        return self.answers(logits[:, None])[:, 0]

    def answers(self, logits: Tensor) -> Tensor:
        """Answer k decisions that do not depend on each other from logits (n, k, options); returns indices (n, k)."""
        policy = Categorical(logits=logits, validate_args=False)
        k = logits.shape[1]
        choice = self._draw(policy.probs) if self.forced is None else self.forced[:, self.answered : self.answered + k]
        self.log_prob = self.log_prob + policy.log_prob(choice).sum(1)
        self.entropy = self.entropy + policy.entropy().sum(1)
        self.choices.append(choice)
        self.distributions += policy.probs.unbind(1)
        return choice

    @property
    def answered(self) -> int:
        """How many decisions have been answered so far."""
        return len(self.distributions)

    def _draw(self, probabilities: Tensor) -> Tensor:
        """(n, k, options) → (n, k); `Categorical.sample` takes no generator."""
        flat = probabilities.detach().flatten(0, 1).cpu()  # (n·k, options)
        if not flat.isfinite().all():
            raise Diverged(
                "The probabilities of the policy are NaN", "a lower controller_rate: its weights are no numbers"
            )
        drawn = torch.multinomial(flat, 1, generator=self.generator)
        return drawn.view(probabilities.shape[:2]).to(probabilities.device)

    def sample(self) -> Sample:
        """The finished pass."""
        penalty = torch.stack(self.skip_penalties).mean(0) if self.skip_penalties else torch.zeros_like(self.log_prob)
        return Sample(torch.cat(self.choices, 1), self.log_prob, self.entropy, penalty)
