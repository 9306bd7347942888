"""Tokenizers as the libraries of other languages read them: one file that says how long a text may be."""

from __future__ import annotations

import orjson


def as_it_reads(tokenizer: str, most_tokens: int) -> bytes:
    """A `tokenizer.json` that cuts as the model does and does not pad: one text at a time needs none.

    Args:
        tokenizer: As the library `tokenizers` writes one.
        most_tokens: Tokens after which a text is cut, special ones included.
    """
    told = orjson.loads(tokenizer)
    cut = {"direction": "Right", "max_length": most_tokens, "strategy": "LongestFirst", "stride": 0}
    return orjson.dumps({**told, "truncation": cut, "padding": None})
