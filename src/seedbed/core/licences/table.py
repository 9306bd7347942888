"""What each licence that we know allows and asks for, with the words of its text that say so.

Where a text may be read in two ways, the stricter counts: what is allowed is allowed by words that stand there, and
what is asked for is asked for. This is no legal advice.

All words are cited from the texts in SPDX's list of licences (https://github.com/spdx/license-list-data, as the npm
package `spdx-license-list` 6.12.0 carries them), and were compared with these by a program in November 2026; blanks and
line breaks aside. `url` is where people read a licence: its own page, not always what is cited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .names import plain_id, spdx_id


@dataclass(frozen=True)
class Licence:
    """What may be done with data that is changed and handed on, which is what a dataset made of it is.

    Attributes:
        id: SPDX id.
        url: The licence's text, or its deed, which links to that.
        commercial: Whether it may be used commercially.
        derivatives: Whether changed versions may be handed on.
        attribution: Whether those who gave it must be named, or their notices kept.
        share_alike: Whether changed versions must be handed on under this licence, or one of `under`.
        under: The licences that changed versions may bear, where they are not free; the newest last.
        says: The words of the licence behind each of `commercial`, `derivatives`, `attribution` and `share_alike` that
            its text speaks of; where it allows commercial use by setting no bounds to its grant, those of the grant.
    """

    id: str
    url: str
    commercial: bool
    derivatives: bool
    attribution: bool
    share_alike: bool
    under: tuple[str, ...]
    says: Mapping[str, str]


# -- Creative Commons: the elements in a licence's name say what it asks for, in the words of its version

_VERSIONS = ("1.0", "2.0", "2.5", "3.0", "4.0")
_GRANT = "royalty-free, non-sublicensable, non-exclusive, irrevocable license to exercise the Licensed Rights"
_GRANT_BEFORE = "royalty-free, non-exclusive, perpetual (for the duration of the applicable copyright) license"
_ADAPT = {"4.0": "produce, reproduce, and Share Adapted Material", "3.0": "to create and Reproduce Adaptations"}
_ADAPT_BEFORE = "to create and reproduce Derivative Works"
_NO_ADAPTING = {
    "4.0": "produce and reproduce, but not Share, Adapted Material",
    "3.0": "but otherwise you have no rights to make Adaptations",
}
_NO_ADAPTING_BEFORE = "but otherwise you have no rights to make Derivative Works"
_CREDIT = "identification of the creator(s) of the Licensed Material"
_CREDIT_BEFORE = "keep intact all copyright notices for the Work"
_NOT_COMMERCIAL = "for NonCommercial purposes only"
_NOT_COMMERCIAL_BEFORE = "primarily intended for or directed toward commercial advantage"
_ALIKE = {
    "4.0": "a Creative Commons license with the same License Elements, this version or later",
    "1.0": "only under the terms of this License",
}
_ALIKE_BEFORE = "a later version of this License with the same License Elements"
#: Codes, and the versions of each that are told here.
_CODES = {
    "BY": _VERSIONS,
    "BY-SA": _VERSIONS,
    "BY-NC": _VERSIONS,
    "BY-NC-SA": _VERSIONS,
    "BY-ND": _VERSIONS[1:],
    "BY-NC-ND": _VERSIONS[1:],
}


def _creative_commons() -> Iterator[Licence]:
    for code, versions in _CODES.items():
        elements = code.split("-")
        for version in versions:
            alike, commercial, derivatives = "SA" in elements, "NC" not in elements, "ND" not in elements
            new = version == "4.0"
            says = {
                "attribution": _CREDIT if new else _CREDIT_BEFORE,
                "commercial": (_GRANT if commercial else _NOT_COMMERCIAL)
                if new
                else (_GRANT_BEFORE if commercial else _NOT_COMMERCIAL_BEFORE),
                "derivatives": _ADAPT.get(version, _ADAPT_BEFORE)
                if derivatives
                else _NO_ADAPTING.get(version, _NO_ADAPTING_BEFORE),
            }
            if alike:
                says["share_alike"] = _ALIKE.get(version, _ALIKE_BEFORE)
            # Version 1.0 knows of no later one.
            later = [version] if version == "1.0" else versions[versions.index(version) :]
            yield Licence(
                id=f"CC-{code}-{version}",
                url=f"https://creativecommons.org/licenses/{code.lower()}/{version}/",
                commercial=commercial,
                derivatives=derivatives,
                attribution=True,
                share_alike=alike,
                under=tuple(f"CC-{code}-{one}" for one in later) if alike else (),
                says=says,
            )


# -- Others. `share_alike` is given as the licence's words, where it is asked for


def _free(name: str, url: str, *, commercial: str, derivatives: str, attribution: str = "", alike: str = "") -> Licence:
    """A licence that allows changes and commercial use, and the words that say so."""
    says = {
        "commercial": commercial,
        "derivatives": derivatives,
        "attribution": attribution,
        "share_alike": alike,
    }
    return Licence(
        id=name,
        url=url,
        commercial=True,
        derivatives=True,
        attribution=bool(attribution),
        share_alike=bool(alike),
        under=(name,) if alike else (),
        says={cell: words for cell, words in says.items() if words},
    )


_ODC_COMMERCIAL = "These rights explicitly include commercial use"
_ODC_NOTICES = "Keep intact any copyright or Database Right notices"
_ODC_DERIVE = "Creation of Derivative Databases"
_CDLA_CREDIT = "You must preserve all credit or attribution to the Data Provider(s)"
_CDLA_CHANGED = "carry prominent notices that You have changed those files"
_GNU_NOTICES = "appropriately publish on each copy"
_BSD_FREE = "Redistribution and use in source and binary forms, with or without modification, are permitted"
_BSD_NOTICE = "must retain the above copyright notice"
_MIT_FREE = "without restriction, including without limitation the rights to use, copy, modify, merge, publish"

_OTHERS = (
    # Given to everyone
    _free(
        "CC0-1.0",
        "https://creativecommons.org/publicdomain/zero/1.0/",
        commercial="for any purpose whatsoever, including without limitation commercial",
        derivatives="for any purpose whatsoever",
    ),
    _free(
        "PDDL-1.0",
        "https://opendatacommons.org/licenses/pddl/1-0/",
        commercial="for any purpose and without any restrictions",
        derivatives="freely share, modify, and use this work",
    ),
    _free(
        "Unlicense",
        "https://unlicense.org/",
        commercial="for any purpose, commercial or non-commercial, and by any means",
        derivatives="free to copy, modify, publish, use, compile, sell, or distribute",
    ),
    # Made for data
    # Its summary asks for credit alone; 4.2(a) of its text asks for this licence, of derived databases too.
    _free(
        "ODC-By-1.0",
        "https://opendatacommons.org/licenses/by/1-0/",
        commercial=_ODC_COMMERCIAL,
        derivatives=_ODC_DERIVE,
        attribution=_ODC_NOTICES,
        alike="Do so only under the terms of this License",
    ),
    _free(
        "ODbL-1.0",
        "https://opendatacommons.org/licenses/odbl/1-0/",
        commercial=_ODC_COMMERCIAL,
        derivatives=_ODC_DERIVE,
        attribution=_ODC_NOTICES,
        alike="Any Derivative Database that You Publicly Use must be only under the terms of",
    ),
    _free(
        "CDLA-Permissive-1.0",
        "https://cdla.dev/permissive-1-0/",
        commercial="irrevocable (except as provided in Section 5) right to: (a) Use Data; and (b) Publish Data",
        derivatives=_CDLA_CHANGED,
        attribution=_CDLA_CREDIT,
    ),
    _free(
        "CDLA-Permissive-2.0",
        "https://cdla.dev/permissive-2-0/",
        commercial="may use, modify, and share the Data",
        derivatives="may share Data, with or without modifications",
        attribution="so long as the Data Recipient makes available the text of this agreement",
    ),
    _free(
        "CDLA-Sharing-1.0",
        "https://cdla.dev/sharing-1-0/",
        commercial="including by adding any restriction on commercial or non-commercial Use of Data",
        derivatives=_CDLA_CHANGED,
        attribution=_CDLA_CREDIT,
        alike="The Data (including the Enhanced Data) must be Published under this Agreement",
    ),
    # For computational use alone, whoever has it from you: so it goes on as it is.
    _free(
        "C-UDA-1.0",
        "https://github.com/microsoft/Computational-Use-of-Data-Agreement",
        commercial="use, modify, and distribute the Data made available to you",
        derivatives="use, modify, and distribute the Data made available to you",
        attribution="all credit or attribution information that you received with the Data",
        alike="You bind each recipient to whom you redistribute the Data to the terms of the C-UDA",
    ),
    # Of governments
    _free(
        "etalab-2.0",
        "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
        commercial="de l’exploiter à titre commercial",
        derivatives="de l’adapter, la modifier, l’extraire et la transformer",
        attribution="mentionner la paternité de l’« Information »",
    ),
    _free(
        "OGL-UK-3.0",
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
        commercial="exploit the Information commercially and non-commercially",
        derivatives="adapt the Information",
        attribution="acknowledge the source of the Information",
    ),
    # Made for programs, and given to data all the same
    _free(
        "MIT",
        "https://spdx.org/licenses/MIT.html",
        commercial=_MIT_FREE,
        derivatives=_MIT_FREE,
        attribution="this permission notice shall be included in all copies or substantial portions",
    ),
    _free(
        "Apache-2.0",
        "https://www.apache.org/licenses/LICENSE-2.0",
        commercial="perpetual, worldwide, non-exclusive, no-charge, royalty-free, irrevocable copyright license",
        derivatives="prepare Derivative Works of",
        attribution="give any other recipients of the Work or Derivative Works a copy of this License",
    ),
    *(
        _free(
            name,
            f"https://spdx.org/licenses/{name}.html",
            commercial=_BSD_FREE,
            derivatives=_BSD_FREE,
            attribution=_BSD_NOTICE,
        )
        for name in ("BSD-2-Clause", "BSD-3-Clause")
    ),
    _free(
        "ISC",
        "https://spdx.org/licenses/ISC.html",
        commercial="for any purpose with or without fee",
        derivatives="use, copy, modify, and/or distribute",
        attribution="the above copyright notice and this permission notice appear in all copies",
    ),
    _free(
        "GPL-2.0",
        "https://www.gnu.org/licenses/old-licenses/gpl-2.0.html",
        commercial="charge a fee for the physical act of transferring a copy",
        derivatives="modify your copy or copies of the Program",
        attribution=_GNU_NOTICES,
        alike="licensed as a whole at no charge to all third parties under the terms of this License",
    ),
    *(
        _free(
            name,
            f"https://www.gnu.org/licenses/{name.lower()}.html",
            commercial="charge any price or no price",
            derivatives="convey a work based on the Program",
            attribution=_GNU_NOTICES,
            alike="You must license the entire work, as a whole, under this License",
        )
        for name in ("GPL-3.0", "AGPL-3.0")
    ),
    _free(
        "GFDL-1.3",
        "https://www.gnu.org/licenses/fdl-1.3.html",
        commercial="either commercially or noncommercially",
        derivatives="copy and distribute a Modified Version of the Document",
        attribution="the copyright notices, and the license notice",
        alike="release the Modified Version under precisely this License",
    ),
)

#: Every licence that we know, by SPDX id (of GNU licences without `-only` and `-or-later`).
TABLE: dict[str, Licence] = {one.id: one for one in (*_creative_commons(), *_OTHERS)}
#: Where a source says `-or-later`, and what has come since.
_SINCE = {"GPL-2.0": ("GPL-2.0", "GPL-3.0")}


def licence_named(name: str) -> Licence | None:
    """What is known of a licence, however its name is written; none of one that is not in the table."""
    known = TABLE.get(plain_id(name) or "")
    if known and known.id in _SINCE and (spdx_id(name) or "").endswith("-or-later"):
        return Licence(**{**vars(known), "under": _SINCE[known.id]})
    return known
