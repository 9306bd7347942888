"""label_errors: how many labels are wrong, and which are suspect."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core import numbers
from seedbed.core.check import Check, Finding, View
from seedbed.core.doubts import Doubts
from seedbed.core.numbers import things
from seedbed.core.part import Example
from seedbed.core.rows import ROW

from .rows_shown import MOST


class LabelErrors(Check):
    """Are few enough labels wrong?

    Each training and validation row is looked at by a model that did not see it, nor what belongs together with it.
    The value is the estimated share of wrong labels: were it larger, more rows would rank as low by the probability of
    their own label as rows do that carry another (Storey 2002; Garg et al. 2021). The finding names the most suspect
    rows, those whose own label is least probable; all suspects are in `review/suspects.parquet` of the run, those among
    test rows apart in `review/suspects_test.parquet`, and `seedbed review` walks through both.

    Of sets of labels, the value is the same share of the labels that rows carry, and a suspect carries one that is less
    likely than for most rows without it, or lacks one that is as likely as for rows with it. Of numbers, it is the
    share that lies more than three times further than usual from what a model foretells.

    ## Why
    Benchmarks that everybody trusted hold several per cent of wrong labels (Northcutt et al. 2021). A model that learns
    from them is worse, and one that is judged by them is judged wrongly.

    ## Limits
    The estimate takes it that a wrong label falls on rows as other labels do. What the model cannot tell from a wrong
    label (irony, a text that is too short, a label that another would set otherwise) counts as one: the weaker the
    model, the more; the message says how often it agrees with the labels. The confident joint of Northcutt et al., as
    others use it, counts far more: on questions and tweets with a tenth of the labels flipped it said 14 to 28 per cent
    (`benchmarks/suspects.py`).
    The interval tells of chance in the rows, not of that. Labels that are wrong in a system, always the same way, are
    learned and not found. It costs as many fits as there are folds, and one for the test rows; the outcome is kept.
    Sets of labels and numbers are judged by logistic and ridge regression on words, tables by gradient boosting on
    their columns, and not by a learner of the recipe. Labels that many rows ought to carry and do not make more of the
    others seem wrong. Among numbers whose errors are normally distributed, 0.3 % lie so far off though nothing is
    wrong.
    """

    use: Literal["label_errors"] = "label_errors"
    when: ClassVar[Literal["rows", "split", "model"]] = "split"
    needs_no_split: ClassVar[bool] = True

    at_most: float = Field(0.05, ge=0, le=1, description="Largest estimated share of wrong labels.")
    learner: str | None = Field(
        None,
        min_length=1,
        description="Learner that doubts, by its name in `train`; when left out one that costs little: logistic "
        "regression on words, naive Bayes for more than 100 labels.",
    )
    folds: int = Field(5, ge=2, le=20, description="Folds of the rows; each is judged by a model that saw the others.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="What the models found",
            options={"at_most": 0.05},
            before={"share": [0.12], "low": [0.1], "high": [0.14], "suspect": ["0:t#3", "0:t#9"]},
            after={"passed": [False], "value": [0.12], "limit": [0.05]},
        ),
        Example(
            title="Few enough",
            before={"share": [0.01], "low": [0.0], "high": [0.02], "suspect": ["0:t#5"]},
            after={"passed": [True], "value": [0.01], "limit": [0.05]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Have the labels doubted."""
        if view.doubts is None:
            return self.finding(False, limit=self.at_most, message="Nothing was trained that could doubt the labels.")
        found = view.doubts(self.learner, self.folds)
        return self.finding(
            found.share.value <= self.at_most,
            value=round(found.share.value, 6),
            limit=self.at_most,
            message=_told(found, self.at_most),
            rows=tuple(found.suspects[ROW].head(MOST)),
        )


def _told(found: Doubts, limit: float) -> str:
    """What was found, what to do about it, and how far to trust it."""
    share, percent = found.share, numbers.percent
    if found.of == "number":
        return numbers.typed(
            f"{percent(share.value)} of the {things(share.n, 'number')} (between {percent(share.low)} and "
            f"{percent(share.high)}) lie more than three times further than usual from what a model predicts that did "
            f"not see the row; at most {percent(limit)} may. {_suspects(found)} A model judged ({found.learner}); its "
            f"predictions agree with the numbers by {found.accuracy:.2f} (Spearman's correlation), and where that is "
            "little, it finds only what is far off."
        )
    surely = f"between {percent(share.low)} and {percent(share.high)}, as far as chance goes"
    agrees = f"agrees with {percent(found.accuracy)} of the labels"
    if found.of == "labels":
        agrees = f"comes to a micro-averaged F1 of {found.accuracy:.2f}"
    carried = " that rows carry" if found.of == "labels" else ""
    return numbers.typed(
        f"About {percent(share.value)} of the {things(share.n, 'label')}{carried} seem wrong ({surely}); at most "
        f"{percent(limit)} may be. {_suspects(found)} A model judged ({found.learner}); it {agrees}, and where it "
        "agrees with few, it doubts too many."
    )


def _suspects(found: Doubts) -> str:
    kinds = dict(found.suspects["kind"].value_counts().iter_rows())
    wrong = ("reads like another label", "read like another label")
    if found.of == "labels":
        wrong = ("carries a label that seems wrong", "carry a label that seems wrong")
    words = {
        "wrong": wrong,
        "missing": ("lacks one", "lack one"),
        "wrong_and_missing": ("carries a wrong one and lacks another", "carry a wrong one and lack another"),
        "too_high": ("seems too high", "seem too high"),
        "too_low": ("seems too low", "seem too low"),
        "ambiguous": ("could be either", "could be either"),
        "near_copy": (
            "is nearly the same as a row with another label",
            "are nearly the same as a row with another label",
        ),
    }
    told = [things(kinds[kind], *each) for kind, each in words.items() if kind in kinds]
    if not told:
        return "No row is suspect."
    rows = things(found.suspects.height, "row is", "rows are")
    return (
        f"{rows} suspect: {', '.join(told)}. `seedbed review RUN` shows them, the most suspect first, to be decided on."
    )
