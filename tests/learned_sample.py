"""A small run of every kind of task, with models that learn in a moment: for tests of what shows and uses them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from predicting_sample import write
from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import parse

_PLACES = ("Ulm", "Köln", "Oslo", "Łódź", "Bern", "Graz", "Turin", "Lyon", "Porto", "Gent", "Riga", "Brno")
_TOPICS = {"sport": ("goal", "race", "match"), "money": ("bank", "share", "loan"), "art": ("paint", "opera", "novel")}
_HOSTILE = '🎭 <b onmouseover="alert(1)">bold</b>'

TASKS: dict[str, dict[str, Any]] = {
    "text_classification": {"text": "said", "label": "topic"},
    "multi_label_classification": {"text": "said", "label": "topics"},
    "regression": {"text": "said", "target": "price"},
    "tabular_classification": {"label": "kind"},
    "tabular_regression": {"target": "price"},
    "question_answering": {},
    "causal_lm": {"text": "said"},
    "chat": {},
    "text_to_text": {"text": "long", "target": "short"},
}
FEATURES = ["width", "depth", "shape"]
LEARNERS: dict[str, list[dict[str, Any]]] = {
    "text_classification": [{"use": "majority"}, {"use": "tfidf_logistic", "characters": None, "min_df": 1}],
    "multi_label_classification": [{"use": "majority"}, {"use": "tfidf_logistic", "characters": None, "min_df": 1}],
    "regression": [{"use": "mean"}, {"use": "tfidf_ridge", "characters": None, "min_df": 1}],
    "tabular_classification": [{"use": "majority"}, {"use": "decision_tree", "max_depth": 3}],
    "tabular_regression": [{"use": "mean"}, {"use": "tabular_linear"}],
    "question_answering": [
        {"use": "best_sentence"},
        {"use": "best_sentence", "words": None, "characters": [3, 4]},
    ],
    "causal_lm": [{"use": "ngram", "order": 2}, {"use": "ngram", "order": 4}],
    "chat": [{"use": "nearest"}, {"use": "nearest", "words": [1, 1], "characters": None}],
    "text_to_text": [{"use": "copy_input"}, {"use": "nearest"}],
}


def rows_of(kind: str, n: int = 160, seed: int = 3) -> list[dict[str, Any]]:
    """Rows from which a model of the kind can learn something; `half` tells them apart in slices."""
    draw = random.Random(seed)
    made = zip(range(n), _MAKERS[kind](draw), strict=False)
    return [{"half": "first" if place % 2 else "second", **row} for place, row in made]


def words(draw: random.Random, n: int) -> str:
    """Words that no other text has."""
    return " ".join(
        "".join(draw.choices("bdfgklmnprst", k=2)) + draw.choice("aeiou") + draw.choice("bdfgkl") for _ in range(n)
    )


def recipe_of(kind: str, **more: Any) -> dict[str, Any]:
    """A recipe for such rows."""
    whole: dict[str, Any] = {
        "seedbed": 1,
        "name": kind,
        "task": {"kind": kind, **TASKS[kind]},
        "sources": [{"use": "jsonl", "path": f"{kind}.jsonl", "name": "mine"}],
        "split": {"use": "random", "train": 0.6, "validation": 0.2, "test": 0.2, "seed": 5},
        "train": LEARNERS[kind],
        "evaluate": {"intervals": {"resamples": 200}, "leakage": False, "slices": ["half"]},
    }
    if kind.startswith("tabular"):
        whole["task"] |= {"features": FEATURES}
    return whole | more


def learned(kind: str, base: Path, made: list[dict[str, Any]] | None = None, out: str = "out", **more: Any) -> Finished:
    """Run such a recipe in a folder."""
    write(base / f"{kind}.jsonl", made if made is not None else rows_of(kind))
    return run(parse(recipe_of(kind, **more), base), out=base / out, workers=1)


def asked_of(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody who asks brings of such a row: all but the answer."""
    answer = {"text_to_text": "short", "question_answering": "answers"}.get(kind)
    answer = answer or TASKS[kind].get("label") or TASKS[kind].get("target")
    if kind.startswith("tabular"):
        return {name: row[name] for name in FEATURES}
    asked = {name: value for name, value in row.items() if name not in (answer, "half")}
    if kind == "chat":
        asked["messages"] = row["messages"][:-1]
    return asked


