"""Files of scores, such as the retrain.json of `nas-tutorial retrain`: what they hold."""

from typing import Annotated, Any, NotRequired

from pydantic import Field

from nas_tutorial.settings import Accuracy, Record
from nas_tutorial.spaces import ArchitectureRecord


class ScoresRecord(Record):
    """What a file of scores holds."""

    architecture: ArchitectureRecord
    data: dict[str, Any]
    profile: NotRequired[str]
    recipe: NotRequired[dict[str, int | float | bool | str | None]]
    versions: NotRequired[dict[str, str]]
    seeds: list[Annotated[int, Field(ge=0, lt=2**63)]]
    accuracies: Annotated[list[Accuracy], Field(min_length=1)]
    mean: NotRequired[Accuracy]
    std: NotRequired[Accuracy]
    parameters: NotRequired[Annotated[int, Field(ge=0)]]
