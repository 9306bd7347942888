"""Decides the split of every row, and proves that nothing that belongs together straddles; once per content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.showing import clean
from seedbed.core.splitter import LEFT_OUT, ByValue, Certificate, Dealing, Folding, InTurn, Splitter
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.engine.jobs import write_parquet
from seedbed.engine.provenance import code_of, versions
from seedbed.splits.certify import MadeRows, make_split
from seedbed.splits.clusters import cluster
from seedbed.splits.folding import split_in_folds
from seedbed.splits.in_turn import BRIDGES, Neighbour, Rows, Turned, split_in_turn
from seedbed.splits.placing import Placed, split_by_value
from seedbed.splits.time import Time
from seedbed.splits.verify import Verification
from seedbed.splits.verify_order import order_of
from seedbed.store.store import Store

from .belonging import Belonging
from .earlier import identities_of, stays, whose
from .made import Made
from .split import Near, Similarity, Split, similarity_of

#: Why rows are in no split, as verdicts.
LEFT_OUT_FILE = "left_out.parquet"
_CODE = ("made.py", "split.py", "belonging.py", "deciding.py", "earlier.py")
_SHOWN = 80


def split_rows(
    table: Table, splitter: Splitter, task: Task, context: Context, key: str, made: Made | None = None
) -> Split:
    """Decide the split of every row, and prove that nothing that belongs together straddles; once per content.

    Args:
        table: The rows.
        splitter: The recipe's.
        task: Its text is compared where the splitter names no column.
        context: Where to keep what was decided.
        key: Digest of everything that the rows were made from.
        made: Which of the rows a model wrote, and from what.

    Raises:
        DataError: The rows do not fit the shares.
    """
    similarity = similarity_of(splitter, table, task)
    here = [digest.of_file(Path(__file__).with_name(name)) for name in _CODE]
    code = [code_of(type(splitter)), here, versions()]
    made_from = [key, splitter.model_dump(mode="json"), task.answer, asdict(similarity), code]
    made_from += whose(splitter, context.base)
    place = Store.of(context).artefact("splits", digest.of_json(made_from))
    if not place.intact:
        place.done.unlink(missing_ok=True)  # damaged: deal again
        split = _decide(Belonging(table, splitter, task, similarity, context, made), key, place.folder)
        columns: dict[str, Any] = {NUMBER: split.numbers, "place": split.places, "cluster": split.clusters}
        fold = {} if split.folds is None else {"fold": split.folds}
        group = {} if split.groups is None else {"group": split.groups}
        write_parquet(pl.DataFrame({**columns, **fold, **group}), place.folder / "splits.parquet")
        told = {"certificate": split.certificate.model_dump(mode="json"), "similar": split.similar}
        place.seal(told, "splits.parquet", *([split.left_out.name] if split.left_out else []))
        return split
    assigned, facts = pl.read_parquet(place.folder / "splits.parquet"), place.facts()
    numbers = assigned[NUMBER].to_numpy()
    certificate = Certificate.model_validate(facts["certificate"])
    return Split(
        names=tuple(certificate.splits),
        numbers=numbers,
        places=assigned["place"].to_numpy(),
        certificate=certificate,
        similarity=similarity,
        similar=facts["similar"],
        clusters=assigned["cluster"].to_numpy(),
        only_train=made.only_train(numbers) if made else None,
        left_out=left_out if (left_out := place.folder / LEFT_OUT_FILE).exists() else None,
        folds=assigned["fold"].to_numpy() if "fold" in assigned.columns else None,
        groups=assigned["group"].to_numpy() if "group" in assigned.columns else None,
    )


def clusters_of(
    table: Table,
    splitter: Splitter,
    task: Task,
    similarity: Similarity,
    context: Context,
    key: str,
    made: Made | None = None,
) -> NDArray[np.int64]:
    """The cluster of each row of a table that no splitter dealt: which rows belong together, shape (rows,).

    Args:
        table: The rows.
        splitter: Says what else keeps rows together.
        task: Its text is compared where `similarity` is about another column.
        similarity: What "similar" means.
        context: Where to keep what was compared.
        key: Digest of everything that the rows were made from.
        made: Which of the rows a model wrote, and from what.
    """
    return Belonging(table, splitter, task, similarity, context, made).clusters(key)


def _decide(rows: Belonging, key: str, folder: Path) -> Split:
    """As the splitter's kind asks; verdicts on rows that are left out go into a folder."""
    match rows.splitter:
        case InTurn() as splitter:
            return _in_turn(rows, splitter, key, folder)
        case ByValue() as splitter:
            return _by_value(rows, splitter, key, folder)
        case Folding() as splitter:
            return _in_folds(rows, splitter, key)
        case Dealing() as splitter:
            return _dealt(rows, splitter, key)
        case other:
            raise TypeError(f"{type(other).__name__} deals nothing")


