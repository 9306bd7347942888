"""`python`: a person's own function, and everything that it may do wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.digest import RowsDigest
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.part import BASE
from seedbed.core.rows import number_rows
from seedbed.engine.curate import Curated, Curation
from seedbed.engine.kernel import Kernel, Outcome
from seedbed.engine.plan import check_steps
from seedbed.recipe.loading import load, parse
from seedbed.steps import Python

TEXTS = ["good", "BAD", None, "fine day", "x"]


def step(folder: Path, code: str, **options: Any) -> Python:
    (folder / "own.py").write_text(code)
    asked = {"use": "python", "function": "own.py:f", "reads": ["text"], **options}
    return Python.model_validate(asked, context={BASE: folder})


def ran(python: Python, *texts: str | None) -> Outcome:
    table = pl.DataFrame({"text": list(texts) or TEXTS}, schema={"text": pl.String})
    records = pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    return Kernel((("python", python),), changes="all")(
        number_rows(table, file_number=0, source="s", file="f", records=records)
    )


def test_rows_are_changed_kept_and_rejected(tmp_path: Path) -> None:
    code = (
        "def f(row):\n    text = row['text']\n    if text is None: return None\n    if text == 'x': return False\n"
        "    if text.isupper(): return 'shouting'\n    if text == 'good': return True\n"
        "    return {'text': text.upper()}\n"
    )
    outcome = ran(step(tmp_path, code, writes={"text": "text"}))
    assert outcome.kept["text"].to_list() == ["good", "FINE DAY"]
    gone = outcome.entries.filter(action="rejected").select("row", "reason").rows()
    assert gone == [("s:f#2", "shouting"), ("s:f#3", "f"), ("s:f#5", "f")]
    assert outcome.changed == {"python": 1}


def test_new_columns_have_their_types(tmp_path: Path) -> None:
    code = (
        "import datetime\ndef f(row):\n"
        "    return {'n': len(row['text'] or ''), 'r': 1, 'b': None, 'd': datetime.date(2024, 1, 2),"
        " 'm': datetime.datetime(2024, 1, 2)}\n"
    )
    writes = {"n": "integer", "r": "number", "b": "boolean", "d": "date", "m": "datetime"}
    kept = ran(step(tmp_path, code, writes=writes)).kept
    kinds = [pl.Int64, pl.Float64, pl.Boolean, pl.Date, pl.Datetime("us", "UTC")]
    assert [kept.schema[name] for name in writes] == kinds
    assert kept["n"].to_list() == [4, 3, 0, 8, 1]


def test_rows_at_once(tmp_path: Path) -> None:
    code = "import polars as pl\ndef f(rows):\n    return rows.select(n=pl.col('text').str.len_chars(), more=1)\n"
    made = ran(step(tmp_path, code, takes="rows", writes={"n": "integer"}))
    assert made.kept["n"].to_list() == [4, 3, None, 8, 1]
    assert made.kept.columns == ["_n", "row", "text", "n"]
    keep = ran(step(tmp_path, "def f(rows):\n    return rows['text'].str.len_chars() > 1\n", takes="rows"))
    assert keep.kept["text"].to_list() == ["good", "BAD", "fine day"]
    gone = keep.entries.select("row", "reason").rows()
    assert gone == [("s:f#3", "cannot_tell"), ("s:f#5", "f")]
    untouched = ran(
        step(tmp_path, "def f(rows):\n    return rows['text'] == rows['text']\n", takes="rows", writes={"text": "text"})
    )
    assert untouched.kept["text"].to_list() == ["good", "BAD", "fine day", "x"]


def test_the_function_may_scribble_on_what_it_is_given(tmp_path: Path) -> None:
    code = "def f(row):\n    row['text'] = 'scribble'\n    row.clear()\n    return True\n"
    assert ran(step(tmp_path, code, writes={"text": "text"})).kept["text"].to_list() == TEXTS


@pytest.mark.parametrize(
    ("code", "options", "problem", "hint"),
    [
        (
            "def f(row):\n\n    return 1 / len(row['text'] or '') > 0\n",
            {},
            "own.py:3: f failed on row s:f#3: ZeroDivisionError",
            "mend",
        ),
        (
            "def g(row):\n    raise KeyError('a@b.org')\ndef f(row):\n    g(row)\n",
            {},
            "own.py:2: .*KeyError: '.e-mail.'",
            "",
        ),
        ("import sys\ndef f(row):\n    sys.exit(3)\n", {}, "own.py:3: .*SystemExit: 3", ""),
        ("def f(row):\n    return 7\n", {}, "f returned int, of row s:f#1", "a dict, True, None"),
        (
            "def f(row):\n    return 'a reason that goes on and on, as if it were a whole sentence'\n",
            {},
            "gave the reason",
            "short name",
        ),
        (
            "def f(row):\n    return {'text': 1}\n",
            {"writes": {"text": "text"}},
            "returned int '1' as 'text', of row s:f#1",
            "String",
        ),
        (
            "def f(row):\n    return {'n': 'x' if row['text'] == 'x' else 1}\n",
            {"writes": {"n": "integer"}},
            "str 'x' as 'n', of row s:f#5",
            "Int64",
        ),
        ("def f(row):\n    return {'n': 2**80}\n", {"writes": {"n": "integer"}}, "as 'n', of row s:f#1", ""),
        (
            "def f(row):\n    return {'text': chr(0xd800)}\n",
            {"writes": {"text": "text"}},
            "as 'text', of row s:f#1",
            "",
        ),
        (
            "def f(row):\n    return {'txet': 'x'}\n",
            {"writes": {"text": "text"}},
            "column 'txet'",
            "did you mean 'text'",
        ),
        ("def f(row):\n    return True\n", {"writes": {"n": "integer"}}, "returned no 'n', of row s:f#1", "None"),
        ("def f(rows):\n    return rows[:2]\n", {"takes": "rows"}, "returned 2 rows for rows s:f#1 to s:f#5", "5 rows"),
        ("def f(rows):\n    return rows.lazy()\n", {"takes": "rows"}, "returned LazyFrame", "DataFrame"),
        ("def f(rows):\n    return rows['text']\n", {"takes": "rows"}, "Series of String", "Boolean"),
        ("def f(rows):\n    return rows\n", {"takes": "rows", "writes": {"n": "integer"}}, "no column 'n'", ""),
        (
            "def f(rows):\n    return rows\n",
            {"takes": "rows", "writes": {"text": "integer"}},
            "returned String as 'text'",
            "Int64",
        ),
        (
            "def f(rows):\n    return rows['txet']\n",
            {"takes": "rows"},
            "own.py:2: f failed on rows s:f#1 to s:f#5: ColumnNotFoundError",
            "",
        ),
    ],
)
def test_what_a_function_does_wrong_is_told(
    tmp_path: Path, code: str, options: dict[str, Any], problem: str, hint: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        ran(step(tmp_path, code, **options))
    said = str(caught.value)
    assert hint in caught.value.hint
    assert len(said.splitlines()) <= 5
    assert "This error occurred" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("function", "code", "problem"),
    [
        ("none.py:f", "", "'none.py' cannot be read"),
        ("own.py:g", "def tidy(row): ...\ndef h(row): ...\n", "own.py has no function 'g'"),
        ("own.py:f", "def f(row:\n", "own.py:1: the file cannot be run: SyntaxError"),
        ("own.py:f", "x = 1\nimport nowhere_at_all\n", "own.py:2: .*ModuleNotFoundError"),
        ("no_such_module_at_all:f", "", "cannot be imported"),
        ("json:nothing", "", "json has no function 'nothing'"),
    ],
)
def test_a_function_that_is_not_there_is_told_before_rows_are_read(
    tmp_path: Path, function: str, code: str, problem: str
) -> None:
    with pytest.raises(RecipeError, match=problem):
        check_steps([step(tmp_path, code, function=function)], pl.Schema({"text": pl.String}))


# In a recipe

CODE = """
MARK = '!'
def f(row):
    return {'text': row['text'] + MARK, 'n': len(row['text'])} if row['n'] % 3 else None
