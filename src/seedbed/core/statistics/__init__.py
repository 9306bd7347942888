"""Intervals, tests and measures of agreement, drift and shares that parts, reports and reviews have in common."""
