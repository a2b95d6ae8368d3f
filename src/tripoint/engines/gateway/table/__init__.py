"""From estate and plan to the routing table: policy applied once, marginal prices by the one cost function."""
