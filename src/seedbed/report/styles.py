"""The style sheets: of the page, of a notebook's cell and of a figure that stands alone; one palette for all."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

from markupsafe import Markup

#: How notebooks say that they are dark: JupyterLab, VS Code, Colab. Others go by what the reader prefers.
_DARK = ('[data-jp-theme-light="false"]', ".vscode-dark", '[theme="dark"]')
_LIGHT = ('[data-jp-theme-light="true"]', ".vscode-light", '[theme="light"]')


def source(name: str) -> str:
    """A template or style sheet."""
    return files("seedbed.report").joinpath("templates", PurePosixPath(name).name).read_text(encoding="utf-8")


def palette(scheme: str) -> dict[str, str]:
    """The colours of `light` or `dark`, by name."""
    block = re.search(rf"\.{scheme} \{{(.*?)\}}", source("palette.css"), re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--([\w-]+): (#\w+)", block[1]))


def _tokens(scheme: str) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in palette(scheme).items())


@cache
def page() -> Markup:
    """The page's: light or dark as the reader prefers, light on paper."""
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_tokens('dark')} }} }}"
    return Markup(
        "\n".join([f":root {{ {_tokens('light')} }}", dark, *map(source, ("content.css", "figures.css", "page.css"))])
    )


@cache
def scoped() -> Markup:
    """A notebook cell's: it reaches nothing outside `.seedbed`, and follows the notebook's theme where that is told."""
    dark = _tokens("dark")
    told = ", ".join(f"{theme} .seedbed" for theme in _DARK)
    unless = "".join(f":not({theme} *)" for theme in _LIGHT)
    # The class twice: what a notebook says about every table must not win.
    return Markup(
        f".seedbed {{ {_tokens('light')} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ .seedbed{unless} {{ {dark} }} }}\n"
        f"{told} {{ {dark} }}\n"
        f".seedbed.seedbed {{\n{source('notebook.css')}\n{source('content.css')}\n{source('figures.css')}\n}}"
    )


@cache
def alone() -> str:
    """A lone figure's: colours in place of names for them, which few programs but browsers know."""
    rules = source("figures.css")
    dark = _resolved(rules, "dark")
    return f"{_resolved(rules, 'light')}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _resolved(rules: str, scheme: str) -> str:
    colours = palette(scheme)
    return re.sub(r"var\(--([\w-]+)\)", lambda name: colours[name[1]], rules)
