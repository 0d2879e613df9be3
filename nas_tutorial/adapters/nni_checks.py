"""What the trainer of the NNI listing is given: checked before it begins, and refused in a sentence."""

import gc
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from torch.utils.data import Dataset

from nas_tutorial.adapters.nni_model import GeneralNetwork, MicroNetwork
from nas_tutorial.settings import NonNegative, check_fields, one_of, whole_number
from nas_tutorial.spaces import Space
from nas_tutorial.strategies.enas import Config
from nas_tutorial.training.recipes import Architectures, Epochs, Pictures

CTRL_KWARGS: dict[str, Any] = {
    "lstm_size": 64,
    "lstm_num_layers": 1,
    "tanh_constant": 1.5,
    "skip_target": 0.4,
    "temperature": None,
    "entropy_reduction": "sum",
}
"""What `ctrl_kwargs` may hold, with the defaults of NNI."""


@dataclass(frozen=True)
class Settings:
    """The trainer's arguments that are numbers, named as in NNI; ValueError names one that cannot be."""

    num_epochs: Epochs
    batch_size: Pictures
    workers: Annotated[int, Field(ge=0, le=64)]
    log_frequency: Annotated[int, Field(ge=1)] | None
    grad_clip: Annotated[float, Field(ge=0)]
    entropy_weight: NonNegative
    skip_weight: NonNegative
    baseline_decay: Annotated[float, Field(ge=0, le=1)]
    ctrl_lr: NonNegative
    ctrl_steps_aggregate: Architectures

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def clip(self) -> float:
        """The bound of a gradient's norm."""
        return self.grad_clip or math.inf

    @property
    def config(self) -> Config:
        """The same as settings of our ENAS, as far as its policy's steps go by them."""
        return Config(
            samples=self.ctrl_steps_aggregate,
            controller_rate=self.ctrl_lr,
            entropy_weight=self.entropy_weight,
            skip_weight=self.skip_weight,
            baseline_decay=self.baseline_decay,
        )


def policy_settings(space: Space, ctrl_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings of our policy that `ctrl_kwargs` stands for; ValueError for what it does not offer."""
    for name in ctrl_kwargs or {}:
        one_of(tuple(CTRL_KWARGS), name, "A setting of ctrl_kwargs")
    asked = CTRL_KWARGS | dict(ctrl_kwargs or {})
    for name in ("lstm_num_layers", "entropy_reduction"):
        if asked[name] != CTRL_KWARGS[name]:
            raise ValueError(f"{name} is {asked[name]!r}, but the policy here knows {CTRL_KWARGS[name]!r} only.")
    skips = {"skip_target": asked["skip_target"]} if space.name == "enas_macro" else {}  # there are no others
    hidden = whole_number("lstm_size", asked["lstm_size"], 1)
    return {"hidden": hidden, "tanh_constant": asked["tanh_constant"], "temperature": asked["temperature"], **skips}


def check_model(model: Any, optimizer: Any) -> None:
    """Raise ValueError unless the model is one of ours, and the optimizer trains weights of it."""
    if not isinstance(model, GeneralNetwork | MicroNetwork):
        raise ValueError(
            f"The model is a {type(model).__name__}; give a GeneralNetwork or a MicroNetwork of this module "
            "(for other networks see nas_tutorial.search)."
        )
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ValueError(f"The optimizer is a {type(optimizer).__name__}; give one of torch.optim.")
    trained = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
    if trained.isdisjoint(map(id, model.parameters())):
        raise ValueError("The optimizer trains no weight of this model; make it from model.parameters().")


def check_functions(**functions: Any) -> None:
    """Raise ValueError unless these can be called."""
    for name, function in functions.items():
        if not callable(function):
            raise ValueError(f"{name} is {function!r}; give a function of logits and labels.")


def check_pictures(dataset: Dataset, model: nn.Module) -> None:
    """Raise ValueError unless a data set can be halved, and has items (picture (C, H, W), label) for the model."""
    if len(dataset) < 2:
        raise ValueError(f"The data set has {len(dataset)} picture(s); give two or more, as it is divided.")
    with torch.random.fork_rng():  # an augmentation may draw
        item = dataset[0]
    if not (isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], Tensor)):
        raise ValueError(
            "The first item of the data set is no pair of a tensor and a label; give pictures as tensors, for example "
            "by transform=torchvision.transforms.ToTensor()."
        )
    picture, channels = item[0], model.in_channels
    if picture.ndim != 3 or len(picture) != channels or not picture.is_floating_point():
        raise ValueError(
            f"The first picture is {tuple(picture.shape)} of {picture.dtype}, but the model reads ({channels}, height, "
            "width) of floats; convert the pictures, or make the model with their in_channels."
        )


def check_labels(labels: Tensor, classes: int) -> None:
    """Raise ValueError where a batch of labels (B,) names a class that the model does not have."""
    if labels.ndim == 1 and len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(
            f"There are labels from {int(labels.min())} to {int(labels.max())}, but the model knows 0 to "
            f"{classes - 1}; make it with the right num_classes."
        )


def reward_pictures(dataset: Dataset, given: Dataset | None, model: nn.Module) -> Dataset:
    """The pictures for rewards: those given, or those of `dataset.plain`, or the data set itself."""
    found = getattr(dataset, "plain", dataset) if given is None else given
    if len(found) != len(dataset):
        raise ValueError(
            f"reward_dataset has {len(found)} pictures and dataset {len(dataset)}; give the same ones, without "
            "augmentation."
        )
    check_pictures(found, model)
    return found


def schedule_of(optimizer: torch.optim.Optimizer, given: Any) -> LRScheduler | None:
    """The schedule of the learning rate: the one given, or that which was made for this optimizer, or None.

    The listing does not hand it to the trainer, so it is looked for among the objects that Python keeps. Raises
    ValueError where there are several, or for one that cannot be advanced after each epoch.
    """
    objects = (thing for thing in gc.get_objects() if issubclass(type(thing), LRScheduler))
    found = [s for s in objects if getattr(s, "optimizer", None) is optimizer] if given is None else [given]
    if len(found) > 1:
        names = ", ".join(sorted(type(schedule).__name__ for schedule in found))
        raise ValueError(f"The optimizer has several schedules ({names}); pass lr_scheduler=, the one to advance.")
    for schedule in found:
        if not isinstance(schedule, LRScheduler) or schedule.optimizer is not optimizer:
            raise ValueError("lr_scheduler is none of torch.optim.lr_scheduler that was made for this optimizer.")
        if isinstance(schedule, ReduceLROnPlateau):
            raise ValueError("ReduceLROnPlateau waits for a figure that a search does not have; make another schedule.")
    return found[0] if found else None
