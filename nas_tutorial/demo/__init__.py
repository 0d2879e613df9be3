"""The demonstration: DARTS, ENAS and random search at equal budgets, with a report."""
