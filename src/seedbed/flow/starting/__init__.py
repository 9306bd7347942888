"""A recipe for a file that nobody has looked at yet: `seedbed init`."""
