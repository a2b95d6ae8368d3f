"""Many entries at once: kept as blocks of records as they were written, with their figures beside them as columns."""
