"""Writes a page to where a person wants it."""

from __future__ import annotations

from pathlib import Path

from seedbed.core.errors import RecipeError
from seedbed.store.places import write_whole


def write_page(out: Path, page: str) -> None:
    """Write a page, whole or not at all; one that is there is replaced, a file of another kind is not.

    Raises:
        RecipeError: The place is a folder, is no page, or cannot be written.
    """
    if out.is_dir() or out.suffix.lower() not in (".html", ".htm"):
        raise RecipeError("this is no name for a page", at=f"--out {out}", hint="such as --out difference.html")
    try:
        write_whole(out, page.encode())
    except OSError as error:
        raise RecipeError(f"cannot be written ({error.strerror})", at=f"--out {out}", hint="name another") from None
