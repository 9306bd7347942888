"""The card of a recipe with what a run of it measured: what `seedbed card` and the review page ask and write."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seedbed.core.context import utc_now
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.profile import DatasetProfile
from seedbed.flow.finished import Finished, open_run
from seedbed.publish.papers.answers import Answers, read_answers
from seedbed.publish.papers.filling import as_answer, as_typed, fill
from seedbed.publish.papers.keeping import kept, read_lock, write_lock
from seedbed.publish.papers.measured import Measured
from seedbed.publish.papers.questions import QUESTIONS
from seedbed.publish.papers.standing import CardState, state_of
from seedbed.publish.papers.writing import papers_of_run
from seedbed.store.places import arriving

from .card import CARD


@dataclass
class CardFile:
    """A card that people fill in, beside a run's facts. Threads may share it."""

    path: Path
    finished: Finished | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        run = self.finished
        self.measured = Measured(run.run, profile_in(run.folder)) if run else None

    def state(self) -> CardState:
        """How it stands now, whoever wrote it.

        Raises:
            RecipeError: The card has a fault.
        """
        with self._lock:
            return state_of(str(self.path), self._answers(), self.measured, read_lock(self.path))

    def answer(self, key: str, typed: str, was: str | None = None) -> CardState:
        """Write what somebody typed, and what it was said about.

        Args:
            key: The question.
            typed: The answer; nothing takes away what was there.
            was: The answer that they saw; where it is another now, theirs is not written.

        Raises:
            RecipeError: It is no answer to that question, somebody else answered meanwhile, or the card cannot be
                changed by a program.
        """
        with self._lock:
            if was is not None and key in QUESTIONS and as_typed(self._answers(), key) != was:
                raise RecipeError("somebody else answered this meanwhile", at=key, hint="look at it again")
            return self.answer_all({key: typed})

    def answer_all(self, typed: Mapping[str, str]) -> CardState:
        """Write several answers; where one of them is none, those before it stand.

        Raises:
            RecipeError: As `answer`.
        """
        with self._lock:
            lock = read_lock(self.path)
            for key, text in typed.items():
                answers = fill(self.path, key, as_answer(key, text))
                if self.measured:
                    lock = kept(lock, answers, self.measured, _now(), anew=(key,))
                    write_lock(self.path, lock)
            return self.state()

    def confirm(self, keys: Sequence[str]) -> CardState:
        """Note that answers hold for this run, too.

        Raises:
            RecipeError: There is no such answer, or no run that it could hold for.
        """
        if self.measured is None:
            raise RecipeError("there is no run that an answer could hold for", hint="name a run instead of the recipe")
        with self._lock:
            answers = self._answers()
            for key in keys:
                if key not in QUESTIONS or not getattr(answers, key):
                    raise RecipeError(f"the card has no answer to {key[:40]!r}", at=str(self.path))
            write_lock(self.path, kept(read_lock(self.path), answers, self.measured, _now(), anew=tuple(keys)))
            return self.state()

    def render(self, out: Path) -> tuple[str, ...]:
        """Write the papers of the run with the answers as they are now into a folder; their names.

        Raises:
            RecipeError: The place is not a folder.
            DataError: There is no run, or its dataset cannot be read.
        """
        if self.finished is None or not self.finished.run.dataset.splits:
            raise DataError("there is no run with a dataset that papers could tell of", hint="name a run")
        if out.exists() and not out.is_dir():
            raise RecipeError("this is not a folder", at=f"--render {out}")
        run, profile = self.finished.run, profile_in(self.finished.folder)
        papers = papers_of_run(self.finished.folder / "dataset", run, self._answers(), profile)
        for name, text in papers.items():
            with arriving(out / name) as partial:
                partial.write_text(text, encoding="utf-8", newline="\n")
        return tuple(papers)

    def _answers(self) -> Answers:
        return read_answers(self.path)


def open_card(named: Path, card: Path | None = None) -> CardFile:
    """The card that belongs to a run or a recipe; of a recipe with the facts of its latest run, where there is one.

    Args:
        named: A run (folder, id, tag, NAME@latest) or a recipe (a YAML file).
        card: The card, where it is elsewhere than beside the recipe.

    Raises:
        RecipeError: There is no such recipe, or it has faults.
        DataError: There is no such run.
    """
    if named.suffix in (".yaml", ".yml"):
        from seedbed.recipe.loading import load

        loaded = load(named)
        latest = loaded.base / "runs" / loaded.recipe.name / "latest"
        finished = open_run(latest) if latest.is_dir() else None
        return CardFile(card or loaded.base / CARD, finished)
    from seedbed.flow.reviewing.rows import RunRows  # brings the engine with it, which a recipe alone does not need

    finished = open_run(named)
    return CardFile(card or RunRows(finished).base / CARD, finished)


def profile_in(folder: Path) -> DatasetProfile | None:
    """A run's profile; none where it has none that this version reads."""
    try:
        return DatasetProfile.model_validate_json((folder / "profile.json").read_bytes())
    except (OSError, ValueError):
        return None


def _now() -> str:
    return utc_now().isoformat(timespec="seconds").replace("+00:00", "Z")
