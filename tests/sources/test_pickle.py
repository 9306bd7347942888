"""Pickles: what is loaded, and what is refused before it is run."""

from __future__ import annotations

import builtins
import datetime as dt
import decimal
import gzip
import os
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from source_reading import Read, read

from seedbed.core.errors import DataError, RecipeError
from seedbed.sources import Pickle


def of(folder: Path, data: bytes, **options: object) -> Read:
    (folder / "data.pkl").write_bytes(data)
    return read(Pickle.model_validate({"use": "pickle", "path": "data.pkl", "trust": True, **options}), folder)


def refused(folder: Path, data: bytes) -> str:
    with pytest.raises(DataError) as error:
        of(folder, data)
    assert "data.pkl" in str(error.value)
    assert len(str(error.value).splitlines()) <= 5
    return str(error.value)


FRAMES = {
    "plain": pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [1.5, None], "d": [True, False]}),
    "objects": pd.DataFrame({"a": [1, "x"], "b": [[1, 2], {"k": None}], "c": np.array(["x", None], dtype=object)}),
    "texts": pd.DataFrame({"a": pd.array(["x", None], pd.StringDtype("python")), "b": pd.array(["x", None], "string")}),
    "dates": pd.DataFrame({"a": pd.to_datetime(["2020-01-01", None]), "b": pd.to_timedelta([1, 2], "s")}),
    "zones": pd.DataFrame({"a": pd.to_datetime(["2020-01-01", "2021-07-01"]).tz_localize("Europe/Berlin")}),
    "kinds": pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": pd.array([1, None], "Int64")}),
    "indexed": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["r", "s"], name="key")),
    "by date": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2020-01-01", periods=2)),
    "levels": pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["i", "j"])),
    "series": pd.Series([1, 2], name="s"),
    "mixed": pd.DataFrame({"a": np.array([dt.date(2020, 1, 1), pd.Timestamp("2020"), pd.NaT, pd.NA], dtype=object)}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_pandas(name: str, tmp_path: Path) -> None:
    frame = FRAMES[name]
    found = [of(tmp_path, pickle.dumps(frame, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    assert all(one.table.equals(found[0].table) for one in found)
    assert found[0].table.height == len(frame)
    wanted = {
        "plain": [(1, "x", 1.5, True), (2, None, None, False)],
        "objects": [("1", "[1,2]", "x"), ("x", '{"k":null}', None)],
        "texts": [("x", "x"), (None, None)],
        "kinds": [("x", 1), ("y", None)],
        "indexed": [(1, "r"), (2, "s")],
        "levels": [(1, 1, "x"), (2, 2, "y")],
        "series": [(1,), (2,)],
        "mixed": [("2020-01-01",), ("2020-01-01 00:00:00",), (None,), (None,)],
    }
    if name in wanted:
        assert found[0].table.rows() == wanted[name]


def test_frames_of_older_pandas(tmp_path: Path) -> None:
    old = {
        b"cpandas\nDataFrame": b"cpandas.core.frame\nDataFrame", b"cpandas\nIndex": b"cpandas.core.indexes.base\nIndex",
        b"cpandas\nRangeIndex": b"cpandas.core.indexes.range\nRangeIndex",
        b"cnumpy._core.multiarray": b"cnumpy.core.multiarray",
    }  # fmt: skip
    data = pickle.dumps(pd.DataFrame({"a": [1.5, 2.5]}, columns=pd.Index(["a"], dtype=object)), 0)
    for new, before in old.items():
        data = data.replace(new, before)
    assert b"numpy.core.multiarray" in data
    assert of(tmp_path, data).table["a"].to_list() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        ([{"a": 1, "b": [1]}, {"a": 2, "c": "x"}], [(1, "[1]", None), (2, None, "x")]),
        ({"a": [1, 2], "b": ("x", None)}, [(1, "x"), (2, None)]),
        ({"a": 1, "b": [1, 2]}, [(1, "[1,2]")]),
        (["x", None], [("x",), (None,)]),
        (np.array([[1, 2], [3, 4]]), [(1, 2), (3, 4)]),
        ([{"a": np.int64(1), "b": np.float32(0.5), "c": np.str_("x")}], [(1, 0.5, "x")]),
        ([{"a": dt.date(2020, 1, 1), "b": 2**70, "c": decimal.Decimal("1.5")}], None),
        ([{"a": 1}, {"a": 1.5}, {"a": True}], [("1",), ("1.5",), ("true",)]),
        (pd.DataFrame({("x", "y"): [1]}), [(1,)]),
    ],
)
def test_lists_dicts_and_arrays(value: Any, rows: list[tuple[Any, ...]] | None, tmp_path: Path) -> None:
    for protocol in (0, 2, pickle.HIGHEST_PROTOCOL):
        found = of(tmp_path, gzip.compress(pickle.dumps(value, protocol)))
        assert rows is None or found.table.rows() == rows


def test_nothing_without_trust(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "made"),)

    (tmp_path / "data.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(RecipeError, match="trust: true") as error:
        read(Pickle(path="data.pkl"), tmp_path)
    assert error.value.exit_code == 2
    assert not (tmp_path / "made").exists()


class _Calls:
    def __init__(self, what: Any, *arguments: Any) -> None:
        self._what = what, arguments

    def __reduce__(self) -> Any:
        return self._what


def _change_a_class(folder: Path) -> bytes:
    # BUILD with a class in place of an object would set its attributes.
    return b"cpandas\nDataFrame\n(N}Vto_dict\ncpandas\nSeries\nst" + b"b."


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (lambda folder: _Calls(os.system, f"touch {folder}/made"), "posix.system"),
        (lambda folder: _Calls(eval, f"open({str(folder / 'made')!r}, 'w')"), "builtins.eval"),
        (lambda folder: _Calls(exec, f"open({str(folder / 'made')!r}, 'w')"), "builtins.exec"),
        (lambda folder: [{"a": 1}, {"a": [_Calls(os.mkdir, str(folder / "made"))]}], "posix.mkdir"),
        (lambda folder: _Calls(getattr, dt.date, "today"), "attribute 'today'"),
        (lambda folder: _Calls(builtins.map, len, []), "builtins.map"),
        (lambda folder: _Calls(np.load, str(folder / "x.npy"), None, True), "numpy.load"),
        (lambda folder: _Calls(pd.read_pickle, str(folder / "x")), "pandas.read_pickle"),
        (lambda folder: _Calls(pd.eval, "1"), "pandas.eval"),
        (lambda folder: _Calls(pickle.loads, b""), "pickle.loads"),
        (lambda folder: Path("x"), "pathlib"),
        (lambda folder: 1j, "builtins.complex"),
        (_change_a_class, "a change of DataFrame"),
        (lambda folder: b"\x80\x04\x8c\x06pandas\x8c\x14core.frame.os.system\x93.", "pandas.core.frame.os.system"),
        (lambda folder: b"\x80\x02Psome\n.", "something outside"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 5])
def test_what_is_no_table_is_refused_before_it_is_run(payload: Any, named: str, protocol: int, tmp_path: Path) -> None:
    made = payload(tmp_path)
    message = refused(tmp_path, made if isinstance(made, bytes) else pickle.dumps(made, protocol))
    assert named.removeprefix("builtins.") in message or named in message
    assert not (tmp_path / "made").exists()


def test_bombs_and_damage(tmp_path: Path) -> None:
    doubled: Any = []
    for _ in range(60):
        doubled = [doubled, doubled]
    assert "without end" in refused(tmp_path, pickle.dumps([{"a": doubled}]))
    itself: list[Any] = []
    itself.append(itself)
    assert "without end" in refused(tmp_path, pickle.dumps([{"a": itself}]))
    assert "not a table" not in refused(tmp_path, pickle.dumps({1, 2}))
    assert "empty" in refused(tmp_path, b"")
    assert "use: parquet" in refused(tmp_path, b"PAR1" + b"\0" * 20)
    refused(tmp_path, b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fx.")  # says that it holds 2**63 bytes
    whole, deal = pickle.dumps(FRAMES["plain"]), random.Random(1)
    for trial in range(24):
        data = bytearray(whole[: deal.randrange(1, len(whole))] if trial % 2 else whole)
        for _ in range(0 if trial % 2 else 5):
            data[deal.randrange(len(data))] = deal.randrange(256)
        try:
            of(tmp_path, bytes(data))
        except DataError as error:
            assert len(str(error).splitlines()) <= 5
