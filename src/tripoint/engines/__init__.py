"""REASONING: pure functions. Time, randomness and prices arrive as arguments; nothing here does I/O."""
