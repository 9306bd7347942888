"""Whose answers a judge prefers, where every pair is put twice with its places swapped."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .record import Record
from .score import Score


class Preferred(Record):
    """Two models on the same rows, as a judge sees their answers."""

    a: str
    b: str
    rows: int = Field(description="Rows that the judge told of, and those that needed no judge.")
    wins: int = Field(description="Rows on which `b` was preferred from both places.")
    losses: int = Field(description="Rows on which `a` was.")
    ties: int = Field(description="Rows that are neither: called equal, the same answer twice, or changed with places.")
    same: int = Field(description="Of the ties, rows to which both gave the same answer; nobody was asked.")
    unread: int = Field(description="Rows left out, for an answer of the judge said nothing.")
    win_rate: Score = Field(description="Of `b`: wins and half of the ties, over rows; 0.5 is no difference.")
    p: float = Field(description="Two-sided exact sign test of wins against losses, before any correction.")
    p_holm: float = Field(description="Corrected by Holm's method over the pairs.")
    verdict: Literal["better", "worse", "not distinguishable", "too few rows"] = Field(description="Of `b`.")
    changed: Score = Field(description="Share of the rows asked about whose verdict changed with the places; exact.")
    first: int = Field(description="Of those that changed, rows on which whoever stood first won from both sides.")
    second: int = Field(description="Rows on which whoever stood second did.")
    agrees: Score | None = Field(
        None,
        description="Of the rows where the judge and the deciding metric both prefer one, the share where it is the "
        "same; 0.5 is chance, the interval exact. None where there are none.",
    )


class Judged(Record):
    """What a judge said of pairs of models."""

    judge: str = Field(description="Name of the model that judged, or `people`.")
    endpoint: str = Field("", description="Its address, as the recipe writes it; the texts of the rows went there.")
    split: str
    of: int = Field(description="Rows that those which were judged were drawn from.")
    metric: str = Field(description="The metric that agreement was told with.")
    shown_truth: bool = Field(False, description="Whether the judge saw what is right.")
    pairs: tuple[Preferred, ...]
    people: tuple[str, ...] = Field(
        (), description="Names in `pairs` that are people's, as in `people`: what they answered was judged, too."
    )
    place_p: float | None = Field(
        None,
        description="Chance of so uneven a choice of places among all verdicts that changed, were both places alike: "
        "two-sided, exact. None where none changed.",
    )
    goes_by_place: bool = Field(False, description="Whether that is too uneven for chance.")
    requests: int = Field(0, description="Answers that it took, those that were kept from earlier runs included.")


class Chosen(Record):
    """Two models on the same rows, as people see their answers."""

    a: str
    b: str
    rows: int = Field(description="Rows that people decided on, and those with the same answer that came before them.")
    wins: int = Field(description="Rows on which most people prefer `b`.")
    losses: int = Field(description="Rows on which most prefer `a`.")
    ties: int = Field(description="Rows that are neither: called equal, people are split, or the same answer twice.")
    both_bad: int = Field(description="Of the ties, rows of which most people say that both answers are bad.")
    same: int = Field(description="Of the ties, rows to which both gave the same answer; nobody was asked.")
    win_rate: Score = Field(description="Of `b`: wins and half of the ties, over rows; 0.5 is no difference.")
    p: float = Field(description="Two-sided exact sign test of wins against losses, before any correction.")
    p_holm: float = Field(description="Corrected by Holm's method over the pairs.")
    verdict: Literal["better", "worse", "not distinguishable", "too few rows"] = Field(description="Of `b`.")
    agrees: Score | None = Field(
        None,
        description="Of the rows where people and the deciding metric both prefer one, the share where it is the same; "
        "0.5 is chance, the interval exact. None where there are none.",
    )
    judge_agrees: Score | None = Field(None, description="The same for people and the model of `judged_by`.")


class ChosenByPeople(Record):
    """Which of two models people prefer, not told whose answer stands where."""

    split: str
    of: int = Field(description="Rows that those which were shown were drawn from.")
    metric: str | None = Field(description="The metric that agreement was told with; none where rows have no value.")
    people: int = Field(description="People who decided on any row; their names are left out.")
    decisions: int = Field(description="Their last words on rows, those aside that skip.")
    pairs: tuple[Chosen, ...]
    left: Score | None = Field(
        None,
        description="Of the rows on which one is preferred, the share where it stood first; places are drawn for "
        "each row, so 0.5 is no bias whatever the answers are worth. The interval is exact.",
    )
    left_p: float | None = Field(None, description="Chance of so uneven a choice of sides: two-sided, exact.")
    goes_by_place: bool = Field(False, description="Whether that is too uneven for chance.")
    agreement: Score | None = Field(
        None,
        description="Krippendorff's alpha (nominal: a, b, tie, both bad) over rows that two or more people decided on.",
    )
    file: str = Field("", description="The file of decisions.")
    sha256: str = ""
    notes: tuple[str, ...] = Field((), description="What was left out, a sentence each.")
