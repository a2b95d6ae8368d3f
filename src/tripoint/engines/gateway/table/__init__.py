"""From estate and plan to the routing table: who may serve what, at which price, and how much the plan puts where."""
