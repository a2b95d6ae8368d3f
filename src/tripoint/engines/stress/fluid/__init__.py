"""Years of hours: requests and work as flows through what is left of the places, for many trials at once."""
