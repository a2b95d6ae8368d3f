"""Many entries at once: kept as bundles of records as they were written, with their figures beside them as columns."""
