"""How long things take, and how much memory: `python -m benchmarks.search_step` and its neighbours."""
