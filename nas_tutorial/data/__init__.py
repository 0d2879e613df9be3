"""Pictures for a search: built-in data sets and a user's own, in splits that never overlap."""

from nas_tutorial.data.loading import load
from nas_tutorial.data.overlap import check_test_pictures
from nas_tutorial.data.pictures import Data, Split
from nas_tutorial.data.pipeline import augment, loader, normalise
from nas_tutorial.data.records import from_record

__all__ = ["Data", "Split", "augment", "check_test_pictures", "from_record", "load", "loader", "normalise"]
