"""A quick look: the same recipe over the first records of each source."""

from __future__ import annotations

from dataclasses import replace

from seedbed.core.errors import RecipeError
from seedbed.recipe.loading import Loaded


def limited(loaded: Loaded, limit: int) -> Loaded:
    """The recipe over at most so many records of each source, publishing and tracking nothing.

    The blocks that these records fill are the whole run's, so that either finds what the other did.

    Args:
        loaded: The recipe.
        limit: Records of each source; its own `limit` holds where that is less.

    Raises:
        RecipeError: Fewer than one record are asked for.
    """
    if limit < 1:
        raise RecipeError(f"{limit} records are none", at="--limit", hint="ask for at least 1")
    recipe = loaded.recipe
    sources = tuple(source.model_copy(update={"limit": min(limit, source.limit or limit)}) for source in recipe.sources)
    return replace(loaded, recipe=recipe.model_copy(update={"sources": sources, "track": (), "publish": ()}))


def said_of(limit: int) -> str:
    """What a person must know of such a run, in a sentence."""
    return (
        f"a quick look (--limit {limit}): at most {limit:,} records of each source were read, so the numbers say "
        "little about the whole; it is never published, and `latest` is still the last whole run"
    )
