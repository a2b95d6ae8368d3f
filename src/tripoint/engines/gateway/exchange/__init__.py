"""One request from its last byte in to its last byte out: attempts, failover, cuts, and the record of it all."""
