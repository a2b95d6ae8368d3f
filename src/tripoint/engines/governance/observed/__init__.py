"""What was really asked for: the ledger's records as demand the planner reads."""
