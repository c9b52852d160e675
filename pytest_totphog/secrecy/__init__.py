"""Secrets in what pytest shows and writes of a run: known, hidden, and found."""
