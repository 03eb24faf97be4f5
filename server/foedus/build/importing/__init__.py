"""Make Turtle from data sets that others publish as CSV: the generated part of the data."""
