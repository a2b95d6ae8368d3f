"""How many replicas carry a rate in time, and the straight line above that staircase."""
