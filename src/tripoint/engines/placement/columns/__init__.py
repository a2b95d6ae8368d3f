"""The columns of the program, what they cost and what they mean."""
