"""What capacity cost beside what requests were billed: idle hours, cost per million tokens, corrections."""
