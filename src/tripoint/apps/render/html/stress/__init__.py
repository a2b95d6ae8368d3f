"""The report of what an estate withstood, as parts of a page."""
