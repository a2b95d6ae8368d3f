"""How much is needed, and who may run where."""
