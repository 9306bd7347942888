"""Streams rows through steps, on this machine. Engines call parts; parts never call engines."""
