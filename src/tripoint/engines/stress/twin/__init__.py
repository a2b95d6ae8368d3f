"""The exact twin: what the event list would answer, without events."""
