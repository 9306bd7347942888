"""Embeddings of texts, each computed once: what was embedded before comes from the store.

The store's folder `embeddings/…` belongs to one encoder, one length and this code. It holds Parquet files with the
columns `key` (BLAKE2b of the text, 16 bytes: never the text) and `vector`. Files are only added, each whole or not at
all, so an interrupted run keeps what it has, and processes that work at the same time do not harm each other.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core import digest
from seedbed.core.context import Context, expand
from seedbed.core.encoder import MINILM, Encoder, Floats, cores, open_encoder
from seedbed.core.encoder import bert as forward_pass
from seedbed.core.errors import ModelError
from seedbed.core.packages import SCHEME
from seedbed.core.part import Placed

from .places import write_whole
from .store import Store

#: Fewer texts than this are embedded faster than they are looked up, and are not worth a file.
WORTH_KEEPING = 64
#: Texts in a file of the cache, and so the most that an interruption costs.
IN_A_FILE = 1024


class EncoderOptions(Placed):
    """Options of parts that read embeddings."""

    encoder: str = Field(
        MINILM,
        min_length=1,
        description="Folder of a BERT encoder (`config.json`, `model.safetensors`, `tokenizer.json`), or "
        "`pkg://DISTRIBUTION/inside` for one in an installed package.",
    )
    max_tokens: int = Field(256, ge=3, le=4096, description="Tokens (pieces of words) after which a text is cut.")

    def made_from(self) -> Any:
        """The encoder's digest.

        Raises:
            MissingExtraError: The package that holds the encoder is not installed.
            ModelError: The encoder cannot be read.
        """
        return open_encoder(self._address(self._base)).digest

    def embedder(self, context: Context) -> Embedder:
        """What embeds texts with these options.

        Raises:
            MissingExtraError: The package that holds the encoder is not installed.
            ModelError: The encoder cannot be read.
        """
        address = self._address(context.base)
        encoder = open_encoder(address)
        return Embedder(address, encoder.digest, self.max_tokens, store=context.store)

    def _address(self, base: Path) -> str:
        """Where the encoder is, whatever folder one stands in."""
        address = expand(self.encoder, at="encoder")
        return address if address.startswith(SCHEME) else (base / Path(address).expanduser()).resolve().as_posix()


@dataclass
class Embedder:
    """Embeds texts with one encoder, told by its address and its digest."""

    address: str
    sha256: str
    max_tokens: int
    store: Path | None = None
    """Where embeddings are kept; nowhere where None."""

    def open(self) -> Encoder:
        """The encoder.

        Raises:
            MissingExtraError: The package that holds it is not installed.
            ModelError: It is not there, or it is another one than the model was trained with.
        """
        encoder = open_encoder(self.address)
        if encoder.digest != self.sha256:
            raise ModelError(
                "this is not the encoder that the model was trained with: its files have changed",
                at=self.address,
                hint="bring the old one back, or train the model again",
            )
        return encoder

    def embed(self, texts: Sequence[str], context: Context | None = None) -> Floats:
        """Embeddings, shape (texts, width), each row of length 1. With a context, progress is shown.

        Raises:
            MissingExtraError: The package that holds the encoder is not installed.
            ModelError: The encoder is not there, or another one.
        """
        encoder = self.open()
        if len(texts) < WORTH_KEEPING:
            threads = context.workers if context else cores()
            return encoder.encode(texts, max_tokens=self.max_tokens, threads=threads)
        different = dict.fromkeys(texts)
        # The longest first, so that what is told of the time left is not too good.
        ordered = sorted(different, key=lambda text: (-len(text), text))
        vectors = np.zeros((len(ordered), encoder.width), dtype=np.float32)
        keys = pl.Series([key_of(text) for text in ordered], dtype=pl.Binary)
        self.fill(vectors, keys, lambda places: [ordered[place] for place in places], context)
        where = {text: place for place, text in enumerate(ordered)}
        return vectors[[where[text] for text in texts]]

    def fill(
        self,
        vectors: Floats,
        keys: pl.Series,
        texts_of: Callable[[NDArray[np.int64]], Sequence[str]],
        context: Context | None = None,
    ) -> None:
        """Embed many different texts, which need not be in memory together. With a context, progress is shown.

        Args:
            vectors: Is filled, shape (texts, width); may lie in a file.
            keys: `key_of` of each text.
            texts_of: The texts at some places; asked only for those that the store does not hold, in order.
            context: Workers and progress.

        Raises:
            MissingExtraError: The package that holds the encoder is not installed.
            ModelError: The encoder is not there, or another one.
        """
        encoder = self.open()
        threads = context.workers if context else cores()
        keeper = self._keeper(encoder, context)
        lacking = np.ones(len(keys), dtype=np.bool_)
        for places, known in keeper.find(keys) if keeper else ():
            vectors[places] = known
            lacking[places] = False
        missing = np.flatnonzero(lacking)
        show = context.stage("Embedding texts", len(missing), "texts") if context and missing.size else nullcontext()
        with show as stage:
            for start in range(0, len(missing), IN_A_FILE):
                places = missing[start : start + IN_A_FILE]
                done = stage.advance if stage else None
                new = encoder.encode(texts_of(places), max_tokens=self.max_tokens, threads=threads, done=done)
                if keeper and len(places) >= WORTH_KEEPING:
                    keeper.add(keys.gather(places), new)
                vectors[places] = new

    def _keeper(self, encoder: Encoder, context: Context | None) -> Keeper | None:
        if self.store is None:
            return None
        code = digest.of_file(Path(forward_pass.__file__))
        made_of = digest.of_json([self.sha256, min(self.max_tokens, encoder.longest), code])
        used = context is not None and context.store == self.store  # noted, so that it is not swept as out of use
        store = Store.of(context) if context is not None and used else Store(self.store)
        return Keeper(store.artefact("embeddings", made_of).folder, encoder.width)


@dataclass(frozen=True)
class Keeper:
    """Embeddings in files of a folder, by the hash of their text."""

    folder: Path
    width: int

    def find(self, keys: pl.Series) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """Places of keys that are there, and their vectors, shape (found, width); a file at a time."""
        wanted = pl.LazyFrame({"key": keys, "place": np.arange(len(keys))}, schema_overrides={"key": pl.Binary})
        for path in sorted(self.folder.glob("*.parquet")):
            try:
                rows = pl.scan_parquet(path, glob=False).select("key", "vector").cast(self._schema)  # type: ignore[arg-type]
                found = rows.join(wanted, on="key", how="inner").collect()
            except (pl.exceptions.PolarsError, OSError):
                with suppress(OSError):
                    path.unlink()  # damaged: its texts are embedded again
            else:
                yield found["place"].to_numpy(), found["vector"].to_numpy().reshape(-1, self.width)

    def add(self, keys: pl.Series, vectors: Floats) -> None:
        """Keep vectors, shape (keys, width), in a file of their own."""
        rows = pl.DataFrame({"key": keys, "vector": vectors}, schema=self._schema)
        packed = io.BytesIO()
        rows.write_parquet(packed, compression="uncompressed")
        with suppress(OSError):  # a full disk costs time, not the run
            write_whole(self.folder / f"{uuid4().hex}.parquet", packed.getvalue())

    @property
    def _schema(self) -> dict[str, pl.DataType]:
        return {"key": pl.Binary(), "vector": pl.Array(pl.Float32, self.width)}


def key_of(text: str) -> bytes:
    """What a text is known by: a hash of 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
