"""The demonstration: DARTS, ENAS and random search at equal budgets, with a report."""

__all__ = ["demo", "progress", "report", "workers"]
