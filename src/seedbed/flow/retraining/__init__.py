"""Trains a recipe again as its data grows, and promotes what is better on rows that neither model has seen."""
