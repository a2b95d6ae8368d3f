"""What the ledger's figures mean: which sums answer a question, and which days stand out."""
