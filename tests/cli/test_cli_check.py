"""`seedbed check FILE --against RECIPE`: what is told, and when it stops."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from seedbed.cli import main
from seedbed.core.context import Context, Stage
from seedbed.flow.holding import hold
from seedbed.recipe.loading import load
from seedbed.store.collecting import Rule, collect
from seedbed.store.going import journals

Silent = type(Context().progress)

Type = Callable[..., tuple[int, str, str]]
RECIPE = """\
seedbed: 1
name: reviews
task: {kind: text_classification, text: body, label: stars, labels: [bad, good]}
sources:
  - {use: csv, name: reviews, path: old.csv}
steps:
  - {use: normalize, column: body}
  - {use: drop_missing, columns: [body, stars]}
  - {use: text_length, column: body, at_least: 10}
  - {use: exact_duplicates, column: body}
checks:
  - {use: row_count, at_least: 20, on_fail: stop}
  - {use: class_share, column: stars, at_least: 0.3}
  - {use: no_leakage, on_fail: stop}
"""


def reviews(count: int, seed: int = 1) -> list[tuple[str, str]]:
    chance = random.Random(seed)
    words = ["soup", "room", "staff", "light", "chair", "menu", "table", "window", "garden", "music", "bread"]
    return [(f"{' '.join(chance.choices(words, k=9))} {seed} {n}", ("good", "bad")[n % 2]) for n in range(count)]


def write(path: Path, rows: Sequence[tuple[str, ...]], header: str = "body,stars") -> None:
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Types a command beside a recipe and its data: exit code, output, complaints."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    write(tmp_path / "old.csv", reviews(60))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def checked(typed: Type, file: str = "new.csv") -> tuple[int, dict[str, object]]:
    code, out, err = typed("check", file, "--against", "recipe.yaml", "--json")
    assert out, err
    found: dict[str, object] = json.loads(out)
    return code, found


def test_a_good_file_passes_and_nothing_is_left(typed: Type, tmp_path: Path) -> None:
    write(tmp_path / "new.csv", reviews(40, seed=2))
    code, out, _ = typed("check", "new.csv", "--against", "recipe.yaml")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "new.csv against recipe.yaml: passed"
    assert lines[1] == "rows: 40 read = 40 kept + 0 rejected"
    assert "none of 40 rows is in the recipe's sources yet" in lines
    assert "check row_count passed: There are 40 rows; at least 20 are expected." in lines
    assert any("no_leakage" in line and "not looked at" in line for line in lines)
    assert sorted(os.listdir()) == ["new.csv", "old.csv", "recipe.yaml", "store"]


def test_everything_that_is_wrong_is_told(typed: Type, tmp_path: Path) -> None:
    known = [(f"  {text.upper()} ", label) for text, label in reviews(12)]
    other = [(text, "good") for text, label in reviews(30)[12:] if label == "bad"]
    rows = [
        *((*row, "x") for row in [*known, *other]),
        *((*row, "x") for row in [("fresh words that nobody wrote before", "meh")] * 2),
        ("short", "good", "x"),
        ("a text that has no label at all", "", "x"),
        ("one", "two"),
    ]
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("at_least: 20", "at_least: 25"))
    write(tmp_path / "new.csv", rows, "body,stars,extra")
    code, found = checked(typed)
    assert code == 1
    assert (found["passed"], found["stopped_by"]) == (False, ["row_count"])
    assert found["rows"]["read"] == 26  # type: ignore[index]
    rejected = found["rows"]["rejected"]  # type: ignore[index]
    assert rejected["csv"] == {"too_few_fields": 1}
    assert rejected["drop_missing"] == {"missing": 1}
    assert rejected["text_length"] == {"too_short": 1}
    assert rejected["task"] == {"unknown_label": 1}
    assert found["unknown_labels"] == {"meh": 2}
    assert found["extra_columns"] == ["extra"]
    assert found["copies"]["exact"] == 1  # type: ignore[index]
    assert found["known"] == {"rows": 21, "of": 25, "other_label": 9}
    findings = {one["check"]: one["passed"] for one in found["findings"]}  # type: ignore[attr-defined]
    assert findings == {"row_count": False, "class_share": False}


def test_the_same_is_said_to_people(typed: Type, tmp_path: Path) -> None:
    rows = [*reviews(20), *reviews(20), ("some words with another label", "meh")]
    write(tmp_path / "new.csv", rows)
    _, out, _ = typed("check", "new.csv", "--against", "recipe.yaml")
    assert "  exact_duplicates  20 exact_duplicate" in out
    assert "labels that the recipe does not know: meh: 1" in out
    assert "40 of 41 rows are already in the recipe's sources" in out
    assert "copies inside, of 41 rows: 20 exact, 0 nearly" in out


def test_the_recipes_own_file_is_known(typed: Type) -> None:
    code, found = checked(typed, "old.csv")
    assert code == 0
    assert found["known"] == {"rows": 60, "of": 60, "other_label": 0}
    assert "this is one of the recipe's own files" in found["notes"]  # type: ignore[operator]


def test_a_file_without_a_column_that_is_needed(typed: Type, tmp_path: Path) -> None:
    write(tmp_path / "new.csv", reviews(30), "text,stars")
    code, out, err = typed("check", "new.csv", "--against", "recipe.yaml")
    assert (code, out) == (3, "")
    assert "new.csv: does not fit the recipe" in err
    assert "the file lacks body" in err
    assert "text" in err.split("hint:")[1]


def test_a_column_that_holds_something_else(typed: Type, tmp_path: Path) -> None:
    write(tmp_path / "old.csv", [(*row, str(n)) for n, row in enumerate(reviews(60))][:19] * 3, "body,stars,price")
    write(tmp_path / "new.csv", [(*row, f"{n} euros") for n, row in enumerate(reviews(40, 2))], "body,stars,price")
    _, found = checked(typed)
    assert list(found["other_types"]) == ["price"]  # type: ignore[call-overload]


def test_sources_that_are_gone_are_no_obstacle(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "old.csv").unlink()
    write(tmp_path / "new.csv", reviews(40, seed=2))
    code, found = checked(typed)
    assert code == 0
    assert found["known"] is None
    assert any("cannot be read" in note for note in found["notes"])  # type: ignore[attr-defined]


def test_a_file_of_another_kind_is_read_as_what_it_is(typed: Type, tmp_path: Path) -> None:
    lines = [json.dumps({"body": text, "stars": label}) for text, label in reviews(40, seed=2)]
    (tmp_path / "new.jsonl").write_text("\n".join(lines))
    code, found = checked(typed, "new.jsonl")
    assert (code, found["source"]) == (0, "jsonl")
    assert any("no jsonl source" in note for note in found["notes"])  # type: ignore[attr-defined]


def test_the_settings_of_the_recipes_source_are_used(typed: Type, tmp_path: Path) -> None:
    named = RECIPE.replace(
        "path: old.csv", "path: old.csv, header: false, limit: 5, columns: {body: column_1, stars: column_2}"
    )
    (tmp_path / "recipe.yaml").write_text(named)
    (tmp_path / "old.csv").write_text("\n".join(map(",".join, reviews(60))))
    (tmp_path / "new.csv").write_text("\n".join(map(",".join, reviews(40, seed=2))))
    code, found = checked(typed)
    assert code == 0
    assert found["rows"]["read"] == 40  # type: ignore[index]


def test_a_path_starts_from_where_it_is_typed(typed: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep" / "new.csv", reviews(40, seed=2))
    monkeypatch.chdir(tmp_path / "deep")
    code, _, err = typed("check", "new.csv", "--against", "../recipe.yaml")
    assert code == 0, err


def test_what_cannot_be_read_is_told(typed: Type, tmp_path: Path) -> None:
    assert typed("check", "nowhere.csv", "--against", "recipe.yaml")[0] == 3
    write(tmp_path / "new.csv", reviews(40))
    assert typed("check", "new.csv", "--against", "nowhere.yaml")[0] == 2
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("text_length, column: body", "text_length, column: bdy"))
    code, _, err = typed("check", "new.csv", "--against", "recipe.yaml")
    assert code == 2
    assert "recipe.yaml:9: steps.2.column" in err


def test_texts_without_labels_are_held_to_all_else(typed: Type, tmp_path: Path) -> None:
    recipe = RECIPE.replace("[body, stars]", "[body]")
    recipe = recipe.replace("  - {use: class_share, column: stars, at_least: 0.3}\n", "")
    recipe = recipe.replace("checks:\n", "checks:\n  - {use: label_errors}\n  - {use: no_missing}\n")
    recipe = recipe.replace("  - {use: exact_duplicates, column: body}\n", "  - {use: near_duplicates}\n")
    (tmp_path / "recipe.yaml").write_text(recipe)
    rows = [(text,) for text, _ in [*reviews(40, seed=2), *reviews(5), ("short", "")]]
    write(tmp_path / "new.csv", rows, "body")
    code, found = checked(typed)
    assert code == 0
    assert found["rows"]["kept"] == 45  # type: ignore[index]
    assert found["known"] == {"rows": 5, "of": 46, "other_label": 0}
    assert found["missing_columns"] == ["stars"] and found["unknown_labels"] == {}
    assert [one["check"] for one in found["findings"]] == ["no_missing", "row_count"]  # type: ignore[attr-defined]
    notes = " ".join(found["notes"])  # type: ignore[call-overload]
    assert "there is no column 'stars': nothing was looked at that needs labels" in notes
    assert "not looked at: label_errors (the rows have no label)" in notes
    # Also where the recipe says what the label is called there.
    named = recipe.replace("path: old.csv", "path: old.csv, columns: {body: body, stars: stars}")
    (tmp_path / "recipe.yaml").write_text(named)
    assert checked(typed)[0] == 0


@pytest.mark.parametrize("needs", ["checks", "steps"])
def test_labels_are_missed_where_something_reads_them(typed: Type, tmp_path: Path, needs: str) -> None:
    recipe = RECIPE.replace("[body, stars]", "[body]") if needs == "checks" else RECIPE
    (tmp_path / "recipe.yaml").write_text(recipe)
    write(tmp_path / "new.csv", [(text,) for text, _ in reviews(40, seed=2)], "body")
    code, _, err = typed("check", "new.csv", "--against", "recipe.yaml")
    assert code == 3 and "names the column 'stars', which is not there (the file lacks stars)" in err


def test_what_a_check_uses_is_not_collected_meanwhile(typed: Type, tmp_path: Path) -> None:
    write(tmp_path / "new.csv", reviews(40, seed=2))
    store, met = tmp_path / "store", []

    class Watching(Silent):
        def start(self, title: str, total: float | None, unit: str) -> Stage:
            if title == "Checking the rows":
                (going,) = journals(store)
                met.append((going.alive, going.used, collect(store, Rule(all=True)).removed))
            return super().start(title, total, unit)

    held = hold("new.csv", load(tmp_path / "recipe.yaml"), workers=1, progress=Watching())
    ((alive, used, removed),) = met
    assert held.passed and alive and not removed and any(name.startswith("passes/") for name in used)
    assert not journals(store), "and is not kept for ever"


def test_a_check_that_was_killed_is_forgotten_with_the_next(typed: Type, tmp_path: Path) -> None:
    write(tmp_path / "new.csv", reviews(40, seed=2))
    loaded = load(tmp_path / "recipe.yaml")

    class Stopping(Silent):
        def start(self, title: str, total: float | None, unit: str) -> Stage:
            if title == "Checking the rows":
                raise KeyboardInterrupt
            return super().start(title, total, unit)

    with pytest.raises(KeyboardInterrupt):
        hold("new.csv", loaded, workers=1, progress=Stopping())
    (left,) = journals(tmp_path / "store")
    left.path.rename(
        left.path.with_name(f"99999999{left.path.name[left.path.name.index('@') :]}")
    )  # as if it had ended
    hold("new.csv", loaded, workers=1)
    assert not journals(tmp_path / "store")
