"""Jobs that hand data on: who may run where at which price, how data moves, and the answer people read."""
