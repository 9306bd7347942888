"""The table of licences against the words that it cites, against texts on this machine, and what may be mixed."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.licenses import canonicalize_license_expression

from seedbed.core.licences import TABLE, Mixed, Stated, licence_named, mixed, spdx_id

#: Each licence as a person reads it: BY credit, SA the same licence, NC no commercial use, ND no changed versions.
VERSIONS = ("2.0", "2.5", "3.0", "4.0")
READ = {
    **{f"CC-{code}-{one}": code for code in ("BY", "BY-SA", "BY-NC", "BY-NC-SA") for one in ("1.0", *VERSIONS)},
    **{f"CC-{code}-{one}": code for code in ("BY-ND", "BY-NC-ND") for one in VERSIONS},
    **{"CC0-1.0": "", "PDDL-1.0": "", "Unlicense": ""},
    **{"ODC-By-1.0": "BY-SA", "ODbL-1.0": "BY-SA", "CDLA-Sharing-1.0": "BY-SA", "C-UDA-1.0": "BY-SA"},
    **{"CDLA-Permissive-1.0": "BY", "CDLA-Permissive-2.0": "BY", "etalab-2.0": "BY", "OGL-UK-3.0": "BY"},
    **{"MIT": "BY", "Apache-2.0": "BY", "BSD-2-Clause": "BY", "BSD-3-Clause": "BY", "ISC": "BY"},
    **{"GPL-2.0": "BY-SA", "GPL-3.0": "BY-SA", "AGPL-3.0": "BY-SA", "GFDL-1.3": "BY-SA"},
}  # fmt: skip
#: What the cited words of a cell must say, where it allows or asks for something, and where it does not allow it.
SAY = {
    ("commercial", True): r"commercial|restriction|fee\b|price|royalty-free|use, modify, and (distribute|share)|use in"
    r"|right to: \(a\) Use Data",
    ("commercial", False): r"NonCommercial purposes only|directed toward commercial advantage",
    ("derivatives", True): r"(?i)modif|adapt|derivative|whatever|whatsoever|changed|based on",
    ("derivatives", False): r"not Share, Adapted|no rights to make",
    ("attribution", True): r"(?i)paternité|notice|credit|creator|acknowledg|"
    r"(copy|text) of this (license|agreement)|on each copy",
    ("share_alike", True): r"(?i)this (License|Agreement)|same License Elements|terms of the C-UDA|under the terms of",
}  # fmt: skip
TEXTS = Path("/usr/share/common-licenses")


def letters(name: str) -> str:
    one = TABLE[name]
    told = {"BY": one.attribution, "NC": not one.commercial, "ND": not one.derivatives, "SA": one.share_alike}
    return "-".join(code for code, said in told.items() if said)


def test_every_row_is_as_a_person_reads_it() -> None:
    assert set(READ) == set(TABLE)
    assert {name: letters(name) for name in TABLE} == READ


@pytest.mark.parametrize("name", TABLE)
def test_every_cell_is_what_the_cited_words_say(name: str) -> None:
    one = TABLE[name]
    for cell in ("commercial", "derivatives", "attribution", "share_alike"):
        value, words = getattr(one, cell), one.says.get(cell)
        if cell in ("attribution", "share_alike") and not value:
            assert words is None, "what is not asked for has no words"
            continue
        assert words and re.search(SAY[cell, value], words), (cell, words)
        assert not value or (cell, False) not in SAY or not re.search(SAY[cell, False], words)
    assert one.url.startswith("https://") and canonicalize_license_expression(name) == name == one.id
    assert bool(one.under) == one.share_alike and all(other in TABLE for other in one.under)


@pytest.mark.parametrize(
    ("name", "file"),
    [("GPL-2.0", "GPL-2"), ("GPL-3.0", "GPL-3"), *((name, name) for name in ("GFDL-1.3", "CC0-1.0", "Apache-2.0"))],
)
def test_the_words_stand_in_the_texts_that_this_machine_has(name: str, file: str) -> None:
    if not (TEXTS / file).is_file():
        pytest.skip(f"no {file} here")
    text = " ".join((TEXTS / file).read_text().split())
    for words in TABLE[name].says.values():
        assert words in text


@pytest.mark.parametrize("name", ["MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"])
def test_the_words_stand_in_the_texts_that_installed_packages_carry(name: str) -> None:
    texts = [
        " ".join(file.read_text().split()).lower()
        for one in distributions()
        if one.metadata.get("License-Expression") == name
        for file in one.files or ()
        if file.parent.name == "licenses" and file.name.startswith("LICENSE")
    ]
    if not texts:
        pytest.skip(f"no package here is under {name}")
    for words in TABLE[name].says.values():
        # A package may have changed its copy; most have not.
        assert 2 * sum(words.lower() in text for text in texts) > len(texts), words


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("cc by-sa 4.0", "CC-BY-SA-4.0"),
        ("CC_BY_4.0", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/", "CC-BY-NC-SA-3.0"),
        ("http://creativecommons.org/licenses/by/4.0/deed.de", "CC-BY-4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/legalcode", "CC0-1.0"),
        ("https://opendatacommons.org/licenses/odbl/1-0/", "ODbL-1.0"),
        ("https://creativecommons.org/licenses/by-sa/3.0/de/", None),
        ("https://example.org/licenses/by/4.0/", None),
        ("CC-BY-9.0", None),
    ],
)
def test_names_and_addresses(written: str, known: str | None) -> None:
    assert spdx_id(written) == known


def of(*licences: str | None, chosen: str | None = None) -> Mixed:
    return mixed([Stated("abcdef"[place], licence) for place, licence in enumerate(licences)], chosen)


@pytest.mark.parametrize(
    ("licences", "under", "commercial"),
    [
        (["MIT"], None, True),
        (["CC-BY-4.0", "MIT", "CC0-1.0", "PDDL-1.0"], None, True),
        (["CC-BY-SA-3.0", "CC-BY-4.0"], "CC-BY-SA-4.0", True),
        (["CC-BY-SA-2.0", "CC-BY-SA-3.0"], "CC-BY-SA-4.0", True),
        (["CC-BY-SA-1.0"], "CC-BY-SA-1.0", True),
        (["CC-BY-NC-4.0", "CC-BY-4.0"], None, False),
        (["CC-BY-NC-SA-2.5", "CC-BY-NC-SA-4.0", "CC-BY-NC-4.0"], "CC-BY-NC-SA-4.0", False),
        (["ODbL-1.0", "CC-BY-4.0"], "ODbL-1.0", True),
        (["GPL-2.0-or-later", "GPL-3.0-only"], "GPL-3.0", True),
    ],
)
def test_what_may_be_mixed(licences: list[str], under: str | None, commercial: bool) -> None:
    for each in (licences, licences[::-1]):
        found = of(*each)
        assert (found.problems, found.under, found.commercial) == ((), under, commercial)


@pytest.mark.parametrize(
    ("licences", "why"),
    [
        (["CC-BY-ND-4.0"], "does not allow changed versions"),
        (["CC-BY-NC-ND-3.0", "MIT"], "does not allow changed versions"),
        (["CC-BY-SA-4.0", "ODbL-1.0"], "each demand their own licence"),
        (["CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"], "each demand their own licence"),
        (["CC-BY-SA-1.0", "CC-BY-SA-2.0"], "each demand their own licence"),
        (["GPL-2.0-only", "GPL-3.0-or-later"], "each demand their own licence"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "allows no commercial use"),
        (["MIT", None], "states no licence"),
        ([None, None], "a and b state no licence"),
        (["proprietary"], "of which is not known what it allows"),
        (["MIT", "CC-BY-SA-3.0-DE"], "of which is not known what it allows"),
    ],
)
def test_what_may_not_be_mixed(licences: list[str | None], why: str) -> None:
    for each in (licences, licences[::-1]):
        [problem] = of(*each).problems
        assert why in problem


@pytest.mark.parametrize(
    ("licences", "chosen", "why"),
    [
        (["CC-BY-SA-4.0"], "MIT", "is not CC-BY-SA-4.0, which a (CC-BY-SA-4.0) demands"),
        (["CC-BY-SA-3.0"], "Our own", "is not CC-BY-SA-4.0 or CC-BY-SA-3.0"),
        (["CC-BY-NC-4.0"], "CC-BY-4.0", "allows commercial use, and a (CC-BY-NC-4.0) does not"),
        (["CC-BY-NC-4.0"], "Our own", "is not known to forbid commercial use"),
        (["CC-BY-4.0"], "CC0-1.0", "asks for no credit, and a (CC-BY-4.0) does"),
        (["CC-BY-SA-3.0"], "CC-BY-SA-4.0", ""),
        (["CC-BY-NC-4.0", "MIT"], "CC-BY-NC-4.0", ""),
        (["CC-BY-4.0"], "Our own", ""),
        (["CC0-1.0"], "CC0-1.0", ""),
        (["GPL-3.0"], "GPL-3.0-only", ""),
    ],
)
def test_the_licence_that_a_person_chooses(licences: list[str], chosen: str, why: str) -> None:
    found = of(*licences, chosen=chosen).problems
    assert len(found) == bool(why) and why in "".join(found)


def test_who_is_to_be_named() -> None:
    found = of("CC-BY-4.0", "CC0-1.0", "MIT")
    assert [(name, licence) for name, licence, _ in found.credited] == [("a", "CC-BY-4.0"), ("c", "MIT")]
    assert found.credited[0][2] == "https://creativecommons.org/licenses/by/4.0/"


def test_or_later_is_what_it_says() -> None:
    later = licence_named("GPL-2.0-or-later")
    assert later and later.under == ("GPL-2.0", "GPL-3.0") and TABLE["GPL-2.0"].under == ("GPL-2.0",)
