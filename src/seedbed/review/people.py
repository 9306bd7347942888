"""Who may decide: each person has a token, and a link with it that only they are given."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.core.errors import RecipeError

MOST_PEOPLE = 50
_NAME = re.compile(r"[^\W_][\w .@-]{0,39}")


@dataclass(frozen=True)
class People:
    """Names by token."""

    tokens: dict[str, str]

    @classmethod
    def named(cls, names: Sequence[str]) -> People:
        """New tokens for some people.

        Raises:
            RecipeError: A name cannot stand in a file of decisions, or stands here twice.
        """
        told = [name.strip() for name in names]
        for name in told:
            if not _NAME.fullmatch(name):
                raise RecipeError(
                    f"{name[:40]!r} is no name",
                    at="--people",
                    hint="letters, digits, and . @ - between them, such as --people ana,ben",
                )
        if len(set(told)) < len(told) or len(told) > MOST_PEOPLE:
            raise RecipeError(f"at most {MOST_PEOPLE} people, and each once", at="--people")
        return cls({secrets.token_urlsafe(24): name for name in told})

    def who(self, token: str) -> str | None:
        """Whose token this is."""
        found = None
        for known, name in self.tokens.items():  # all of them, so that time tells nothing
            if hmac.compare_digest(known.encode(), token.encode("utf-8", "replace")):
                found = name
        return found