def _texts(draw: random.Random) -> Iterator[dict[str, Any]]:
    while True:
        topic = draw.choice(list(_TOPICS))
        yield {"said": f"{words(draw, 6)} {draw.choice(_TOPICS[topic])} {words(draw, 3)}", "topic": topic}


def _sets(draw: random.Random) -> Iterator[dict[str, Any]]:
    while True:
        topics = [topic for topic in _TOPICS if draw.random() < 0.4]
        named = " ".join(draw.choice(_TOPICS[topic]) for topic in topics)
        yield {"said": f"{words(draw, 6)} {named} {words(draw, 3)}", "topics": topics}


def _priced(draw: random.Random) -> Iterator[dict[str, Any]]:
    kinds = {"lamp": 20.0, "chair": 80.0, "sofa": 600.0, "villa": 9000.0}
    while True:
        kind = draw.choice(list(kinds))
        yield {
            "said": f"{words(draw, 5)} {kind} {words(draw, 3)}",
            "price": round(kinds[kind] * draw.uniform(0.8, 1.2), 2),
        }


def _table(draw: random.Random) -> Iterator[dict[str, Any]]:
    while True:
        width, depth, shape = draw.uniform(1, 9), draw.uniform(1, 9), draw.choice(["round", "square", _HOSTILE])
        price = round(100 * width + 30 * depth + (200 if shape == "round" else 0) + draw.gauss(0, 40), 2)
        row = {"width": round(width, 3), "depth": round(depth, 3), "shape": shape}
        yield row | {"price": price, "kind": "large" if width * depth > 20 else "small"}


def _asked(draw: random.Random) -> Iterator[dict[str, Any]]:
    while True:
        who = words(draw, 1).capitalize()
        place, year = draw.choice(_PLACES), str(draw.randint(1700, 1999))
        facts = [
            f"The town of {words(draw, 4)} lies near {draw.choice(_PLACES)}.",
            f"{who} lived in {place} & wrote {words(draw, 3)}.",
            f"In {year} the bridge of {words(draw, 3)} fell. {_HOSTILE}",
        ]
        draw.shuffle(facts)
        context = " ".join(facts)
        about = draw.random()
        if about < 0.45:
            yield {
                "question": f"Where did {who} live?",
                "context": context,
                "answers": _place(context, place, f"lived in {place}"),
            }
        elif about < 0.85:
            yield {
                "question": "When did the bridge fall?",
                "context": context,
                "answers": _place(context, year, f"In {year}"),
            }
        else:
            yield {"question": f"Which {words(draw, 2)} is it?", "context": context, "answers": []}


def _place(context: str, text: str, around: str) -> list[dict[str, Any]]:
    return [{"text": text, "start": context.index(around) + around.index(text)}]


def _documents(draw: random.Random) -> Iterator[dict[str, Any]]:
    while True:
        some = draw.choice(["the old man", "a red fox", "our small boat", "the long winter"])
        more = draw.choice(["went to sea", "came home again", "was never seen", "sang all night"])
        yield {"said": f"{words(draw, 4)} and {some} {more}. {words(draw, 5)} but {some} stayed."}


def _chats(draw: random.Random) -> Iterator[dict[str, Any]]:
    answers = {
        "open": "We are open from nine to five.",
        "price": "It costs ten euros.",
        "way": "Turn left at the bridge.",
    }
    while True:
        about = draw.choice(list(answers))
        turns = [{"role": "user", "content": f"{words(draw, 5)} {about} {words(draw, 2)}?"}]
        turns.append({"role": "assistant", "content": answers[about]})
        if draw.random() < 0.3:
            turns = [
                {"role": "user", "content": f"Hello {words(draw, 4)}"},
                {"role": "assistant", "content": "Hi."},
                *turns,
            ]
        yield {"messages": turns}


def _pairs(draw: random.Random) -> Iterator[dict[str, Any]]:
    while True:
        short = f"{words(draw, 2)} {draw.choice(['sun', 'rain', 'snow'])}"
        yield {"long": f"{short} {words(draw, 6)}", "short": f"{short}."}


_MAKERS = {
    "text_classification": _texts,
    "multi_label_classification": _sets,
    "regression": _priced,
    "tabular_classification": _table,
    "tabular_regression": _table,
    "question_answering": _asked,
    "causal_lm": _documents,
    "chat": _chats,
    "text_to_text": _pairs,
}


def as_text(value: Any) -> str:
    """A value as somebody may type it."""
    return json.dumps(value, ensure_ascii=False)
