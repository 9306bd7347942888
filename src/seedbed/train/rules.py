"""rules: what a person wrote down, first match first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from seedbed.core.context import Context
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.learner import ArrayModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import Task
from seedbed.core.values import Value

from .example_rows import TOPICS
from .target import Target, texts_of
from .target_sets import LABELS_OF_TEXTS, TargetSets, TextTask, coded

#: How many rows like the training rows as a whole every rule counts as having caught beforehand.
BEFOREHAND = 2.0


def _is_pattern(pattern: str) -> str:
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        said = next((line for line in lines if line.startswith("error:")), lines[0]).removeprefix("error:").strip()
        raise ValueError(f"{pattern!r} is no regular expression of Rust's kind: {said}") from None
    return pattern


class Rule(BaseModel):
    """A pattern, and the label of the texts that it is found in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Value = Field(description="Label of the texts that the pattern is found in.")
    pattern: Annotated[str, AfterValidator(_is_pattern)] = Field(
        min_length=1,
        description="Regular expression, in the syntax of the Rust crate regex: no look-around, no back-references, "
        "and never slow.",
    )
    ignore_case: bool = Field(True, description="Whether capital and small letters are the same.")

    def found_in(self, texts: pl.Series) -> NDArray[np.bool_]:
        """Whether the pattern is found in each text."""
        return texts.str.contains(f"(?i){self.pattern}" if self.ignore_case else self.pattern).to_numpy()


