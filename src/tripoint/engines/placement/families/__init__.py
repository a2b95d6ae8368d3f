"""The constraint families, each under its own name with its mathematics."""
