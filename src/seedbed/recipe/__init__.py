"""The recipe: its model, its file, and what is wrong with it, with line numbers. Importing it registers all parts."""

from __future__ import annotations

from .catalogue import schema
from .loading import Loaded, dump, load, parse
from .recipe import Recipe

__all__ = ["Loaded", "Recipe", "dump", "load", "parse", "schema"]
