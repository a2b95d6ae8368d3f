"""Slices of budgets for the workers of a run folder: what they are told, and what becomes of the dead."""
