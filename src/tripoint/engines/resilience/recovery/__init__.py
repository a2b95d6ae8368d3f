"""Recovery times and points of every workload after every loss, what misses its objective, and what would help."""
