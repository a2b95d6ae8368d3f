"""Interfaces that differ: addresses and credentials per dialect, and translation between OpenAI and Anthropic."""
