"""Files inside installed packages, by `pkg://DISTRIBUTION/path/inside`. The package is never imported."""

from __future__ import annotations

import re
from pathlib import Path

from .errors import MissingExtraError
from .version import __version__

SCHEME = "pkg://"
#: Of a line of what a package requires: the name, and the extra that it belongs to.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"""extra *== *["']([^"']+)""")


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


def pinned(extra: str = "") -> dict[str, str]:
    """Versions here of Seedbed and of the packages that it names as needed, by name.

    Args:
        extra: Extras of it, split by commas, whose packages are among them.
    """
    from importlib.metadata import PackageNotFoundError, requires, version

    found = {"seedbed": __version__}
    for line in requires("seedbed") or ():
        named, only_for = _NAME.match(line), _EXTRA.search(line)
        if named is None or (only_for and only_for[1] not in extra.split(",")):
            continue
        try:
            found[named[0]] = version(named[0])
        except PackageNotFoundError:  # for other machines
            continue
    return dict(sorted(found.items()))
