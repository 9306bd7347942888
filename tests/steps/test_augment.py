"""New training rows: like no other row, the same for the same row, of the labels asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.context import Context, current
from seedbed.core.errors import DataError, MissingExtraError, ModelError, NotKept
from seedbed.core.part import BASE
from seedbed.core.rows import NUMBER, PARENTS, ROW
from seedbed.core.similarity import normalise
from seedbed.steps import Augment
from seedbed.steps.augmenting.chance import Chance
from seedbed.steps.augmenting.edits import NEIGHBOURS, deleted, inserted, replaced, swapped, with_typos
from seedbed.steps.augmenting.synonyms import USUAL, WordList, wordnet
from serving.model import Reply, model_server

TEXTS = [
    "the film was good and the cast was better",
    "never again, what a waste of time",
    "good food, slow service",
    "I would come back for the view alone",
    "ok",
    "",
]


def named(rows: pl.DataFrame) -> pl.DataFrame:
    names = pl.Series(ROW, [f"s:f#{place}" for place in range(1, rows.height + 1)], dtype=pl.String)
    numbers = pl.Series(NUMBER, range(1, rows.height + 1), dtype=pl.UInt64)
    return pl.DataFrame([numbers, names, *rows.get_columns()])


def made(rows: pl.DataFrame, seed: int = 13, base: Path | None = None, **options: Any) -> pl.DataFrame:
    step = Augment.model_validate({"use": "augment", "column": "text", "label": "label", **options},
                                  context={BASE: base or Path.cwd()})  # fmt: skip
    frames = list(step.make(rows.lazy(), seed))
    return pl.concat(frames) if frames else pl.DataFrame(schema={"text": pl.String, PARENTS: pl.List(pl.String)})


def test_rows_of_the_labels_asked_for_with_their_parents() -> None:
    rows = named(pl.DataFrame({"text": TEXTS, "label": ["a", "b"] * 3, "stars": range(6)}))
    found = made(rows, labels=["a"], per_row=3)
    assert found.columns == ["text", "label", "stars", PARENTS]
    assert set(found["label"]) == {"a"}
    parents = found.explode(PARENTS).join(rows, left_on=PARENTS, right_on=ROW)
    assert (parents["stars"] == parents["stars_right"]).all()
    assert parents.group_by("stars").len().sort("stars").rows() == [(0, 3), (2, 3)]  # "ok" has nothing to change
    with pytest.raises(DataError, match="no training row"):
        made(rows, labels=["c"])


def test_a_row_has_the_same_children_whatever_stands_around_it() -> None:
    rows = named(pl.DataFrame({"text": TEXTS, "label": ["a"] * 6}))
    every = made(rows, per_row=4)
    assert every.equals(made(rows, per_row=4))
    assert not every.equals(made(rows, seed=14, per_row=4))
    some = made(rows[[3, 0]], per_row=4)
    for name in ("s:f#1", "s:f#4"):
        mine = [table.filter(pl.col(PARENTS).list.first() == name)["text"].to_list() for table in (every, some)]
        assert mine[0] == mine[1]
        assert len(mine[0]) == 4


@given(st.lists(st.text("ab c", max_size=12), max_size=8), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_no_new_text_is_that_of_another_row(texts: list[str], per_row: int) -> None:
    rows = named(pl.DataFrame({"text": pl.Series(texts, dtype=pl.String), "label": ["a"] * len(texts)}))
    found = made(rows, methods=["swap", "delete", "typos"], per_row=per_row, share=0.4)
    new = normalise(found["text"])
    assert new.is_unique().all()
    assert not set(new) & set(normalise(rows["text"]))


WORDS = WordList(["good, fine, decent", "film, movie", "New York, Big Apple"])


@given(st.text(max_size=60), st.floats(0.01, 1), st.integers(0, 10))
@settings(max_examples=150, deadline=None)
def test_edits_hold_on_to_what_they_do_not_change(text: str, share: float, seed: int) -> None:
    words = text.split()
    swap = swapped(text, share, Chance("r", seed=seed))
    assert swap is None or sorted(swap.split()) == sorted(words)
    less = deleted(text, share, Chance("r", seed=seed))
    if less is not None:
        left = iter(words)
        assert all(word in left for word in less.split())  # in order
        assert 0 < len(less.split()) < len(words)
    typos = with_typos(text, share, Chance("r", seed=seed))
    assert typos is None or len(typos.split()) == len(words)
    for edit in (replaced(WORDS), inserted(WORDS)):
        edited = edit(text, share, Chance("r", seed=seed))
        assert edited is None or any(word in text.lower() for word in ("good", "fine", "decent", "film", "movie"))


def test_words_keep_their_case_and_signs() -> None:
    edit = replaced(WordList(["good, fine", "film, motion picture"]))
    assert edit("GOOD: “Film”!", 1, Chance("r", seed=1)) == "FINE: “Motion picture”!"
    assert edit("@good #film http://good.film", 1, Chance("r", seed=1)) is None
    assert inserted(WordList(["good, fine"]))("so good", 0.1, Chance("r", seed=1)) in (
        "so good fine", "so fine good", "fine so good",
    )  # fmt: skip


def test_typing_errors_are_those_of_fingers() -> None:
    assert set(NEIGHBOURS["g"]) == set("fhtyvb")
    assert set(NEIGHBOURS["q"]) == set("wa")
    for seed in range(200):
        new = with_typos("keyboard", 0.1, Chance("r", seed=seed))
        assert new is not None
        assert new[0] == "k" or new == "ekyboard"
        assert abs(len(new) - 8) <= 1
        if len(new) == 8 and sorted(new) != sorted("keyboard"):
            [(old, typed)] = [(a, b) for a, b in zip("keyboard", new, strict=True) if a != b]
            assert typed in NEIGHBOURS[old]
    assert with_typos("a b2b @user", 1, Chance("r", seed=1)) is None


def dictionary(folder: Path) -> Path:
    """WordNet's files, of five meanings."""
    data = {
        "noun": ["04 n 02 car 0 auto 0 000 | a machine on wheels", "06 n 01 film 1 000 | a layer"],
        "verb": ["30 v 02 run 0 go_round 0 000 01 + 02 00 | turn"],
        "adj": ["00 s 03 big(p) 0 large 0 Great 0 000 | of size"],
        "adv": [],
    }
    index: dict[str, list[str]] = {kind: [] for kind in data}
    for kind, lines in data.items():
        text = "  1 This software and database  \n"
        for line in lines:
            place = len(text)
            text += f"{place:08d} {line}  \n"
            words = line.split()[3 : 3 + 2 * int(line.split()[2], 16) : 2]
            index[kind] += [f"{word.partition('(')[0].lower()} {kind[0]} 1 1 @ 1 0 {place:08d}  " for word in words]
        (folder / f"data.{kind}").write_text(text)
        (folder / f"index.{kind}").write_text(
            "  1 This software and database\n" + "".join(f"{line}\n" for line in index[kind])
        )
    return folder


