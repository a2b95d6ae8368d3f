"""The exact twin: what the event list would answer, without events; for tests and benchmarks, as its oracle."""
