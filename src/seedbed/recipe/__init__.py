"""The recipe: read with line numbers, checked, turned into parts before anything runs."""
