"""The dependency graph of an estate: what it shows by itself, and what it declares."""
