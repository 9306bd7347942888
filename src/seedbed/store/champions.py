"""The champions of a store: under its root, `champions/NAME.json` lists the runs that stood for a recipe's name.

The last that was not rolled back is the champion: what `NAME@champion` means, and what a server that was started on it
goes over to. A champion's run keeps what it made, as a tagged run does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from seedbed.core.champion import Promotion
from seedbed.core.errors import DataError, RecipeError

from .places import write_whole
from .runs import locked, now

CHAMPIONS = "champions"
_PROMOTIONS = TypeAdapter(tuple[Promotion, ...])


@dataclass(frozen=True)
class Champions:
    """Who stood, and stands, for each name."""

    root: Path
    """The store's."""

    @property
    def folder(self) -> Path:
        """Where they are noted."""
        return self.root / CHAMPIONS

    def history(self, name: str) -> tuple[Promotion, ...]:
        """Every run that was promoted under a name, the first one first.

        Raises:
            DataError: The file is damaged.
        """
        path = self._path(name)
        try:
            return _PROMOTIONS.validate_json(path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValidationError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not what Seedbed wrote"
            hint = f"remove the file, and name the champion again: seedbed runs promote {name}@latest"
            raise DataError(f"the champions cannot be read: {why}", at=str(path), hint=hint) from None

    def champion(self, name: str) -> Promotion | None:
        """The run that stands for a name.

        Raises:
            DataError: The file is damaged.
        """
        return next((one for one in reversed(self.history(name)) if one.undone is None), None)

    def all(self) -> dict[str, str]:
        """The champion's run by name, of all names whose files can be read."""
        found = {}
        for path in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else ():
            try:
                champion = self.champion(path.stem)
            except DataError:
                continue
            if champion:
                found[path.stem] = champion.run
        return found

    def promote(self, name: str, run: str, why: str, *, over: str | None = None) -> Promotion:
        """Make a run the champion; one that is stays as it is.

        Args:
            name: The recipe's.
            run: The run's id.
            why: What speaks for it.
            over: The run that it was compared with, and may take the place of; of anyone, if left out.

        Returns:
            Who stands for the name now: where `over` does no longer, that is somebody else.
        """
        with self._held():
            known = self.history(name)
            standing = next((one for one in reversed(known) if one.undone is None), None)
            if standing and (standing.run == run or over not in (None, standing.run)):
                return standing
            promoted = Promotion(run=run, when=now(), why=why)
            self._write(name, (*known, promoted))
        return promoted

    def roll_back(self, name: str, why: str) -> tuple[Promotion, Promotion]:
        """Take the champion's place from it, and give it back to the one before; who was, and who is.

        Raises:
            RecipeError: There was none before.
            DataError: The file is damaged.
        """
        with self._held():
            known = list(self.history(name))
            standing = [place for place, one in enumerate(known) if one.undone is None]
            if len(standing) < 2:
                problem = "nobody was champion before this one" if standing else "nobody is champion"
                raise RecipeError(problem, at=name, hint="seedbed runs promote RUN names one")
            last = standing[-1]
            known[last] = known[last].model_copy(update={"undone": now(), "undone_why": why})
            self._write(name, known)
        return known[last], known[standing[-2]]

    def _path(self, name: str) -> Path:
        """Where a name's champions are noted; a name that leads elsewhere has none.

        Raises:
            DataError: It cannot be the name of a recipe.
        """
        if name in ("", ".", "..") or any(one in name for one in "/\\\x00"):
            hint = "letters, digits, '-', '_' and '.' are what names are made of"
            raise DataError("this is no name of a recipe", at=repr(name)[:100], hint=hint)
        return self.folder / f"{name}.json"

    @contextmanager
    def _held(self) -> Iterator[None]:
        with locked(self.folder / ".lock"):
            yield

    def _write(self, name: str, promotions: tuple[Promotion, ...] | list[Promotion]) -> None:
        write_whole(self._path(name), _PROMOTIONS.dump_json(tuple(promotions), indent=1) + b"\n")
