"""ERRANDS: one module per verb; together they are the Python API."""
