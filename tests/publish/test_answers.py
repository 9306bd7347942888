from __future__ import annotations

from pathlib import Path

import pytest
from publish_sample import ANSWERED, source

from seedbed.core.errors import RecipeError
from seedbed.publish.papers import QUESTIONS, REQUIRED, Answers, blanks, licence, read_answers


def written(folder: Path, text: str) -> Path:
    (folder / "card.yaml").write_text(text, encoding="utf-8")
    return folder / "card.yaml"


def test_a_missing_or_empty_file_answers_nothing(tmp_path: Path) -> None:
    assert read_answers(tmp_path / "card.yaml") == Answers()
    assert read_answers(written(tmp_path, "# nothing yet\n")) == Answers()


def test_answers_are_a_text_or_a_list(tmp_path: Path) -> None:
    text = "languages: no\ncollected: [by hand, '', in 2024]\nsensitive: ' '\nconsent:\nlicense: CC-BY-4.0\n"
    answers = read_answers(written(tmp_path, text))
    assert answers.languages == ("no",)
    assert answers.collected == ("by hand", "in 2024")
    assert not answers.sensitive
    assert not answers.consent
    assert answers.license == "CC-BY-4.0"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("license: MIT\nlanguagse: en\n", 2, "did you mean 'languages'?"),
        ("license: MIT\nlanguages: [en, English]\n", 2, "'English' is no language code"),
        ("\n\ncontact: 3\n", 3, "a text is needed here, this is 3"),
        ("sensitive:\n  a: b\n", 1, "a text is needed here"),
        ("collected:\n  - a\n  - {b: c}\n", 3, "a text is needed here"),
        ("annotations_creators: me\n", 1, "crowdsourced"),
        ("- license\n", 1, "a card is a mapping"),
        ("license: MIT\nlicense: BSD\n", 2, "given twice"),
        ("license: 'MIT\n", 1, "never closed"),
        ("licence: MIT\nlanguage: en\n", 1, "and 1 more"),
    ],
)
def test_faults_name_place_and_way_out(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read_answers(written(tmp_path, text))
    message = str(caught.value)
    assert f"card.yaml:{line}" in message
    assert said in message
    assert len(message.splitlines()) <= 5


def test_every_question_is_a_question() -> None:
    assert set(REQUIRED) <= set(QUESTIONS)
    assert list(QUESTIONS)[: len(REQUIRED)] == list(REQUIRED)
    assert all(question.endswith("?") for question in QUESTIONS.values())


def test_blanks_are_the_required_questions_without_an_answer() -> None:
    assert blanks(ANSWERED, [source(None)]) == ()
    assert [blank.partition(":")[0] for blank in blanks(Answers(), [source(None)])] == list(REQUIRED)
    assert "license" not in [blank.partition(":")[0] for blank in blanks(Answers(), [source("MIT")])]
    for key in REQUIRED:
        one_less = ANSWERED.model_copy(update={key: None})
        assert blanks(one_less, [source(None)]) == (f"{key}: {QUESTIONS[key]}",)


def test_the_licence_comes_from_the_sources_only_when_all_agree() -> None:
    assert licence(Answers(), [source("MIT"), source("mit")]) == "MIT"
    assert licence(Answers(), [source("MIT"), source("CC0-1.0")]) is None
    assert licence(Answers(), [source("MIT"), source(None)]) is None
    assert licence(Answers(), []) is None
    assert licence(Answers(license="BSD-3-Clause"), [source("MIT")]) == "BSD-3-Clause"
