"""A chain of queues played event by event: on it tests and benchmarks hold the event list against theory."""
