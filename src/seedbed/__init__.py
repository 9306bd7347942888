"""From raw, messy sources to a dataset you can defend and a model you can trust, with one recipe."""

__version__ = "0.1.0"
