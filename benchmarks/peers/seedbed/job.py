"""Seedbed itself, through the library: reading and cleaning, up to the table that a split would deal."""

from __future__ import annotations

import json
from pathlib import Path

from jobs import Asked


def curation(asked: Asked, steps: list[dict[str, object]]) -> list[Path]:
    """Run steps over the source; the Parquet shards of what is kept. The ledger lies beside them in the store."""
    from seedbed.core.context import Context
    from seedbed.core.task import TextClassification
    from seedbed.engine.curate import Curation
    from seedbed.recipe.recipe import Recipe

    label = "language" if asked.job == "crawl" else "source"
    task = TextClassification(kind="text_classification", text="text", label=label)
    recipe = Recipe.model_validate(
        {
            "seedbed": 1,
            "name": "benchmark",
            "task": task.model_dump(),
            "sources": [{**source_of(asked), "name": "corpus"}],
            "steps": steps,
        }
    )
    context = Context(base=asked.out, store=asked.out / "store", workers=asked.cores)
    return list(Curation(recipe.sources, recipe.steps, task, context).run().table.shards)


def source_of(asked: Asked) -> dict[str, object]:
    """The file, or the site that one tells of: as fast as it can be had."""
    if asked.job != "crawl":
        return {"use": asked.source.suffix[1:], "path": str(asked.source.absolute())}
    told = json.loads(asked.source.read_text())
    swift = {"per_second": 10_000, "allow_private": True, "most_pages": told["pages"] + 100}
    return {
        "use": "web",
        "seeds": [f"{told['url']}/"],
        "user_agent": told["user_agent"],
        "depth": told["depth"],
        **swift,
    }


def curate(asked: Asked) -> list[dict[str, object]]:
    """The steps of the curation."""
    least, most = asked.profile.characters
    return [
        {"use": "fix_text", "column": "text", "mac_roman": False},
        {"use": "strip_html", "column": "text"},
        {"use": "normalize", "column": "text"},
        {"use": "text_length", "column": "text", "at_least": least, "at_most": most},
        {"use": "text_length", "column": "text", "at_least": asked.profile.least_words, "unit": "words"},
        {"use": "character_share", "column": "text", "of": "ascii_letters", "at_least": asked.profile.letters},
        {"use": "exact_duplicates", "column": "text"},
    ]


def dedup(asked: Asked) -> list[dict[str, object]]:
    """The one step of the near-duplicate job."""
    return [
        {"use": "near_duplicates", "column": "text", "at_least": asked.threshold, "shingles": asked.profile.shingles}
    ]


def read(asked: Asked) -> list[dict[str, object]]:
    """No step: rows, ledger and their hashes."""
    return []


if __name__ == "__main__":
    asked = Asked.read()
    asked.done(curation(asked, {"curate": curate, "dedup": dedup, "read": read, "crawl": read}[asked.job](asked)))
