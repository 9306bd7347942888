"""What a source fetched, kept as it came: so a run goes on where it was cut, and later runs need no network.

Under the store's root, `snapshots/KEY` holds what one source asked for. `bodies/` are the responses by their SHA-256;
`journal.jsonl` says in order what came when and from where. A line is written after its body, so whatever stops a
process, what the journal names is there. Each fetch is a generation, which begins with a line and ends with one; until
the end is written the generation before it counts.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Literal, Self

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import DataError, NotKept
from seedbed.core.source import InputFile, Origin

from .places import write_whole
from .store import Store

SNAPSHOTS = "snapshots"
_JOURNAL, _BODIES, _LOCK = "journal.jsonl", "bodies", "lock"

#: When to fetch what is there already: never, anew in each run, or only what is new since.
Refresh = Literal["never", "always", "new"]


@dataclass(frozen=True)
class Kept:
    """One response."""

    name: str
    """Its place in row ids, unique in its generation."""
    sha256: str
    size: int
    origin: Origin
    state: Mapping[str, Any] = field(default_factory=dict)
    """What the source needs to go on from here, as JSON: the next page, the cursor, …"""


@dataclass
class _Generation:
    more: bool
    """Whether it adds to the one before."""
    began: str
    kept: dict[str, Kept] = field(default_factory=dict)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ended: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def take(self, told: dict[str, Any]) -> None:
        """Take in a line of the journal."""
        if "kept" in told:
            kept = Kept(**{**told["kept"], "origin": Origin(**told["kept"]["origin"])})
            self.kept[kept.name] = kept
        elif "note" in told:
            self.notes.append((told.pop("note"), told))
        elif "end" in told:
            self.ended, self.facts = told["end"], told["facts"]


class Snapshot:
    """What a source fetched and is fetching.

    Attributes:
        folder: In the store.
        key: Digest of what was asked for.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder, key
        self._generations = list(_read(folder / _JOURNAL))
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
        return tuple(kept for one in self._line() for kept in one.kept.values())

    @property
    def ever_kept(self) -> Iterator[Kept]:
        """The responses of all generations, whole or not, in order."""
        return (kept for one in self._generations for kept in one.kept.values())

    @property
    def fetched(self) -> tuple[Kept, ...]:
        """While fetching, the responses of this generation alone: `kept` has those that it adds to, too."""
        return tuple(self._generations[-1].kept.values()) if self._open else ()

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

    def _line(self) -> list[_Generation]:
        """The generation that counts, after those that it adds to."""
        usable = self._generations
        if not self._open:
            usable = usable[: max((place + 1 for place, one in enumerate(usable) if one.ended), default=0)]
        start = max((place for place, one in enumerate(usable) if not one.more), default=0)
        # What an abandoned generation held does not count in those that add to an earlier one.
        return [one for one in usable[start:] if one.ended or one is usable[-1]]

    # -- fetching

    @contextmanager
    def fetching(self, refresh: Refresh, context: Context, *, at: str) -> Iterator[bool]:
        """Whether there is something to fetch; if so, `keep`, `note` and `end` work in the body.

        A generation that was cut short goes on: `kept` holds what it has. Without `end` it stays unfinished.

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
            self._generations = list(_read(self.folder / _JOURNAL))  # another process may have come first
            with (self.folder / _JOURNAL).open("ab") as self._open:
                _end_torn_line(self._open)
                if not self.unfinished:
                    self._begin(more=again == "new" and self.whole)
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
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, body)
        return self._add(Kept(name, hashed, len(body), origin, state))

    def keep_file(self, name: str, path: Path, origin: Origin, **state: Any) -> Kept:
        """Keep a file, which is moved away from where it is; on the same file system, for large responses."""
        hashed, size = digest.of_file(path), path.stat().st_size
        place = self._place(hashed)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)
        return self._add(Kept(name, hashed, size, origin, state))

    def note(self, kind: str, **facts: Any) -> None:
        """Keep facts that belong to no response: a refusal, a page that is not there, what was spent."""
        self._generations[-1].notes.append((kind, facts))
        self._write({"note": kind, **facts})

    def end(self, **facts: Any) -> None:
        """Everything was fetched."""
        ended = now()
        self._generations[-1].ended, self._generations[-1].facts = ended, facts
        self._write({"end": ended, "facts": facts})

    # -- reading

    def path(self, kept: Kept) -> Path:
        """Where a response is."""
        return self._place(kept.sha256)

    def body(self, kept: Kept, *, at: str) -> bytes:
        """A response, checked.

        Raises:
            DataError: It is not there any more, or damaged.
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
        self._generations.append(_Generation(more, now()))
        self._write({"begin": self._generations[-1].began, "more": more})

    def _add(self, kept: Kept) -> Kept:
        self._generations[-1].kept[kept.name] = kept
        self._write({"kept": asdict(kept)})
        return kept

    def _write(self, line: dict[str, Any]) -> None:
        if self._open is None:
            raise ValueError("a snapshot is written to while it is `fetching`")
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


def body_of(file: InputFile, *, at: str) -> bytes:
    """The bytes of a file of a snapshot, checked.

    Raises:
        DataError: It is not there any more, or damaged.
    """
    try:
        data = Path(file.url).read_bytes()
    except OSError:
        data = b""
    if sha256(data).hexdigest() != file.sha256:
        hint = "fetch it again: --refresh"
        raise DataError(f"what was kept of {file.name} is damaged or gone from the store", at=at, hint=hint)
    return data


def now() -> str:
    """The time in UTC, as ISO 8601."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _read(journal: Path) -> Iterator[_Generation]:
    """The generations of a journal; a line that a killed process left in its middle is passed over."""
    current: _Generation | None = None
    for told in _lines(journal):
        if "begin" in told:
            if current:
                yield current
            current = _Generation(bool(told["more"]), told["begin"])
        elif current:
            current.take(told)
    if current:
        yield current


def _lines(journal: Path) -> Iterator[dict[str, Any]]:
    for line in journal.read_bytes().split(b"\n") if journal.exists() else ():
        with suppress(ValueError):
            yield json.loads(line)


def _end_torn_line(journal: IO[bytes]) -> None:
    if journal.tell():
        journal.write(b"\n")  # an empty line is none
