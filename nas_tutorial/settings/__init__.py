"""One measure for input: settings, sizes, values and JSON are checked here, by pydantic, and refused in a sentence.

Bounds stand where a field is declared, as in `epochs: Annotated[int, Field(ge=1, le=100)] = 5`.
"""

from nas_tutorial.settings.bounds import Accuracy, NonNegative, Positive, Share, checked, expected, hints_of, shown
from nas_tutorial.settings.dataclasses import check_fields, configured, listing, made
from nas_tutorial.settings.diverged import Diverged
from nas_tutorial.settings.json_text import Record, fitting, from_text, read_json, to_text
from nas_tutorial.settings.words import in_units, number, one_of, processor, versions, whole_number

__all__ = [
    "Accuracy",
    "Diverged",
    "NonNegative",
    "Positive",
    "Record",
    "Share",
    "check_fields",
    "checked",
    "configured",
    "expected",
    "fitting",
    "from_text",
    "hints_of",
    "in_units",
    "listing",
    "made",
    "number",
    "one_of",
    "processor",
    "read_json",
    "shown",
    "to_text",
    "versions",
    "whole_number",
]
