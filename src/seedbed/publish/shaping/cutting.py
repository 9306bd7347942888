"""Texts are cut where a prompt may have so many tokens and no more."""

from __future__ import annotations

from typing import Any, Self

import polars as pl

from seedbed.core.context import context_at
from seedbed.core.tokenizing import AnyTokenizer, Tokens


class Cutting:
    """Cuts a column after so many tokens, and counts what it cuts."""

    def __init__(self, column: str, tokens: Tokens, most: int) -> None:
        self._column, self._tokens, self._most = column, tokens, most
        self._texts = self._lost = 0

    @classmethod
    def of(cls, tokenizer: AnyTokenizer | None, most: int | None, column: str | None) -> Self | None:
        """What cuts a column; none where nothing is to be cut.

        Raises:
            RecipeError: There is no such tokenizer.
            MissingExtraError: The package is not installed that it needs.
        """
        if tokenizer is None or most is None or column is None:
            return None
        # A tokenizer of the package's own needs no folder, and so has none.
        context = context_at(tokenizer._base) if hasattr(tokenizer, "_base") else None
        return cls(column, tokenizer.open("tokenizer", offline=bool(context and context.offline)), most)

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows whose texts have at most so many tokens; a character of several tokens is kept whole or not at all."""
        if self._column not in rows.columns:
            return rows
        texts = rows[self._column].fill_null("").to_list()
        found = self._tokens.encode(texts, spans=True)
        assert found.spans is not None
        for place in (found.lengths > self._most).nonzero()[0].tolist():
            first_gone = int(found.spans[found.bounds[place] + self._most][0])
            texts[place] = texts[place][:first_gone]
            self._texts += 1
            self._lost += int(found.lengths[place]) - self._most
        return rows.with_columns(pl.Series(self._column, texts, dtype=pl.String))

    def told(self) -> dict[str, Any]:
        """How many texts were cut, and by how many tokens, as JSON."""
        return {
            "column": self._column,
            "most_tokens": self._most,
            "texts": self._texts,
            "tokens": self._lost,
            "tokenizer": self._tokens.name,
        }
