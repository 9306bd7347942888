"""Splitters that ship with Seedbed, clusters of rows that belong together, and the independent verifier."""
