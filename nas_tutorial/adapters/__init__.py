"""Interfaces of other projects, served by this package: listings written for them run with new import lines."""

__all__ = ["nni"]
