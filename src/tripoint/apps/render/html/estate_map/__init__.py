"""The map of the estate: where places stand, what flows between them."""
