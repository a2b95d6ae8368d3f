"""How fast a model runs or trains on an accelerator, and how many accelerators hold it."""
