"""What common signs look like after they went through Mac Roman and Windows-1252, once or several times.

Spreadsheets do this: UTF-8 is read as Windows-1252, written as Mac Roman, read as Windows-1252 again. `’` becomes
`â€™`, then `‰Ûª`, then `äó»`. Each form is computed here from the sign itself; none is listed by hand.
"""

from __future__ import annotations

from functools import cache

#: Dashes, quotes, bullets, ellipsis; euro and trade mark; arrows, shapes, dingbats. Each takes three bytes in UTF-8,
#: and a form of three characters or more does not come up by chance.
_SIGNS = [
    *range(0x2010, 0x2028),
    *range(0x2030, 0x203B),
    0x20AC,
    0x2122,
    *range(0x2190, 0x2200),
    *range(0x2600, 0x27C0),
]
_ROUNDS = 4


@cache
def mangled_signs() -> dict[str, str]:
    """Signs by each of their mangled forms; a form that two signs share stands for neither."""
    found: dict[str, set[str]] = {}
    for sign in map(chr, _SIGNS):
        data: bytes | None = sign.encode()
        for _ in range(_ROUNDS):
            for encoding in ("cp1252", "mac_roman"):
                form = _read(data, encoding) if data else None
                if form is not None and len(form) > 2:
                    found.setdefault(form, set()).add(sign)
            data = _through_mac_roman(data) if data else None
    return {form: signs.pop() for form, signs in found.items() if len(signs) == 1}


def _read(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _through_mac_roman(data: bytes) -> bytes | None:
    """Windows-1252 text saved as Mac Roman; bytes that mean nothing in Windows-1252 pass as they are."""
    out = bytearray()
    for byte in data:
        try:
            out += bytes([byte]).decode("cp1252").encode("mac_roman")
        except UnicodeDecodeError:
            out.append(byte)
        except UnicodeEncodeError:
            return None
    return bytes(out)
