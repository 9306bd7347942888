"""Whether data of several licences may stand in one dataset, and what that dataset must then carry.

The rule is the strictest reading: a dataset that is cleaned, joined and split is a changed version of every source that
rows or columns come from. It bears one licence, which must be allowed by all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .names import plain_id
from .table import TABLE, Licence, licence_named


@dataclass(frozen=True)
class Stated:
    """A source, and the licence that it states."""

    source: str
    licence: str | None


@dataclass(frozen=True)
class Mixed:
    """What came of mixing."""

    under: str | None
    """The licence that the dataset must bear, the newest of those that are allowed; none where it may be chosen."""
    allowed: tuple[str, ...]
    """The licences that it may bear, where it may not be chosen freely."""
    commercial: bool
    """Whether every source that is known may be used commercially."""
    credited: tuple[tuple[str, str, str], ...]
    """Sources whose licences ask for credit or their notice: name, SPDX id, address of the licence."""
    problems: tuple[str, ...]
    """Why it may not be published as it is, a sentence each (without an end), unknown licences first."""
    unstated: tuple[str, ...]
    """Sources that state no licence; `problems` tells of them, too."""


def mixed(sources: Sequence[Stated], chosen: str | None = None) -> Mixed:
    """Whether sources may be mixed, under a licence that a person chose or any.

    Args:
        sources: Those that rows or columns of the dataset come from.
        chosen: The licence that the dataset is to bear; none where that is left open.
    """
    known = [(one.source, licence_named(one.licence)) for one in sources if one.licence]
    told = [(name, licence) for name, licence in known if licence]
    alike = [(name, licence) for name, licence in told if licence.share_alike]
    closed = [(name, licence) for name, licence in told if not licence.commercial]
    allowed = _common([licence.under for _, licence in alike])
    problems = [*_unknown(sources), *_no_derivatives(told)]
    if alike and not allowed:
        problems.append(_clash(alike))
    elif alike and closed and not any(not TABLE[one].commercial for one in allowed):
        problems.append(
            f"{_named(closed[0])} allows no commercial use, and {_named(alike[0])} demands a licence that does"
        )
    if closed:
        allowed = tuple(one for one in allowed if not TABLE[one].commercial)
    if not problems and chosen:
        problems += _ill_chosen(chosen, told, alike, allowed)
    return Mixed(
        under=allowed[-1] if allowed else None,
        allowed=allowed,
        commercial=not closed,
        credited=tuple((name, licence.id, licence.url) for name, licence in told if licence.attribution),
        problems=tuple(problems),
        unstated=tuple(one.source for one in sources if not one.licence),
    )


def _common(each: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What stands in all of some lists, in the order of the first."""
    return tuple(one for one in each[0] if all(one in other for other in each)) if each else ()


def _unknown(sources: Sequence[Stated]) -> Iterator[str]:
    unstated = [one.source for one in sources if not one.licence]
    if unstated:
        yield f"{_listed(unstated)} {'states' if len(unstated) == 1 else 'state'} no licence"
    for one in sources:
        if one.licence and licence_named(one.licence) is None:
            yield f"{one.source} is under {one.licence[:60]!r}, of which is not known what it allows"


def _no_derivatives(told: Sequence[tuple[str, Licence]]) -> Iterator[str]:
    for name, licence in told:
        if not licence.derivatives:
            yield f"{_named((name, licence))} does not allow changed versions to be handed on"


def _clash(alike: Sequence[tuple[str, Licence]]) -> str:
    """Two sources that demand different licences; where any two agree, all that demand one."""
    for place, first in enumerate(alike):
        for other in alike[place + 1 :]:
            if not _common([first[1].under, other[1].under]):
                return f"{_named(first)} and {_named(other)} each demand their own licence"
    return f"{_listed([_named(one) for one in alike])} demand different licences"


def _ill_chosen(
    chosen: str, told: Sequence[tuple[str, Licence]], alike: Sequence[tuple[str, Licence]], allowed: Sequence[str]
) -> Iterator[str]:
    """What stands against the licence that a person chose for the dataset."""
    licence, said = licence_named(chosen), f"the dataset's licence, {chosen[:60]}"
    if alike:
        if plain_id(chosen) not in allowed:
            yield f"{said}, is not {' or '.join(reversed(allowed))}, which {_named(alike[0])} demands"
        return
    closed = [one for one in told if not one[1].commercial]
    if closed and (licence is None or licence.commercial):
        does = "allows commercial use" if licence else "is not known to forbid commercial use"
        yield f"{said}, {does}, and {_named(closed[0])} does not"
    credited = [one for one in told if one[1].attribution]
    if credited and licence and not licence.attribution:
        yield f"{said}, asks for no credit, and {_named(credited[0])} does"


def _named(one: tuple[str, Licence]) -> str:
    return f"{one[0]} ({one[1].id})"


def _listed(names: Sequence[str], show: int = 6) -> str:
    more = f" and {len(names) - show:,} more" if len(names) > show else ""
    if more or len(names) < 2:
        return ", ".join(names[:show]) + more
    return f"{', '.join(names[:-1])} and {names[-1]}"
