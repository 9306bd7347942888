"""`seedbed check` in continuous integration: annotations, the job's summary, SARIF; checks that need no split."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.cli import main

Type = Callable[..., tuple[int, str, str]]
RECIPE = """\
seedbed: 1
name: reviews
task: {kind: text_classification, text: body, label: stars, labels: [bad, good]}
sources: [{use: csv, name: reviews, path: old.csv}]
steps: [{use: drop_missing, columns: [body, stars]}]
checks:
  - {use: allowed_values, column: shop, values: [north, south], on_fail: stop}
  - {use: label_errors, at_most: 0.02}
  - {use: no_leakage, on_fail: stop}
"""


def reviews(count: int, *, wrong: int = 0) -> list[str]:
    chance = random.Random(4)
    moods = (["awful", "cold", "rude", "broken", "late"], ["lovely", "warm", "kind", "bright", "tasty"])
    rows = ["body,stars,shop"]
    for n in range(count):
        label = ("bad", "good")[n % 2 if n >= wrong else 1 - n % 2]
        rows.append(f"{' '.join(chance.choices(moods[n % 2], k=4))} table {n},{label},{('north', 'south')[n % 3 == 0]}")
    return rows


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "old.csv").write_text("\n".join(reviews(60)) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def test_annotations_name_the_file_and_end_no_line(
    typed: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [*reviews(80), '"fine, warm and kind",good,"east\n::error::100%|<b>x</b>\x1b[31m"', ",good,north"]
    (tmp_path / "new,er.csv").write_text("\n".join(rows) + "\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    code, out, _ = typed("check", "new,er.csv", "--against", "recipe.yaml", "--github")
    assert code == 1
    lines = [line for line in out.splitlines() if line.startswith("::")]
    assert [line.split(" ")[0] for line in lines] == ["::error", "::notice"]
    assert lines[0].startswith(
        "::error file=new%2Cer.csv,line=82,title=seedbed%3A allowed_values::1 of 81 rows holds a value"
    )
    assert "Rows: reviews:new,er.csv#81 (line 82)." in lines[0]
    assert "100%25" in lines[0]
    assert "\x1b" not in out
    assert "1 row is rejected: 1 missing" in lines[1]
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("### new,er.csv against recipe.yaml: stopped by allowed_values\n")
    assert "<b>" not in summary
    assert summary.count("\n| error |") == 1
    typed("check", "old.csv", "--against", "recipe.yaml", "--github")
    assert (tmp_path / "summary.md").read_text().startswith(summary)  # a job may check several files


def test_sarif(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("\n".join([*reviews(80), "fine and kind,good,east"]) + "\n")
    code, _, _ = typed("check", "new.csv", "--against", "recipe.yaml", "--sarif", "found.sarif")
    assert code == 1
    told = json.loads((tmp_path / "found.sarif").read_text())
    assert told["version"] == "2.1.0"
    (run,) = told["runs"]
    assert run["tool"]["driver"]["name"] == "seedbed"
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("allowed_values", "error")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "new.csv"
    assert [one["physicalLocation"]["region"]["startLine"] for one in result["locations"]] == [82]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {"allowed_values"}
    code, _, err = typed("check", "new.csv", "--against", "recipe.yaml", "--sarif", "no/such/folder.sarif")
    assert code == 2
    assert "--sarif no/such/folder.sarif: cannot be written" in err


def test_labels_of_a_file_are_doubted_by_one_another(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("\n".join(reviews(200, wrong=20)) + "\n")
    code, out, _ = typed("check", "new.csv", "--against", "recipe.yaml", "--json")
    assert code == 0
    told = json.loads(out)
    (found,) = [one for one in told["findings"] if one["check"] == "label_errors"]
    assert not found["passed"]
    assert 0.06 < found["value"] < 0.14
    assert {int(row.split("#")[1]) for row in found["rows"]} <= set(range(1, 21))
    assert told["notes"] == ["not looked at, because nothing is split or trained: no_leakage"]


def test_a_file_too_small_to_doubt_is_no_fault(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("body,stars,shop\nlovely warm kind,good,north\nawful cold rude,good,north\n")
    code, out, _ = typed("check", "new.csv", "--against", "recipe.yaml")
    assert code == 0
    assert "notice: not looked at: label_errors (all 2 rows" in out


def test_rows_are_named_with_their_lines(typed: Type, tmp_path: Path) -> None:
    quoted = ['"on two\nlines, warm and kind",good,north', "", "cold and late,bad,east", '"x\n\ny",bad,west']
    (tmp_path / "new.csv").write_text("\n".join([*reviews(80), *quoted]) + "\n")
    code, out, _ = typed("check", "new.csv", "--against", "recipe.yaml", "--json")
    assert code == 1
    east, west = {"file": "new.csv", "line": 85}, {"file": "new.csv", "line": 86}
    places = json.loads(out)["places"]
    assert (places["reviews:new.csv#82"], places["reviews:new.csv#83"]) == (east, west)
    lines = (tmp_path / "new.csv").read_text().splitlines()
    assert lines[84] == "cold and late,bad,east" and lines[85] == '"x'
    _, out, _ = typed("check", "new.csv", "--against", "recipe.yaml")
    assert "  rows: reviews:new.csv#82 (line 85), reviews:new.csv#83 (line 86)" in out.splitlines()


def test_lines_of_other_files(typed: Type, tmp_path: Path) -> None:
    table = [row.rsplit(",", 2) for row in [*reviews(30)[1:], "cold and late,bad,east"]]
    lines = [json.dumps(dict(zip(("body", "stars", "shop"), row, strict=True))) for row in table]
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.jsonl").write_text("\n".join(lines[:10]))
    (tmp_path / "parts" / "b.jsonl").write_text("\n\n".join(lines[10:]))
    _, out, _ = typed("check", "parts", "--against", "recipe.yaml", "--github")
    (told,) = [line for line in out.splitlines() if line.startswith("::error ")]
    assert told.startswith("::error file=parts/b.jsonl,line=41,title=")
    with gzip.open(tmp_path / "new.jsonl.gz", "wt") as packed:
        packed.write("\n".join(lines))
    _, out, _ = typed("check", "new.jsonl.gz", "--against", "recipe.yaml", "--github")
    assert "::error file=new.jsonl.gz,title=" in out and "(line" not in out
