"""The ledger in SQL: entries that are only added, sums that always equal them, offsets that move with both."""
