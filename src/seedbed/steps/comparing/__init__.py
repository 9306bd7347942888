"""Comparing rows with one another: keys of equal values, names of rows, and who of a group stays."""
