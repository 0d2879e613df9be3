"""Test pictures that nothing was learnt from: measured, by a hash of each picture."""

import warnings

from nas_tutorial.data.pictures import Data

HANDFUL = 5
"""So many test pictures may equal one that was learnt from, as long as they are no tenth of the test; more is an error.

Collections of photographs may have twins of their own (of CIFAR-10's 10,000 test pictures none is equal, pixel by
pixel, to a training picture); a split that overlaps by mistake shares far more.
"""


def check_test_pictures(data: Data, searched: Data | None = None) -> None:
    """Make sure that the test pictures are neither among those trained on, nor among those searched on.

    searched: what the architecture was searched on, where that is another data set. Raises ValueError where more than
    a handful are; warns where some are.
    """
    splits = [part for d in (data, searched) if d for part in (d.train, d.validation)]
    seen = set().union(*(split.hashes for split in splits))
    found, count = sum(picture in seen for picture in data.test.hashes), len(data.test)
    if not found:
        return
    said = (
        f"{found:,} of the {count:,} test pictures of {data.name} are also among the pictures that the weights are "
        f"trained on{' or the architecture was searched on' if searched else ''}"
    )
    if found > HANDFUL or found == count or found > max(1, count / 10):
        raise ValueError(
            f"{said}, so the accuracy would say little about new ones: test on pictures of their own (test_data; on "
            "the command line --test-data), or take the pictures of the search as they were divided there."
        )
    warnings.warn(f"{said}: that may raise the accuracy by up to {100 * found / count:.2g} points.", stacklevel=3)
