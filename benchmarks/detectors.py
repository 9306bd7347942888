"""Recall and precision of each detector on rows with planted problems (tests/planted.py), with 95 % intervals (Wilson).

python benchmarks/detectors.py [--rows 20000] [--seed 1] [--only pii,language] [--slow] [--json FILE]

A detector is a function that is given the planted table and yields lines: a name, whether each row (or each thing
planted) holds the problem, and whether it was flagged. To add one, write the function and its line in `DETECTORS`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

# In place of this folder, whose names could hide those of the standard library.
sys.path[0] = str(Path(__file__).parents[1] / "tests")
sys.path.append(str(Path(__file__).parent / "faults"))

from planted import Planted, planted  # noqa: E402
from seedbed.core.statistics.shares import wilson  # noqa: E402

if TYPE_CHECKING:
    from seedbed.core.doubts import Doubts

Flags = NDArray[np.bool_]


class Line(NamedTuple):
    """What a detector said of some things."""

    name: str
    holds: Flags
    flagged: Flags
    note: str = ""


def pii(table: Planted, slow: bool) -> Iterator[Line]:
    """Each value by kind: found at its very place. What was found besides counts against the kind that was said."""
    from seedbed.core.detecting.personal.finding import found_in
    from seedbed.core.detecting.personal.kinds import COUNTRIES, KINDS, asked

    found = found_in(table.rows["text"], asked(KINDS, COUNTRIES), COUNTRIES).to_list()
    yield from _by_place("", table.truth["pii"].to_list(), found)
    near = table.truth["near_miss"].is_not_null().to_numpy()
    hit = np.array([bool(one) for one in found])
    yield Line(
        "pii, rows that only look so",
        near & False,
        near & hit,
        f"{int((near & hit).sum())} of {int(near.sum())} flagged",
    )
    if slow:
        from seedbed.core.detecting.personal.presidio import presidio_finds

        head = min(2000, table.rows.height)
        known = ["email", "phone", "card", "iban", "ip", "us_ssn", "gb_nhs"]
        truth = [[one for one in row if one["kind"] in known] for row in table.truth["pii"].to_list()[:head]]
        said = presidio_finds(table.rows["text"][:head], known, COUNTRIES).to_list()
        yield from _by_place(", Presidio", truth, said)


def _by_place(whose: str, truth: list[list[dict[str, object]]], found: list[list[dict[str, object]]]) -> Iterator[Line]:
    things = {}
    for row, (planted_here, said) in enumerate(zip(truth, found, strict=True)):
        for one in planted_here:
            things[row, one["start"], one["end"], one["kind"]] = [True, False]
        for one in said:
            things.setdefault((row, one["start"], one["end"], one["kind"]), [False, False])[1] = True
    keys = list(things)
    values = np.array([things[key] for key in keys], dtype=bool).reshape(-1, 2)
    for kind in sorted({str(key[3]) for key in keys}):
        of_kind = np.array([key[3] == kind for key in keys])
        yield Line(f"pii{whose}: {kind}", values[of_kind, 0], values[of_kind, 1])
    yield Line(f"pii{whose}: all", values[:, 0], values[:, 1])


def language(table: Planted, slow: bool) -> Iterator[Line]:
    """Texts in another language than English."""
    from seedbed.core.detecting.languages import languages_of

    told = languages_of(table.rows["text"]).struct.unnest()
    other = (table.truth["language"] != "en").to_numpy()
    english = (told["language"] == "en").fill_null(False).to_numpy()
    sure = told["confidence"].fill_null(0).to_numpy()
    short = (table.rows["text"].str.len_chars() < 20).to_numpy()
    yield Line("language (default: at_least 0.5, unsure stays)", other, ~english & (sure >= 0.5))
    yield Line("language, texts under 20 characters", (other & short)[short], (~english & (sure >= 0.5))[short])
    yield Line("language (at_least 0.65, unsure goes: FineWeb)", other, ~(english & (sure >= 0.65)))


def toxicity(table: Planted, slow: bool) -> Iterator[Line]:
    """Toxic lines among all rows; look-alikes are harmless lines with words that sound so."""
    from seedbed.core.detecting.toxicity import toxicity_of

    score = toxicity_of(table.rows["text"]).to_numpy()
    toxic = table.truth["toxic"].to_numpy()
    alike = (table.truth["fault"] == "look_alike").fill_null(False).to_numpy()
    for at_least in (0.6, 0.8, 0.9):
        hit = score >= at_least
        note = f"{int((hit & alike).sum())} of {int(alike.sum())} look-alikes flagged"
        yield Line(f"toxicity (at_least {at_least})", toxic, hit, note)


def outliers(table: Planted, slow: bool) -> Iterator[Line]:
    """Values far out in a column, and rows whose columns do not go together; learned from four rows in five."""
    from seedbed.steps import NumericOutliers

    rows, planted_in = table.rows, table.truth["outlier"].fill_null("")
    train = rows.filter(rows["id"] % 5 != 0).lazy()

    def marked(step: NumericOutliers) -> Flags:
        new = rows.select(step.columns(step.fit(train, 13))).to_series()
        return new.fill_null(False).to_numpy()

    for column in ("amount", "height_cm", "weight_kg"):
        log = column == "amount"  # lognormal
        holds = (planted_in == column).to_numpy()
        yield Line(f"outliers: {column}, iqr", holds, marked(NumericOutliers(column=column)))
        yield Line(f"outliers: {column}, robust_z", holds, marked(NumericOutliers(column=column, method="robust_z")))
        if log:
            step = NumericOutliers(column=column, method="robust_z", log=True)
            yield Line(f"outliers: {column}, robust_z, log", holds, marked(step))
    both = ["height_cm", "weight_kg"]
    holds, joint = planted_in.is_in(["joint", *both]).to_numpy(), (planted_in == "joint").to_numpy()
    for name, step in {
        "isolation_forest, share 0.02": NumericOutliers(column=both, method="isolation_forest", share=0.02),
        "robust_distance": NumericOutliers(column=both, method="robust_distance"),
    }.items():
        hit = marked(step)
        note = f"{int((hit & joint).sum())} of {int(joint.sum())} that only do not go together"
        yield Line(f"outliers: height and weight, {name}", holds, hit, note)


def categories(table: Planted, slow: bool) -> Iterator[Line]:
    """Categories written in another way, or misspelt, with what they should be; learned from four rows in five."""
    from seedbed.steps import MergeCategories

    rows, truth = table.rows, table.truth
    step = MergeCategories(column="category", apply="confident")
    state = step.fit(rows.filter(rows["id"] % 5 != 0).lazy(), 13)
    fault = truth["category_fault"].fill_null("")
    spelt, misspelt = (fault == "case").to_numpy(), (fault == "misspelt").to_numpy()
    merged = rows.select(step.columns(state)).to_series()
    right = (merged == truth["true_category"]).to_numpy()
    changed = (merged != rows["category"]).to_numpy()
    yield Line("merge_categories: other case, merged unasked", spelt, changed & (right | ~spelt))
    slips = {old: new for old, new, _, _, distance in state["proposals"] if distance}
    meant = merged.replace(slips)
    right = (meant == truth["true_category"]).to_numpy()
    hit = (meant != merged).to_numpy()
    yield Line(
        "merge_categories: misspelt, proposed", misspelt, hit & (right | ~misspelt), f"{len(slips)} merges to accept"
    )


def labels(table: Planted, slow: bool) -> Iterator[Line]:
    """Flipped labels by `label_errors`: models on the other four fifths; and near copies with another label."""
    import polars as pl
    from sklearn.metrics import roc_auc_score

    found = _doubts(table)
    flipped, rows = table.truth["flipped"].to_numpy(), table.rows.height
    suspects = found.suspects.with_columns(at=pl.col("row").cast(pl.Int64))
    score = np.full(rows, 2.0)
    score[suspects["at"].to_numpy()] = suspects["self_confidence"].to_numpy()
    share = found.share
    note = f"{share.value:.3f} ({share.low:.3f}–{share.high:.3f}) estimated, {found.joint:.3f} by the joint"
    yield Line("labels: all suspects", flipped, _among(suspects["at"], rows), note)
    for kind in ("wrong", "ambiguous"):
        yield Line(f"labels: kind {kind}", flipped, _among(suspects.filter(kind=kind)["at"], rows))
    rng = np.random.default_rng(13)
    areas = [roc_auc_score(flipped[one], -score[one]) for one in rng.integers(0, rows, (200, rows))]
    low, high = np.quantile(areas, [0.025, 0.975])
    area = f"AUROC {roc_auc_score(flipped, -score):.3f} ({low:.3f}–{high:.3f})"
    for first in (200, int(flipped.sum())):
        yield Line(f"labels: first {first:,} suspects", flipped, _among(suspects["at"].head(first), rows), area)
    of = table.truth["copy_of"].to_numpy()
    copy = np.flatnonzero(~np.isnan(of))
    other = (table.rows["label"].to_numpy()[copy]) != (table.rows["label"].to_numpy()[of[copy].astype(int)])
    pairs = _among(np.concatenate([copy[other], of[copy[other]].astype(int)]), rows)
    yield Line("labels: kind near_copy", pairs, _among(suspects.filter(kind="near_copy")["at"], rows))


def sets_and_numbers(table: Planted, slow: bool) -> Iterator[Line]:
    """Real answers with planted faults: films one of whose genres is wrong or gone, rated tweets and cars and diamonds
    with the number of another row, passengers with the other label; a tenth of the rows each."""
    from label_faults import SETS  # beside this file

    for name, make in SETS.items():
        found, planted_at, rows = make()
        at = found.suspects["row"].str.extract(r"(\d+)$").cast(int).to_numpy()
        of = len(planted_at)
        holds = np.isin(np.arange(rows), planted_at)
        base = f"{of / rows:.3f} of all rows hold one; {found.share.value:.3f} estimated"
        for first in sorted({min(100, len(at)), min(of, len(at))}):
            yield Line(f"{name}: first {first:,} suspects", holds, _among(at[:first], rows), base)


def _among(places: object, rows: int) -> Flags:
    return np.isin(np.arange(rows), np.asarray(places))


def _doubts(table: Planted) -> Doubts:
    """As a run makes them; `row` is the place."""
    import tempfile

    import polars as pl

    from seedbed.core.context import Context
    from seedbed.core.similarity import shingle, similar_pairs
    from seedbed.core.task import Task
    from seedbed.flow.doubting.doubt import doubted
    from seedbed.flow.doubting.labelled import Labelled
    from seedbed.flow.judging.cheap import cheap_learner
    from seedbed.splits.clusters import cluster

    given = tuple(sorted(table.rows["label"].unique()))
    task = Task(kind="text_classification", text="text", label="label", labels=given)
    places = pl.int_range(table.rows.height, eager=True)
    frame = table.rows.select("text", "label", row=places.cast(pl.String), _split=pl.lit("train"))
    numbers = places.to_numpy().astype(np.uint64)
    left, right, _ = similar_pairs(shingle(table.rows["text"], "characters"), 0.7, spanning=True)
    clusters = cluster(numbers, pairs=(numbers[left], numbers[right])).ids
    rows = Labelled(frame, clusters, np.ones(len(numbers), np.bool_), task, "text", "characters", 0.7)
    with tempfile.TemporaryDirectory() as folder:
        context = Context(base=Path(folder), store=Path(folder))
        return doubted(rows, cheap_learner(table.rows["text"]), context)[0]


DETECTORS: dict[str, Callable[[Planted, bool], Iterator[Line]]] = {
    "pii": pii,
    "language": language,
    "toxicity": toxicity,
    "labels": labels,
    "answers": sets_and_numbers,
    "outliers": outliers,
    "categories": categories,
}


def _share(found: int, of: int) -> str:
    if not of:
        return "–"
    low, high = wilson(found, of)
    return f"{found / of:.3f} ({low:.3f}–{high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(DETECTORS))
    parser.add_argument("--slow", action="store_true", help="also what takes minutes (Presidio)")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    table = planted(asked.rows, asked.seed)
    print(f"{asked.rows:,} rows, seed {asked.seed}: planted as tests/planted.py says\n")
    print(f"| {'detector':<48} | planted | recall (95 %)         | precision (95 %)      | CPU s | note |")
    print("|---|---|---|---|---|---|")
    told = []
    for name in asked.only.split(","):
        start = time.process_time()
        for line in DETECTORS[name](table, asked.slow):
            right = int((line.holds & line.flagged).sum())
            recall, precision = _share(right, int(line.holds.sum())), _share(right, int(line.flagged.sum()))
            spent = f"{time.process_time() - start:.1f}"
            planted_, said = int(line.holds.sum()), int(line.flagged.sum())
            print(f"| {line.name:<48} | {planted_:>7,} | {recall:<21} | {precision:<21} | {spent:>5} | {line.note} |")
            told.append({"detector": line.name, "planted": planted_, "found": said, "right": right})
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
