"""Which scenarios a run tries: what was asked for, and what of it this estate and its plan have."""
