"""Licences by the names that others know them by: SPDX (https://spdx.org/licenses/) and the Hugging Face Hub
(https://huggingface.co/docs/hub/repositories-licenses).
"""

from __future__ import annotations

import re

#: SPDX ids; the Hub's are the same in lower case, except for those of `_ON_THE_HUB`.
SPDX = (
    *("AFL-3.0", "AGPL-3.0", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear"),
    *("BSL-1.0", "C-UDA-1.0", "CC0-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "ECL-2.0"),
    *("CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-ND-4.0"),
    *("CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0"),
    *("CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0"),
    *("EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "GFDL-1.3", "GPL-2.0", "GPL-3.0", "ISC", "LGPL-2.1", "LGPL-3.0"),
    *("LPPL-1.3c", "MIT", "MPL-2.0", "MS-PL", "NCSA", "ODC-By-1.0", "ODbL-1.0", "OFL-1.1", "OSL-3.0", "PDDL-1.0"),
    *("PostgreSQL", "Unlicense", "WTFPL", "Zlib", "etalab-2.0"),
)
_ON_THE_HUB = {
    "C-UDA-1.0": "c-uda",
    "GFDL-1.3": "gfdl",
    "ODC-By-1.0": "odc-by",
    "ODbL-1.0": "odbl",
    "PDDL-1.0": "pddl",
}
#: What the Hub knows and SPDX does not.
_HUB_ONLY = ("bigscience-openrail-m", "bsd", "cc", "creativeml-openrail-m", "gpl", "lgpl", "openrail")
#: Other ways to write an SPDX id.
_ALSO = {"cc0": "CC0-1.0", **{hub: spdx for spdx, hub in _ON_THE_HUB.items()}}

_BY_NAME = {**{spdx.casefold(): spdx for spdx in SPDX}, **_ALSO}
_LATER = re.compile(r"(?P<name>[al]?gpl-[\d.]+|gfdl-[\d.]+)(?P<which>-only|-or-later)", re.IGNORECASE)


def spdx_id(name: str) -> str | None:
    """The SPDX id of a licence, in SPDX's own capitals; `-only` and `-or-later` of the GNU licences are kept."""
    name = name.strip()
    later = _LATER.fullmatch(name)
    known = _BY_NAME.get((later["name"] if later else name).casefold())
    return known and (known + later["which"].casefold() if later else known)


def spdx_url(name: str) -> str | None:
    """The page of a licence at SPDX."""
    known = spdx_id(name)
    return known and f"https://spdx.org/licenses/{known}.html"


def hub_id(name: str) -> str | None:
    """The Hub's id of a licence."""
    if name.strip().casefold() in _HUB_ONLY:
        return name.strip().casefold()
    known = spdx_id(name)
    if known is None:
        return None
    plain = re.sub(r"-only$|-or-later$", "", known)
    return _ON_THE_HUB.get(plain, plain.casefold())
