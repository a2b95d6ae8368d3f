"""Who can run where, with how much capacity, and why not."""
