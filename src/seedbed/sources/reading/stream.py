"""Bytes of a file, unpacked and hashed as they are read. Nothing is read whole."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Self

import pyarrow as pa
import xxhash

from seedbed.core.errors import DataError
from seedbed.core.showing import clean
from seedbed.core.source import Block, Scan, Stretch

from .archives import refuse_bomb
from .files import changed, failures, open_stored

_BUFFER = 1 << 20


class _Counted(io.RawIOBase):
    """Counts (and hashes) the stored bytes that pass."""

    def __init__(self, raw: Any, hashed: bool) -> None:
        self._raw = raw
        self.position = 0
        self.sha256 = hashlib.sha256() if hashed else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # Not every remote file has `readinto`.
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self.position += len(data)
        if self.sha256:
            self.sha256.update(data)
        return len(data)


def _zstd(packed: io.BufferedReader) -> Any:
    return pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd")


_UNPACKERS: dict[bytes, tuple[str, Callable[[Any], Any]]] = {
    b"\x1f\x8b": ("gzip", lambda packed: gzip.GzipFile(fileobj=packed)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\0": ("xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
}


class Stream:
    """One file, unpacked (gzip, bzip2, xz, zstd, told by their first bytes; `zip://MEMBER::ARCHIVE`) as it is read.

    Args:
        url: What `InputFile.url` says.
        hashed: Whether to hash the stored bytes on the way.

    Raises:
        DataError: The file cannot be read, is damaged, ends before its packed contents do, or unpacks to what no
            honest file does (`archives.refuse_bomb`).
    """

    def __init__(self, url: str, *, hashed: bool = False) -> None:
        self.url = url
        self.packing = ""
        self._unpacked = self._member = 0
        self._stack = ExitStack()
        try:
            self._open(url, hashed)
        except BaseException:
            self._stack.close()
            raise

    def _open(self, url: str, hashed: bool) -> None:
        with failures(url):
            stored = url
            if url.startswith("zip://"):
                member, _, stored = url.removeprefix("zip://").rpartition("::")
            raw = self._stack.enter_context(open_stored(stored))
            if stored != url:
                self.packing = "zip"
                raw = self._opened_member(raw, member)
            self._counted = _Counted(raw, hashed)
            buffered = self._stack.enter_context(io.BufferedReader(self._counted, _BUFFER))
            self._file: Any = buffered
            head = buffered.peek(8)[:8]
            for magic, (name, unpacker) in _UNPACKERS.items():
                if head.startswith(magic) and (name != "bzip2" or head[3:4].isdigit()):
                    self.packing = name
                    self._file = self._stack.enter_context(unpacker(buffered))

    def _opened_member(self, raw: Any, member: str) -> Any:
        try:
            archive = self._stack.enter_context(zipfile.ZipFile(raw))
            self._member = archive.getinfo(member).compress_size
            return self._stack.enter_context(archive.open(member))
        except NotImplementedError as error:  # packed as Python does not know
            said = f"{clean(member)[:100]!r} in it is packed in a way that is not read here ({error})"
            raise DataError(said, at=self.url, hint="unpack it yourself") from None
        except (zipfile.BadZipFile, EOFError, UnicodeDecodeError, struct.error) as error:
            raise self._broken(f"is damaged ({clean(str(error))[:200]})") from None

    def read(self, size: int) -> bytes:
        """At most `size` unpacked bytes; none at the end."""
        with failures(self.url):
            try:
                data = bytes(self._file.read(size))
                self._unpacked += len(data)
                if self.packing:
                    refuse_bomb(self._unpacked, self._member or self.position, self.url)
                return data
            except EOFError:
                raise self._broken("ends in the middle") from None
            except (zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, pa.ArrowInvalid) as error:
                raise self._broken(f"is damaged ({error})") from None
            except OSError as error:
                if self.packing == "zstd" and "Truncated" in str(error):
                    raise self._broken("ends in the middle") from None
                if self.packing in ("zstd", "bzip2"):
                    raise self._broken(f"is damaged ({error})") from None
                raise

    def _broken(self, problem: str) -> DataError:
        return DataError(f"the {self.packing} file {problem}", at=self.url, hint="fetch it again: it is not whole")

    @property
    def position(self) -> int:
        """Stored bytes read so far."""
        return self._counted.position

    def sha256(self) -> str:
        """SHA-256 of the stored bytes, to their end."""
        if not self._counted.sha256:
            raise ValueError("the stream was opened without `hashed`")
        while self._counted.read(_BUFFER):
            pass
        return self._counted.sha256.hexdigest()

    def check_sha256(self, known: str) -> None:
        """Read to the end of the stored bytes, and compare.

        Raises:
            DataError: They are not those of the digest.
        """
        if self.sha256() != known:
            raise changed(self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def stored_sha256(url: str) -> str:
    """SHA-256 of a stored file, not unpacked."""
    digest = hashlib.sha256()
    with failures(url), open_stored(url) as raw:
        while data := raw.read(_BUFFER):
            digest.update(data)
    return digest.hexdigest()


def stretched(block: Block, before: int) -> Block:
    """The block with a `Stretch` for its bytes, in a stored file whose text begins after so many bytes."""
    return replace(block, payload=Stretch.of(block, before)) if isinstance(block.payload, bytes) else block


def fetched(block: Block, scan: Scan) -> Block:
    """The block with its bytes, read now if it came with a `Stretch`.

    Raises:
        DataError: They are not there any more.
    """
    wanted = block.payload
    if not isinstance(wanted, Stretch):
        return block
    url = scan.files[block.file].url
    with failures(url), open_stored(url) as stored:
        stored.seek(wanted.start)
        data = bytes(stored.read(wanted.size))
    if xxhash.xxh3_128_hexdigest(data) != wanted.digest:
        raise changed(url)
    return replace(block, payload=data)
