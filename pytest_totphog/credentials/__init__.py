"""A secret and its codes."""