class RulesModel(ArrayModel):
    """Rules, and the probabilities that each gives the texts that it is the first to catch.

    Args:
        labels: The labels.
        text: The column.
        rules: The rules in order.
        chances: Probabilities, shape (rules + 1, labels); the last row is for texts that no rule caught. Of sets,
            shape (2, labels): of a label that no rule of its own gives, and of one that a rule gives.
        sets: Whether a text may have any number of labels.
        otherwise: Of sets: the label of texts that no rule catches, as a place in `labels`.
    """

    def __init__(
        self,
        *,
        labels: tuple[str, ...],
        text: str,
        rules: tuple[Rule, ...],
        chances: NDArray[np.float64],
        sets: bool = False,
        otherwise: int | None = None,
    ) -> None:
        self.labels, self.text, self.rules, self.chances = labels, text, rules, chances
        self.sets, self.otherwise = sets, otherwise

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels).

        Raises:
            ModelError: The rows do not have the text column.
        """
        texts = texts_of(rows, self.text)
        if self.sets:
            given = given_by(self.rules, self.labels, self.otherwise, texts)
            return np.asarray(np.where(given, self.chances[1], self.chances[0]))
        return self.chances[caught_by(self.rules, texts)]

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        said = {
            "labels": self.labels,
            "text": self.text,
            "rules": [rule.model_dump() for rule in self.rules],
            "chances": self.chances.tolist(),
            "sets": self.sets,
            "otherwise": self.otherwise,
        }
        (folder / "model.json").write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        said = orjson.loads((folder / "model.json").read_bytes())
        rules = tuple(Rule.model_validate(rule) for rule in said["rules"])
        return cls(
            labels=tuple(said["labels"]),
            text=said["text"],
            rules=rules,
            chances=np.array(said["chances"]),
            sets=said.get("sets", False),
            otherwise=said.get("otherwise"),
        )


class Rules(Learner):
    """Regular expressions, each with a label; the first that is found in the text decides, or each gives its label.

    ## Why
    What someone who knows the data can write down in ten minutes is a baseline that a learned model has to beat, and
    sometimes all that is needed: it can be read, argued about and changed by one line. Patterns are matched by Rust's
    engine in time that grows with the text only, so no text can make one hang.

    ## Limits
    The decision is always the rule's label. Its probability is the share of that label among the training rows that the
    rule was the first to catch (as if two more rows with the training rows' shares had been caught), so it is as sure
    as it was right; where another label is more frequent among them, the rule is given just as much as that one and
    still decides, and the run says so. Where texts may have any number of labels, every rule that is found gives its
    label, with the share of the training rows with such a rule that have it, at least 0.5; a label without a rule is as
    likely as it is frequent, and never given. No look-around and no back-references in patterns.
    """

    learns: ClassVar[tuple[str, ...]] = LABELS_OF_TEXTS
    model: ClassVar[type[Model[Any]]] = RulesModel

    use: Literal["rules"] = "rules"
    rules: tuple[Rule, ...] = Field(min_length=1, description="The rules; the first that matches decides.")
    otherwise: Value | None = Field(
        None,
        description="Label of texts that no rule catches; the most frequent one of such training rows when left out.",
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two rules",
            options={
                "rules": [
                    {"label": "spam", "pattern": r"\b(win|prize|cash)\b"},
                    {"label": "ham", "pattern": "lunch|see (you|ya)"},
                ],
                "otherwise": "ham",
            },
            before={
                "text": ["WIN cash now", "see you at lunch", "did you win?", "on my way"],
                "label": ["spam", "ham", "ham", "spam"],
            },
            after={"predicted": ["spam", "ham", "spam", "ham"]},
        ),
        Example(
            title="Any number of labels",
            options={"rules": [{"label": "sport", "pattern": "goal"}, {"label": "weather", "pattern": "rain|snow"}]},
            before=TOPICS,
            after={"predicted": TOPICS["label"]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> RulesModel:
        """Count what each rule catches. Validation rows are not used.

        Raises:
            DataError: There are too few rows, or one label (or set of labels) only.
            RecipeError: A rule's label is not one of the task's.
        """
        assert isinstance(task, TextTask)
        target = coded(train, task)
        wanted: list[int | None] = [
            self._code(rule.label, f"rules.{place}", target) for place, rule in enumerate(self.rules)
        ]
        wanted.append(None if self.otherwise is None else self._code(self.otherwise, "otherwise", target))
        texts = texts_of(train, task.text)
        if isinstance(target, TargetSets):
            return self._of_sets(target, wanted[-1], texts, task.text, context)
        caught = caught_by(self.rules, texts)
        counts = np.zeros((len(wanted), len(target.labels)))
        np.add.at(counts, (caught, target.codes), 1)
        for i, code in enumerate(wanted[:-1]):
            _say_what_is_wrong(context, f"rule {i + 1} of {self.use}", counts[i], code, target.labels)
        overall = counts.sum(axis=0) / counts.sum()
        chances = (counts + BEFOREHAND * overall) / (counts.sum(axis=1, keepdims=True) + BEFOREHAND)
        for row, code in zip(chances, wanted, strict=True):
            if code is not None:  # just above the others, so that it decides
                row[code] = max(row[code], np.delete(row, code).max() + 1e-9)
        chances /= chances.sum(axis=1, keepdims=True)
        return RulesModel(labels=target.labels, text=task.text, rules=self.rules, chances=chances)

    def _of_sets(
        self, target: TargetSets, otherwise: int | None, texts: list[str], column: str, context: Context
    ) -> RulesModel:
        """Count the rows that each label's rules are found in, and those that have it."""
        found = given_by(self.rules, target.labels, otherwise, texts)
        for place, rule in enumerate(self.rules):
            here = rule.found_in(pl.Series(texts, dtype=pl.String))
            _say_what_is_found(context, f"rule {place + 1} of {self.use}", rule.label, here, target)
        overall = target.held.mean(axis=0)
        chances = np.stack(
            [
                ((target.held & where).sum(axis=0) + BEFOREHAND * overall) / (where.sum(axis=0) + BEFOREHAND)
                for where in (~found, found)
            ]
        )
        chances[1] = np.maximum(chances[1], 0.5)
        chances[0] = np.minimum(chances[0], np.nextafter(0.5, 0))
        return RulesModel(
            labels=target.labels, text=column, rules=self.rules, chances=chances, sets=True, otherwise=otherwise
        )

    def _code(self, label: str, place: str, target: Target | TargetSets) -> int:
        if label not in target.labels:
            raise RecipeError(
                f"the label {label!r} is none of the task's",
                at=f"{self.use}, {place}",
                hint=did_you_mean(label, target.labels),
            )
        return target.labels.index(label)


def caught_by(rules: tuple[Rule, ...], texts: list[str]) -> NDArray[np.int64]:
    """The first rule that is found in each text, by its place; `len(rules)` where none is."""
    series = pl.Series(texts, dtype=pl.String)
    caught = np.full(len(texts), len(rules), dtype=np.int64)
    for place in range(len(rules) - 1, -1, -1):
        caught[rules[place].found_in(series)] = place
    return caught


def given_by(
    rules: tuple[Rule, ...], labels: tuple[str, ...], otherwise: int | None, texts: list[str]
) -> NDArray[np.bool_]:
    """Which labels the rules give each text, shape (texts, labels); those that no rule catches get `otherwise`."""
    series = pl.Series(texts, dtype=pl.String)
    given = np.zeros((len(texts), len(labels)), dtype=np.bool_)
    for rule in rules:
        given[:, labels.index(rule.label)] |= rule.found_in(series)
    if otherwise is not None:
        given[~given.any(axis=1), otherwise] = True
    return given


def _say_what_is_found(context: Context, rule: str, label: str, found: NDArray[np.bool_], target: TargetSets) -> None:
    total, right = int(found.sum()), int((found & target.held[:, target.labels.index(label)]).sum())
    if not total:
        context.progress.say(f"{rule} is found in none of the training rows")
    elif 2 * right < total:
        context.progress.say(
            f"{rule} says {label!r}, but of the {total:,} training rows that it is found in {right:,} have that label"
        )


def _say_what_is_wrong(
    context: Context, rule: str, counts: NDArray[np.float64], code: int | None, labels: tuple[str, ...]
) -> None:
    total, most = int(counts.sum()), int(counts.argmax())
    if not total:
        context.progress.say(f"{rule} is the first to catch none of the training rows")
    elif code is not None and counts[most] > counts[code]:
        context.progress.say(
            f"{rule} says {labels[code]!r}, but of the {total:,} training rows that it is the first to catch "
            f"{counts[most]:,.0f} are {labels[most]!r}"
        )
