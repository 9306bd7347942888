"""Links lead somewhere, and what pages name is there. The snippets are run by `test_pages.py`."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import typer

from seedbed.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = sorted(p.relative_to(ROOT) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page}: {target}"


def test_rooms_that_are_named_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rooms = "|".join(sorted(path.parent.name for path in (ROOT / "src/seedbed").glob("*/__init__.py")))
    for name in set(re.findall(rf"`((?:{rooms})/[\w/]*\.?\w*)`", text)):
        assert (ROOT / "src/seedbed" / name).exists(), name


def test_every_command_is_in_the_documentation() -> None:
    told = "\n".join((ROOT / page).read_text("utf-8") for page in PAGES if "reference" not in page.parts)
    names = set(typer.main.get_group(app).list_commands(click.Context(click.Command("seedbed"))))
    assert {"run", "runs", "serve"} <= names
    assert {name for name in names if f"seedbed {name}" not in told} == set()
