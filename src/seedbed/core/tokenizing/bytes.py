"""Bytes as tokens: any text in any language, without a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.digest import of_json
from seedbed.core.part import told_inline

from .tokens import Encoded, Frame, Ids, Specials, Tokens, spans_of_bytes

_NAMES = ("<pad>", "<bos>", "<eos>", "<sep>", "<cls>")
_SPECIALS = Specials(pad=256, bos=257, eos=258, sep=259, cls=260)


class BytesTokenizer(BaseModel):
    """The bytes of UTF-8: ids 0 to 255, and 256 to 260 for pad, bos, eos, sep and cls."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=told_inline)

    use: Literal["bytes"] = Field("bytes", description="The bytes of UTF-8; any text, nothing is unknown.")

    def open(self, at: str = "", *, offline: bool = False) -> Tokens:
        """It is always there."""
        return _Bytes()


class _Bytes(Tokens):
    name = "bytes"
    specials = _SPECIALS
    single = Frame(after=(258,), types_after=(0,))
    pair = Frame(between=(259,), after=(258,), types=(0, 1), types_between=(0,), types_after=(1,))

    def __init__(self) -> None:
        self.digest = of_json(["bytes", _NAMES])

    @property
    def size(self) -> int:
        return 256 + len(_NAMES)

    def encode(self, texts: Sequence[str], *, spans: bool = False) -> Encoded:
        raw = [text.encode() for text in texts]
        bounds = np.zeros(len(raw) + 1, np.int64)
        np.cumsum([len(one) for one in raw], out=bounds[1:])
        ids = np.frombuffer(b"".join(raw), np.uint8).astype(np.int32)
        if not spans:
            return Encoded(ids, bounds)
        found = [spans_of_bytes(one, np.arange(1, len(one) + 1)) for one in raw if one]
        return Encoded(ids, bounds, np.concatenate(found) if found else np.zeros((0, 2), np.int64))

    def decode(self, ids: Sequence[int] | Ids, *, specials: bool = False) -> str:
        pieces = [bytes([i]) if i < 256 else (self.written(int(i)).encode() if specials else b"") for i in ids]
        return b"".join(pieces).decode("utf-8", "replace")

    def written(self, id: int) -> str:
        return _NAMES[id - 256]
