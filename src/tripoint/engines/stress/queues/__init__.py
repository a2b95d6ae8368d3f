"""Queues whose answers are known: formulas for the simplest ones, and a chain of stations played event by event."""
