"""Our records held against a provider's bill: every difference with its causes, which add up to it."""
