"""Sections about money: over time, per token, over links, and when owning pays."""
