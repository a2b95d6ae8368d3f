"""When holding capacity beats renting it: thresholds, cost curves and how sure they are."""
