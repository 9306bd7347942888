"""license: sources under licences that the dataset may be made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from seedbed.core.check import Check, Finding, View
from seedbed.core.licences import Licence, Stated, licence_named, mixed, spdx_id
from seedbed.core.numbers import things
from seedbed.core.part import Example

#: What licences may ask for at most, from nothing to the most.
_ASKS = ("nothing", "attribution", "share_alike", "non_commercial")
_SHOWN = 6


class License(Check):
    """Do all sources come under licences that the dataset may be made of?

    Looks at the licence of every source that rows or columns come from. Each must be known and allow changed versions
    to be handed on, and together they must allow one dataset. The value is the number of things that stand against it.

    ## Why
    Data under a licence that forbids what it is used for, or under none, is found out when it is too late to replace
    it. Publishing asks this anyway; the check asks it of every run, and may ask for more: only some licences, or none
    that forbids commercial use.

    ## Limits
    Believes what the recipe says of each source. Knows nearly fifty licences, with the words of their texts that count,
    and takes the stricter reading where there are two: `GPL`, licences of one country (`CC-BY-SA-3.0-DE`) and texts of
    one's own are not known. Rights of people in the data, and terms of the site that it came from, are other questions.
    This is no legal advice.
    """

    use: Literal["license"] = "license"
    allowed: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Licences that sources may come under, as SPDX ids; any that fit together when left out."
    )
    at_most: Literal["nothing", "attribution", "share_alike", "non_commercial"] | None = Field(
        None,
        description="The most that a source's licence may ask for: nothing; credit; the same licence for what is made "
        "of it; no commercial use. Each allows what stands before it, too.",
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="They go together",
            before={"licence": ["CC-BY-4.0", "MIT"]},
            after={"passed": [True], "value": [0], "limit": [0]},
        ),
        Example(
            title="Each demands its own",
            before={"licence": ["CC-BY-SA-4.0", "ODbL-1.0"]},
            after={"passed": [False], "value": [1], "limit": [0]},
        ),
        Example(
            title="For products that are sold",
            options={"at_most": "attribution"},
            before={"licence": ["CC-BY-4.0", "CC-BY-NC-4.0", None]},
            after={"passed": [False], "value": [2], "limit": [0]},
        ),
        Example(
            title="Only these",
            options={"allowed": ["CC0-1.0", "CC-BY-4.0"]},
            before={"licence": ["CC BY 4.0", "MIT"]},
            after={"passed": [False], "value": [1], "limit": [0]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Look at the licences that the sources state."""
        against = list(mixed([Stated(name, licence) for name, licence in view.licences.items()]).problems)
        for source, stated in view.licences.items():
            against += self._more(source, stated, licence_named(stated or ""))
        if not against:
            message = f"The licences of {things(len(view.licences), 'source')} allow it."
            return self.finding(True, value=0, limit=0, message=message)
        more = f"; and {len(against) - _SHOWN:,} more" if len(against) > _SHOWN else ""
        return self.finding(
            False, value=len(against), limit=0, message=f"{'; '.join(against[:_SHOWN])}{more}."
        )  # fmt: skip

    def _more(self, source: str, stated: str | None, licence: Licence | None) -> Iterator[str]:
        """What stands against a licence by the check's own options; one that is not stated is told already."""
        if not stated:
            return
        if self.allowed is not None and _same(stated) not in map(_same, self.allowed):
            yield f"{source} is under {stated[:60]}, which is not among those allowed"
        elif licence and self.at_most is not None and _ASKS.index(asks := _asked(licence)) > _ASKS.index(self.at_most):
            yield f"{source} ({licence.id}) asks for {asks.replace('_', ' ')}"


def _same(name: str) -> str:
    return (spdx_id(name) or " ".join(name.split())).casefold()


def _asked(licence: Licence) -> str:
    """The most that a licence asks for."""
    if not licence.commercial:
        return "non_commercial"
    return "share_alike" if licence.share_alike else "attribution" if licence.attribution else "nothing"
