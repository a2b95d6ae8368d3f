"""What to do when an upstream fails: whose fault a status is, and how a broken answer goes on elsewhere."""
