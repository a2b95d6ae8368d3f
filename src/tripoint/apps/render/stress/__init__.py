"""What an estate withstood, as text and as JSON."""
