"""FACES: the command line and what it shows."""
