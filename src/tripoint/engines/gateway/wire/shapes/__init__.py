"""Shapes that bytes are decoded into, apart from what is compiled."""
