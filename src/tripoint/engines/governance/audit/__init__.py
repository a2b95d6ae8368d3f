"""The audit log: canonical text, the chain of hashes, checkpoints, and what verification finds."""
