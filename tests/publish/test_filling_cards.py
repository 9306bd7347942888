"""Answers are written into a person's file: only their lines change, and what is read back is what was typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedbed.core.errors import RecipeError
from seedbed.publish.papers import QUESTIONS, read_answers
from seedbed.publish.papers.filling import as_answer, as_typed, fill, filled, one_line

CARD = """# My card, with notes of mine
contact: me@example.org   # until May
license: MIT # as the source

# A long one:
collected: >
  By hand,
  in one room.

# not sure about this
biases:
- towns
# villages were never asked
- men
# funding:
"""


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("key", "typed", "gone", "new"),
    [
        ("license", "CC0-1.0", ["license: MIT # as the source"], ["license: CC0-1.0 # as the source"]),
        ("contact", "a: b # c", ["contact: me@example.org   # until May"], ["contact: 'a: b # c'   # until May"]),
        ("collected", "In 2024.", ["collected: >", "  By hand,", "  in one room."], ["collected: In 2024."]),
        (
            "biases",
            "- old\n- young",
            ["- towns", "# villages were never asked", "- men"],
            ["- old", "- young"],
        ),
        ("funding", "nobody", ["# funding:"], ["funding: nobody"]),
        ("languages", "en, no", [], ["languages: [en, 'no']"]),
        ("sensitive", "one\n\ntwo: # x", [], ["sensitive: |-", "  one", "  two: # x"]),
        ("license", "", ["license: MIT # as the source"], ["license: # as the source"]),
    ],
)
def test_only_the_lines_of_an_answer_change(
    tmp_path: Path, key: str, typed: str, gone: list[str], new: list[str]
) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(CARD)
    before = read_answers(path)
    fill(path, key, as_answer(key, typed))
    assert lines_changed(CARD, path.read_text()) == (gone, new)
    after = read_answers(path)
    assert before.model_dump(exclude={key}) == after.model_dump(exclude={key})
    assert as_typed(after, key) == typed


TEXTS = st.text(max_size=200) | st.lists(st.text(max_size=40), max_size=5).map("\n".join)


@settings(max_examples=150, deadline=None)
@example("biases", "x" * 300)
@example("biases", "word " * 60)
@example("biases", "- a\n-  b")
@example("contact", "- x: [")
@example("summary", "# no comment\n\n\tindented")
@example("summary", "---\nlicense: stolen")
@example("summary", "\ufeff\x85 \u2028 *a &b !c %d @e `f")
@given(st.sampled_from(sorted(set(QUESTIONS) - {"languages", "timeframe", "annotations_creators"})), TEXTS)
def test_what_is_read_back_is_what_was_typed(key: str, typed: str) -> None:
    from seedbed.core.documents import read_document

    answer = as_answer(key, typed)
    for card in (CARD, "", "# nothing yet\n", "license: MIT"):
        data = read_document(filled(card, key, answer), at="card").data or {}
        assert data.get(key) == (list(answer) if isinstance(answer, tuple) else answer)
        others = read_document(card, at="card").data or {}
        assert {k: v for k, v in data.items() if k != key} == {k: v for k, v in others.items() if k != key}
    if one_line(key):
        assert answer is None or "\n" not in answer


@pytest.mark.parametrize("card", ["{license: MIT, contact: me}\n", "license: &l MIT\ncontact: *l\n"])
def test_a_card_that_a_program_cannot_change_stays_as_it_is(tmp_path: Path, card: str) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(card)
    with pytest.raises(RecipeError, match="into the file yourself"):
        fill(path, "license", "CC0-1.0")
    assert path.read_text() == card


def test_what_is_no_answer_is_not_written_and_names_no_line_that_nobody_sees(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(CARD)
    for key, typed, said in (
        ("languages", "English", "no language code"),
        ("timeframe", "May 2024", "no date"),
        ("annotations_creators", "me", "crowdsourced"),
    ):
        with pytest.raises(RecipeError, match=said) as caught:
            fill(path, key, as_answer(key, typed))
        assert caught.value.at == f"{path}: {key}"
    with pytest.raises(RecipeError, match="did you mean 'license'"):
        as_answer("licence", "MIT")
    assert path.read_text() == CARD
    assert [one.name for one in tmp_path.iterdir()] == ["card.yaml"]


def test_line_ends_and_a_mark_at_the_start_survive(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_bytes(b"license: MIT\r\ncontact: me\r\n")
    fill(path, "contact", "you")
    assert path.read_bytes() == b"license: MIT\r\ncontact: you\r\n"
