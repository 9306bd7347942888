"""Who may ask: keys that are given out once, and kept as digests only.

A key is 32 random bytes, so that nobody finds it from its SHA-256 (a slow hash is for passwords, which people choose).
The file has a line for each: `NAME sha256:DIGEST`; a line that is deleted is a key that is taken back.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from seedbed.core.errors import RecipeError

_BYTES = 32
_PREFIX = "sb_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_LINE = re.compile(rf"({_NAME.pattern})\s+sha256:([0-9a-f]{{64}})")
_HINT = "`seedbed serve --new-key NAME --keys FILE` writes one"


@dataclass(frozen=True)
class Keys:
    """Names by the digest of their key."""

    digests: tuple[tuple[str, bytes], ...]

    @classmethod
    def read(cls, path: Path, *, any_at_least: bool = True) -> Keys:
        """The keys of a file.

        Args:
            path: The file.
            any_at_least: Refuse a file that holds none.

        Raises:
            RecipeError: It cannot be read, or holds something else.
        """
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not text"
            raise RecipeError(f"the keys cannot be read ({why})", at=str(path), hint=_HINT) from None
        found = []
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            told = _LINE.fullmatch(line.strip())
            if not told:  # the line may be a key itself: it is not repeated
                raise RecipeError("this line is no NAME sha256:DIGEST", at=f"{path}:{number}", hint=_HINT)
            found.append((told[1], bytes.fromhex(told[2])))
        if any_at_least and not found:
            raise RecipeError("there is no key in this file, so nobody could ask", at=str(path), hint=_HINT)
        return cls(tuple(found))

    def who(self, key: str) -> str | None:
        """Whose key this is."""
        asked, found = _digest(key), None
        for name, known in self.digests:  # all of them, so that time tells nothing
            if hmac.compare_digest(known, asked):
                found = name
        return found


def new_key(path: Path, name: str) -> str:
    """A new key; only its digest is written.

    Raises:
        RecipeError: The name cannot stand in the file, stands there already, or the file cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise RecipeError(
            f"{name[:40]!r} cannot be a key's name", at="--new-key", hint="letters, digits, and _ . @ - between them"
        )
    if path.exists() and any(known == name for known, _ in Keys.read(path, any_at_least=False).digests):
        raise RecipeError(
            "this name has a key", at=f"--new-key {name}", hint=f"another name, or delete its line in {path}"
        )
    key = _PREFIX + secrets.token_urlsafe(_BYTES)
    try:
        before = path.read_bytes() if path.exists() else b""
        gap = b"\n" if before and not before.endswith(b"\n") else b""
        with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
            file.write(gap + f"{name} sha256:{_digest(key).hex()}\n".encode())
    except OSError as error:
        raise RecipeError(f"the key cannot be written ({error.strerror})", at=str(path)) from None
    return key


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
