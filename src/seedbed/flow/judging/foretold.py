"""What `judged_by` will ask and cost, told before anything runs."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.asking.answers import Usage
from seedbed.core.asking.caps import Caps
from seedbed.core.numbers import count, things
from seedbed.core.task import Task
from seedbed.core.values import said
from seedbed.recipe.judged_by import JudgedBy

from .judged_by import MOST_PEOPLE, SYSTEM
from .pairs import pairs_of

#: Characters of a token, as tokenizers of European languages cut them on average.
_CHARACTERS = 4
#: Tokens of what the judge answers, and of what stands around messages.
_ANSWER, _AROUND = 12, 40


class JudgeForetold(BaseModel):
    """What a judge will be asked, at most: the same answer twice, and what an earlier run asked, cost nothing."""

    model_config = ConfigDict(frozen=True)

    model: str
    rows: int = Field(description="Test rows for each pair.")
    pairs: int = Field(description="Pairs of models; people's answers add up to three more, on rows they answered.")
    people: bool = Field(description="Whether people's answers are judged, too.")
    calls: int
    tokens: int | None = Field(
        description="If answers are as long as those that are known, at four characters a token; none where texts "
        "cannot be seen before steps made them."
    )
    cost: float | None = Field(description="Of those, at the recipe's `price`; none without one.")
    most_cost: float | None = Field(description="Where the run stops.")

    @property
    def told(self) -> str:
        """In a line."""
        each = f"{things(self.rows, 'test row')}, {things(self.pairs, 'pair')} of models, from both places"
        calls = f"judge: up to {things(self.calls, 'call')} to {self.model[:60]} ({each}"
        calls += ", and people’s answers)" if self.people else ")"
        tokens = "" if self.tokens is None else f", about {count(self.tokens)} tokens"
        cost = ""
        if self.cost is not None:
            cost = f", at a cost of about {self.cost:.2g}"
        elif self.tokens is not None:
            cost = " (what they cost is not known: `judged_by` has no `price`)"
        return f"{calls}{tokens}{cost}{'' if self.most_cost is None else f'; it stops at {self.most_cost:g}'}"


def foretell(
    asked: JudgedBy, task: Task, models: int, test_rows: float | None, sample: Sequence[pl.DataFrame], *, people: bool
) -> JudgeForetold:
    """What a judge will be asked.

    Args:
        asked: Who judges, and how.
        task: What models answer.
        models: How many there are.
        test_rows: About how many there will be; none where that is not known.
        sample: Some rows of each source, as it holds them, under the names that a run gives their columns.
        people: Whether people's answers are judged, too.
    """
    rows = asked.rows if test_rows is None else min(asked.rows, max(1, round(test_rows)))
    pairs = len(pairs_of([str(number) for number in range(models)]))
    calls = 2 * rows * (pairs + (MOST_PEOPLE if people else 0))
    prompt = _prompt(asked, task, sample)
    tokens = cost = None
    if prompt is not None:
        used = Usage(calls * prompt, calls * min(_ANSWER, asked.answer_tokens))
        tokens = used.tokens
        if asked.price is not None:
            cost = Caps(prices=(asked.price.prompt, asked.price.answer)).price(used)
    return JudgeForetold(
        model=asked.model_name,
        rows=rows,
        pairs=pairs,
        people=people,
        calls=calls,
        tokens=tokens,
        cost=cost,
        most_cost=asked.most_cost,
    )


def _prompt(asked: JudgedBy, task: Task, sample: Sequence[pl.DataFrame]) -> int | None:
    """Tokens of a call's prompt; none where the rows lack what models read or answer."""
    rows = [one for one in sample if one.height]
    if not rows or any(set(task.roles.values()) - set(one.columns) for one in rows):
        return None
    of_answer, reads = task.answer, [name for name in task.roles.values() if name != task.answer]
    asked_for = _characters(rows, reads, asked.most_characters)
    # Turns hold what is right as well: of two that are as long, one.
    answer = _characters(rows, [of_answer], asked.most_characters) if of_answer else asked_for / 2
    known = answer if asked.show_truth else 0.0
    letters = len(SYSTEM.format(criteria=asked.criteria)) + asked_for + 2 * answer + known
    return round(letters / _CHARACTERS) + _AROUND


def _characters(rows: Sequence[pl.DataFrame], columns: Sequence[str], most: int) -> float:
    """Characters of what stands in some columns of a row, on average."""
    lengths = [said(one[name]).str.len_chars().fill_null(0).clip(0, most) for one in rows for name in columns]
    return sum(float(one.sum()) for one in lengths) / max(1, sum(one.height for one in rows))
