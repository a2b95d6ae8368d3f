"""Bills in the FOCUS format: rates, commitments, what runs where and what leaves."""
