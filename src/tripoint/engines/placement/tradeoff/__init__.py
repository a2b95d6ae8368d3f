"""Cost against something else: measures of a plan other than money, ceilings on them, and what is left undominated."""
