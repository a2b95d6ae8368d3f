"""What failures cost in a year, with the interval that uncertain rates leave."""
