"""What a worker counts, and what all of them counted together."""
