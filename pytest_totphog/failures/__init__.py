"""What the report of a failed test says of its codes, the clock and the app, and the most likely cause."""
