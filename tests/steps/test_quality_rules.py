"""`quality_rules`: each rule against plain Python, what decides, and what the ledger tells."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planted import made_texts
from seedbed.core.rows import number_rows
from seedbed.engine.kernel import Kernel, Outcome
from seedbed.steps import QualityRules
from seedbed.steps.quality.lines import left_of, line_measures, paragraph_measures, sentences
from seedbed.steps.quality.rules import LINE_RULES, RULES
from seedbed.steps.quality.words import gram_measures, word_measures

PROSE = " ".join(made_texts(12)["text"]) + " That is the end of it, and we have to be with the others."


def passed(step: QualityRules, texts: Sequence[str | None]) -> Outcome:
    table = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    records = pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    return Kernel((("quality_rules", step),), changes="all")(
        number_rows(table, file_number=0, source="s", file="f", records=records)
    )


def reasons(step: QualityRules, texts: Sequence[str | None]) -> list[str | None]:
    outcome = passed(step, texts)
    gone = dict(outcome.entries.filter(action="rejected").select("row", "reason").iter_rows())
    return [gone.get(f"s:f#{place + 1}") for place in range(len(texts))]


#: For each rule a text that breaks it and no rule before it in its preset.
BREAKS = {
    "few_words": "the and of",
    "many_words": "the word of " * 34_000,
    "short_words": "a b c d the of " * 10,
    "long_words": "the of incomprehensibilities counterrevolutionaries " * 15,
    "hashes": PROSE + " #a" * 40,
    "ellipses": PROSE + " so..." * 40,
    "bullet_lines": "\n".join("- " + line for line in [PROSE[:150], PROSE[150:300], PROSE]),
    "ellipsis_lines": "\n".join([PROSE, "and that is ...", "and more …"]),
    "letterless_words": PROSE + " 12345" * 60,
    "few_stop_words": "Dogs chase cats " * 20,
    "duplicate_lines": "\n".join([PROSE, *["x"] * 3, "y", "z"]),
    "duplicate_paragraphs": "\n\n".join([PROSE, "x\nq", "x\nq", "x\nq"]),
    "duplicate_line_characters": f"{PROSE[:300]}\n{PROSE[:300]}\n" + "\n".join(PROSE.split(" ")[:20]),
    "lorem_ipsum": "Lorem  ipsum? no: lorem ipsum is here. It is. It is not that at all.",
    "curly_brackets": "One line is here with { in it. Two lines would be better. Three are there.",
    "few_sentences": "This one sentence is here alone.",
    "unpunctuated_lines": "\n".join([PROSE[:80] + ","] * 2),
    "repeated_lines": "\n".join([PROSE[:100] + "."] * 2),
    "short_lines": "\n".join([PROSE, "a.", "b.", "c."]),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_rule_takes_what_breaks_it_and_leaves_prose(name: str) -> None:
    rule = next(rule for rule in RULES if rule.name == name)
    step = QualityRules(column="text", presets=[], rules={name: True})
    prose = PROSE if name != "many_words" else "the of " * 100
    assert reasons(step, [BREAKS[name], prose]) == [name, None]
    told = json.loads(passed(step, [BREAKS[name]]).entries["evidence"][0])
    assert told["limit"] == rule.limit
    assert told["failed"] == [name]
    assert told["value"] < rule.limit if rule.side == "at_least" else told["value"] > rule.limit
    off = QualityRules(column="text", presets=[rule.preset], rules={name: False})
    assert name not in reasons(off, [BREAKS[name]])
    generous = 0 if rule.side == "at_least" else 1e9
    assert reasons(QualityRules(column="text", presets=[], rules={name: generous}), [BREAKS[name]]) == [None]


def test_the_first_rule_decides_and_all_are_told() -> None:
    step = QualityRules(column="text", presets=["gopher", "gopher_repetition"])
    text = "buy now ### " * 30
    told = passed(step, [text]).entries
    evidence = json.loads(told["evidence"][0])
    assert told["reason"][0] == evidence["failed"][0]
    assert {"few_stop_words", "top_2_gram", "duplicate_5_grams", "duplicate_10_grams"} < set(evidence["failed"])
    order = [rule.name for rule in RULES]
    assert evidence["failed"] == sorted(evidence["failed"], key=order.index)


def test_missing_and_blank_texts_cannot_be_told() -> None:
    for presets in (["gopher"], ["c4"], ["fineweb"], ["gopher_repetition"]):
        assert reasons(QualityRules(column="text", presets=presets), [None, "", " \n "]) == ["cannot_tell"] * 3


def test_only_looking_changes_nothing() -> None:
    step = QualityRules(column="text", presets=["gopher", "fineweb"], reject=False, write="broken")
    texts = [BREAKS["short_lines"], PROSE, None, "no end"]
    kept = passed(step, texts).kept
    assert kept["text"].to_list() == texts
    assert "short_lines" in kept["broken"][0]
    assert kept["broken"][2] is None


def test_the_page_tells_each_rule_and_its_source() -> None:
    page = re.sub(r"\s+", " ", str(QualityRules.__doc__))
    for rule in RULES:
        name = "duplicate_10_grams" if re.fullmatch(r"duplicate_\d+_grams", rule.name) else rule.name
        assert f"`{name}`" in page, rule.name
    assert all(f"`{name}`" in page for name in LINE_RULES)
    assert all(paper in page for paper in ("arXiv:2112.11446", "JMLR 21", "arXiv:2406.17557"))


@pytest.mark.parametrize(
    "options",
    [{"presets": []}, {"rules": {"few_wrods": 3}}, {"reject": False}, {"presets": ["Gopher"]}],
)
def test_options_that_do_not_fit(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        QualityRules.model_validate({"use": "quality_rules", "column": "text", **options})


# C4's lines


def test_lines_are_left_out_by_the_rules_that_are_asked_for() -> None:
    lines = {
        "line_end": "Home and more of the menu",
        "line_words": "Only three words.",
        "line_word_length": "This is " + "x" * 1001 + " and more words.",
        "line_javascript": "Please turn your JavaScript on to read.",
        "line_policy": "This site says in its Cookie Policy that it does.",
    }
    good = "This line is long enough.[12]"
    text = pl.Series(["\n".join([good, *lines.values(), "It ends so ...", good])])
    assert left_of(text, LINE_RULES).row(0) == ("This line is long enough.\nThis line is long enough.", 6)
    for name, line in lines.items():
        left = left_of(pl.Series([f"{good}\n{line}"]), {name: LINE_RULES[name]})
        assert left.row(0) == ("This line is long enough.", 1)
        others = {other: limit for other, limit in LINE_RULES.items() if other != name}
        assert left_of(pl.Series([line]), others).row(0) == (line, 0), name


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 0),
        ("One", 1),
        ("One. Two", 2),
        ("One. Two!", 2),
        ('He said "no." Then?', 2),
        ("3.5 is one.", 1),
        ("a\nb", 2),
    ],
)
def test_sentences(text: str, n: int) -> None:
    assert sentences(pl.Series([text])).to_list() == [n]


# Measures, against plain Python

WORDS = st.sampled_from(["a", "the", "of", "x1", "dog", "12", "#", "...", "—", "été", "日本"])
TEXTS = st.lists(
    st.lists(st.tuples(WORDS, st.sampled_from([" ", "  ", "\n", "\n\n", " \n\n "])), max_size=40), max_size=4
).map(lambda texts: ["".join(word + gap for word, gap in text) for text in texts])


@given(TEXTS)
@settings(max_examples=60)
def test_words_in_a_row_as_plain_python_counts_them(texts: list[str]) -> None:
    names = ["top_2_gram", "top_3_gram", "top_4_gram", *(f"duplicate_{n}_grams" for n in range(5, 11))]
    found = gram_measures(pl.Series(texts, dtype=pl.String), names)
    for place, text in enumerate(texts):
        words = text.split()
        for n in (2, 3, 4):
            grams = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
            gram, times = grams.most_common(1)[0] if grams else ((), 0)
            share = len(" ".join(gram)) * times / len(text) if times > 1 else 0
            assert found[f"top_{n}_gram"][place] == pytest.approx(share)
        for n in range(5, 11):
            seen, covered = set[tuple[str, ...]](), set[int]()
            for i in range(len(words) - n + 1):
                gram = tuple(words[i : i + n])
                covered |= set(range(i, i + n)) if gram in seen else set()
                seen.add(gram)
            share = sum(len(words[i]) for i in covered) / len(text) if text else 0
            assert found[f"duplicate_{n}_grams"][place] == pytest.approx(share)


@given(TEXTS)
@settings(max_examples=60)
def test_words_and_lines_as_plain_python_counts_them(texts: list[str]) -> None:
    series = pl.Series(texts, dtype=pl.String)
    words, lines, paragraphs = word_measures(series), line_measures(series), paragraph_measures(series)
    for place, text in enumerate(texts):
        told = text.split()
        real = [word for word in told if word not in ("#", "...", "—")]
        assert words["words"][place] == len(real)
        assert words["word_length"][place] == (pytest.approx(sum(map(len, real)) / len(real)) if real else None)
        letters = [any(sign.isalpha() for sign in word) for word in told]
        assert words["words_with_letters"][place] == (pytest.approx(sum(letters) / len(told)) if told else None)
        assert words["stop_words"][place] == len({"the", "of"} & set(told))
        kept = [line for line in text.split("\n") if line.strip()]
        again = [line in kept[:i] for i, line in enumerate(kept)]
        assert lines["duplicate_lines"][place] == (pytest.approx(sum(again) / len(kept)) if kept else None)
        copied = sum(len(line) for line, old in zip(kept, again, strict=True) if old)
        if kept:
            assert lines["duplicate_line_characters"][place] == pytest.approx(copied / len(text))
            assert lines["repeated_line_characters"][place] == pytest.approx(copied / sum(map(len, kept)))
        pieces = [piece for piece in re.split(r"\n\s*\n", text) if piece.strip()]
        before = [piece in pieces[:i] for i, piece in enumerate(pieces)]
        assert paragraphs["duplicate_paragraphs"][place] == (
            pytest.approx(sum(before) / len(pieces)) if pieces else None
        )
