"""Files that are broken, or that were made to do harm, by name. Each is made in a moment."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Callable

ROWS = b'{"text": "good", "label": "a"}\n' * 50
CSV = b"text,label\n" + b"good,a\n" * 50


def zipped(*members: tuple[str, bytes], links: tuple[str, ...] = ()) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if name in links:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, data)
    return held.getvalue()


def tarred(data: bytes = CSV, mode: str = "w") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo("a.csv")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return held.getvalue()


def bomb(pack: Callable[[bytes], bytes], times: int = 60) -> bytes:
    """So many MiB of nothing, packed a MiB at a time."""
    return pack(b"a" * (1 << 20)) * times


def zip_bomb(name: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as member:
        for _ in range(60):
            member.write(bytes(1 << 20))
    return held.getvalue()


def lying_zip(name: str) -> bytes:
    """An archive whose directory says that a member is small."""
    data = bytearray(zip_bomb(name))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    return bytes(data)


#: Name of the file, what makes it, and words of the error; by what is wrong with it. Any source refuses them.
ARCHIVES: dict[str, tuple[str, Callable[[str], bytes], str]] = {
    "climbs out": ("a.zip", lambda end: zipped((f"../../x{end}", CSV)), "climbs out of it: '../../x"),
    "is absolute": ("a.zip", lambda end: zipped((f"/etc/x{end}", CSV)), "climbs out of it: '/etc/x"),
    "climbs on Windows": ("a.zip", lambda end: zipped((f"..\\x{end}", CSV)), "climbs out of it"),
    "has a drive": ("a.zip", lambda end: zipped((f"C:\\x{end}", CSV)), "climbs out of it"),
    "holds it twice": ("a.zip", lambda end: zipped((f"x{end}", CSV), (f"x{end}", ROWS)), "more than once"),
    "holds a link only": (
        "a.zip", lambda end: zipped((f"x{end}", b"/etc/passwd"), links=(f"x{end}",)), "the folder holds no",
    ),
    "holds an archive": ("a.zip", lambda end: zipped(("in.zip", zipped((f"x{end}", CSV)))), "the folder holds no"),
    "a tar archive": ("a{}", lambda end: tarred(), "tar archive"),
    "a packed tar archive": ("a{}.gz", lambda end: tarred(mode="w:gz"), "tar archive"),
    "a zip bomb": ("a.zip", lambda end: zip_bomb(f"x{end}"), "times its size"),
    "a zip that lies": ("a.zip", lambda end: lying_zip(f"x{end}"), ""),
    "a gzip bomb": ("a{}.gz", lambda end: bomb(gzip.compress), "times its size"),
    "a bzip2 bomb": ("a{}.bz2", lambda end: bomb(bz2.compress), "times its size"),
    "an xz bomb": ("a{}.xz", lambda end: bomb(lzma.compress), "times its size"),
    "a gzip file cut": ("a{}.gz", lambda end: gzip.compress(CSV)[:-9], "ends in the middle"),
    "a gzip file of junk": ("a{}.gz", lambda end: b"\x1f\x8b\x08\0" + b"junk" * 50, "damaged"),
    "half a zip": ("a.zip", lambda end: zipped((f"x{end}", CSV))[:-30], "zip"),
    "a picture": ("a{}", lambda end: b"\x89PNG\r\n\x1a\n" + bytes(2000), ""),
    "control characters": ("a{}", lambda end: bytes([1, 2, 3, 4, 5, 6]) * 500, ""),
    "nothing": ("a{}", lambda end: b"", "empty"),
}  # fmt: skip
