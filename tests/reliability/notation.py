"""Architectures in words and numbers: cut short, of another space, with unknown operations, fractions for choices."""

import torch

from nas_tutorial import spaces
from tests.reliability import called, typed

TINY, MACRO, DARTS, MICRO = spaces.Tiny(), spaces.get("enas_macro"), spaces.DARTS(), spaces.ENASMicro()
TEXTS = {
    TINY: ("", " ", "|", "|skip~0|", "|skip~0|+|skip~0|", "|skip~0|+|skip~1|skip~0|", "|skip~0|+|conv_9x9~0|skip~1|",
           "|skip~-1|+|skip~0|skip~1|", "|skip~0|+|skip~0|skip~9|", "skip", "|skip~²|+|skip~0|skip~1|", "DARTS_V2",
           "|skip~0|" * 2000, "|skip~0|+|skip~0|skip~1|+|skip~0|skip~1|skip~2|"),
    MACRO: ("", "sep_conv_3x3", "+++++", "x + x:0 + x:00 + x:000 + x:0000 + x:00000"),
    DARTS: ("", "normal: ", "normal: |skip_connect~0| reduce: ", "DARTS_V3", "normal: |none~0| reduce: |none~0|"),
    MICRO: ("", "ENAS", "normal: |skip_connect~0|skip_connect~1| reduce: |skip_connect~0|skip_connect~1|"),
}  # fmt: skip
CHOICES = ([1.7, 2, 3], [1, 2], [1, 2, 3, 4], [9, 0, 0], [-1, 0, 0], ["1", 0, 0], [None, 0, 0], [True, 0, 0],
           [float("nan"), 0, 0], 3, "123", None)  # fmt: skip
GENOTYPES = (None, 3, "", "Genotype(", {"normal": []}, "__import__('os').getcwd()", [1, 2])

CASES = [
    *(called((), space.parse, text) for space, texts in TEXTS.items() for text in texts),
    *(called((), TINY.parse, text) for text in (None, 3, [1, 2])),
    *(called((), TINY.architecture, choices) for choices in CHOICES),
    *(called((), DARTS.from_genotype, genotype) for genotype in GENOTYPES),
    called("options 0 to", TINY.architecture([0, 0, 0]).mutated, 0, 9),
    called("decision", TINY.architecture([0, 0, 0]).mutated, 7, 0),
    called("decision", TINY.architecture([0, 0, 0]).mutated, -1, 0),
    called("NaN", TINY.derive, {"cell": torch.full((3, 5), float("nan"))}),
    called(("inf",), TINY.derive, {"cell": torch.full((3, 5), float("inf"))}),
    called(("(2, 5)", "(3, 5)"), TINY.derive, {"cell": torch.ones(2, 5)}),
    called(("'cell'",), TINY.derive, {"cells": torch.ones(3, 5)}),
    typed("describe DARTS_V9 --space darts", "DARTS_V9"),
    typed("describe DARTS_V2 --space tiny", "DARTS_V2"),
    typed("describe DARTS_V2", "space"),
    typed("draw '|skip~0|' --space tiny --out a.svg", "|skip~0|"),
    typed("draw nothing --space tiny --out a.svg", "nothing"),
]
