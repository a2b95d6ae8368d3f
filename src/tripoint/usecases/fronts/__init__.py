"""What `tripoint frontier` is made of: plans under ceilings, and plans of classes."""
