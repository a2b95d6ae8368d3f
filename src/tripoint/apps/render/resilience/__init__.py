"""What an estate survives, as text and as JSON."""
