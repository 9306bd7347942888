"""A card across runs: what answers were given about, and what is told when the data became another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_run import recipe as small
from test_run import texts, write

from seedbed.core.errors import DataError, RecipeError
from seedbed.flow.papers.answering import open_card
from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import parse

CARD = "license: MIT\nlanguages: en  # sure\ncollected: made up\nsummary: texts\ncontact: us\n"


def go(folder: Path, n: int, out: str, **more: Any) -> Finished:
    write(folder, texts(n))
    return run(parse(small(**more), folder), out=folder / out, workers=1)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Finished]:
    """A run, and another after the data grew by half and one source came under another name."""
    folder = tmp_path_factory.mktemp("card")
    (folder / "card.yaml").write_text(CARD)
    first = go(folder, 160, "one")
    return first, go(folder, 240, "two")


def test_answers_of_the_first_run_are_about_it_and_later_ones_tell_what_moved(two: tuple[Finished, Finished]) -> None:
    first, second = two
    assert first.run.stale == () and not [one for one in first.run.findings if one.check == "card"]
    stale = {one.question: one for one in second.run.stale}
    assert set(stale) == {"collected", "summary"}
    assert stale["collected"].run == first.run.id
    assert stale["collected"].changes == ("records: 180 records read when it was answered, now 269 records read",)
    assert stale["summary"].changes[0].startswith(f"rows: {sum(first.run.dataset.splits.values())} rows")
    [finding] = [one for one in second.run.findings if one.check == "card"]
    assert (finding.passed, finding.on_fail, finding.value) == (False, "warn", 2)
    assert "now 269 records read" in finding.message
    assert second.run.state == "passed"
    for name in ("report.html", "dataset/README.md", "dataset/datasheet.md"):
        assert "collected" in (second.folder / name).read_text()
        assert "data changed since" in (second.folder / name).read_text(), name
        assert "data changed since" not in (first.folder / name).read_text(), name


def test_the_card_stays_a_persons_and_the_lock_holds_no_answer(two: tuple[Finished, Finished]) -> None:
    folder = two[0].folder.parent
    assert (folder / "card.yaml").read_text() == CARD
    lock = (folder / "card.lock").read_text()
    assert "made up" not in lock and set(json.loads(lock)["answers"]) == {
        "license", "languages", "collected", "summary", "contact",
    }  # fmt: skip


def test_state_says_what_is_open_measured_and_stale(two: tuple[Finished, Finished]) -> None:
    state = open_card(two[1].folder).state()
    assert (state.required.answered, state.required.of) == (4, 6)
    assert [one.key for one in state.open if one.required] == ["intended_uses", "sensitive"]
    asked = {one.key: one for one in state.questions}
    assert [one.key for one in state.stale] == ["collected", "summary"]
    assert any(
        fact.text.startswith(f"{sum(two[1].run.dataset.splits.values())} rows") for fact in asked["summary"].measured
    )
    assert any("en" in fact.shares for fact in asked["languages"].measured)
    assert asked["languages"].answer == "en"
    assert open_card(two[0].folder).state().stale == ()


def test_an_answer_or_a_confirmation_is_about_the_run_that_is_named(
    two: tuple[Finished, Finished], tmp_path: Path
) -> None:
    import shutil

    for name in ("card.yaml", "card.lock"):
        shutil.copy(two[0].folder.parent / name, tmp_path / name)
    card = open_card(two[1].folder, tmp_path / "card.yaml")
    state = card.answer("collected", "By a lab.\n\nIn 2024.")
    assert [one.key for one in state.stale] == ["summary"]
    assert card.confirm(["summary"]).stale == ()
    text = (tmp_path / "card.yaml").read_text()
    assert text == CARD.replace("collected: made up\n", "collected: |-\n  By a lab.\n\n  In 2024.\n")
    with pytest.raises(RecipeError, match="no answer to 'biases'"):
        card.confirm(["biases"])
    before = json.loads((tmp_path / "card.lock").read_text())["answers"]["collected"]
    assert before["run"] == two[1].run.id


def test_all_papers_are_written_with_the_answers_of_now(two: tuple[Finished, Finished], tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text(CARD + "speakers: people of <b>Ulm</b>\n")
    card = open_card(two[1].folder, tmp_path / "card.yaml")
    names = card.render(tmp_path / "papers")
    assert sorted(names) == ["README.md", "croissant.json", "data_statement.md", "datasheet.md"]
    assert sorted(path.name for path in (tmp_path / "papers").iterdir()) == sorted(names)
    statement = (tmp_path / "papers" / "data_statement.md").read_text()
    assert "people of &lt;b&gt;Ulm&lt;/b&gt;" in statement
    assert all(f"## {letter}. " in statement for letter in "ABCDEFGHI")
    with pytest.raises(RecipeError, match="not a folder"):
        card.render(tmp_path / "card.yaml")


def test_a_recipe_has_a_card_before_it_ever_ran(tmp_path: Path) -> None:
    import yaml

    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(small()))
    write(tmp_path, texts(40))
    card = open_card(tmp_path / "recipe.yaml")
    assert card.state().run == "" and card.state().required.answered == 0
    assert card.answer("license", "MIT").required.answered == 1
    assert (tmp_path / "card.yaml").read_text() == "license: MIT\n"
    assert not (tmp_path / "card.lock").exists()
    with pytest.raises(RecipeError, match="no run"):
        card.confirm(["license"])
    with pytest.raises(DataError, match="no run"):
        card.render(tmp_path / "papers")


def test_a_quick_look_and_a_broken_lock_change_nothing(tmp_path: Path) -> None:
    write(tmp_path, texts(160))
    (tmp_path / "card.yaml").write_text(CARD)
    looked = run(parse(small(), tmp_path), out=tmp_path / "look", workers=1, limit=100)
    assert looked.run.limit == 100 and not (tmp_path / "card.lock").exists()
    (tmp_path / "card.lock").write_text("{")
    done = run(parse(small(), tmp_path), out=tmp_path / "out", workers=1)
    assert done.run.state == "passed" and (tmp_path / "card.lock").read_text() == "{"
    with pytest.raises(RecipeError, match=r"card\.lock"):
        open_card(tmp_path / "out").state()
