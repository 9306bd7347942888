"""Licences by the names that the Hugging Face Hub knows (https://huggingface.co/docs/hub/repositories-licenses)."""

from __future__ import annotations

import re

from seedbed.core.licences import SPDX, spdx_id, spdx_url

__all__ = ["SPDX", "hub_id", "spdx_id", "spdx_url"]

#: The Hub's ids are those of SPDX in lower case, except for these.
_ON_THE_HUB = {
    "C-UDA-1.0": "c-uda",
    "GFDL-1.3": "gfdl",
    "ODC-By-1.0": "odc-by",
    "ODbL-1.0": "odbl",
    "PDDL-1.0": "pddl",
}
#: What the Hub knows and SPDX does not.
_HUB_ONLY = ("bigscience-openrail-m", "bsd", "cc", "creativeml-openrail-m", "gpl", "lgpl", "openrail")


def hub_id(name: str) -> str | None:
    """The Hub's id of a licence."""
    if name.strip().casefold() in _HUB_ONLY:
        return name.strip().casefold()
    plain = re.sub(r"-only$|-or-later$", "", spdx_id(name) or "")
    return _ON_THE_HUB.get(plain, plain.casefold()) if plain in SPDX else None