def test_wordnets_files_are_read(tmp_path: Path) -> None:
    known = wordnet(dictionary(tmp_path))
    assert known("car") == ("auto",)
    assert known("big") == ("large", "Great")
    assert known("run") == ("go round",)
    assert known("film") == known("nothing") == ()
    rows = named(pl.DataFrame({"text": ["A big car.", "no way"], "label": ["a", "a"]}))
    found = made(rows, base=tmp_path.parent, dictionary=tmp_path.name, methods=["synonyms"], per_row=9, share=0.01)
    assert set(found["text"]) == {"A large car.", "A Great car.", "A big auto."}


def test_files_that_are_not_wordnets(tmp_path: Path) -> None:
    dictionary(tmp_path)
    (tmp_path / "index.noun").write_text("car n one\n")
    with pytest.raises(DataError, match="no file of WordNet"):
        wordnet(tmp_path)
    dictionary(tmp_path)
    (tmp_path / "data.noun").write_text("short\n")
    with pytest.raises(DataError, match="no file of WordNet"):
        wordnet(tmp_path)("car")


@pytest.mark.skipif(not (USUAL / "index.noun").is_file(), reason="wordnet-base is not installed")
def test_the_real_wordnet() -> None:
    known = wordnet(USUAL)
    assert "automobile" in known("car")
    assert {"movie", "motion picture"} <= set(known("film"))
    assert known("not") == known("in") == ()  # nought, inch


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    rows = named(pl.DataFrame({"text": TEXTS, "label": ["a"] * 6}))
    with pytest.raises(MissingExtraError, match="wordnet-base"):
        made(rows, base=tmp_path, methods=["synonyms"], dictionary="nowhere")
    with pytest.raises(DataError, match="cannot be read"):
        made(rows, base=tmp_path, methods=["insert"], words="none.txt")
    (tmp_path / "w.txt").write_text("# good, bad\nalone\n")
    with pytest.raises(DataError, match="two words"):
        made(rows, base=tmp_path, methods=["insert"], words="w.txt")
    with pytest.raises(ValidationError, match="synonyms and insert"):
        made(rows, words="w.txt")
    with pytest.raises(ValidationError, match="twice"):
        made(rows, methods=["swap", "swap"])


