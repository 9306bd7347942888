"""Licences by the names that SPDX gives them (https://spdx.org/licenses/), however a person wrote them."""

from __future__ import annotations

import re

#: SPDX ids that the Hugging Face Hub knows, too.
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
#: More that data comes under, which the Hub has no name for.
MORE = (
    *("CC-BY-1.0", "CC-BY-NC-1.0", "CC-BY-NC-2.5", "CC-BY-ND-2.0", "CC-BY-ND-2.5", "CC-BY-ND-3.0", "OGL-UK-3.0"),
    *("CC-BY-SA-1.0", "CC-BY-SA-2.0", "CC-BY-SA-2.5", "CC-BY-NC-SA-1.0", "CC-BY-NC-SA-2.5"),
    *("CC-BY-NC-ND-2.0", "CC-BY-NC-ND-2.5"),
)
#: Other ways to write an SPDX id.
_ALSO = {
    **{"cc0": "CC0-1.0", "c-uda": "C-UDA-1.0", "gfdl": "GFDL-1.3"},
    **{"odc-by": "ODC-By-1.0", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0", "licence-ouverte-2.0": "etalab-2.0"},
    **{"ogl-3.0": "OGL-UK-3.0", "open-database-license": "ODbL-1.0"},
}
_BY_NAME = {**{spdx.casefold(): spdx for spdx in (*SPDX, *MORE)}, **_ALSO}
_LATER = re.compile(r"(?P<name>[al]?gpl-[\d.]+|gfdl-[\d.]+)(?P<which>-only|-or-later)", re.IGNORECASE)
#: The page of a licence of Creative Commons or Open Data Commons; ported ones (`/3.0/de/`) are licences of their own.
_CC_PAGE = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/"
    r"(?:licenses/(?P<code>by(?:-nc)?(?:-nd|-sa)?)/(?P<version>\d\.\d)|publicdomain/zero/(?P<zero>1\.0))"
    r"/?(?:(?:deed|legalcode)(?:\.[\w-]+)?)?/?",
    re.IGNORECASE,
)
_ODC_PAGE = re.compile(
    r"https?://(?:www\.)?opendatacommons\.org/licenses/(?P<code>odbl|by|pddl)(?:/1[.-]0)?/?", re.IGNORECASE
)
_ODC = {"odbl": "ODbL-1.0", "by": "ODC-By-1.0", "pddl": "PDDL-1.0"}


def spdx_id(name: str) -> str | None:
    """The SPDX id of a licence, in SPDX's own capitals; `-only` and `-or-later` of the GNU licences are kept.

    Args:
        name: An SPDX id, however it is written (`CC BY-SA 4.0`), or the address of a licence's page.
    """
    name = name.strip()
    if found := _CC_PAGE.fullmatch(name):
        return "CC0-1.0" if found["zero"] else _BY_NAME.get(f"cc-{found['code']}-{found['version']}".casefold())
    if found := _ODC_PAGE.fullmatch(name):
        return _ODC[found["code"].casefold()]
    if later := _LATER.fullmatch(name):
        known = _BY_NAME.get(later["name"].casefold())
        return known and known + later["which"].casefold()
    return _BY_NAME.get(name.casefold()) or _BY_NAME.get(re.sub(r"[\s_]+", "-", name.casefold()))


def spdx_url(name: str) -> str | None:
    """The page of a licence at SPDX."""
    known = spdx_id(name)
    return known and f"https://spdx.org/licenses/{known}.html"


def plain_id(name: str) -> str | None:
    """The SPDX id of a licence without `-only` and `-or-later`."""
    known = spdx_id(name)
    return known and re.sub(r"-only$|-or-later$", "", known)
