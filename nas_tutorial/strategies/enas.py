"""ENAS (Pham et al., ICML 2018): an LSTM policy samples architectures, REINFORCE teaches it which share weights well.

Two phases alternate: (1) shared weights descend on training batches, one sampled architecture each; (2) the policy
climbs on the reward of sampled architectures on validation batches, the weights frozen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from nas_tutorial.data import Data
from nas_tutorial.settings import Diverged, NonNegative, Positive
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies import controller as controllers
from nas_tutorial.strategies.adam import ADAM_RULES
from nas_tutorial.strategies.controller import Controller, Sample
from nas_tutorial.strategies.results import Event, Probabilities, Sampled, sampled
from nas_tutorial.strategies.searching import SHORT, Search, SearchConfig, Strategy, Work, drive, name_of, prefixed
from nas_tutorial.strategies.sharing import best_of, train_paths
from nas_tutorial.training.checkpoints import Resumable
from nas_tutorial.training.descent import Descent
from nas_tutorial.training.devices import to_device
from nas_tutorial.training.fitting import EndlessBatches, right
from nas_tutorial.training.inputs import check_subject
from nas_tutorial.training.norms import batch_statistics, evaluation_mode
from nas_tutorial.training.recipes import Architectures, Epochs, Pictures

Reward = Callable[[Tensor, Tensor, Architecture], float]


@dataclass(frozen=True)
class Config(SearchConfig):
    """Settings of a search; the defaults are the official code's for the macro space.

    updates × samples: steps of the policy per epoch, and architectures in each. adam_rule: where the policy's Adam has
    its epsilon, see `adam`. reward_statistics: which ones batch norm uses for rewards, see `Rewards`.
    baseline_decay: how much of the old baseline stays. temperature, tanh_constant: None leaves them to the controller.
    candidates: architectures compared at the end.
    The paper's text has temperature 5, tanh_constant 2.5, controller_rate 3.5e-4 and entropy_weight 0.1  (ENAS, §3.2).
    The official code adds l2·‖w‖² to the loss, of which the gradient is 2·l2·w: torch's weight_decay is twice its l2.
    There the weights that a sampled architecture leaves out decay, too; here only those in use do.
    """

    epochs: Epochs = 310
    batch_size: Pictures = 128
    learning_rate: NonNegative = 0.05
    final_rate: NonNegative = 0.0005
    nesterov: bool = True
    restart: Epochs | None = 10
    weight_decay: NonNegative = 5e-4
    updates: Annotated[int, Field(ge=0, le=100_000)] = 50
    samples: Architectures = 20
    reward_batch: Pictures = 128
    reward_statistics: Literal["batch", "moving"] = "batch"
    controller_rate: NonNegative = 1e-3
    adam_rule: Literal["tensorflow", "torch"] = "tensorflow"
    entropy_weight: NonNegative = 1e-4
    skip_weight: NonNegative = 0.8
    baseline_decay: Annotated[float, Field(ge=0, le=1)] = 0.99
    hidden: Annotated[int, Field(ge=1, le=4096)] = 64
    temperature: Positive | None = None
    tanh_constant: NonNegative | None = None
    candidates: Architectures = 100

    def controller(self, space: Space, seed: int) -> Controller:
        """The policy for this space."""
        chosen = {} if self.tanh_constant is None else {"tanh_constant": self.tanh_constant}
        return controllers.for_space(space, hidden=self.hidden, temperature=self.temperature, seed=seed, **chosen)


FEW: dict[str, Any] = {
    "epochs": 30,
    "batch_size": 64,
    "learning_rate": 0.1,
    "final_rate": 0.0,
    "restart": None,
    "updates": 10,
    "samples": 10,
    "reward_batch": 64,
    "controller_rate": 0.03,
    "adam_rule": "torch",  # three seeds of the tiny space: rewards no worse than by the official rule
    **SHORT,
}
PROFILES = {"small": Config(**FEW), "colab": Config(**FEW, precision="mixed"), "paper": Config()}
MICRO_PAPER = Config(  # an l2 of 1e-4; the macro space has 2.5e-4
    epochs=150, batch_size=160, weight_decay=2e-4, updates=30, samples=10, reward_batch=160, controller_rate=3.5e-3
)


def profiles_for(space: str) -> dict[str, Config]:
    """The settings by profile in the space of this name."""
    return {**PROFILES, "paper": MICRO_PAPER} if space == "enas_micro" else PROFILES


def accuracy_reward(logits: Tensor, labels: Tensor, architecture: Architecture) -> float:
    """Fraction of the batch that is classified right: logits (B, classes), labels (B,)."""
    return float(right(logits, labels).mean())


class ENAS(Strategy):
    """Two phases in turn: the shared weights learn, then the policy that samples architectures."""

    name: ClassVar[str] = "enas"
    kept = ("supernet", "policy", "descent", "learner", "rewards", "generator", "epochs_done")

    def __init__(
        self,
        space: Space,
        data: Data,
        config: Config,
        seed: int,
        device: torch.device,
        reward: Reward = accuracy_reward,
    ):
        super().__init__(space, data, config, seed, device)
        self.supernet = to_device(space.supernet(data.classes, data.channels), device, config)
        self.policy = config.controller(space, seed)  # stays on the CPU: a GPU would be waited for at every sample
        self.descent = Descent(self.supernet.parameters(), config, data.train)
        self.learner = Reinforce(self.policy, config)
        self.rewards = Rewards(self.supernet, data, config, reward, self.generator, device)

    def epoch(self) -> Event:
        """Both phases, and the best of some sampled architectures at the shared weights."""
        config = self.config
        meter = train_paths(self.supernet, self.draw_one, self.data, self.descent, self.generator, config.workers)
        info, samples = self.teach()
        is_last = self.epochs_done + 1 == config.epochs
        candidates = self.sample(config.candidates if is_last else config.samples)
        architecture, accuracy = best_of(self.supernet, self.policy.architectures(candidates), self.data)
        return self.event(
            loss=meter.loss,
            train_accuracy=meter.accuracy,
            validation_accuracy=accuracy,
            architecture=architecture,
            probabilities=self.mean_probabilities(candidates),
            info=info,
            samples=samples,
        )

    def work(self) -> Iterator[Work]:
        """Steps of the shared weights, rewards for the policy, and a comparison of some architectures."""
        config, rest = self.config, (self.one_batch, self.descent, self.generator)
        yield self.descent.steps, partial(train_paths, self.supernet, self.draw_one, *rest)
        yield config.updates * config.samples, lambda: self.rewards([self.draw_one()])
        yield config.samples, lambda: best_of(self.supernet, [self.draw_one()], self.data)

    def teach(self) -> tuple[dict[str, float], tuple[Sampled, ...]]:
        """The steps of the policy: what they report on average, and the sample that the last of them learnt from."""
        reports = []
        for _ in range(self.config.updates):
            sample = self.sample(self.config.samples)
            reports.append(self.learner.update(sample, self.rewards))
        return _means(reports), self.rewards.earned(sample) if reports else ()

    def sample(self, n: int) -> Sample:
        """n architectures from the policy."""
        return self.policy.sample(n, self.generator)

    @torch.no_grad()
    def draw_one(self) -> Architecture:
        """The architecture whose weights the next batch trains."""
        return self.policy.architectures(self.sample(1))[0]

    @torch.no_grad()
    def mean_probabilities(self, sample: Sample) -> Probabilities:
        """With what probability the policy gives each answer, on average over the earlier answers in this sample."""
        rows = [distribution.mean(0).tolist() for distribution in self.policy.distributions(sample.choices)]
        return self.space.tabulate(rows)

    def weights(self) -> dict[str, Tensor]:
        """Weights of the supernet and of the policy."""
        return {**prefixed("network", self.supernet), **prefixed("controller", self.policy)}


def search(space: Space, data: Data, *, reward: Reward = accuracy_reward, **settings: Any) -> Search:
    """Search `space` on `data.train` (shared weights) and `data.validation` (policy); iterate over the result's events.

    reward: `(logits, labels, architecture) -> float`, the larger the better. settings: epochs, seed, profile (such as
    "small", or a `Profile`), device, resume (a folder, see `searching.drive`), and any field of `Config`.
    """
    check_subject(space, data)
    name = name_of(reward)
    if settings.get("resume") and ("<" in name or not hasattr(reward, "__qualname__")):
        raise ValueError(
            f"The reward {name} has no name by which it could be known again: to keep a search in a folder, "
            "write the reward as a function of a module."
        )

    def make(*arguments: Any) -> ENAS:
        return ENAS(*arguments, reward)

    return drive(make, "enas", profiles_for(space.name), space, data, identity={"reward": name}, **settings)


class Rewards(Resumable):
    """The reward of each of a sample's architectures on a validation batch of its own, at the shared weights.

    Batch norm uses the statistics of that batch, or, where `reward_statistics` is "moving", the averages over training,
    which mix all architectures. The official code uses the former in the micro and the latter in the macro space.
    latest: (reward, accuracy) of each architecture of the latest sample, both from the same logits.
    """

    kept = ("batches",)

    def __init__(
        self,
        supernet: nn.Module,
        data: Data,
        config: Config,
        reward: Reward,
        generator: torch.Generator,
        device: torch.device,
    ):
        self.supernet, self.reward = supernet, reward
        self.statistics = config.reward_statistics
        self.batches = EndlessBatches(data.validation, data, config.reward_batch, generator, device)
        self.latest: list[tuple[float, float]] = []

    @torch.no_grad()
    def __call__(self, architectures: Sequence[Architecture]) -> list[float]:
        """One reward per architecture."""
        mode = batch_statistics if self.statistics == "batch" else evaluation_mode
        self.latest = []
        with mode(self.supernet):
            for a, (images, labels) in zip(architectures, self.batches, strict=False):  # batches never end
                logits = self.supernet(images, a)
                accuracy = right(logits, labels).mean()
                usual = self.reward is accuracy_reward  # no need to wait for the GPU after each of them
                self.latest.append((accuracy if usual else self.reward(logits, labels, a), accuracy))
        self.latest = [(float(reward), float(accuracy)) for reward, accuracy in self.latest]
        return [reward for reward, _ in self.latest]

    def earned(self, sample: Sample) -> tuple[Sampled, ...]:
        """The latest sample and what it earned, as an event keeps it; log π is that of the policy that drew it.

        Nothing where only a part of the sample was rewarded.
        """
        if len(self.latest) != len(sample.choices):
            return ()
        rewards, accuracies = zip(*self.latest, strict=True)
        thought = {name: getattr(sample, name).tolist() for name in ("log_prob", "entropy")}
        return sampled(sample.choices.tolist(), **thought, reward=list(map(float, rewards)), accuracy=accuracies)


class Reinforce(Resumable):
    """Gradient ascent on the expected reward: loss = −log π · (R − b) + skip_weight · skip penalty  (ENAS, §2.2).

    The estimate is REINFORCE (Williams, 1992). R = reward + entropy_weight · entropy, where the entropy is a number (no
    gradient runs through it); the baseline b is a moving average that starts at 0 and takes in each R before it is
    used, as in the official code. Here the entropy is that of every distribution met, summed up; so it is in the
    official code of the micro space, but that of the macro space sums up −p·log p of the chosen answers only.
    """

    kept = ("baseline", "optimiser")

    def __init__(self, policy: Controller, config: Config):
        self.policy, self.config, self.baseline = policy, config, 0.0
        adam = ADAM_RULES[config.adam_rule]
        self.optimiser = adam(policy.parameters(), config.controller_rate, betas=(0.0, 0.999), eps=1e-3)

    def update(self, sample: Sample, rewards: Callable[[Sequence[Architecture]], list[float]]) -> dict[str, float]:
        """One step of the policy from a sample; returns what happened, as numbers."""
        earned = torch.tensor(rewards(self.policy.architectures(sample)), device=self.policy.device)  # (n,)
        self.check(earned)
        returns = earned + self.config.entropy_weight * sample.entropy.detach()
        loss = reinforce_loss(sample, self.advantages(returns), self.config.skip_weight)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return {
            "reward": float(earned.mean()),
            "baseline": self.baseline,
            "entropy": float(sample.entropy.detach().mean()),
        }

    def check(self, earned: Tensor) -> None:
        """Raise Diverged where one of the rewards (n,), or the policy after the latest step, is NaN or infinite."""
        if not earned.isfinite().all():
            raise Diverged(
                f"The reward of an architecture is {float(earned[~earned.isfinite()][0])}",
                "a reward function that returns finite numbers",
            )
        if not all(weights.isfinite().all() for weights in self.policy.parameters()):
            raise Diverged("A weight of the policy is NaN or infinite", self.advice)

    @property
    def advice(self) -> str:
        """What to change where the policy has diverged."""
        return f"a controller_rate below {self.config.controller_rate:g}"

    def advantages(self, returns: Tensor) -> Tensor:
        """R − b for each return in turn, the baseline moving along: (n,) → (n,)."""
        advantages = []
        for r in returns.tolist():
            self.baseline -= (1 - self.config.baseline_decay) * (self.baseline - r)
            advantages.append(r - self.baseline)
        return returns.new_tensor(advantages)


def reinforce_loss(sample: Sample, advantages: Tensor, skip_weight: float = 0.0) -> Tensor:
    """Mean over the sample of −log π · advantage + skip_weight · skip penalty  (ENAS, §2.2).

    On average its gradient is that of −E[R] (plus the penalty's).
    """
    return (-sample.log_prob * advantages + skip_weight * sample.skip_penalty).mean()


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {}
