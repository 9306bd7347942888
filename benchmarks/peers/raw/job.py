"""The floor: read the lines, parse them (orjson), hash the texts (xxh3), and forget them. Keeps nothing."""

from __future__ import annotations

import orjson
import xxhash
from jobs import Asked


def floor(asked: Asked) -> int:
    """How many lines hold a text."""
    loads, digest, texts = orjson.loads, xxhash.xxh3_128_intdigest, 0
    with asked.source.open("rb", buffering=1 << 22) as file:
        for line in file:
            try:
                text = loads(line)["text"]
            except (orjson.JSONDecodeError, TypeError):
                continue
            if text is not None:
                digest(text.encode())
                texts += 1
    return texts


if __name__ == "__main__":
    asked = Asked.read()
    floor(asked)
    asked.done([], note="keeps nothing")
