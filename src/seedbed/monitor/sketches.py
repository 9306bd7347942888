"""Texts as short rows of numbers that say which words there are, and not what is said.

Each word of a text is hashed to one of `WIDTH` places, where its count goes up or down (signed feature hashing,
Weinberger et al. 2009, https://arxiv.org/abs/0902.2206). Hundreds of words share a place and their order is lost, so
that a text cannot be read off its sketch; that somebody who has a text can tell whether it may be the one remains.
"""

from __future__ import annotations

import base64
import zlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

Sketches = NDArray[np.int8]

#: Numbers of a text.
WIDTH = 256
#: What made a sketch; those of different makers cannot be compared.
MAKER = "sketch_v1"
#: Characters of a text that are looked at: more say nothing new about what kind of text it is.
LONGEST = 20_000
# A letter of a script without spaces between words stands for itself.
_ALONE = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
_WORD = rf"[{_ALONE}]|[^\W{_ALONE}]+|[^\w\s]"


def sketched(texts: pl.Series) -> Sketches:
    """Sketches of texts, shape (texts, WIDTH); zeros where there is none."""
    from sklearn.feature_extraction.text import HashingVectorizer

    if not len(texts):
        return np.zeros((0, WIDTH), dtype=np.int8)
    hashing = HashingVectorizer(n_features=WIDTH, norm=None, token_pattern=_WORD)
    counts = hashing.transform(texts.fill_null("").str.slice(0, LONGEST).to_list()).toarray()
    found: Sketches = np.clip(counts, -127, 127).astype(np.int8)
    return found


def compared(sketches: Sketches) -> NDArray[np.float32]:
    """Sketches as they are compared: logarithms of counts, scaled to length 1."""
    counts = sketches.astype(np.float32)
    damped = np.sign(counts) * np.log1p(np.abs(counts))
    lengths = np.linalg.norm(damped, axis=1, keepdims=True)
    return np.asarray(damped / np.maximum(lengths, 1e-9), dtype=np.float32)


def packed(sketches: Sketches) -> str:
    """Sketches as text, for JSON."""
    return base64.b64encode(zlib.compress(sketches.tobytes(), 9)).decode("ascii")


def unpacked(text: str) -> Sketches:
    """What was `packed`.

    Raises:
        ValueError: It is damaged.
    """
    try:
        held = zlib.decompress(base64.b64decode(text, validate=True))
    except zlib.error as error:
        raise ValueError(str(error)) from None
    return np.frombuffer(held, dtype=np.int8).reshape(-1, WIDTH)
