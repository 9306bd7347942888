"""no_leakage: nothing of the test rows in the training rows."""

from __future__ import annotations

from typing import ClassVar, Literal

from seedbed.core.check import Check, Finding, View
from seedbed.core.numbers import things, word
from seedbed.core.part import Example


class NoLeakage(Check):
    """Do rows that belong together stay in one split?

    Passed if the split's certificate is: an independent comparison of held-out rows with training rows found no copy
    and no near copy. The value is the number of pairs that it found.

    ## Why
    A model that has seen a test row, or nearly that row, is praised for its memory.

    ## Limits
    Knows what the certificate knows: copies, near copies by shared pieces of text, groups that the recipe names. Two
    rows that say the same in other words are not found.
    """

    use: Literal["no_leakage"] = "no_leakage"
    when: ClassVar[Literal["rows", "split", "model"]] = "split"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(title="A certificate that was passed", before={"passed": [True]}, after={"passed": [True]}),
        Example(
            title="Pairs were found",
            before={"passed": [False], "verified": [{"rows": 2000, "of": 3590, "pairs_found": 2}]},
            after={"passed": [False], "value": [2], "limit": [0]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Read the certificate."""
        if not view.certificate:
            return self.finding(False, limit=0, message="There is no certificate, so leakage cannot be ruled out.")
        passed = view.certificate.get("passed") is True
        verified = view.certificate.get("verified", {})
        pairs, rows, held_out = (verified.get(key) for key in ("pairs_found", "rows", "of"))
        compared = ""
        if rows is not None and held_out:
            compared = f" {rows:,} of {things(held_out, 'held-out row')} {word(rows, 'was', 'were')} compared."
        if passed:
            message = "No held-out row was found again, or nearly so, in the training rows."
        else:
            found = "Some pairs" if pairs is None else things(pairs, "pair")
            were = "was" if pairs == 1 else "were"
            message = f"{found} of a held-out row and a near copy in other splits {were} found."
        return self.finding(passed, value=pairs, limit=0, message=message + compared)
