"""What rows are fit for whose answer is a number, a set of labels, or a label of a table: as a person names it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import polars as pl

from seedbed.core.task import (
    MultiLabelClassification,
    Regression,
    TabularClassification,
    TabularRegression,
    Task,
    TextToText,
)
from seedbed.profile import Profile, Roles
from seedbed.steps.values.kinds import read_as

from .commented import quoted
from .shapes import Shape, share_of
from .written import Written, steps_of, written

#: Numbers with more different values than this are amounts, and no names of classes.
_MOST_NUMBERS = 20
#: What stands between labels of a set that is written as one text, the likeliest first.
_BETWEEN = ("|", ";", ",")
#: Values of a table's label at most, and rows that each has on average at least.
_MOST_LABELS, _FEWEST_ROWS = 100, 3
#: Columns of 0 and 1 beside a text from which on each is a label.
_FEWEST_FLAGS = 3
#: Share of the rows that hold several labels, where nobody said that they do.
_SEVERAL = 0.2


def table_shape(rows: pl.DataFrame, profile: Profile, text: str | None, label: str | None) -> Shape | None:
    """What rows are fit for by the column that a person named as the label; none where a classifier of texts will do.

    Args:
        rows: Some of them.
        profile: What the columns look like.
        text: Column with the text, as named.
        label: Column with the answer, as named. Without it, sets of labels and a text beside one column of amounts
            are told.
    """
    roles = profile.roles
    reads = text or (roles.text if roles.text != label else None)
    if label is None:
        if reads and (shape := _of_flags(rows, profile, reads)):
            return shape
        if reads and (sets := sets_beside(rows, roles)):
            return of_sets(reads, sets, rows[sets], "each row holds several labels")
        if reads and roles.kind == "regression" and len(roles.quantities) == 1:
            name = roles.quantities[0]
            return of_number(reads, name, rows[name], "the only amount beside the texts")
        return None
    if reads is None:
        return _of_columns(rows, label, rows[label])
    looks = {column.name: column.looks for column in profile.columns}
    return _of_texts(reads, label, rows[label], looks)


def _of_texts(text: str, label: str, values: pl.Series, looks: Mapping[str, str]) -> Shape | None:
    if _is_amount(values):
        return of_number(text, label, values, "the label is a number")
    if _holds_sets(values):
        return of_sets(text, label, values, "each row holds several labels")
    if looks[label] == looks[text] == "text" and values.n_unique() > values.len() / 2:
        return Shape(TextToText(text=text, target=label), "the label is a text", (text, label), (text, label))
    return None


def of_sets(text: str, label: str, values: pl.Series, why: str) -> Shape:
    """A text, and a set of labels in one column."""
    task = MultiLabelClassification(text=text, label=label, separator=_separator(values))
    return Shape(task, why, (text,), (text,))


def sets_beside(rows: pl.DataFrame, roles: Roles) -> str | None:
    """The column of sets of labels, where nobody named one: what seems the label, or else the one column of lists."""
    if roles.label is not None:
        return roles.label if roles.label != roles.text and _clearly_sets(rows[roles.label]) else None
    lists = [name for name in rows.columns if name != roles.text and _is_list(rows[name]) and _clearly_sets(rows[name])]
    return lists[0] if len(lists) == 1 else None


def _of_flags(rows: pl.DataFrame, profile: Profile, text: str) -> Shape | None:
    """A text, and a column a label that says by 1 or 0 whether the row has it; each row may have several."""
    told = [one.name for one in profile.columns if one.name != text and one.looks not in ("id", "constant", "empty")]
    held = {name: is_set for name in told if (is_set := _set(rows[name]))}
    if len(held) < max(_FEWEST_FLAGS, len(told)) or any(set(name) & set("\"'|") for name in held):
        return None
    several = rows.select(pl.sum_horizontal(pl.col(name).cast(pl.String) == one for name, one in held.items()) > 1)
    if share_of(several.to_series()) < _SEVERAL / 10:
        return None
    label = next(name for name in ("labels", "all_labels", "label_names") if name not in rows.columns)
    each = ", ".join(
        f"CASE WHEN try_cast(\"{name}\" AS varchar) = '{one}' THEN '{name}' END" for name, one in held.items()
    )
    whole = json.dumps(f"concat_ws('|', {each})", ensure_ascii=False)
    step = f"use: derive, column: {label}, expression: {whole}"
    task = MultiLabelClassification(text=text, label=label, separator="|")
    why = f"{len(held)} columns say by {next(iter(held.values()))} whether a row has their label"
    return Shape(task, why, (text,), (text,), ((step, "the labels of a row in one column"),))


def _set(values: pl.Series) -> str:
    """What a column of two values writes where something holds: `1` or `true`; nothing of other columns."""
    found = sorted(values.cast(pl.String, strict=False).unique().drop_nulls().to_list()) if _is_plain(values) else []
    return found[1] if found in (["0", "1"], ["false", "true"]) and not values.null_count() else ""


def _is_plain(values: pl.Series) -> bool:
    return not values.dtype.is_nested() and not values.dtype.is_float()


def _clearly_sets(values: pl.Series) -> bool:
    """Whether values are sets of labels beyond doubt: few labels that make up many sets."""
    known = values.drop_nulls()
    if isinstance(values.dtype, pl.List):
        sets = known.cast(pl.List(pl.String), strict=False) if not _of_objects(values.dtype) else None
    elif _is_list(values):
        sets = known.str.extract_all(r'"(?:[^"\\]|\\.)*"|[^\s,\[\]]+')
    elif between := _separator(values):
        piece = pl.element().str.strip_chars()
        sets = known.str.split(between).list.eval(piece.filter(piece.str.len_bytes() > 0))
    else:
        return False
    if sets is None or not sets.len():
        return False
    pieces, whole = sets.explode().drop_nulls(), sets.list.sort().list.join("\x1f")
    several = float((sets.list.len() > 1).mean())  # type: ignore[arg-type]
    few = 2 <= pieces.n_unique() <= min(_MOST_LABELS, known.len() / _FEWEST_ROWS)
    return few and several >= _SEVERAL and 2 * pieces.n_unique() <= max(whole.n_unique(), 2 * _FEWEST_ROWS)


def _of_columns(rows: pl.DataFrame, label: str, values: pl.Series) -> Shape | None:
    if _is_amount(values):
        return of_table(rows, TabularRegression(target=label, features=features_of(rows, label)), label)
    if values.dtype.is_nested():
        return None
    known = values.cast(pl.String, strict=False).drop_nulls()
    if 2 <= known.n_unique() <= min(_MOST_LABELS, known.len() / _FEWEST_ROWS):
        return of_table(rows, TabularClassification(label=label, features=features_of(rows, label)), label)
    return None


def of_number(text: str, target: str, values: pl.Series, why: str) -> Shape:
    """A text and a number."""
    way = _written(values)
    steps = tuple(steps_of({target: way}, target=target)) if way else ()
    return Shape(Regression(text=text, target=target), why, (text,), (text,), steps)


def of_table(rows: pl.DataFrame, task: Task, target: str, why: str = "a table, without texts to learn from") -> Shape:
    """Columns, and one to tell from them."""
    kinds = {name: kind for name in rows.columns if name != target and (kind := _kind(rows[name]))}
    types = ", ".join(f"{quoted(name)}: {kind}" for name, kind in kinds.items())
    steps = [(f"use: cast, types: {{{types}}}, on_error: missing", "numbers, which the file holds as text")]
    answers = task.says == "number"
    ways = {
        name: way
        for name in rows.columns
        if name not in kinds and (answers or name != target) and (way := _written(rows[name]))
    }
    return Shape(task, why, (), (), (*(steps if kinds else ()), *steps_of(ways, target=target)))


def features_of(rows: pl.DataFrame, target: str) -> tuple[str, ...]:
    """Columns that may say something: not those whose values, being names or ids, are nearly all different."""
    return tuple(name for name in rows.columns if name != target and _says_something(rows[name]))


def _says_something(values: pl.Series) -> bool:
    if values.dtype.is_nested():
        return False
    known = values.drop_nulls()
    if known.n_unique() < 2:
        return False
    if known.dtype.is_float() or _kind(values) == "number" or _written(values):
        return True
    names = known.n_unique() > 0.5 * known.len()
    return not names or ((known.dtype.is_integer() or _kind(values) == "integer") and known.n_unique() < known.len())


def _kind(values: pl.Series) -> str:
    """`integer` or `number` where texts read as such, but for slips; nothing of other columns."""
    if values.dtype != pl.String:
        return ""
    known = values.str.strip_chars()
    known = known.filter(known.str.len_bytes() > 0)
    if not known.len() or _zeros(known):
        return ""
    for kind in ("integer", "number"):
        _, wrong = read_as(kind, known)
        if int(wrong.sum()) <= 0.02 * known.len():
            return kind
    return ""


def _written(values: pl.Series) -> Written | None:
    return None if _kind(values) else written(values)


def _zeros(known: pl.Series) -> bool:
    """Whether figures begin with a 0 that a number would lose: post codes, articles."""
    return bool(known.str.contains(r"^0\d").any())


def _is_amount(values: pl.Series) -> bool:
    if way := _written(values):
        values = way.read(values)
    known = values.drop_nulls()
    if known.n_unique() <= _MOST_NUMBERS or not (
        _kind(values) if values.dtype == pl.String else known.dtype.is_numeric()
    ):
        return False
    return not _counts_up(known.cast(pl.Float64, strict=False))


def _counts_up(numbers: pl.Series) -> bool:
    """Whether whole numbers rise from row to row, as those do that only number the rows."""
    return bool((numbers == numbers.floor()).all() and (numbers.diff().drop_nulls() > 0).all())


def _holds_sets(values: pl.Series) -> bool:
    return _is_list(values) or _separator(values) is not None


def _is_list(values: pl.Series) -> bool:
    """Whether values are lists of plain values, as they are or as JSON."""
    if isinstance(values.dtype, pl.List):
        return not _of_objects(values.dtype)
    if values.dtype != pl.String:
        return False
    known = values.drop_nulls().str.strip_chars()
    lists = known.str.starts_with("[") & known.str.ends_with("]") & ~known.str.contains("{", literal=True)
    return bool(lists.mean() == 1)


def _of_objects(kind: pl.List) -> bool:
    return isinstance(kind.inner, pl.Struct | pl.List)


def _separator(values: pl.Series) -> str | None:
    """What stands between labels, where pieces come again in other company and sets are many."""
    if values.dtype != pl.String:
        return None
    known = values.drop_nulls().str.strip_chars()
    if known.str.starts_with("[").any():
        return None
    for between in _BETWEEN:
        several = known.str.contains(between, literal=True)
        if several.mean() >= 0.05 and _few(known.str.split(between).explode().str.strip_chars(), known):  # type: ignore[operator]
            return between
    return None


def _few(pieces: pl.Series, whole: pl.Series) -> bool:
    return pieces.n_unique() <= min(_MOST_LABELS, whole.len() / _FEWEST_ROWS) and pieces.n_unique() <= whole.n_unique()
