"""The workshop: set-up, notebooks and slides (`make help`)."""
