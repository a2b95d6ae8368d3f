"""How far an objective is from breaking: the smallest magnitude from which it is not met."""
