"""Profiles: all sizes and settings from pictures to retraining, for a kind of machine.

`small` is for a CPU, `colab` for one GPU like a T4 and a quarter of an hour, `paper` is what was published. The
settings of `colab` are reckoned, not tuned: its minutes were estimated from counted operations, without such a GPU.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nas_tutorial import spaces
from nas_tutorial.settings import configured, one_of
from nas_tutorial.spaces import Architecture, Space
from nas_tutorial.strategies import PROFILES
from nas_tutorial.training.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from nas_tutorial.strategies.searching import SearchConfig

PICTURES: dict[str, dict[str, Any]] = {
    "small": {"name_or_path": "digits"},
    "colab": {"name_or_path": "cifar10", "per_class": 500},
    "paper": {"name_or_path": "cifar10"},
}
"""What `data.load` is asked for."""
MINUTES: dict[str, float | None] = {"small": None, "colab": 15, "paper": None}
"""What a search, and a retraining, are meant to take at most."""


@dataclass(frozen=True)
class Profile:
    """What a search and the retraining of what it finds are run with.

    pictures: arguments of `data.load`. space: that is searched; retrained: the sizes in which what was found is trained
    by `recipe`. config: settings of the search. minutes: that a search is meant to take, None for any. why: what the
    choice is based on.
    """

    name: str
    strategy: str
    space: Space
    retrained: Space
    config: SearchConfig
    recipe: Recipe
    pictures: Mapping[str, Any] = field(default_factory=dict)
    minutes: float | None = None
    why: str = ""

    def changed(self, **knobs: Any) -> Profile:
        """The same with other sizes of the space, settings of the search, or arguments of `data.load`, by their names.

        Raises ValueError for a name that is none of these.
        """
        sizes, settings = ([each.name for each in fields(of)] for of in (self.space, self.config))
        loading = ("name_or_path", "per_class", "test_per_class", "validation", "root", "seed")
        for name in knobs:
            one_of((*sizes, *settings, *loading), name, "A setting")
        parts = ({n: v for n, v in knobs.items() if n in known} for known in (sizes, settings, loading))
        of_space, of_search, of_pictures = parts
        return replace(
            self,
            space=self.space.resized(**of_space),
            config=replace(self.config, **of_search),
            pictures={**self.pictures, **of_pictures},
        )

    def for_retraining(self, found: Architecture) -> Architecture:
        """An architecture in the sizes in which it is to be trained."""
        return found.space.resized(**self.retrained.sizes).parse(str(found))

    def __str__(self) -> str:
        lines = (
            ("profile", f"{self.name}{f' ({self.why})' if self.why else ''}"),
            ("pictures", _listed(self.pictures)),
            ("space", f"{self.space.name}: {_listed(self.space.sizes)}"),
            ("search", f"{self.strategy}: {_listed(asdict(self.config))}"),
            ("retrain", f"{_listed(self.retrained.sizes)}; {_listed(asdict(self.recipe))}"),
        )
        return "\n".join(textwrap.fill(f"{name:<9}{text}", 100, subsequent_indent=" " * 9) for name, text in lines)


def get(name: str, space: str = "nasbench201", strategy: str = "darts", **knobs: Any) -> Profile:
    """The profile of this name for a space and a strategy, some knobs changed; ValueError for an unknown one."""
    one_of(PROFILES, name, "The profile")
    searched = spaces.get(space, name)
    retrained = searched.resized(**searched.retrained.get(name, {}))
    config = configured(settings_of(strategy, space), name, {})
    parts = strategy, searched, retrained, config, RECIPES[name]
    return Profile(name, *parts, PICTURES[name], MINUTES[name]).changed(**knobs)


def settings_of(strategy: str, space: str) -> Mapping[str, SearchConfig]:
    """The settings of a strategy by profile; ENAS has others in its micro space."""
    module = import_module(f"nas_tutorial.strategies.{strategy}")
    return module.profiles_for(space) if hasattr(module, "profiles_for") else module.PROFILES


def pick(space: str = "nasbench201", strategy: str = "darts", **knobs: Any) -> Profile:
    """The profile that suits this machine: `colab` where there is a GPU, else `small`; `why` says so.

    The published settings take days, so `paper` is never picked: ask for it by name.
    """
    import torch

    if torch.cuda.is_available():
        name, why = "colab", f"this machine has a GPU, {torch.cuda.get_device_name()}"
    else:
        name, why = "small", "this machine has no GPU that torch can use"
    return replace(get(name, space, strategy, **knobs), why=why)


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)
