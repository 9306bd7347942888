"""Rules of thumb for texts from the web: what they measure, their limits, and where they come from."""
