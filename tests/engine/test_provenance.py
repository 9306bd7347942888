"""The code that makes rows is in the keys: the parts' own modules, and what stands in folders below them."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from seedbed.engine.provenance import code_of
from seedbed.sources import Csv
from seedbed.steps import FixText


@pytest.mark.parametrize("edited", ["shout.py", "voices/loud.py"])
def test_an_edited_support_module_changes_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edited: str
) -> None:
    name = f"steps_of_{edited.partition('/')[0].removesuffix('.py')}"
    package = tmp_path / name
    (package / "voices").mkdir(parents=True)
    (package / "voices" / "__init__.py").touch()
    (package / "voices" / "loud.py").write_text("MARK = '!'\n")
    (package / "__init__.py").write_text("from .shout import Shout\n")
    (package / "shout.py").write_text("from .voices.loud import MARK\n\n\nclass Shout:\n    mark = MARK\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    shout = importlib.import_module(name).Shout
    before = code_of.__wrapped__(shout)
    assert code_of.__wrapped__(shout) == before
    (package / edited).write_text((package / edited).read_text() + "# otherwise\n")
    assert code_of.__wrapped__(shout) != before


def test_the_rooms_of_our_own_parts_are_seen_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from seedbed.core import digest

    seen: set[str] = set()
    of_file = digest.of_file
    monkeypatch.setattr(digest, "of_file", lambda file: seen.add(str(file)) or of_file(file))
    code_of.__wrapped__(FixText, Csv)
    for module in ("steps.fix_text", "steps.mending.some_rows", "sources.reading.blocks", "sources.delimited.records"):
        assert str(importlib.import_module(f"seedbed.{module}").__file__) in seen
