"""Jinja templates that a recipe holds: they see what they are given, and nothing else of the machine."""

from __future__ import annotations

from typing import Any


def template_of(text: str) -> Any:
    """A template that can reach nothing but what it is given.

    Raises:
        jinja2.TemplateSyntaxError: It is none.
    """
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # Prompts are plain text: nothing is to be escaped for a page.
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.from_string(text)


def names_in(text: str) -> list[str]:
    """What a template must be given, sorted. Raises as `template_of` does."""
    from jinja2.meta import find_undeclared_variables

    made = template_of(text).environment
    return sorted(find_undeclared_variables(made.parse(text)) - set(made.globals))
