"""The clockwork of trials: an event list, and draws that belong to a name and a number instead of an order."""