"""


def curated(folder: Path, workers: int = 1, batch: int = 50_000) -> Curated:
    recipe = {
        "seedbed": 1,
        "name": "own",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl"}],
        "steps": [
            {
                "use": "python",
                "function": "code/own.py:f",
                "reads": ["text", "n"],
                "writes": {"text": "text", "n": "integer"},
            }
        ],
    }
    loaded = parse(recipe, folder)
    context = Context(base=folder, store=folder / "store", workers=workers, batch=batch)
    return Curation(loaded.recipe.sources, loaded.recipe.steps, loaded.recipe.task, context).run()


def written(folder: Path, code: str, rows: int) -> None:
    (folder / "code").mkdir(exist_ok=True)
    (folder / "code" / "own.py").write_text(code)
    lines = (json.dumps({"text": f"text {i} " + "x" * 700, "label": "ab"[i % 2], "n": i}) for i in range(rows))
    (folder / "rows.jsonl").write_text("\n".join(lines))


def digest_of(rows: Curated) -> str:
    told = RowsDigest()
    told.update(rows.table.scan().collect())
    return told.hexdigest()


def test_workers_and_batches_do_not_matter_and_an_edited_file_runs_again(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        written(tmp_path / name, CODE, 30_000)  # 21 MB: enough blocks for processes to be started
    one, two = curated(tmp_path / "a"), curated(tmp_path / "b", workers=2, batch=777)
    assert digest_of(one) == digest_of(two)
    assert one.books == two.books
    assert one.books.rejected == {"python": {"f": 10_000}}
    again = curated(tmp_path / "a")
    assert again.key == one.key
    written(tmp_path / "a", CODE.replace("'!'", "'?'"), 30_000)
    edited = curated(tmp_path / "a")
    assert edited.key != one.key
    assert edited.table.scan().select(pl.col("text").str.ends_with("?").all()).collect().item()


def test_a_file_that_is_not_there_is_told_with_its_place_in_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(
        "seedbed: 1\nname: x\ntask: {kind: text_classification, text: text, label: label}\n"
        "sources: [{use: csv, path: x.csv}]\nsteps:\n  - {use: python, function: 'own.py:f', reads: [text]}\n"
    )
    with pytest.raises(RecipeError, match=r"recipe\.yaml:6: steps\.0: the file 'own\.py' cannot be read"):
        load(tmp_path / "recipe.yaml")
    (tmp_path / "own.py").write_text("def f(row): return True\n")
    loaded = load(tmp_path / "recipe.yaml")
    python = loaded.recipe.steps[0]
    assert python.runs_code
    assert python.code() == {"own.py": "def f(row): return True\n"}
