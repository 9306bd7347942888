"""Every snippet of every page is run, and the reference is what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from snippets import ROOT, blocks, run

PAGES = sorted(
    page
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    if "reference" not in page.parts and "decisions" not in page.parts and list(blocks(page))
)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_snippets(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        run(block, tmp_path)


def test_a_wrong_snippet_is_seen(tmp_path: Path) -> None:
    page = ROOT / "docs" / "made-up.md"
    wrong = [
        ("sh", "seedbed no-such-command"),
        ("console", "$ echo one\ntwo"),
        ("python", "import seedbed; seedbed.no_such_thing"),
        ("yaml", "steps: [{use: fix_txt}]"),
        ("yaml", "steps: [{use: fix_text, colum: text}]"),
        ("yaml", "stepz: []"),
        ("json", "{}"),
    ]
    from snippets import Block

    for language, body in wrong:
        with pytest.raises((AssertionError, KeyError, ValueError)):
            run(Block(page, 1, language, "", body + "\n"), tmp_path)
    run(Block(page, 1, "console", "", "$ printf 'one\\ntwo\\nthree'\none…three\n"), tmp_path)


def test_the_reference_is_not_stale() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/reference.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
