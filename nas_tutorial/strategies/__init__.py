"""Search strategies, each a module with `search(space, data, …)`: `darts`, `enas`, `random`."""
