"""Which candidate serves a request: policy, health, objective, live cost; and how traffic shifts."""
