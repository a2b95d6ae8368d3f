"""Prices of other people's files, held against the catalogue: what is taken, what is dropped and why."""
