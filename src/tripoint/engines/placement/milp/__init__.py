"""The solver-neutral program, and how to read it."""
