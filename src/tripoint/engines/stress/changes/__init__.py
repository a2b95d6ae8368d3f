"""Faults that last: the estate as it is with them, to be planned anew, and what the old plan costs then."""
