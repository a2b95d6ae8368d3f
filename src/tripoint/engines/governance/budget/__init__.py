"""Budgets: what may still be spent, leased in slices, so that a request reserves without asking anybody."""
