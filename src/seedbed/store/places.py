"""How files and folders appear whole at their place, what may be replaced there, and what killed processes left.

Whatever is not whole yet stands beside its place as `.NAME.PID@HOST.partial`, and what is being replaced as
`.NAME.PID@HOST.old`; a workspace of the store is called `NAME-PID@HOST-…`. So whoever comes later can tell whether the
process that made it still runs, also where machines share a folder.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from seedbed.core.errors import RecipeError

#: Everything that a run writes at the top of its folder.
RUN_ENTRIES = (
    "run.json",
    "report.html",
    "recipe.yaml",
    "recipe.lock",
    "certificate.json",
    "lineage.json",
    "dataset",
    "ledger",
    "models",
    "predictions",
    "prepare",
    "unprepared",
    "profile.json",
    "review",
)

#: What a run itself puts into its folder `review`; decisions of people are never replaced.
_TABLE = ".parquet"

_HOST = re.sub(r"[^A-Za-z0-9]+", "-", platform.node()).strip("-")[:40] or "localhost"
_OWNER = r"(?P<pid>\d+)@(?P<host>[A-Za-z0-9-]+)"
_BESIDE = re.compile(rf"\.(?P<name>.+)\.{_OWNER}\.(?P<kind>partial|old)", re.DOTALL)
_WORKSPACE = re.compile(rf"\w+-{_OWNER}-[^-]+")


def owner() -> str:
    """This process, as names of unfinished things tell it."""
    return f"{os.getpid()}@{_HOST}"


def beside(place: Path, kind: Literal["partial", "old"]) -> Path:
    """Where this process keeps what is to become `place`, or what was there before."""
    return place.with_name(f".{place.name}.{owner()}.{kind}")


@contextmanager
def arriving(place: Path, *, replacing: bool = True) -> Iterator[Path]:
    """A path beside `place` to write a file or folder to; it becomes `place` if the body ends well, else it vanishes.

    What stood at `place` is replaced (unless not `replacing`: then it stays and what was written vanishes); a file in
    one step, a folder in two renames: should the machine stop between them, `sweep` brings the old one back.
    """
    partial, old = beside(place, "partial"), beside(place, "old")
    made = [folder for folder in place.parents if not folder.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        _remove(partial)  # of an earlier process that had our number
        yield partial
        if not replacing:
            try:
                partial.rename(place)
            except OSError:
                if not place.exists():
                    raise
            return
        if place.is_dir() and partial.is_dir() and not partial.is_symlink():
            place.replace(old)
        partial.replace(place)
    finally:
        if old.exists() and not place.exists():
            old.replace(place)
        _remove(partial)
        _remove(old)
        for folder in made:  # innermost first; one that is in use stays
            with suppress(OSError):
                folder.rmdir()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    with arriving(path) as partial:
        partial.write_bytes(data)


def move_into_place(built: Path, place: Path) -> None:
    """Make a finished folder appear at `place`, from wherever it was built."""
    with arriving(place) as near:
        try:
            built.rename(near)
        except OSError:  # another file system
            shutil.copytree(built, near)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)


def sweep(left: Iterable[Path]) -> None:
    """Remove what processes left that are gone, and bring back what one of them was about to replace.

    Args:
        left: Paths to look at; those that are not named as unfinished things are let be.
    """
    for path in sorted(left):
        found = _BESIDE.fullmatch(path.name)
        if found and _is_gone(int(found["pid"]), found["host"]):
            place = path.with_name(found["name"])
            with suppress(OSError):  # another process may sweep here, too
                if found["kind"] == "old" and not place.exists():
                    path.replace(place)
                else:
                    _remove(path)


def sweep_workspaces(parent: Path) -> None:
    """Remove the workspaces in a folder whose processes are gone."""
    for path in parent.glob("*"):
        found = _WORKSPACE.fullmatch(path.name)
        if found and _is_gone(int(found["pid"]), found["host"]):
            _remove(path)


def left_beside(place: Path) -> list[Path]:
    """Unfinished things that were to become `place`, or stood there."""
    names = os.listdir(place.parent) if place.parent.is_dir() else []
    found = (_BESIDE.fullmatch(name) for name in names)
    return [place.with_name(one.string) for one in found if one and one["name"] == place.name]


def left_below(folder: Path, *, but: Path | None = None) -> list[Path]:
    """Unfinished things anywhere in a folder, but not below one of its folders."""
    found = []
    for where, folders, files in os.walk(folder):
        if but is not None and Path(where) == but:
            folders.clear()
            continue
        found += [Path(where, name) for name in (*folders, *files) if _BESIDE.fullmatch(name)]
    return found


def owner_is_gone(told: str) -> bool:
    """Whether the process that `owner` told of has ended; of other machines nobody here can tell."""
    found = re.fullmatch(_OWNER, told)
    return found is not None and _is_gone(int(found["pid"]), found["host"])


def _is_gone(pid: int, host: str) -> bool:
    """Whether a process of this machine has ended; of others nobody here can tell."""
    if os.name == "nt" or host != _HOST:  # on Windows to ask is to kill
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False


def is_run(folder: Path) -> bool:
    """Whether a folder holds the record of a run of Seedbed."""
    try:
        held = json.loads((folder / "run.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(held, dict) and all(key in held for key in ("seedbed", "id", "dataset"))


def refuse_replacing(target: Path, *, base: Path, store: Path, run: Path | None = None, at: str) -> None:
    """Refuse a place for a folder unless there is nothing, an empty folder, or a run and nothing but that run.

    Args:
        target: The place.
        base: The recipe's folder.
        store: The store.
        run: The run that is copied there, if it stands elsewhere already.
        at: What named the place, for the message.

    Raises:
        RecipeError: Something would be lost that no run made.
    """
    target, base, store = target.resolve(), base.resolve(), store.resolve()
    if target == base or target in base.parents:
        raise RecipeError(
            "this would replace the recipe's own folder", at=at, hint="name a new folder, such as out/data"
        )
    if target == store or target in store.parents or store in target.parents:
        raise RecipeError("this lies over or inside the store", at=at, hint=f"name a folder outside {store}")
    here = run.resolve() if run else None
    if here and (target == here or target in here.parents or here in target.parents):
        raise RecipeError("this lies over or inside the run itself", at=at, hint="name a folder outside runs/")
    try:
        _refuse_unless_a_run(target, at)
    except OSError as error:
        raise RecipeError(f"cannot be looked into ({error.strerror})", at=at, hint="name another folder") from None


def _refuse_unless_a_run(target: Path, at: str) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise RecipeError("there is a file of that name", at=at, hint="name a folder")
    held = sorted(path.name for path in target.iterdir())
    if held and not is_run(target):
        raise RecipeError(
            "this folder holds no run of Seedbed, so it is not replaced",
            at=at,
            hint="name a new folder, or empty this one yourself",
        )
    foreign = _foreign(target, held)
    if foreign:
        raise RecipeError(
            f"this run's folder also holds {foreign}, so it is not replaced",
            at=at,
            hint="name a new folder, or move yours out of it",
        )


def _foreign(folder: Path, held: list[str]) -> str:
    """What of a run's folder no run wrote, in words; empty when there is nothing."""
    others = [name for name in held if name not in RUN_ENTRIES and not _BESIDE.fullmatch(name)]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        return f"{others[0][:80]!r}{more}, which no run writes"
    if "review" in held and (decided := [path.name for path in (folder / "review").iterdir() if path.suffix != _TABLE]):
        return f"{decided[0][:80]!r} in its folder 'review', which no run writes"
    if "recipe.yaml" in held:
        with suppress(OSError, ValueError):
            ran = json.loads((folder / "run.json").read_bytes()).get("recipe_text")
            if (folder / "recipe.yaml").read_text("utf-8") != ran:
                return "a recipe.yaml that is not the one that ran"
    return ""
