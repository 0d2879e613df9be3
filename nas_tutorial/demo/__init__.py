"""The demonstration: DARTS, ENAS and random search at equal budgets, beside ten random cells, with a report."""

__all__ = ["demo", "journal", "leaderboard", "progress", "report", "workers"]