def _dealt(rows: Belonging, splitter: Dealing, key: str) -> Split:
    """Whole clusters, as the splitter deals them."""
    near = rows.near(key)
    mended: list[tuple[int, int]] = []

    def check(places: NDArray[np.int8], made: int) -> Verification:
        found = rows.check(places, made)
        mended.extend((one, other) for one, other, _ in found.pairs)
        return found

    places, certificate = make_split(
        splitter,
        rows.numbers,
        rows.strata,
        pairs=(near.left, near.right),
        groups=rows.groups,
        made=MadeRows(rows.parents, rows.only_train),
        verify_with=check,
        method=near.method,
    )
    one, other = np.array(mended, dtype=np.uint64).reshape(-1, 2).T
    pairs = (np.concatenate([near.left, one]), np.concatenate([near.right, other]))
    clusters = cluster(rows.numbers, pairs=pairs, groups=rows.groups, parents=rows.parents).ids
    return _split(rows, rows.numbers, places, certificate, near, clusters)


def _in_folds(rows: Belonging, splitter: Folding, key: str) -> Split:
    """A test, and folds of all others."""
    near = rows.near(key)
    folded = split_in_folds(
        splitter,
        rows.numbers,
        rows.strata,
        pairs=(near.left, near.right),
        groups=rows.groups,
        made=MadeRows(rows.parents, rows.only_train),
        verify_with=rows.check,
        method=near.method,
    )
    split = _split(rows, rows.numbers, folded.splits, folded.certificate, near, folded.clusters)
    return replace(split, folds=folded.folds)


def _by_value(rows: Belonging, splitter: ByValue, key: str, folder: Path) -> Split:
    """What rows say, unless rows that they belong to say something else."""
    near = rows.near(key)
    said = rows.says(splitter)
    placed = split_by_value(
        splitter,
        rows.numbers,
        said,
        rows.strata,
        pairs=(near.left, near.right),
        groups=rows.groups,
        made=MadeRows(rows.parents, rows.only_train),
        verify_with=rows.check,
        method=near.method,
    )
    places, certificate = placed.placement.places, placed.certificate
    if isinstance(splitter, Time):
        certificate = _in_order(rows, splitter, placed)
    kept = places != LEFT_OUT
    left_out = None
    if not kept.all():
        left_out = folder / LEFT_OUT_FILE
        _write_verdicts(_misplaced(rows, placed, said), left_out, rows.numbers)
    split = _split(rows, rows.numbers[kept], places[kept], certificate, near, placed.clusters[kept])
    return replace(split, left_out=left_out)


def _in_order(rows: Belonging, splitter: Time, placed: Placed) -> Certificate:
    """The certificate, with what the independent check of the order says."""
    counted = placed.placement.places.copy()
    if rows.only_train is not None:
        counted[rows.only_train] = LEFT_OUT
    batches = rows.table.batches([NUMBER, splitter.column])
    times = ((one[splitter.column], counted[np.searchsorted(rows.numbers, one[NUMBER].to_numpy())]) for one in batches)
    order = order_of(times, placed.placement.splits)
    in_order = order.kept(splitter.gap)
    told = {"column": splitter.column, "gap": splitter.gap, "in_order": in_order, "splits": order.told()}
    passed = placed.certificate.passed and in_order
    return placed.certificate.model_copy(update={"times": told, "passed": passed})


def _in_turn(rows: Belonging, splitter: InTurn, key: str, folder: Path) -> Split:
    """One row after the other, the oldest first."""
    near = rows.near(key, every=True)
    with rows.context.stage("Giving rows their splits, the oldest first"):
        batches = rows.table.batches(rows.similarity.columns)
        identities = np.concatenate([identities_of(rows.similarity.texts(batch)) for batch in batches])
        stay = stays(splitter, identities, rows.similarity, rows.context.base)
        given = Rows(
            numbers=rows.numbers,
            identities=identities,
            turns=_turns(rows.rows[splitter.age] if splitter.age else None, identities, stay),
            stay=stay,
            left=np.searchsorted(rows.numbers, near.left),
            right=np.searchsorted(rows.numbers, near.right),
            similarity=near.similarity,
            groups=rows.groups,
            parents=_positions(rows, rows.parents),
            only_train=rows.only_train,
        )
        turned = split_in_turn(splitter, given, verify_with=rows.check, method=near.method)
    kept = turned.places >= 0
    left_out = None
    if turned.bridging:
        left_out = folder / LEFT_OUT_FILE
        _write_verdicts(_bridging(rows, turned), left_out, rows.numbers)
    split = _split(rows, rows.numbers[kept], turned.places[kept], turned.certificate, near, turned.clusters[kept])
    return replace(split, left_out=left_out)


