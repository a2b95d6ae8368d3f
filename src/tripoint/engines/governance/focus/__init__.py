"""Bills in the FOCUS format: the ledger's sums as its rows, and the way back."""
