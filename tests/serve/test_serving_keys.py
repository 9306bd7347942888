"""Keys: given out once, kept as digests, compared whole."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from seedbed.cli import main
from seedbed.core.errors import RecipeError
from seedbed.serve.keys import Keys, new_key


def test_a_key_is_said_once_and_its_digest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text("# of the team")
    key, other = new_key(path, "ana"), new_key(path, "ben@example.org")
    text = path.read_text()
    assert key not in text and other not in text
    assert f"ana sha256:{hashlib.sha256(key.encode()).hexdigest()}\n" in text
    keys = Keys.read(path)
    assert (keys.who(key), keys.who(other)) == ("ana", "ben@example.org")
    for wrong in ("", key[:-1], key + "x", key.upper(), "ana", text.split(":")[1][:64], "\udce9"):
        assert keys.who(wrong) is None


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    new_key(tmp_path / "keys.txt", "ana")
    assert stat.S_IMODE((tmp_path / "keys.txt").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "a b", "-a", "a\nb sha256:" + "0" * 64, "ä", "a" * 65])
def test_names_that_cannot_stand_in_the_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match="cannot be a key's name"):
        new_key(tmp_path / "keys.txt", name)
    assert not (tmp_path / "keys.txt").exists()


def test_a_name_has_one_key(tmp_path: Path) -> None:
    new_key(tmp_path / "keys.txt", "ana")
    with pytest.raises(RecipeError, match="has a key"):
        new_key(tmp_path / "keys.txt", "ana")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "no key"), ("# ana\n\n", "no key"), ("ana sb_secret", "no NAME sha256"), ("ana sha256:00", "no NAME sha256")],
)
def test_files_that_hold_no_keys(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "keys.txt").write_text(text)
    with pytest.raises(RecipeError, match=words) as told:
        Keys.read(tmp_path / "keys.txt")
    assert "secret" not in str(told.value)
    with pytest.raises(RecipeError, match="cannot be read"):
        Keys.read(tmp_path / "no.txt")


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.txt"
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--new-key", "ana", "--keys", str(path)])
    told = capsys.readouterr()
    assert ended.value.code == 0
    assert Keys.read(path).who(told.out.strip()) == "ana"
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--new-key", "ana"])
    assert ended.value.code == 2
    assert "a key needs a file" in capsys.readouterr().err
