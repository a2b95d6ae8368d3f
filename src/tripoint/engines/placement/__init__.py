"""Where everything goes: the program, its constraint families, and the way back to a plan."""
