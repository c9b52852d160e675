"""What the `totphog` command does."""
