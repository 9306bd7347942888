"""Metrics that ship with Seedbed, intervals, and paired comparisons."""
