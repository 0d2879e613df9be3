"""Sizes of spaces and pictures: none, fractions, texts, and so large that no machine could build the network."""

from nas_tutorial import spaces
from tests.reliability import called, typed

COUNTS = (0, -1, 1.5, True, "3", None, 10**19)
FIELDS = {
    "tiny": ("channels", "cells", "nodes"),
    "nasbench201": ("channels", "cells_per_stage", "fixed_kernel"),
    "darts": ("channels", "cells", "nodes"),
    "enas_macro": ("channels", "layers"),
    "enas_micro": ("channels", "cells", "nodes"),
}
HUGE = {
    "tiny": "--channels 10000000000000000000/--cells 1000000/--nodes 1000",
    "nasbench201": "--channels 5000/--cells 1000000",
    "darts": "--cells 1000000/--channels 1000000",
    "enas_macro": "--layers 500/--channels 100000",
    "enas_micro": "--cells 1000000/--nodes 100",
}

CASES = [
    *(
        called((f"{size} of {name}", "give a whole number from 1 to"), spaces.get, name, "small", **{size: value})
        for name, sizes in FIELDS.items()
        for size in sizes
        for value in COUNTS
    ),
    *(
        typed(f"describe --space {name} {option}", option.split()[0].strip("-"), option.split()[1])
        for name, options in HUGE.items()
        for option in options.split("/")
    ),
    typed("search --space tiny --strategy darts --data strokes --cells 1000000", "cells of tiny", "from 1 to"),
    typed("search --space enas_macro --strategy enas --data strokes --layers 500", "layers of enas_macro", "from 1 to"),
    typed("describe --space darts --cells 200 --nodes 16", "operations to choose from", "fewer"),
    typed("search --space darts --strategy darts --data strokes --channels 4096 --cells 4", "GB", "channels", "memory"),
    typed("search --space nasbench201 --strategy darts --data strokes --channels 4096 --cells 4", "GB", "memory"),
    typed("describe --space tiny --nodes 1", "two nodes or more"),
    called(("size of tiny is 'layers'", "channels"), spaces.get, "tiny", layers=3),
    called(("'chanels'", "channels"), spaces.Tiny().resized, chanels=3),
    called(("operations of tiny", "one text"), spaces.Tiny, operations="skip"),
    called(("operations of tiny", "3"), spaces.Tiny, operations=3),
    called(("operations of tiny", "None"), spaces.Tiny, operations=None),
    called(("operation", "'conv_9x9'"), spaces.Tiny, operations=("conv_9x9",)),
    called(("operation", "3"), spaces.Tiny, operations=(3, 4)),
    called("each once", spaces.Tiny, operations=("skip", "skip")),
    called("none", spaces.Tiny, operations=()),
    called(("name of the space is None", "tiny"), spaces.get, None),
    called(("name of the space is 3", "tiny"), spaces.get, 3),
    called(("profile is 'huge'", "small"), spaces.get, "tiny", "huge"),
]