def test_an_edited_list_of_words_makes_other_rows(tmp_path: Path) -> None:
    step = Augment.model_validate(
        {"use": "augment", "column": "text", "methods": ["synonyms"], "words": "w.txt"}, context={BASE: tmp_path}
    )
    (tmp_path / "w.txt").write_text("good, fine")
    before = step.made_from()
    (tmp_path / "w.txt").write_text("good, great")
    assert step.made_from() != before


def _translated(asked: dict[str, Any], tries: int) -> Reply | str:
    """To German in brackets, and back without them in capitals; some are refused or not changed."""
    system, text = asked["messages"][0]["content"], asked["messages"][1]["content"]
    if "waste" in text:
        return Reply("I will not translate that", refusal="no")
    if "into English" not in system:
        return f"[{text}]"
    return text.strip("[]") if "view" in text else f"{text.strip('[]')} indeed"


def test_there_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    monkeypatch.setenv("SECRET_KEY", "sesame-4711")
    rows = named(pl.DataFrame({"text": TEXTS, "label": ["a"] * 6}))
    context = Context(base=tmp_path, store=tmp_path / "store")
    with model_server(_translated) as server:
        translator = {"endpoint": server.url, "model": "m", "api_key": "${env:SECRET_KEY}", "retries": 0}
        options: dict[str, Any] = {"methods": ["back_translate"], "translator": translator, "per_row": 2}
        with current(context):
            found = made(rows, base=tmp_path, **options)
        # Both ways through two languages; what comes back the same makes one row, what is refused or equal none.
        assert found["text"].to_list() == [f"{TEXTS[place]} indeed" for place in (0, 2, 4)]
        asked = len(server.requests)
        assert server.keys == ["Bearer sesame-4711"] * asked
        with current(context):
            assert made(rows, base=tmp_path, **options).equals(found)
        assert len(server.requests) == asked
        more = named(pl.DataFrame({"text": [*TEXTS, "brand new text"], "label": ["a"] * 7}))
        with current(context):
            made(more, base=tmp_path, **options)
        assert len(server.requests) == asked + 4
        with current(Context(base=tmp_path, store=tmp_path / "other")), pytest.raises(ModelError, match="20 calls"):
            made(rows, base=tmp_path, **{**options, "translator": {**translator, "most_requests": 15}})
    with current(context):
        assert made(rows, base=tmp_path, **options).equals(found)  # the server is gone
    with current(Context(base=tmp_path, store=tmp_path / "third", offline=True)), pytest.raises(NotKept):
        made(rows, base=tmp_path, **options)
    with current(Context(base=tmp_path, store=tmp_path / "third")), pytest.raises(ModelError) as caught:
        made(rows, base=tmp_path, **options)
    assert "sesame" not in str(caught.value)
    assert not any(b"sesame" in file.read_bytes() for file in (tmp_path / "store").rglob("*.json"))
    with pytest.raises(ValidationError, match="translator"):
        made(rows, methods=["back_translate"])


def test_translations_take_turns_with_edits(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    rows = named(pl.DataFrame({"text": TEXTS, "label": ["a"] * 6}))
    with model_server(_translated) as server, current(Context(base=tmp_path, store=tmp_path / "store")):
        translator = {"endpoint": server.url, "model": "m"}
        found = made(rows, base=tmp_path, methods=["back_translate", "swap"], translator=translator, per_row=2)
        by_row = found.group_by(PARENTS, maintain_order=True).agg(pl.col("text").str.ends_with("indeed").sum())
        assert by_row["text"].to_list() == [1, 0, 1, 0, 1]
        assert len(server.requests) == 5 + 4
