"""PyTorch's DataLoader over exported rows: every row once, whatever the workers, and on from where it was."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from publish_sample import finished, splits_of
from rows_of_all_kinds import rows_of

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.publish import Torch

pytestmark = [
    pytest.mark.slow,  # they import torch
    pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes"),  # as is meant
    pytest.mark.filterwarnings("ignore:'set_vital' is deprecated"),  # by torchdata
]
pytest.importorskip("torch")
N = 103


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("torch")
    table = pl.DataFrame({"n": range(N), "text": [f"text {n}" for n in range(N)]})
    Torch(path="x", group_rows=7, file_rows=30).write_alone(
        rows_of(table), base / "out", Context(base=base, store=base / "store")
    )
    return base / "out"


def _stream(folder: Path, **options: Any) -> Any:
    from seedbed.publish.loading.torch import StreamRows

    return StreamRows(folder, **options)


def _given(loader: Any) -> list[int]:
    return [int(n) for batch in loader for n in batch["n"]]


@pytest.mark.parametrize("workers", [0, 1, 4])
@pytest.mark.parametrize("seed", [None, 3])
def test_each_row_comes_once_with_any_number_of_workers(folder: Path, workers: int, seed: int | None) -> None:
    from torch.utils.data import DataLoader

    found = _given(DataLoader(_stream(folder, seed=seed), batch_size=8, num_workers=workers))
    assert Counter(found) == Counter(range(N))
    assert (found == list(range(N))) == (seed is None and workers < 2)


def test_epochs_and_ranks_differ(folder: Path) -> None:
    rows = _stream(folder, seed=3)
    first, second = [row["n"] for row in rows], [row["n"] for row in rows]
    assert first != second and sorted(first) == sorted(second) == list(range(N))
    shares = [[row["n"] for row in _stream(folder, rank=rank, ranks=3)] for rank in range(3)]
    assert sorted(n for share in shares for n in share) == list(range(N)) and all(shares)


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("taken", [0, 1, 20, 102])
def test_it_goes_on_from_where_it_was(folder: Path, taken: int, seed: int | None) -> None:
    rows = _stream(folder, seed=seed)
    going = iter(rows)
    before = [next(going)["n"] for _ in range(taken)]
    anew = _stream(folder, seed=seed)
    anew.load_state_dict(rows.state_dict())
    after = [row["n"] for row in anew]
    assert before + after == [row["n"] for row in _stream(folder, seed=seed)]
    assert anew.state_dict() == {"epoch": 1, "given": 0}


@pytest.mark.parametrize("workers", [0, 4])
def test_torchdatas_loader_resumes_with_workers(folder: Path, workers: int) -> None:
    stateful = pytest.importorskip("torchdata.stateful_dataloader").StatefulDataLoader
    loader = stateful(_stream(folder, seed=5), batch_size=4, num_workers=workers)
    going = iter(loader)
    before = [int(n) for _ in range(9) for n in next(going)["n"]]
    state = loader.state_dict()
    del going
    again = stateful(_stream(folder, seed=5), batch_size=4, num_workers=workers)
    again.load_state_dict(state)
    after = _given(again)
    assert Counter(before + after) == Counter(range(N))


def test_map_style_shuffles_and_shares_out(folder: Path) -> None:
    from torch.utils.data import DataLoader

    from seedbed.publish.loading.torch import MapRows

    rows = MapRows(folder, columns=["n"])
    assert len(rows) == N and rows[N - 1] == {"n": N - 1}
    with pytest.raises(IndexError):
        rows[N]
    found = _given(DataLoader(rows, batch_size=8, shuffle=True, num_workers=4))
    assert Counter(found) == Counter(range(N)) and found != list(range(N))


def test_pairs_are_texts_and_numbers_of_labels(tmp_path: Path) -> None:
    from seedbed.publish.loading.torch import MapRows

    run = finished(tmp_path / "runs" / "tweets" / "1")
    Torch(path="out").export(run, Context(base=tmp_path, store=tmp_path / ".seedbed"))
    rows = MapRows(tmp_path / "out" / "test", pairs=True)
    table = splits_of(["a", "b"])["test"]
    assert rows.labels == ("a", "b")
    assert [rows[place] for place in range(len(rows))] == [
        (text, "ab".index(label)) for text, label in table.select("text", "sentiment").rows()
    ]


def test_what_is_no_such_folder_and_no_such_column(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no split"):
        _stream(tmp_path)
    with pytest.raises(RecipeError, match="did you mean 'text'"):
        _stream(folder, columns=["txt"])
    with pytest.raises(RecipeError, match="only a run"):
        _stream(folder, pairs=True)
