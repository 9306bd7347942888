"""Rows into splits: what belongs together, who goes where, the proof, and the dataset's files."""
