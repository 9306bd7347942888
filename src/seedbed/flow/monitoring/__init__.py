"""Watching a model at work: `seedbed monitor`, and the log that `seedbed serve` writes."""
