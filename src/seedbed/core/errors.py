"""Every error that Seedbed raises on purpose, and the exit code a command ends with.

* SeedbedError                 something a person can act on
  + RecipeError        (2)     the recipe or the command line is wrong; nothing has run
  + DataError          (3)     a source or its data cannot be read or used
    + NotKept          (3)     it would have to be fetched, and nothing may be
    + Damaged          (3)     what was kept of it is gone, or not as it came
  + ModelError         (4)     a model or a service failed
  + MissingExtraError  (2)     a part needs packages that are not installed
  + Refused            (1)     something stands against publishing or sending it, and nobody waived that
  + BooksError         (1)     rows were lost or invented: a fault in a part or in Seedbed, never in the data
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import ClassVar


class SeedbedError(Exception):
    """Where it happened, what is wrong, and the way out, in at most five lines.

    Args:
        problem: What is wrong, in one sentence.
        at: Where: a file and line, or a key of the recipe.
        hint: What to do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *, at: str = "", hint: str = "") -> None:
        self.problem, self.at, self.hint = problem, at, hint
        super().__init__(problem, at, hint)

    def __str__(self) -> str:
        first = f"{self.at}: {self.problem}" if self.at else self.problem
        return f"{first}\n  hint: {self.hint}" if self.hint else first

    def in_a_line(self) -> str:
        """The same in one line, for what goes on all the same."""
        return str(self).replace("\n  hint: ", "; ")

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments would be lost on the way back from a worker process.
        return _rebuild, (type(self), self.problem, self.at, self.hint)


def _rebuild(kind: type[SeedbedError], problem: str, at: str, hint: str) -> SeedbedError:
    return kind(problem, at=at, hint=hint)


class RecipeError(SeedbedError):
    """The recipe or the command line is wrong; nothing has run."""

    exit_code = 2


class DataError(SeedbedError):
    """A source or its data cannot be read or used."""

    exit_code = 3


class NotKept(DataError):
    """A source would have to be fetched, and nothing may be."""


class Damaged(DataError):
    """What was kept of a source is not there any more, or not as it came."""


class ModelError(SeedbedError):
    """A model or a service failed."""

    exit_code = 4


class MissingExtraError(SeedbedError):
    """A part needs packages that are not installed."""

    exit_code = 2


class Refused(SeedbedError):
    """Something stands against publishing or sending it, and nobody waived that."""


class BooksError(SeedbedError):
    """Rows were lost or invented: a fault in a part or in Seedbed, never in the data."""


def did_you_mean(wrong: str, known: Iterable[str], *, show: int = 12) -> str:
    """A hint that names the closest of the known words, else lists them (at most `show`)."""
    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, n=1, cutoff=0.55)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return ""
    more = f" and {len(names) - show} more" if len(names) > show else ""
    return f"known: {', '.join(names[:show])}{more}"


def _as_raised(error: SeedbedError) -> SeedbedError:
    """The error without what Polars adds to one that passes through an expression: it makes it anew, from its text."""
    said, added, _ = error.problem.partition("\n\nThis error occurred in the following expression:")
    problem, _, hint = said.partition("\n  hint: ")
    return type(error)(problem, hint=hint) if added else error


@contextmanager
def told_as(kind: type[SeedbedError], who: str, *, about: str = "") -> Iterator[None]:
    """Tell a part's own failure in words: who failed, how, and about what.

    Args:
        kind: The error to raise.
        who: The part's name.
        about: What it was working on.

    Raises:
        SeedbedError: Of that kind; one that was raised on purpose passes as it is.
    """
    try:
        yield
    except SeedbedError as error:
        raise _as_raised(error) from None
    except MemoryError as error:
        doing = f", working on {about}" if about else ""
        raise kind(
            f"there is not memory enough for it{doing}",
            at=who,
            hint="smaller options of that part, fewer rows, or more memory",
        ) from error
    except Exception as error:
        said = (str(error).splitlines() or [""])[0][:200]
        doing = f", working on {about}" if about else ""
        raise kind(
            f"it failed with {type(error).__name__}: {said}{doing}",
            at=who,
            hint="if it was given what it expects, this is a fault in that part",
        ) from error
