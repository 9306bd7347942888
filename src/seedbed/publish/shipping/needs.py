"""What must be installed where a model is used with Seedbed around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from seedbed.core.errors import ModelError
from seedbed.core.model_exporter import Shipped
from seedbed.core.packages import SCHEME
from seedbed.core.version import __version__

_PINNED = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[\w.!]+)(\+[\w.]+)?")


def requirements(shipped: Shipped, seedbed: str | None, more: Iterable[str] = (), *, at: str) -> list[str]:
    """Lines of a `requirements.txt`: Seedbed with the extras that the model needs, and the versions of its training.

    Args:
        shipped: The model.
        seedbed: What pip installs Seedbed from; its version from the index when left out.
        more: Other extras.
        at: For messages.

    Raises:
        ModelError: The model's encoder lies in a folder of this machine, or its package is not known.
    """
    extras = ",".join(sorted({*shipped.extras, *more} - {""}))
    named = f"seedbed[{extras}]" if extras else "seedbed"
    lines = [f"{named}=={__version__}" if seedbed is None else f"{named} @ {seedbed}"]
    held = shipped.bundle / "requirements.txt"
    for line in held.read_text("utf-8").splitlines() if held.is_file() else []:
        found = _PINNED.fullmatch(line.strip())
        # A build of a version, such as torch's for processors alone, is in no index by that name.
        if found and found["name"] != "seedbed":
            lines.append(f"{found['name']}=={found['version']}")
    return [*lines, *_encoder(shipped, at)]


def _encoder(shipped: Shipped, at: str) -> Iterable[str]:
    """The package that holds the model's encoder, where it has one."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        told = json.loads((shipped.bundle / "model.json").read_bytes())
    except (OSError, ValueError):
        return
    encoder = told.get("encoder") if isinstance(told, dict) else None
    if not isinstance(encoder, dict):
        return
    address = str(encoder.get("address"))
    if not address.startswith(SCHEME):
        raise ModelError(
            "its encoder is a folder of this machine, which would not be there",
            at=at,
            hint="export it to onnx, which holds the encoder; or train with an encoder that is in a package (pkg://…)",
        )
    name = address.removeprefix(SCHEME).partition("/")[0]
    try:
        yield f"{name}=={version(name)}"
    except PackageNotFoundError:
        raise ModelError(f"the package {name!r} with its encoder is not installed", at=at) from None
