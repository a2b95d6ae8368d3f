"""What things cost: the one cost function and the arithmetic under it."""
