"""What an estate survives by design, as a page: scores, what is next, single points, hours a year, ways out."""
