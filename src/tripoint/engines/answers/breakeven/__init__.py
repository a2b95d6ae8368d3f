"""When holding capacity pays, by workload and by pool."""
