"""How many records a second the ledger takes for good, and how soon it answers."""
