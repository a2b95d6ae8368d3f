"""What capacity and tokens cost: one's own prices, list prices, and offers made of both."""
