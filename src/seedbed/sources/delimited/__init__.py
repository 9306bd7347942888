"""Delimited text: how a file tells its fields apart, where records begin and end, and which lines are none."""
