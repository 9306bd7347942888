"""What is written in a format and read back is what it was, to the value and the type."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rows_of_all_kinds import KINDS, rows_of

from seedbed.core.context import Context
from seedbed.core.errors import DataError, SeedbedError
from seedbed.core.exporter import Exporter, Rows
from seedbed.publish.files.splits import Splits
from seedbed.publish.files.types import meant, told

FORMATS = {
    use: part
    for use, part in Exporter.catalogue.items()
    if issubclass(part, Splits) and part.__module__[:7] == "seedbed"
}
#: Types that a format refuses.
REFUSED = {
    "parquet": ["huge"],
    "arrow": ["huge"],
    "torch": ["huge"],
    "tf_data": [
        name for name in KINDS.columns if name not in ("small", "text", "bytes", "float", "float32", "bool", "uint")
    ],
}
every_format = pytest.mark.parametrize(
    "use", [pytest.param(use, marks=[pytest.mark.slow] if use.startswith("tf") else []) for use in FORMATS]
)


def written(use: str, table: pl.DataFrame, folder: Path, **options: object) -> Path:
    """A file of a format."""
    part = FORMATS[use].model_validate({"use": use, "path": "unused", **options})
    target = folder / f"rows{part.ending}"
    part.write_alone(rows_of(table), target, Context(base=folder, store=folder / ".seedbed"))
    return target


def back(use: str, path: Path) -> pl.DataFrame:
    """What stands in it."""
    rows = FORMATS[use].read(path)
    return pl.concat([pl.DataFrame(schema=rows.schema), *rows.batches()])


def assert_same(found: pl.DataFrame, table: pl.DataFrame) -> None:
    assert found.schema == table.schema
    for column in table:
        assert found[column.name].equals(column, null_equal=True), column.name
    # `equals` takes -0.0 for 0.0.
    for name in table.select(pl.col(pl.Float64)).columns:
        assert list(map(repr, found[name])) == list(map(repr, table[name]))


def _sayable(use: str) -> pl.DataFrame:
    # Not `drop`: to that a column called `^.*$` would mean all of them.
    table = pl.DataFrame([column for column in KINDS if column.name not in REFUSED.get(use, [])])
    return table.drop_nulls() if use == "tf_data" else table


@every_format
def test_every_kind_of_value_comes_back(use: str, tmp_path: Path) -> None:
    table = _sayable(use)
    assert_same(back(use, written(use, table, tmp_path)), table)


@pytest.mark.parametrize("use", ["csv", "jsonl", "numpy", "parquet", "pickle"])
def test_a_column_alone_comes_back(use: str, tmp_path: Path) -> None:
    for name in _sayable(use).columns:
        table = _sayable(use)[[name]]
        path = written(use, table, tmp_path)
        if FORMATS[use].knows(path) or use == "parquet":
            assert_same(back(use, path), table)


@pytest.mark.parametrize("use", [use for use in FORMATS if not use.startswith("tf")])
def test_old_times_of_a_zone_whose_offset_has_seconds(use: str, tmp_path: Path) -> None:
    moments = pl.Series("at", [-4_000_000_000_000_000, None, 0, -1], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    table = moments.dt.convert_time_zone("Europe/Amsterdam").to_frame()  # until 1937, 19 minutes and 32 seconds
    found = back(use, written(use, table, tmp_path))
    assert found["at"].to_physical().to_list() == table["at"].to_physical().to_list()


@pytest.mark.parametrize("use", [use for use in FORMATS if not use.startswith("tf")])
@pytest.mark.parametrize("name", ["^a.*$", "*"])
def test_names_that_polars_takes_for_patterns(use: str, name: str, tmp_path: Path) -> None:
    sayable = _sayable(use)
    for column in ("text", "bool", "float", "floats", "date", "struct", "pair", "nothing"):
        table = sayable[[column]].rename({column: name})
        path = written(use, table, tmp_path)
        if FORMATS[use].knows(path) or use == "parquet":
            assert_same(back(use, path).rename({name: "v"}), table.rename({name: "v"}))


@pytest.mark.parametrize("use", [use for use in FORMATS if not use.startswith("tf")])
def test_names_that_differ_in_case_alone(use: str, tmp_path: Path) -> None:
    table = pl.DataFrame({"Id": [1, 2], "id": ["a", None], "ID": [True, False]})
    path = written(use, table, tmp_path)
    if FORMATS[use].knows(path) or use == "parquet":
        assert_same(back(use, path), table)


def test_nested_lines_say_what_they_were(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {"a": [[["x"], []], []], "b": [{"x.y": 1}, None]}, schema_overrides={"a": pl.List(pl.List(pl.String))}
    )
    assert_same(back("jsonl", written("jsonl", table, tmp_path)), table)


@every_format
def test_no_row_at_all(use: str, tmp_path: Path) -> None:
    table = _sayable(use)[:0]
    assert_same(back(use, written(use, table, tmp_path)), table)


@pytest.mark.parametrize("use", [use for use in FORMATS if use != "tf_data"])
def test_what_the_schema_says_of_a_type_is_that_type(use: str) -> None:
    for kind in KINDS.schema.values():
        assert meant(told(kind)) == kind


@pytest.mark.parametrize(
    ("use", "name"), [(use, name) for use, names in REFUSED.items() if use != "tf_data" for name in names]
)
def test_what_a_format_cannot_say_is_refused_by_name(use: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=name):
        written(use, KINDS.select("text", name), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_tensors_hold_no_missing_values_and_no_time(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 of column 'text'"):
        written("tf_data", KINDS.select("text"), tmp_path)
    with pytest.raises(DataError, match="'date'"):
        written("tf_data", KINDS.select("date"), tmp_path)
    assert list(tmp_path.iterdir()) == []


TABLES = st.lists(
    st.tuples(
        st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        st.none() | st.text("=+-@\t\r'\"0,\n", max_size=5),
        st.none() | st.floats(width=64),
        st.none() | st.lists(st.none() | st.text('a"\\\n', max_size=3), max_size=3),
    ),
    max_size=12,
)


@pytest.mark.parametrize("use", ["csv", "jsonl", "numpy", "pickle"])
@given(found=TABLES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back(use: str, found: list[tuple[object, ...]], tmp_path: Path) -> None:
    kinds = {"any": pl.String, "formula": pl.String, "number": pl.Float64, "list": pl.List(pl.String)}
    table = pl.DataFrame(found, schema=kinds, orient="row")
    path = written(use, table, tmp_path)
    got = back(use, path)
    assert got.equals(table, null_equal=True)


@every_format
def test_a_file_that_is_cut_off_is_no_traceback(use: str, tmp_path: Path) -> None:
    path = written(use, _sayable(use), tmp_path)
    files = (
        [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file() and one.suffix != ".json")
    )
    for file in files:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(SeedbedError):
        back(use, path)


@every_format
def test_a_failure_halfway_leaves_nothing(use: str, tmp_path: Path) -> None:
    def batches():  # type: ignore[no-untyped-def]
        yield table
        raise DataError("the input ended in the middle")

    table = _sayable(use)
    part = FORMATS[use].model_validate({"use": use, "path": "unused"})
    with pytest.raises(DataError, match="in the middle"):
        part.write_alone(Rows(table.schema, batches), tmp_path / "rows", Context(base=tmp_path, store=tmp_path / "s"))
    assert list(tmp_path.iterdir()) == []
