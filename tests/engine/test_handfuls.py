"""Small files are done by the handful: fewer units, the same rows, and only what is new is done again."""

from __future__ import annotations

from pathlib import Path

from seedbed.core.context import Context
from seedbed.core.source import Block
from seedbed.core.task import TextClassification
from seedbed.engine.curate import Curated, Curation
from seedbed.engine.passes import together
from seedbed.sources import Text

TASK = TextClassification(kind="text_classification", text="text", label="text")


def _blocks(count: int) -> list[tuple[str, Block, bool]]:
    return [(f"{place * 2654435761 % 2**32:08x}", Block(place, 1, 1, 10, None), True) for place in range(count)]


def test_every_block_is_in_one_handful_in_order() -> None:
    found = list(together(_blocks(500)))
    assert [block.file for _, blocks in found for block in blocks] == list(range(500))
    assert 8 < len(found) < 100
    assert max(len(blocks) for _, blocks in found) <= 64


def test_large_ones_stand_alone() -> None:
    given = [(key, block, place % 3 > 0) for place, (key, block, _) in enumerate(_blocks(30))]
    found = list(together(given))
    assert [block.file for _, blocks in found for block in blocks] == list(range(30))
    assert all(len(blocks) == 1 for _, blocks in found if blocks[0].file % 3 == 0)


def test_what_comes_at_the_end_changes_the_last_handful_only() -> None:
    before, after = ([keys for keys, _ in together(_blocks(count))] for count in (300, 310))
    assert after[: len(before) - 1] == before[:-1]


def _curate(folder: Path) -> Curated:
    source = Text(path="*.txt", per="file")
    context = Context(base=folder, store=folder / "store", workers=1)
    return Curation((source,), (), TASK, context).run()


def test_many_small_files_are_few_units(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number:03}.txt").write_text(f"This is text number {number}.", encoding="utf-8")
    first = _curate(tmp_path)
    rows = first.table.scan().collect()
    assert rows["text"].to_list() == [f"This is text number {number}." for number in range(200)]
    assert rows["_n"].is_sorted()
    assert len(first.table.shards) < 50
    (tmp_path / "200.txt").write_text("This is text number 200.", encoding="utf-8")
    again = _curate(tmp_path)
    assert again.table.scan().select("text").collect().height == 201
    assert len(set(again.table.shards) - set(first.table.shards)) == 1, "the others are there"
