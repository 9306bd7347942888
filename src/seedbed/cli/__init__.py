"""The command line: parse, one library call, show what came of it."""

from .app import main

__all__ = ["main"]
