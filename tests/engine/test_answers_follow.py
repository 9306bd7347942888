"""Answers keep their places in a text through any chain of steps that clean it."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import Step
from seedbed.core.task import QuestionAnswering
from seedbed.core.task.following import _edits, follow
from seedbed.engine.kernel import Kernel, Outcome, Usable
from seedbed.recipe.recipe import AnyStep  # noqa: F401  (fills the catalogue)

FLAG = (True, False)
#: What stands between words: what steps take out, put in, or write shorter or longer.
BETWEEN = [" ", "  ", "\n", "\t ", "\u00a0", " &amp; ", " <b>", "</b> ", "<br/>", " <p class='x'>", "&nbsp;", " &lt;3 "]
BETWEEN += [" \u00e2\u20ac\u2122 ", " \u00c3\u00a9t\u00c3\u00a9 ", " e\u0301 ", " \ufb01 ", " \u2167 ", " \U0001f600 "]
BETWEEN += [
    " \u200b",
    " anna@example.org ",
    " +49 30 901820 ",
    "!!! ",
    " -- ",
    ", ",
    " \u0130 ",
    " \ufdfa ",
    " ... ",
    " \x07 ",
]
BETWEEN += [" http://example.org/a?b=1 ", " \u201cso\u201d ", " <!-- no --> ", " @anna "]

#: Steps that rewrite a text, and the options of theirs that are drawn.
STEPS: dict[str, dict[str, tuple[Any, ...]]] = {
    "fix_text": {
        "unescape_html": ("auto", True, False),
        "normalization": ("NFC", "NFKC", "none"),
        "uncurl_quotes": FLAG,
    },
    "strip_html": {"tags": ("html", "any")},
    "normalize": {
        "unicode": ("NFC", "NFKC", "none"),
        "whitespace": FLAG,
        "control": FLAG,
        "lowercase": FLAG,
        "urls": ("keep", "remove", "token"),
        "mentions": ("keep", "remove", "token"),
    },
    "redact_pii": {},
}


def chain(chance: random.Random) -> list[Step]:
    """Some steps that change the text, with options as they come."""
    steps = []
    for use in chance.choices(list(STEPS), k=chance.randint(1, 5)):
        options = {name: chance.choice(values) for name, values in STEPS[use].items()}
        steps.append(Step.catalogue[use].model_validate({**options, "column": "context"}))
    return steps


def row(chance: random.Random) -> tuple[dict[str, Any], list[list[str]]]:
    """A question whose answers are runs of words that occur once, and those words."""
    words = ["".join(chance.choices("bcdfghkmpqrtvwxz", k=7)) for _ in range(chance.randint(4, 40))]
    text, places = chance.choice(BETWEEN), []
    for word in words:
        places.append(len(text))
        text += word + chance.choice(BETWEEN)
    answers, told = [], []
    for _ in range(chance.randint(0, 3)):
        first = chance.randrange(len(words))
        last = min(first + chance.randint(0, 3), len(words) - 1)
        answers.append({"text": text[places[first] : places[last] + len(words[last])], "start": places[first]})
        told.append(words[first : last + 1])
    return {"question": "which?", "context": text, "answers": answers}, told


def outcome(rows: list[dict[str, Any]], steps: Sequence[Step]) -> Outcome:
    """What steps, and the task after them, do to rows."""
    task = QuestionAnswering()
    table = pl.DataFrame(rows).with_columns(pl.int_range(pl.len(), dtype=pl.UInt64).alias(NUMBER))
    named = [(str(place), one) for place, one in enumerate([*steps, Usable(use="task", task=task)])]
    kernel = Kernel(tuple(named), following=task.following())  # type: ignore[arg-type]
    return kernel(table.with_columns(pl.format("0:a#{}", NUMBER).alias(ROW)))


def words_of(text: str) -> list[str]:
    return re.findall(r"[bcdfghkmpqrtvwxz]{7}", text.lower())


@pytest.mark.parametrize("seed", range(1_000 // 50))
def test_a_thousand_random_chains(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        made = [row(chance) for _ in range(6)]
        done = outcome([one for one, _ in made], chain(chance))
        assert done.kept.height == len(made), done.entries.filter(action="rejected")["evidence"].to_list()
        for kept, (_, told) in zip(done.kept.iter_rows(named=True), made, strict=True):
            found = kept["answers"]
            assert all(kept["context"][one["start"] :].startswith(one["text"]) for one in found)
            given = list(dict.fromkeys(tuple(words) for words in told))
            assert [tuple(words_of(one["text"])) for one in found] == given
            assert all(one["text"] == one["text"].strip() for one in found)


@pytest.mark.parametrize(
    "answers",
    [
        '{"text": ["cat &amp; dog"], "answer_start": [5]}',
        '[{"text": "cat &amp; dog", "start": 5}]',
        [{"text": "cat &amp; dog", "start": 5}],
        {"text": ["cat &amp; dog"], "answer_start": [5]},
    ],
)
def test_whatever_form_they_have(answers: Any) -> None:
    steps = [
        Step.catalogue[use].model_validate({"use": use, "column": "context"}) for use in ("strip_html", "normalize")
    ]
    done = outcome([{"question": "?a", "context": "The  cat &amp; dog sat.", "answers": answers}], steps)
    assert done.kept["answers"].to_list() == [[{"text": "cat & dog", "start": 4}]]


def test_answers_that_a_step_writes_with_their_text_are_let_be() -> None:
    before = pl.DataFrame({"context": ["b b", "a  b"], "answers": ['[{"text": "b", "start": 2}]'] * 2})
    after = pl.DataFrame(
        {"context": ["x b b", "a b"], "answers": ['[{"text": "x", "start": 0}]', before["answers"][1]]}
    )
    following = QuestionAnswering().following()
    assert following(before, after)["answers"].to_list()[0] == '[{"text": "x", "start": 0}]'


def test_an_answer_that_a_step_takes_away_is_rejected_with_what_it_was() -> None:
    given = '[{"text": "title", "start": 7}]'
    step = Step.catalogue["strip_html"].model_validate({"column": "context"})
    done = outcome([{"question": "?a", "context": "see <b title='x'>here</b>", "answers": given}], [step])
    entry = done.entries.filter(action="rejected").row(0, named=True)
    assert entry["reason"] == "answer_not_found" and '"answer":"title"' in entry["evidence"]


def test_long_texts_do_not_take_memory_by_their_square() -> None:
    before = "word " * 40_000
    after = before.replace("word ", "ward ", 3)
    assert follow(before, after, [("word", len(before) - 5)]) == [("word", len(after) - 5)]


def test_order_is_kept() -> None:
    text = "a <i>b</i> c"
    found = follow(text, "a b c", [("a", 0), ("b", 5), ("c", 11)])
    assert [one for one, _ in found] == ["a", "b", "c"]
    assert all(start < later for (_, start), (_, later) in pairwise(found))


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ('a <img alt="Fast"> <b>Fast work, well done</b> z', "a Fast work, well done z", "Fast work, well done"),
        ('a <b>Fast work, well done</b> <img alt="done"> z', "a Fast work, well done z", "Fast work, well done"),
        ("a Fast Fast work z", "a Fast Fast work z", "Fast work"),
        ("see Rome. <i title=Rome>Rome is</i> old", "see Rome. Rome is old", "Rome is"),
    ],
)
def test_words_that_stand_in_tags_too(before: str, after: str, answer: str) -> None:
    start = before.rindex(answer)
    assert follow(before, after, [(answer, start)]) == [(answer, after.rindex(answer))]


@pytest.mark.parametrize(
    ("before", "after", "answer", "then"),
    [
        (
            "x \u00c3\u00a9t\u00c3\u00a9 froid y",
            "x \u00e9t\u00e9 froid y",
            "\u00c3\u00a9t\u00c3\u00a9 froid",
            "\u00e9t\u00e9 froid",
        ),
        ("a colour b", "a color b", "colour", "color"),
        ("call 030 now", "call <PHONE> now", "030", "<PHONE>"),
        ("mail anna@example.org now", "mail [email] now", "anna@example.org now", "[email] now"),
    ],
)
def test_words_that_are_written_otherwise(before: str, after: str, answer: str, then: str) -> None:
    assert follow(before, after, [(answer, before.index(answer))]) == [(then, after.index(then))]


def test_whatever_is_joined_stays_an_alignment() -> None:
    chance = random.Random(7)
    for _ in range(3_000):
        old = "".join(chance.choices("ab c", k=chance.randint(0, 14)))
        new = "".join(one for one in old if chance.random() < 0.7) + "".join(
            chance.choices("ab", k=chance.randint(0, 3))
        )
        i = j = 0
        for tag, here, there in _edits(old, new):
            assert (here.start, there.start) == (i, j)
            assert tag != "equal" or old[here] == new[there]
            i, j = here.stop, there.stop
        assert (i, j) == (len(old), len(new))
