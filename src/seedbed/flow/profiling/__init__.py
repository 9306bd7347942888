"""Profiles of files, runs and datasets: who measures what, and where it is kept."""
