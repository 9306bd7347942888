"""Characters found among the bytes of a whole column at once: several times faster than a pattern row by row."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

#: Bytes that are looked at together, so that what is made of them stays in the processor's cache.
_PIECE = 1 << 17


def with_control(texts: pl.Series) -> pl.Series:
    """Whether a text holds an ASCII control character that is no white space; false for null."""
    ends, data = _laid_out(texts)
    found = np.zeros(texts.len(), bool)
    found[np.searchsorted(ends, _control_places(data), side="right") - 1] = True
    return pl.Series(found)


def others_than(wanted: NDArray[np.bool_], texts: pl.Series) -> pl.Series:
    """How many bytes of each text are not `wanted` (shape (256,), by the byte's value); 0 for null."""
    ends, data = _laid_out(texts)
    marked = data.tobytes().translate((~wanted).astype(np.uint8).tobytes())
    places = np.flatnonzero(np.frombuffer(marked, bool))
    return pl.Series(np.diff(np.searchsorted(places, ends)))


def _laid_out(texts: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Where each text starts and the last one ends, shape (texts + 1,), in the UTF-8 bytes of all of them."""
    import pyarrow as pa

    array = pa.array(texts.to_arrow(compat_level=pl.CompatLevel.oldest())).cast(pa.large_string())
    _, offsets, data = array.buffers()
    if data is None or not len(array):
        return np.zeros(len(array) + 1, np.int64), np.zeros(0, np.uint8)
    ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return ends - ends[0], np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]


def _control_places(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where ASCII control characters stand that are no white space (9 to 13)."""
    moved = np.empty(_PIECE, np.uint8)
    is_one, too = np.empty(_PIECE, bool), np.empty(_PIECE, bool)
    places = [np.zeros(0, np.int64)]
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        size = len(piece)
        np.less(piece, 9, out=is_one[:size])
        np.less(np.subtract(piece, 14, out=moved[:size]), 18, out=too[:size])
        np.logical_or(is_one[:size], too[:size], out=is_one[:size])
        np.logical_or(is_one[:size], np.equal(piece, 127, out=too[:size]), out=is_one[:size])
        if is_one[:size].any():
            places.append(np.flatnonzero(is_one[:size]) + start)
    return np.concatenate(places)
