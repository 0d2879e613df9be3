"""One-shot neural architecture search (ENAS and DARTS), written to be read.

Start with `nas_tutorial.spaces` (what can be searched), then `nas_tutorial.strategies` (how it is searched).
Importing the package loads none of its modules; each is imported where it is used.
"""

__version__ = "0.1.0"
