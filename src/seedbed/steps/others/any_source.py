"""A source inside a step's options, written as one under `sources`."""

from seedbed.core.any_source import SCHEMA, AnySource, a_source

__all__ = ["SCHEMA", "AnySource", "a_source"]
