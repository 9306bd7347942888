"""What a zip archive may not do: climb out of itself, hold a file twice, or grow without end."""

from __future__ import annotations

import stat
from collections import Counter
from pathlib import PurePosixPath
from zipfile import ZipInfo

from seedbed.core.errors import DataError
from seedbed.core.showing import clean

#: Unpacked bytes from which on the ratio to the packed ones is looked at, and the greatest such ratio.
#: Text packs to a tenth or a hundredth; a file that packs to less than a five-hundredth holds nothing but a trap.
LOOKED_AT = 256 << 20
MOST_TIMES = 500
_MOST_MEMBERS = 1_000_000
_ENCRYPTED = 1


def refuse_bomb(unpacked: int, packed: int, at: str) -> None:
    """Fail where a packed file gives more than it can hold.

    Raises:
        DataError: More than `LOOKED_AT` bytes and `MOST_TIMES` as many as are stored.
    """
    if unpacked > LOOKED_AT and unpacked > MOST_TIMES * packed:
        raise DataError(
            f"unpacks to more than {MOST_TIMES} times its size ({unpacked / 1e6:,.0f} MB so far): is it a trap?",
            at=at,
            hint="if you know what it holds, unpack it yourself and read that file",
        )


def members_of(infos: list[ZipInfo], size: int, at: str, passed: list[str], name: str) -> list[ZipInfo]:
    """The files of an archive that may be read; notes in `passed` the links, and the archives inside it.

    Raises:
        DataError: One climbs out, is there twice or is encrypted, or they are too much.
    """
    if len(infos) > _MOST_MEMBERS:
        raise DataError(f"holds {len(infos):,} files: that many are not read", at=at, hint="unpack it")
    refuse_bomb(sum(info.file_size for info in infos), size, at)
    twice = [one for one, count in Counter(info.filename for info in infos).items() if count > 1]
    if twice:
        raise DataError(f"holds {clean(twice[0])[:100]!r} more than once", at=at, hint="unpack it, and look which")
    found = []
    for info in infos:
        parts = info.filename.replace("\\", "/").split("/")
        if parts[0] == "" or ".." in parts or parts[0].endswith(":"):
            raise DataError(
                f"holds a file that climbs out of it: {clean(info.filename)[:100]!r}",
                at=at,
                hint="an honest archive has no such names: unpack it with care, and read what you trust of it",
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            passed.append(f"{name}/{info.filename} (a link)")
        elif info.filename.lower().endswith(".zip"):
            passed.append(f"{name}/{info.filename} (an archive inside an archive: unpack it)")
        elif info.filename.startswith("__MACOSX/") or PurePosixPath(info.filename).name.startswith("."):
            continue
        elif info.flag_bits & _ENCRYPTED:
            raise DataError(f"{clean(info.filename)[:100]!r} in it is encrypted", at=at, hint="unpack it yourself")
        else:
            found.append(info)
    return found
