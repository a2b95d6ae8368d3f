"""Programs too large even for their relaxation: taken apart by workloads, and put together again."""
