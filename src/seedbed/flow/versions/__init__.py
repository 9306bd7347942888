"""Versions of datasets and models: what differs between two, where one came from, and how to get it back."""
