"""Files inside installed packages, by `pkg://DISTRIBUTION/path/inside`. The package is never imported."""

from __future__ import annotations

from pathlib import Path

from .errors import MissingExtraError

SCHEME = "pkg://"


def located(address: str) -> Path:
    """The path on this machine that a `pkg://DISTRIBUTION/path/inside` means; whether a file is there is not asked.

    Raises:
        MissingExtraError: The package is not installed. The hint is the command to type: without what the package
            depends on, because only its files are read.
    """
    from importlib.metadata import PackageNotFoundError, distribution

    name, _, inside = address.removeprefix(SCHEME).partition("/")
    try:
        return Path(str(distribution(name).locate_file(inside)))
    except (PackageNotFoundError, ValueError):
        raise MissingExtraError(
            f"the package {name!r} is not installed", at=address, hint=f"pip install --no-deps {name}"
        ) from None
