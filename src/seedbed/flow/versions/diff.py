"""What differs between two runs or datasets: rows, labels, splits, spread, checks, scores, recipe, rejections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seedbed.core.context import Progress
from seedbed.core.difference import Difference, Rows

from .distributions import distributions
from .paired import paired
from .records import books_of, checks_of, options_of, schema_changes, scores_of
from .sides import open_side
from .tables import Identity, Tables, identity_of, side_by_side


def diff(a: str | Path, b: str | Path, *, by: str | None = None, progress: Progress | None = None) -> Difference:
    """Compare two runs, or the folders of two datasets. Memory does not grow with them.

    Args:
        a: What was before: a run, however it is named, or a folder with Parquet files.
        b: What is now.
        by: What makes rows the same: `row` (their ids), `content`, or a column whose values are all different;
            decided by what both read when left out.
        progress: Where progress is shown.

    Raises:
        DataError: One of them is not there, has no dataset, or cannot be read.
        RecipeError: `by` names no column of both.
    """
    from seedbed.core.context import Context

    context = Context(progress=progress) if progress else Context()
    one, two = open_side(a), open_side(b)
    identity = identity_of(one, two, by)
    with context.stage("Bringing the rows together"), side_by_side(one, two, identity) as tables:
        return _difference(tables, identity)


def _difference(tables: Tables, identity: Identity) -> Difference:
    a, b = tables.a, tables.b
    found = Difference(
        a=a.side,
        b=b.side,
        differs=(),
        rows=_rows(tables, identity),
        schema_changes=schema_changes(a, b),
        distributions=distributions(tables),
        paired=paired(tables),
        notes=tuple(_notes(tables, identity)),
    )
    if a.run and b.run:
        found = found.model_copy(
            update={
                "checks": checks_of(a.run, b.run),
                "scores": scores_of(a.run, b.run),
                "recipe": options_of(a.run, b.run),
                "books": books_of(a.run, b.run),
            }
        )
    return found.model_copy(update={"differs": tuple(_differs(found))})


def _rows(tables: Tables, identity: Identity) -> Rows:
    return Rows(
        identity=identity.words,
        by=identity.by,
        **tables.counts(),
        added_examples=tables.examples("added"),
        removed_examples=tables.examples("removed"),
        added_because=tables.because("added"),
        removed_because=tables.because("removed"),
        columns=tables.changed(),
        splits=tables.moved("split"),
        labels=tables.moved("label") if tables.label else (),
    )


def _differs(found: Difference) -> Iterator[str]:
    """What differs, in the order in which it is shown."""
    rows = found.rows
    books = found.books
    told = {
        "rows": rows.added or rows.removed or rows.changed,
        "splits": rows.moved,
        "labels": rows.labels,
        "schema": found.schema_changes,
        "distributions": any(one.verdict == "differs" for one in found.distributions),
        "checks": any(one.differs for one in found.checks),
        "scores": any(one.differs for one in found.scores),
        "recipe": found.recipe,
        "rejected": books and (books.read_a != books.read_b or any(one.a != one.b for one in books.rejected)),
    }
    yield from (name for name, differs in told.items() if differs)


def _notes(tables: Tables, identity: Identity) -> Iterator[str]:
    a, b = tables.a, tables.b
    if identity.by == "content":
        changed = f"whose {identity.columns[0]!r}" if len(identity.columns) == 1 else "of which any value"
        yield f"a row {changed} changed counts as one removed and one added"
    if a.run and b.run and a.run.dataset.digest == b.run.dataset.digest:
        yield "both datasets have the same digest: they are the same, row for row"
    if a.run and b.run and a.run.task.get("label") != b.run.task.get("label"):
        yield "their tasks have different label columns, so label changes are not told"