def _positions(
    rows: Belonging, pairs: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    if pairs is None:
        return None
    return np.searchsorted(rows.numbers, pairs[0]), np.searchsorted(rows.numbers, pairs[1])


def _split(
    rows: Belonging,
    numbers: NDArray[np.uint64],
    places: NDArray[np.int8],
    certificate: Certificate,
    near: Near,
    clusters: NDArray[np.int64],
) -> Split:
    similar = len(np.intersect1d(np.concatenate([near.left, near.right]), numbers))
    only_train = rows.made.only_train(numbers) if rows.made else None
    names = tuple(certificate.splits)
    certificate = _with_group(rows, numbers, places, certificate)
    split = Split(names, numbers, places, certificate, rows.similarity, similar, clusters, only_train)
    if rows.similarity.kind != "rows":
        return split
    # Equal rows of a table stay together, but are no copies: few values make many rows equal that know nothing of
    # each other.
    nobody = np.zeros(0, dtype=np.uint64)
    groups = cluster(rows.numbers, pairs=(nobody, nobody), groups=rows.groups, parents=rows.parents).ids
    return replace(split, groups=groups[np.searchsorted(rows.numbers, numbers)])


def _with_group(
    rows: Belonging, numbers: NDArray[np.uint64], places: NDArray[np.int8], certificate: Certificate
) -> Certificate:
    """With how many values of the group's column straddle splits: counted in the rows, not in clusters."""
    column = rows.splitter.group
    if column is None:
        return certificate
    values = rows.rows[column].gather(np.searchsorted(rows.numbers, numbers))
    told = pl.DataFrame([values.alias("value"), pl.Series("place", places)]).drop_nulls("value")
    if told.schema["value"].is_float():
        told = told.filter(pl.col("value").is_not_nan())
    of_each = told.group_by("value").agg(pl.col("place").n_unique())
    straddle = of_each.filter(pl.col("place") > 1).height
    group = {"column": column, "values": of_each.height, "straddle": straddle}
    return certificate.model_copy(update={"group": group, "passed": certificate.passed and not straddle})


#: A row by its position, why it is left out, and facts.
_Verdict = tuple[int, str, dict[str, object]]


def _bridging(rows: Belonging, turned: Turned) -> Iterable[_Verdict]:
    """Rows that would bridge splits, with a neighbour of each."""
    names = _names(rows, [one.row for found in turned.bridging.values() for one in found])
    splits = tuple(turned.certificate.splits)

    def told(one: Neighbour) -> dict[str, object]:
        alike = {} if one.similarity is None else {"similarity": round(one.similarity, 4)}
        return {"of": names[one.row], "split": splits[one.split], **alike}

    for row, found in sorted(turned.bridging.items()):
        yield row, BRIDGES, {**told(found[0]), "neighbours": list(map(told, found))}


def _misplaced(rows: Belonging, placed: Placed, said: pl.Series) -> Iterable[_Verdict]:
    """Rows whose value says no split, or another one than the rows that they belong to."""
    placement = placed.placement
    gone = np.flatnonzero(placement.places == LEFT_OUT)
    because = placement.because[gone]
    names = _names(rows, because[because >= 0].tolist())
    values = said.gather(gone).cast(pl.String).to_list()
    for row, other, value in zip(gone.tolist(), because.tolist(), values, strict=True):
        own = {} if value is None else {"said": clean(value)[:_SHOWN]}
        of = {"of": names[other], "split": placement.splits[placement.places[other]]} if other >= 0 else {}
        yield row, placement.reasons[row], {**of, **own}


def _names(rows: Belonging, positions: Sequence[int]) -> dict[int, str]:
    """`ROW` of some rows, by their positions."""
    places = np.unique(np.asarray(positions, dtype=np.int64))
    numbers = pl.Series(rows.numbers[places], dtype=pl.UInt64)
    known = rows.table.scan().select(NUMBER, ROW).filter(pl.col(NUMBER).is_in(numbers.implode())).collect()
    return dict(zip(np.searchsorted(rows.numbers, known[NUMBER].to_numpy()).tolist(), known[ROW], strict=True))


def _write_verdicts(verdicts: Iterable[_Verdict], path: Path, numbers: NDArray[np.uint64]) -> None:
    """Write why rows are left out, as `leave_out` reads it."""
    entries = [(int(numbers[row]), reason, json.dumps(facts)) for row, reason, facts in verdicts]
    schema = {NUMBER: pl.UInt64, "reason": pl.String, "evidence": pl.String}
    write_parquet(pl.DataFrame(entries, schema=schema, orient="row"), path)


def _turns(age: pl.Series | None, identities: NDArray[np.uint64], stay: NDArray[np.int8] | None) -> NDArray[np.int64]:
    """Positions of rows, the oldest first; those of an earlier run are older than all others."""
    keys = pl.DataFrame({"row": np.arange(len(identities), dtype=np.int64)})
    by = ["row"]
    if age is not None:
        # Rows of one age go by what they say: not by the order in which files happen to be read.
        keys, by = keys.with_columns(age.alias("age"), pl.Series("says", identities)), ["age", "says", "row"]
    if stay is not None:
        keys, by = keys.with_columns(pl.Series("new", stay == LEFT_OUT)), ["new", *by]
    return keys.sort(by, nulls_last=True)["row"].to_numpy()
