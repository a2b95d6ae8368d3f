"""The planning instance: everything resolved to numbers and indexed, and its restrictions for alternatives."""
