"""Watching a model at work: the log of what it was asked and said, and tests of whether that still looks as it did."""
