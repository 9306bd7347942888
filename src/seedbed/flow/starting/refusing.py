"""What `init` cannot draft a recipe for, with the reason and the way out."""

from __future__ import annotations

import shlex

import polars as pl

from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.flow.recognising import Recognised
from seedbed.profile import Profile, could_be_label
from seedbed.profile.roles import MOST_LABELS

from .commented import quoted

#: Fewer rows than this cannot be split, learned from and judged.
_FEWEST_ROWS = 10


def refuse_unknown(known: Recognised, text: str | None, label: str | None) -> None:
    """Refuse columns that are not there.

    Raises:
        RecipeError: One is named.
    """
    columns = known.sample.rows.columns
    for option, name in (("--text", text), ("--label", label)):
        if name is not None and name not in columns:
            hint = did_you_mean(name, columns).replace("known:", "the columns are")
            raise RecipeError(f"there is no column {name!r}", at=option, hint=hint)
    if text is not None and text == label:
        raise RecipeError("text and label are the same column", at=f"--label {label}", hint="name two columns")


def refuse_few(profile: Profile, path: str) -> None:
    """Refuse files that hardly hold a row.

    Raises:
        DataError: This one does.
    """
    if profile.rows < _FEWEST_ROWS:
        bad = sum(profile.malformed.values())
        raise DataError(
            f"has {profile.rows} usable row{'' if profile.rows == 1 else 's'}"
            + (f" and {bad:,} malformed ones" if bad else "")
            + f"; at least {_FEWEST_ROWS} are needed to learn from some and judge by others",
            at=path,
            hint="look at the first lines of the file" if bad else "give more rows",
        )  # fmt: skip


def refuse_nested_questions(known: Recognised, path: str) -> None:
    """Refuse SQuAD's own layout, in which questions lie inside paragraphs inside articles.

    Raises:
        DataError: The file has it. The hint makes rows of it.
    """
    articles = [one for one in known.sample.rows.iter_columns() if one.name == "paragraphs"]
    if not articles or not articles[0].cast(pl.String, strict=False).str.contains('"qas"', literal=True).any():
        return
    raise DataError(
        "holds questions as SQuAD nests them: articles, paragraphs, questions",
        at=path,
        hint=f"make a row of each question: seedbed export {shlex.quote(path)} --to jsonl --out questions.jsonl, "
        "then seedbed init questions.jsonl",
    )


def refuse_ragged(profile: Profile, path: str, known: Recognised) -> None:
    """Refuse a file whose header names columns that its rows do not have.

    Raises:
        DataError: It is one.
    """
    name = profile.columns[0].name
    delimiter = max(",;\t|", key=name.count)
    if len(profile.columns) != 1 or known.source.use != "csv" or delimiter not in name:
        return
    bare = known.sample.rows.to_series().cast(pl.String).fill_null("").str.replace_all(r'"[^"]*"', "")
    fields = bare.str.count_matches(delimiter, literal=True)
    if int((fields > 0).sum()) < bare.len() / 2:
        return  # a name with a comma in it, over values without any
    others = int((fields != name.count(delimiter)).sum())
    word = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[delimiter]
    raise DataError(
        f"its header names {name.count(delimiter) + 1} columns, parted by {word}, but {others:,} of the "
        f"{bare.len():,} rows looked at have more or fewer fields, so that it was read as one column "
        f"({quoted(name)[:60]})",
        at=path,
        hint=f"give each row as many fields as the header, and put quotes around texts that hold {word}",
    )


def refuse_unfit(profile: Profile, path: str, known: Recognised) -> None:
    """Say what a file seems to be fit for, and what is to be named before a recipe can be drafted.

    Raises:
        DataError: Something is.
    """
    if profile.roles.kind != "text_classification":
        problem, hint = _other_kind(profile, known)
        single = [quoted(column.name) for column in profile.columns if column.looks == "constant"]
        if single and not profile.roles.label:
            hint = f"{hint} ({', '.join(single[:4])}: one value only)"
        raise DataError(problem, at=path, hint=hint)
    _refuse_label(profile, path)


def _other_kind(profile: Profile, known: Recognised) -> tuple[str, str]:
    """What a table without a text or a label seems to be, and the way out."""
    roles = profile.roles
    columns = ", ".join(quoted(column.name) for column in profile.columns[:12])
    choice = f"name the text and what to learn of it: --text COLUMN --label COLUMN (the columns are {columns})"
    quantities = ", ".join(quoted(name) for name in roles.quantities[:4])
    text = quoted(str(roles.text))[:60]
    match roles.kind:
        case "regression":
            return (
                f"holds texts ({text}) and numbers ({quantities}), but no column with few labels: that is regression",
                f"name the number to predict: --label COLUMN ({quantities})",
            )
        case "chat" | "question_answering" | "text_to_text":
            what = {"chat": "conversations", "question_answering": "questions and answers"}.get(
                roles.kind, "several columns of texts"
            )
            if roles.kind == "chat" and len(profile.columns) == 1:
                hint = "turns are lists of {role: user or assistant, content: …}, and end with the assistant's"
                return f"seems to hold {what}, but {columns} says not who speaks", hint
            return (
                f"seems to hold {what}, but which column is what does not show, and none holds few labels",
                f"say which ({columns}): --task question_answering --column question=… --column context=… "
                "--column answers=…, or --task text_to_text (chat) --column text=… (user=…) --column target=… "
                "(assistant=…)",
            )
        case "causal_lm":
            more = "add a column with a label for each row" if len(profile.columns) == 1 else choice
            return (
                f"holds short texts ({text}), but no column with few labels to learn",
                _first_words(profile, known) or f"{more}; or say --task causal_lm, to learn how such texts go on",
            )
        case _:
            what = "numbers and categories" if roles.kind == "tabular_classification" else "numbers"
            return (
                f"is a table: it holds {what}, and no column of texts",
                f"name the column to predict: --label COLUMN ({columns}); or --text COLUMN, too, if one holds texts",
            )


def _first_words(profile: Profile, known: Recognised) -> str:
    """The way out where each line begins with a label."""
    if len(profile.columns) != 1:
        return ""
    first = known.sample.rows.to_series().str.extract(r"^(\S+)\s", 1).drop_nulls()
    if first.len() < 0.9 * profile.rows or first.n_unique() > first.len() / 10:
        return ""
    return "if the first word of each line is its label: sed 's/ /\\t/' FILE > new.tsv, then seedbed init new.tsv"


def _refuse_label(profile: Profile, path: str) -> None:
    column = profile.column(str(profile.roles.label))
    label = quoted(column.name)
    if column.looks == "nested":
        problem = f"the column {label} holds lists or objects, not one label a row"
    elif column.unique < 2:
        problem = f"the column {label} holds {'no value' if not column.unique else 'one value only'}"
    elif column.unique > MOST_LABELS or (column.unique > column.filled / 2 and not could_be_label(column)):
        kind = "numbers" if column.looks == "number" else "values: an id, or a text?"
        problem = f"the column {label} holds {column.unique:,} different {kind}"
    elif column.looks == "number" and not column.whole and column.unique > 20:
        problem = f"the column {label} holds {column.unique:,} different numbers"
    else:
        return
    others = ", ".join(quoted(name) for name in profile.roles.other_labels[:8])
    raise DataError(
        problem, at=path, hint=f"--label takes a column with few values that repeat{': ' + others if others else ''}"
    )
