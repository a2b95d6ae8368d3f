"""Bills in the FOCUS format: the ledger's sums as its rows, what those rows must obey, and the way back."""
