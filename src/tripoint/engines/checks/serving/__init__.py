"""Can the estate be served as declared: addresses, secrets and names first, then who policy lets reach whom."""
