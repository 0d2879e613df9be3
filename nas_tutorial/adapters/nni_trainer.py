"""The trainer of the NNI listing: our step of ENAS, driven as NNI drives its own; see `nni` for all that differs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from nas_tutorial.adapters import nni_checks as checks
from nas_tutorial.adapters.nni_model import Choices, GeneralNetwork, Meters, MicroNetwork
from nas_tutorial.spaces import Architecture
from nas_tutorial.strategies.controller import for_space
from nas_tutorial.strategies.enas import Reinforce
from nas_tutorial.strategies.searching import name_of
from nas_tutorial.training.checkpoints import Checkpoints, Resumable, Run
from nas_tutorial.training.descent import optimiser_step
from nas_tutorial.training.devices import best_device, to_device
from nas_tutorial.training.inputs import checked_seed
from nas_tutorial.training.norms import batch_statistics

CANDIDATES, PICTURES = 10, 500
"""How many architectures `EnasTrainer.export` compares, and on how many validation pictures."""

Batch = tuple[Tensor, Tensor]
"""Pictures (B, C, H, W) and labels (B,)."""


class EnasTrainer(Resumable):
    """ENAS in turns, as `strategies.enas`: an epoch trains shared weights on half of the pictures, then the policy.

    model: a `GeneralNetwork` or a `MicroNetwork`, trained in place by `optimizer`. loss, metrics, reward_function:
    functions of logits (B, classes) and labels (B,) that return a loss, a dictionary of figures to print, and a number,
    the larger the better. dataset: items (picture (C, H, W), label); the first half of its positions trains weights
    (and gets the odd one), the second half the policy, so shuffle pictures that are sorted by class.
    log_frequency: steps between printed lines, None for none. grad_clip: bound of the norm of a gradient, 0 for none.
    Behind the other names are settings of `enas.Config`: ctrl_lr is controller_rate (of torch's Adam, as in NNI),
    ctrl_steps_aggregate is samples; updates follow from the number of pictures, one validation batch per sample.
    In ctrl_kwargs, lstm_size is the controller's hidden; tanh_constant, temperature and skip_target are called alike.

    NNI knows none of the last four. lr_scheduler: advanced after each epoch; None: the one that was made for
    `optimizer`, if any. reward_dataset: the same pictures without augmentation, for rewards; None: `dataset.plain`, or
    the data set itself. seed: decides all that is drawn; None draws it from torch's default generator, so that
    `torch.manual_seed` decides. resume: a folder where each epoch is kept, and from which the trainer goes on.
    Raises ValueError for what cannot be.
    """

    kept = ("model", "controller", "optimizer", "lr_scheduler", "learner", "generator", "seed", "epochs_done")

    def __init__(
        self,
        model: GeneralNetwork | MicroNetwork,
        loss: Callable[[Tensor, Tensor], Tensor],
        metrics: Callable[[Tensor, Tensor], Mapping[str, float]],
        reward_function: Callable[[Tensor, Tensor], float],
        optimizer: torch.optim.Optimizer,
        num_epochs: int,
        dataset: Dataset,
        batch_size: int = 64,
        workers: int = 0,
        device: str | torch.device | None = None,
        log_frequency: int | None = None,
        grad_clip: float = 5.0,
        entropy_weight: float = 0.0001,
        skip_weight: float = 0.8,
        baseline_decay: float = 0.999,
        ctrl_lr: float = 0.00035,
        ctrl_steps_aggregate: int = 20,
        ctrl_kwargs: Mapping[str, Any] | None = None,
        *,
        lr_scheduler: Any = None,
        reward_dataset: Dataset | None = None,
        seed: int | None = None,
        resume: str | Path | None = None,
    ):
        checks.check_model(model, optimizer)
        checks.check_functions(loss=loss, metrics=metrics, reward_function=reward_function)
        checks.check_pictures(dataset, model)
        self.dataset, self.plain = dataset, checks.reward_pictures(dataset, reward_dataset, model)
        self.settings = checks.Settings(
            num_epochs,
            batch_size,
            workers,
            log_frequency,
            grad_clip,
            entropy_weight,
            skip_weight,
            baseline_decay,
            ctrl_lr,
            ctrl_steps_aggregate,
        )
        self.loss, self.metrics, self.reward_function, self.optimizer = loss, metrics, reward_function, optimizer
        self.lr_scheduler = checks.schedule_of(optimizer, lr_scheduler)
        self.seed = int(torch.randint(2**62, ())) if seed is None else checked_seed(seed)
        self.generator, self.epochs_done = torch.Generator().manual_seed(self.seed), 0
        self.device = best_device(device)
        self.model = to_device(model, self.device)
        policy = checks.policy_settings(model.space, ctrl_kwargs)
        self.controller = for_space(model.space, seed=self.seed, **policy).to(self.device)
        self.learner = self._learner()
        self.halves = torch.arange(len(dataset)).split([len(dataset) - len(dataset) // 2, len(dataset) // 2])
        self.run = Run(lambda: self, self.seed, None if resume is None else self._checkpoints(resume, seed, policy))

    def _learner(self) -> Reinforce:
        """REINFORCE as in `strategies.enas`, with the optimiser of NNI, whose gradient is clipped, too."""
        learner = Reinforce(self.controller, self.settings.config)
        learner.optimiser = torch.optim.Adam(self.controller.parameters(), self.settings.ctrl_lr)
        learner.optimiser.register_step_pre_hook(self._clip_policy)
        return learner

    def _clip_policy(self, *_: Any) -> None:
        nn.utils.clip_grad_norm_(self.controller.parameters(), self.settings.clip)

    def _checkpoints(self, folder: str | Path, seed: int | None, policy: Mapping[str, Any]) -> Checkpoints:
        """The folder of a search; a state of another one is refused."""
        settings = {name: value for name, value in asdict(self.settings).items() if "log" not in name}
        names = {name: name_of(getattr(self, name)) for name in ("loss", "reward_function", "lr_scheduler")}
        rule = {"kind": name_of(self.optimizer)} | {n: str(value) for n, value in self.optimizer.defaults.items()}
        facts = {"pictures": len(self.dataset), "seed": seed, "optimizer": rule, "ctrl_kwargs": dict(policy)}
        return Checkpoints(folder, {"strategy": "nni", **self.model.space.to_record(), **settings, **names, **facts})

    # --- training -----------------------------------------------------------------------------------------------------
    def fit(self) -> None:
        """Run all epochs. After an interruption, call it again: it goes on behind the latest whole epoch."""
        while len(self.history) < self.settings.num_epochs:
            self.run.advance()

    @property
    def history(self) -> list[dict[str, Any]]:
        """For each epoch the means of what was printed: {"epoch": 1, "model": {"acc1": …}, "rl": {"reward": …}}."""
        return self.run.log

    def epoch(self) -> dict[str, Any]:
        """Both phases in turn, then the next learning rate; returns the means."""
        model, policy = self._train_model(), self._train_controller()
        if self.lr_scheduler is not None:
            self.lr_scheduler.step()
        self.epochs_done += 1
        return {"epoch": self.epochs_done, "model": model.means, "rl": policy.means}

    def _train_model(self) -> Meters:
        """One step of the shared weights for each batch of the first half, on a newly drawn architecture  (eq. 1)."""
        meters = self._meters("Model", self.halves[0])
        self.model.train()
        for images, labels in self._batches(self.dataset, self._shuffled(self.halves[0])):
            logits = self.model(images, self._draw_one())
            loss, figures = self.loss(logits, labels), self._measured(logits, labels)
            optimiser_step(loss, self.optimizer, self.settings.clip)
            meters.add({**figures, "loss": float(loss.detach())})
        return meters

    def _train_controller(self) -> Meters:
        """One step of the policy for each group of rewards, one reward for each batch of the second half."""
        meters, size = self._meters("RL", self.halves[1]), self.settings.ctrl_steps_aggregate
        batches = self._batches(self.plain, self._shuffled(self.halves[1]))
        for done in range(0, meters.steps, size):
            sample, figures = self.controller.sample(min(size, meters.steps - done), self.generator), []
            self.learner.update(sample, partial(self._judge, batches, figures))
            drawn = zip(*(values.tolist() for values in sample[1:]), strict=True)  # one of each for each reward
            for row, (log_prob, entropy, skip) in zip(figures, drawn, strict=True):
                more = {"ent": entropy, "log_prob": log_prob, "baseline": self.learner.baseline, "skip": skip}
                meters.add(row | more)
        return meters

    @torch.no_grad()
    def _judge(
        self, batches: Iterator[Batch], figures: list[dict[str, float]], architectures: Sequence[Architecture]
    ) -> list[float]:
        """One reward per architecture, each on the next batch, at its statistics; what was measured joins `figures`."""
        with batch_statistics(self.model):
            for architecture, (images, labels) in zip(architectures, batches, strict=False):
                logits = self.model(images, architecture)
                figures.append(self._measured(logits, labels) | {"reward": self._reward(logits, labels)})
        return [row["reward"] for row in figures]

    # --- pieces -------------------------------------------------------------------------------------------------------
    def _batches(self, dataset: Dataset, positions: Tensor) -> Iterator[Batch]:
        """Pictures and labels at these positions, on the device; the last batch may be smaller."""
        batches = [batch.tolist() for batch in positions.split(self.settings.batch_size)]
        for images, labels in DataLoader(dataset, batch_sampler=batches, num_workers=self.settings.workers):
            checks.check_labels(labels, self.model.num_classes)
            yield images.to(self.device, memory_format=torch.channels_last), labels.to(self.device)

    def _shuffled(self, positions: Tensor) -> Tensor:
        return positions[torch.randperm(len(positions), generator=self.generator)]

    def _meters(self, phase: str, positions: Tensor) -> Meters:
        epoch, settings = f"{phase} Epoch [{self.epochs_done + 1}/{self.settings.num_epochs}]", self.settings
        return Meters(epoch, -(-len(positions) // settings.batch_size), settings.log_frequency)

    @torch.no_grad()
    def _draw_one(self) -> Architecture:
        return self.controller.architectures(self.controller.sample(1, self.generator))[0]

    def _measured(self, logits: Tensor, labels: Tensor) -> dict[str, float]:
        if not isinstance(found := self.metrics(logits.detach(), labels), Mapping):
            raise ValueError(f"metrics returned {found!r}; let it return a dictionary, such as {{'acc1': 0.5}}.")
        return dict(found)

    def _reward(self, logits: Tensor, labels: Tensor) -> float:
        return float(self.reward_function(logits, labels))

    # --- what was found -----------------------------------------------------------------------------------------------
    @property
    @torch.no_grad()
    def architecture(self) -> Architecture:
        """The best of ten that the policy draws, by their rewards on some 500 pictures of the second half."""
        self.run.rewind()  # an interruption may have left the weights half-way
        generator = torch.Generator().manual_seed((self.seed + self.epochs_done) % 2**63)
        drawn = self.controller.architectures(self.controller.sample(CANDIDATES, generator))
        totals = [0.0] * CANDIDATES
        with torch.random.fork_rng(), batch_statistics(self.model):
            for images, labels in self._batches(self.plain, self.halves[1][:PICTURES]):
                rewards = [self._reward(self.model(images, a), labels) for a in drawn]
                totals = [total + len(labels) * reward for total, reward in zip(totals, rewards, strict=True)]
        return drawn[max(range(CANDIDATES), key=totals.__getitem__)]

    def export(self) -> Choices:
        """What was chosen in `architecture`, by the key of each choice; see `GeneralNetwork.choices`."""
        return self.model.choices(self.architecture)
