"""What a source fetched, kept as it came: so a run goes on where it was cut, and later runs need no network.

Under the store's root, `snapshots/KEY` holds what one source asked for. `bodies/` are the responses by their SHA-256;
`journal.jsonl` says in order what came when and from where. A line is written after its body, so whatever stops a
process, what the journal names is there. Each fetch is a generation, which begins with a line and ends with one; until
the end is written the generation before it counts. Where a response is damaged, its generation is opened again, and
what is missing is fetched and takes its old place.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Literal, Self

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import Damaged, DataError, NotKept
from seedbed.core.source import InputFile, Origin

from .journal import Generation, Kept, forget, generations
from .places import write_whole
from .store import Store

SNAPSHOTS = "snapshots"
_JOURNAL, _BODIES, _LOCK = "journal.jsonl", "bodies", "lock"

#: When to fetch what is there already: never, anew in each run, or only what is new since.
Refresh = Literal["never", "always", "new"]


#: Kind of the notes about what was damaged, and is another one since it was fetched again.
_CHANGED = "changed"
_SHOWN = 3


class Snapshot:
    """What a source fetched and is fetching.

    Attributes:
        folder: In the store.
        key: Digest of what was asked for.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder, key
        self._generations = generations(folder / _JOURNAL)
        self._open: IO[bytes] | None = None

    @classmethod
    def of(cls, asked: Any, context: Context) -> Self:
        """The snapshot of what is asked for, said in JSON without secrets; the run uses it from now on."""
        key = digest.of_json(asked)
        store = Store.of(context)
        if context.offline:  # nothing is made where nothing may be fetched, but the run uses it
            place = store.look_at(SNAPSHOTS, key)
            store.used.add(f"{SNAPSHOTS}/{place.folder.name}")
            return cls(place.folder, key)
        return cls(store.artefact(SNAPSHOTS, key).folder, key)

    @property
    def whole(self) -> bool:
        """Whether some generation came to its end."""
        return any(one.ended for one in self._generations)

    @property
    def unfinished(self) -> bool:
        """Whether the last generation has not come to its end."""
        return bool(self._generations) and not self._generations[-1].ended

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The responses, in order: while fetching, those of this generation so far; else of the last whole one."""
        return tuple(kept for one in self._line() for kept in one.there)

    @property
    def lost(self) -> tuple[Kept, ...]:
        """While fetching, what is there no more: a response of the same name takes its place."""
        return tuple(kept for one in self._line() for name, kept in one.kept.items() if name in one.lost)

    @property
    def mending(self) -> bool:
        """Whether the last generation was whole before: only what is lost is to be fetched."""
        return bool(self._generations) and self._generations[-1].mending

    @property
    def ever_kept(self) -> Iterator[Kept]:
        """The responses of all generations, whole or not, in order."""
        return (kept for one in self._generations for kept in one.kept.values())

    @property
    def fetched(self) -> tuple[Kept, ...]:
        """While fetching, the responses of this generation alone: `kept` has those that it adds to, too."""
        return tuple(self._generations[-1].there) if self._open else ()

    @property
    def facts(self) -> dict[str, Any]:
        """What `end` was told of the last whole generation, with `began`, `ended` and `bytes`."""
        line = self._line()
        if not line:
            return {}
        held, span = self.kept, {"began": line[0].began, "ended": line[-1].ended}
        return {**line[-1].facts, **span, "responses": len(held), "bytes": sum(kept.size for kept in held)}

    def notes(self, kind: str) -> list[dict[str, Any]]:
        """What was noted in the generation (and those that it adds to), in order."""
        return [facts for one in self._line() for noted, facts in one.notes if noted == kind]

    @property
    def changes(self) -> list[str]:
        """What a person should know of responses that were damaged, and are others since they were fetched again."""
        names = list(dict.fromkeys(str(note["name"]) for note in self.notes(_CHANGED)))
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        shown = f"{', '.join(names[:_SHOWN])}{more}"
        said = "damaged in the store, fetched again, and not what it was: {}; --refresh fetches everything anew"
        return [said.format(shown)] if names else []

    def _line(self) -> list[Generation]:
        """The generation that counts, after those that it adds to."""
        usable = self._generations
        if not self._open:
            usable = usable[: max((place + 1 for place, one in enumerate(usable) if one.ended), default=0)]
        start = max((place for place, one in enumerate(usable) if not one.more), default=0)
        # What an abandoned generation held does not count in those that add to an earlier one.
        return [one for one in usable[start:] if one.ended or one is usable[-1]]

    # -- fetching

    def bring(self, refresh: Refresh, context: Context, fetch: Callable[[], None], *, at: str) -> None:
        """Have everything be there as it came: fetch what is to be fetched, and what is damaged once more.

        Args:
            refresh: When to fetch what is there already.
            context: `offline` and `refresh` overrule that.
            fetch: Fetches; called while `fetching`.
            at: The source, for messages.

        Raises:
            NotKept: Nothing was kept and the run is offline.
            Damaged: Something is damaged and the run is offline.
            DataError: It cannot be had, or another process is fetching the same.
        """
        try:
            self._bring(refresh, context, fetch, at)
        except Damaged as error:
            if context.offline:
                raise
            context.progress.say(f"{at}: {error.problem}, and is fetched again")
            self._lose_damaged(context, at)
            self._bring(refresh, context, fetch, at)

    def _bring(self, refresh: Refresh, context: Context, fetch: Callable[[], None], at: str) -> None:
        with self.fetching(refresh, context, at=at) as wanted:
            if wanted:
                fetch()
        for kept in self.kept:
            if not self._is_sound(kept):
                raise _damaged(kept.name, at)

    def _lose_damaged(self, context: Context, at: str) -> None:
        """Take away what is damaged, and have the next `fetching` of this run go on there."""
        with self._locked(at), (self.folder / _JOURNAL).open("ab") as self._open:
            try:
                self._generations = generations(self.folder / _JOURNAL)
                for kept in self.ever_kept:
                    if not self._is_sound(kept):
                        self.path(kept).unlink(missing_ok=True)
                _end_torn_line(self._open)
                if not self.unfinished:
                    self._generations[-1].take({"mend": now()})
                    self._write({"mend": now()})
            finally:
                self._open = None
        context.fetched.discard(self.key)

    def _is_sound(self, kept: Kept) -> bool:
        place = self.path(kept)
        return place.is_file() and place.stat().st_size == kept.size and digest.of_file(place) == kept.sha256

    @contextmanager
    def fetching(self, refresh: Refresh, context: Context, *, at: str) -> Iterator[bool]:
        """Whether there is something to fetch; if so, `keep`, `note` and `end` work in the body.

        A generation that was cut short goes on: `kept` holds what it has, `lost` what is damaged or gone of it. Without
        `end` it stays unfinished.

        Args:
            refresh: When to fetch what is there already.
            context: `offline` and `refresh` overrule that.
            at: The source, for messages.

        Raises:
            NotKept: Nothing was kept and the run is offline.
            DataError: Another process is fetching the same.
        """
        if context.offline and not self.whole:
            cut = ", and what was fetched of it is not whole" if self._generations else ""
            raise NotKept(f"nothing was kept of this source{cut}", at=at, hint="run once without --offline")
        again: Refresh = "always" if context.refresh else refresh
        wanted = not self.whole or self.unfinished or again != "never"
        if context.offline or self.key in context.fetched or not wanted:
            yield False
            return
        with self._locked(at):
            self._generations = generations(self.folder / _JOURNAL)  # another process may have come first
            with (self.folder / _JOURNAL).open("ab") as self._open:
                _end_torn_line(self._open)
                if not self.unfinished or (self.mending and again == "always"):
                    self._begin(more=again == "new" and self.whole)
                for one in self._line():
                    one.lost = {name for name, kept in one.kept.items() if not self.path(kept).exists()}
                try:
                    yield True
                finally:
                    self._open = None
        if not self.unfinished:
            context.fetched.add(self.key)

    def keep(self, name: str, body: bytes, origin: Origin, **state: Any) -> Kept:
        """Keep a response; one of the same name in this generation is replaced."""
        hashed = sha256(body).hexdigest()
        place = self._place(hashed)
        with writing(name):  # what is there under this digest may be damaged
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, body)
        return self._add(Kept(name, hashed, len(body), origin, state))

    def keep_file(self, name: str, path: Path, origin: Origin, **state: Any) -> Kept:
        """Keep a file, which is moved away from where it is; on the same file system, for large responses."""
        hashed, size = digest.of_file(path), path.stat().st_size
        place = self._place(hashed)
        with writing(name):
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
        return self._add(Kept(name, hashed, size, origin, state))

    def note(self, kind: str, **facts: Any) -> None:
        """Keep facts that belong to no response: a refusal, a page that is not there, what was spent."""
        self._generations[-1].notes.append((kind, facts))
        self._write({"note": kind, **facts})

    def end(self, **facts: Any) -> None:
        """Everything was fetched; what is still lost was not to be had again."""
        gone = [(place, name) for place, one in enumerate(self._generations) for name in sorted(one.lost)]
        if gone:
            forget(self._generations, gone)
            self._write({"gone": gone})
        ended = now()
        self._generations[-1].take({"end": ended, "facts": facts})
        self._write({"end": ended, "facts": facts})

    # -- reading

    def path(self, kept: Kept) -> Path:
        """Where a response is."""
        return self._place(kept.sha256)

    def body(self, kept: Kept, *, at: str) -> bytes:
        """A response, checked.

        Raises:
            Damaged: It is not there any more, or not as it came.
        """
        return body_of(InputFile(kept.name, str(self.path(kept)), kept.size, kept.sha256), at=at)

    def files(self) -> tuple[InputFile, ...]:
        """The responses as files of a source."""
        return tuple(
            InputFile(kept.name, str(self.path(kept)), kept.size, kept.sha256, origin=kept.origin) for kept in self.kept
        )

    # -- writing

    def _place(self, hashed: str) -> Path:
        return self.folder / _BODIES / hashed[:2] / hashed

    def _begin(self, more: bool) -> None:
        self._generations.append(Generation(more, now()))
        self._write({"begin": self._generations[-1].began, "more": more})

    def _add(self, kept: Kept) -> Kept:
        """Take it in where its name is lost, whichever generation that is of; else into the last."""
        last = len(self._generations) - 1
        place = next((n for n in range(last, -1, -1) if kept.name in self._generations[n].lost), last)
        one = self._generations[place]
        if kept.name in one.lost and one.kept[kept.name].sha256 != kept.sha256:
            self.note(_CHANGED, name=kept.name)
        one.lost.discard(kept.name)
        one.kept[kept.name] = kept
        self._write({"kept": asdict(kept), **({} if place == last else {"of": place})})
        return kept

    def _write(self, line: dict[str, Any]) -> None:
        if self._open is None:
            raise ValueError("a snapshot is written to while it is `fetching`")
        with writing("the journal"):
            self._open.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            self._open.flush()

    @contextmanager
    def _locked(self, at: str) -> Iterator[None]:
        try:
            import fcntl
        except ImportError:  # elsewhere than on Unix two runs at once fetch twice, and the later one counts
            yield
            return
        with (self.folder / _LOCK).open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                hint = "wait for the other run to end"
                raise DataError("another run is fetching this source now", at=at, hint=hint) from None
            yield


@contextmanager
def writing(name: str, *, at: str = "") -> Iterator[None]:
    """What cannot be written is no fault of the source.

    Raises:
        DataError: The disk is full, or may not be written to.
    """
    try:
        yield
    except OSError as error:
        hint = "is the disk full, or may the store not be written to? The same command goes on where this stopped"
        said = f"{name} cannot be kept in the store: {error.strerror or error}"
        raise DataError(said, at=at, hint=hint) from None


def body_of(file: InputFile, *, at: str) -> bytes:
    """The bytes of a file of a snapshot, checked.

    Raises:
        Damaged: It is not there any more, or not as it came.
    """
    try:
        data = Path(file.url).read_bytes()
    except OSError:
        data = b""
    if sha256(data).hexdigest() != file.sha256:
        raise _damaged(file.name, at)
    return data


def _damaged(name: str, at: str) -> Damaged:
    said = f"what was kept of {name} is damaged or gone from the store"
    return Damaged(said, at=at, hint="a run without --offline fetches it again")


def now() -> str:
    """The time in UTC, as ISO 8601."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _end_torn_line(journal: IO[bytes]) -> None:
    if journal.tell():
        journal.write(b"\n")  # an empty line is none


__all__ = ["SNAPSHOTS", "Kept", "Refresh", "Snapshot", "body_of", "now", "writing"]
