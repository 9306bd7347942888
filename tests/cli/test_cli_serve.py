"""`seedbed serve` as it is typed: what it refuses before it serves anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from predicting_sample import small_run
from seedbed.cli import main
from seedbed.cli.serve import _tell
from seedbed.core.errors import RecipeError
from seedbed.core.serving import listen
from seedbed.flow.serving import Named
from seedbed.serve import api
from seedbed.serve.server import Opened, Terms


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("run")).folder


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["serve", *map(str, arguments)])
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) <= 5
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.err


def test_a_port_that_is_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused(capsys, folder, "--port", port)
    assert (code, f"127.0.0.1:{port}: port {port} is in use" in said) == (2, True)


def test_an_address_that_is_not_there() -> None:
    with pytest.raises(RecipeError, match="cannot listen there"):
        listen("nowhere.invalid", 0)


def test_other_machines_see_no_model_that_owes_papers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = refused(capsys, folder, "--host", "0.0.0.0", "--port", 0)
    assert code == 1
    assert "not served to other machines: card.yaml leaves 6 questions open" in said


def test_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = refused(capsys, tmp_path)
    assert (code, "neither a model nor a run" in said) == (4, True)


def test_a_server_that_is_not_installed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_NEEDS", ("fastapi", "no_such_server"))
    code, said = refused(capsys, folder)
    assert code == 2
    assert "needs the package 'no_such_server'" in said
    assert "pip install 'seedbed[serve]'" in said


def test_a_model_that_was_tampered_with(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "models/majority/preprocess.json"
    path.write_bytes(path.read_bytes().replace(b"too_", b"two_") + b" ")
    code, said = refused(capsys, folder / "models/majority")
    assert (code, "damaged" in said) == (4, True)


@pytest.mark.parametrize(
    ("tabular", "texts", "said"),
    [
        (False, False, "without texts"),
        (True, False, "with numbers and categories as they are, without other texts"),
        (True, True, "with texts"),
    ],
)
def test_what_a_log_keeps_is_said(tabular: bool, texts: bool, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    named = Named(Path("run"), log=Path("log"), log_texts=texts)
    _tell(Opened("m", 0.0, (), tabular), "http://127.0.0.1:1", named, Terms())
    told = capsys.readouterr()
    assert f"answers are logged in log, {said}\n" in told.out + told.err
