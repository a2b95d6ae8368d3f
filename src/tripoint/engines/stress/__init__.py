"""Pressure testing: what an estate does when things go wrong, tried before physics tries it."""
