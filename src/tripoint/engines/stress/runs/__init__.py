"""Training runs in trials of hours: what a loss takes back to the last checkpoint, and what is late for it."""
