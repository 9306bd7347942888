"""Which files a source's `path` means: a file, a folder, a glob, a URL, or a file inside an installed package."""

from __future__ import annotations

import glob
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from seedbed.core.context import Context, conceal, expand
from seedbed.core.errors import DataError, MissingExtraError, SeedbedError, did_you_mean
from seedbed.core.packages import SCHEME, located
from seedbed.core.source import InputFile
from seedbed.store.places import is_run

from .archives import members_of
from .remote import kept_files, opened

PACKED = (".gz", ".bz2", ".xz", ".zst")
_WEB = ("http://", "https://")
_TAR = (".tar", ".tgz", ".tbz2", ".txz", *(".tar" + ending for ending in PACKED))
_TAR_TOLD = "a tar archive: unpack it"


def find(
    path: str, context: Context, *, suffixes: tuple[str, ...], use: str, notes: list[str] | None = None
) -> list[InputFile]:
    """The files that a path means, in natural order of their names (`a2` before `a10`), not yet read or hashed.

    A folder means all files below it that end in one of `suffixes`, packed ones (gz, bz2, xz, zst, zip) too; a file
    or a glob means what it names. Each fitting member of a zip archive is a file. Hidden files are passed over.

    Args:
        path: As the recipe says; `${env:NAME}` is filled in here, and what it stands for is kept out of the names and
            URLs that are returned, and out of messages.
        context: Its `base` is where relative paths start.
        suffixes: Endings of files that the source reads, lower case, with the dot.
        use: The source's name, for messages.
        notes: Gets a sentence about the files of a folder or an archive that are passed over, and why.

    Raises:
        DataError: Nothing is there, nothing fits, or it cannot be read.
        MissingExtraError: The package that holds the file, or that speaks the URL's protocol, is not installed.
    """
    text = expand(path, at=f"source {use!r}, path")
    passed: list[str] = []
    with _concealing(path):
        if text.startswith(SCHEME):
            found = _in_package(text, suffixes, passed)
        elif "://" in text and not text.startswith("file://"):
            found = _kept(path, text, suffixes, passed, context)
        else:
            found = _local(local_path(text, context.base), text, suffixes, passed)
        found = [_shown(file, path, alone=len(found) == 1) for file in found]
        files = [member for file in found for member in _members(file, suffixes, passed, explicit=len(found) == 1)]
        if not files:
            raise DataError(
                f"the archives here hold no {_words(suffixes)} file", at=path, hint="give the path of one file"
            )
    if passed and notes is not None:
        notes.append(_told(passed, path))
    return files


def _told(passed: list[str], path: str, show: int = 6) -> str:
    shown = ", ".join(conceal(what, path) for what in passed[:show])
    more = f" and {len(passed) - show:,} more" if len(passed) > show else ""
    return f"passed over {len(passed):,} {'file' if len(passed) == 1 else 'files'}: {shown}{more}"


def local_path(url: str, base: Path | None = None) -> Path:
    """The local path that a plain path, a `file://` or a `pkg://` URL means.

    Raises:
        DataError: The package does not hold that file.
        MissingExtraError: The package is not installed.
    """
    if url.startswith(SCHEME):
        return located(url)
    return (base or Path()) / Path(url.removeprefix("file://")).expanduser()


def is_local(url: str) -> bool:
    """Whether the URL means a path on this machine."""
    return "://" not in url or url.startswith(("file://", "pkg://"))


def natural(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sort key that puts `a2` before `a10`."""
    pieces = re.split(r"(\d+)", name)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces if p), name


@contextmanager
def failures(at: str) -> Iterator[None]:
    """Turn what the operating system or a remote file system refuses into a `DataError` that names the file.

    What the placeholders of `at` stand for is kept out of what the system says.
    """
    try:
        yield
    except SeedbedError:
        raise
    except FileNotFoundError:
        raise DataError("no such file", at=at) from None
    except ImportError as error:
        reason = conceal(str(error), at)
        hint = "pip install 'seedbed[http]'" if at.startswith("http") else ""
        raise MissingExtraError(
            f"this address needs a package that is not installed ({reason})", at=at, hint=hint
        ) from None
    except OSError as error:
        reason = conceal(error.strerror or str(error).partition("\n")[0] or type(error).__name__, at)
        raise DataError(f"cannot be read: {reason}", at=at, hint="look at its permissions and its path") from None
    except Exception as error:  # noqa: BLE001 - every remote file system raises its own kinds
        reason = conceal(str(error).partition("\n")[0], at)[:200]
        raise DataError(f"cannot be read: {type(error).__name__}: {reason}", at=at) from None


@contextmanager
def _concealing(path: str) -> Iterator[None]:
    """Keep what the placeholders of a path stand for out of messages."""
    try:
        yield
    except SeedbedError as error:
        problem, at, hint = (conceal(text, path) for text in (error.problem, error.at, error.hint))
        raise type(error)(problem, at=at, hint=hint) from None


def _shown(file: InputFile, path: str, *, alone: bool) -> InputFile:
    """The file with a URL and a name that may be written down: names stand in row ids, URLs in messages."""
    last = PurePosixPath(path.partition("?")[0]).name
    # The name of a file that a path names by itself is the end of that path, as it is written.
    itself = alone and "${env:" in last and expand(last).endswith(file.name)
    return replace(file, name=last if itself else conceal(file.name, path), url=conceal(file.url, path))


# -- on this machine


def _local(
    path: Path, shown: str, suffixes: tuple[str, ...], passed: list[str], *, prefix: str = ""
) -> list[InputFile]:
    """Files of a local path; their URL is the path itself, or `prefix` and the path inside a package."""
    with failures(shown):
        if path.is_file():
            return [InputFile(path.name, prefix or path.as_posix(), path.stat().st_size)]
        if path.is_dir():
            root, hidden = path, list[str]()
            names = list(_walk(path, hidden))
            chosen = [name for name in names if _fits(name, suffixes)]
            if not chosen:
                _nothing_fits(shown, suffixes, names)
            _pass_over(passed, names, suffixes)
            passed += [f"{name} (hidden)" for name in sorted(hidden, key=natural) if _fits(name, suffixes)]
        elif glob.has_magic(str(path)):
            root = Path(_before_magic(path.as_posix()))
            # pathlib's `**` follows no links, so that one that leads back up does no harm.
            hits = root.glob(path.relative_to(root).as_posix())
            chosen = [
                hit.relative_to(root).as_posix() for hit in hits if hit.is_file() and not _out_of_sight(hit, root)
            ]
            if not chosen:
                raise DataError("no file matches", at=shown, hint=_what_is_there(root))
        elif not os.path.lexists(path):
            raise DataError("no such file or folder", at=shown, hint=_what_is_there(path.parent, path.name))
        else:
            path.stat()  # a path that cannot be looked at says so itself
            raise DataError("is neither a file nor a folder", at=shown)
        names = sorted(chosen, key=natural)
        start = prefix.rstrip("/") + "/" if prefix else root.as_posix() + "/"
        return [InputFile(name, start + name, (root / name).stat().st_size) for name in names]


def _walk(root: Path, hidden: list[str]) -> Iterator[str]:
    """Files below a folder; not those that are `hidden`, nor the runs that Seedbed put there."""

    def refuse(error: OSError) -> NoReturn:
        raise error

    for folder, folders, names in os.walk(root, onerror=refuse, followlinks=True):
        above = {os.path.realpath(folder), *(str(parent) for parent in Path(os.path.realpath(folder)).parents)}
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and os.path.realpath(Path(folder) / name) not in above  # a link that leads back up
            and not is_run(Path(folder) / name)
        ]
        for name in names:
            inside = (Path(folder) / name).relative_to(root).as_posix()
            if name.startswith("."):
                hidden.append(inside)
            else:
                yield inside


def _out_of_sight(file: Path, root: Path) -> bool:
    """Whether a file below a folder is hidden, or part of what Seedbed wrote there."""
    hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
    return hidden or any(is_run(parent) for parent in file.parents if parent != root and parent.is_relative_to(root))


def _fits(name: str, suffixes: tuple[str, ...]) -> bool:
    low = name.lower()
    for packed in PACKED:
        low = low.removesuffix(packed)
    return low.endswith((*suffixes, ".zip"))


def _pass_over(passed: list[str], names: Iterable[str], suffixes: tuple[str, ...]) -> None:
    others = sorted((name for name in names if not _fits(name, suffixes)), key=natural)
    said = f"not {_words(suffixes)}"
    passed += [f"{name} ({_TAR_TOLD if name.lower().endswith(_TAR) else said})" for name in others]


def _nothing_fits(shown: str, suffixes: tuple[str, ...], names: list[str]) -> NoReturn:
    kinds = Counter(PurePosixPath(name).suffix or "no ending" for name in names)
    there = ", ".join(f"{n} × {kind}" for kind, n in kinds.most_common(6)) or "nothing at all"
    raise DataError(
        f"the folder holds no {_words(suffixes)} file (packed or not); it holds {there}",
        at=shown,
        hint="name the files with a glob, such as path: 'folder/*.txt', or use another source",
    )


def _words(suffixes: tuple[str, ...]) -> str:
    return " or ".join(suffixes)


def _before_magic(text: str) -> str:
    """The folder before the first part of a path that holds `*`, `?` or `[`."""
    parts = text.split("/")
    first = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    return "/".join(parts[:first]) or ("/" if text.startswith("/") else ".")


def _what_is_there(folder: Path, wanted: str = "") -> str:
    while not folder.is_dir() and folder != folder.parent:
        wanted, folder = folder.name, folder.parent
    try:
        names = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")][:1000]
    except OSError as error:
        return f"the folder {folder} cannot be read: {error.strerror}"
    return f"in {folder}: {did_you_mean(wanted, names, show=6) or 'nothing'}"


# -- inside an installed package


def _in_package(url: str, suffixes: tuple[str, ...], passed: list[str]) -> list[InputFile]:
    path = located(url)
    if not path.exists() and not glob.has_magic(str(path)):
        raise DataError("the package holds no such file", at=url, hint=_what_is_there(path.parent, path.name))
    prefix = _before_magic(url) if glob.has_magic(url) else url
    return _local(path, url, suffixes, passed, prefix=prefix)


# -- elsewhere


def _kept(path: str, text: str, suffixes: tuple[str, ...], passed: list[str], context: Context) -> list[InputFile]:
    """The files that a URL means, as the store keeps them."""

    def listing(over: list[str]) -> list[InputFile]:
        found = _remote(text, suffixes, over)
        return [_shown(file, path, alone=len(found) == 1) for file in found]

    # On the web a URL is one file; elsewhere it may be a folder, of which each source takes its own.
    asked = {"files": path, **({} if text.startswith(_WEB) else {"endings": list(suffixes)})}
    with failures(path):
        return kept_files(path, asked, listing, passed, context)


def _remote(text: str, suffixes: tuple[str, ...], passed: list[str]) -> list[InputFile]:
    if text.startswith(_WEB):  # a web server has no folders, and `?` belongs to the address
        return [InputFile(PurePosixPath(text.partition("?")[0]).name or "index", text, 0)]
    with failures(text):
        system, path = opened(text)
        system.invalidate_cache()
        if glob.has_magic(path):
            root, paths = _before_magic(path), [str(p) for p in system.glob(path) if system.isfile(p)]
            if not paths:
                raise DataError("no file matches", at=text)
        elif system.isdir(path):
            root, below = path, [str(p) for p in system.find(path)]
            paths = [p for p in below if _fits(p, suffixes) and not PurePosixPath(p).name.startswith(".")]
            if not paths:
                _nothing_fits(text, suffixes, below)
            _pass_over(passed, (p.removeprefix(root.rstrip("/") + "/") for p in below), suffixes)
        else:
            root, paths = str(PurePosixPath(path).parent), [path]
        start = root.rstrip("/") + "/"
        named = sorted(((p.removeprefix(start), p) for p in paths), key=lambda pair: natural(pair[0]))
        return [
            InputFile(name, str(system.unstrip_protocol(p)), int(system.info(p).get("size") or 0)) for name, p in named
        ]


# -- inside zip archives


def _members(file: InputFile, suffixes: tuple[str, ...], passed: list[str], *, explicit: bool) -> Iterable[InputFile]:
    """The file itself, or the members of a zip archive as `zip://MEMBER::ARCHIVE`, which `Stream` opens."""
    itself = ".xlsx" in suffixes and not file.url.lower().endswith(".zip")  # a workbook is an archive by itself
    if itself or not _is_zip(file):
        return [file]
    with failures(file.url), open_stored(file.url) as raw:
        try:
            infos = [info for info in zipfile.ZipFile(raw).infolist() if not info.is_dir()]
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise DataError(f"is not a whole zip archive ({error})", at=file.url, hint="fetch it again") from None
    if any(info.filename == "[Content_Types].xml" for info in infos):
        raise DataError("is an Office document, not a text file", at=file.url, hint="use: excel reads workbooks")
    infos = members_of(infos, file.size, file.url, passed, file.name)
    fitting = [i for i in infos if _fits(i.filename, suffixes)]
    if not fitting and explicit and len(infos) == 1:
        fitting = infos
    if not fitting and explicit:
        _nothing_fits(file.url, suffixes, [info.filename for info in infos])
    _pass_over(passed, (f"{file.name}/{info.filename}" for info in infos if info not in fitting), suffixes)
    return [
        replace(
            file,
            name=f"{file.name}/{info.filename}",
            url=f"zip://{info.filename}::{file.url}",
            size=info.file_size,
            sha256="",
        )
        for info in sorted(fitting, key=lambda info: natural(info.filename))
    ]


def _is_zip(file: InputFile) -> bool:
    if file.url.lower().endswith(".zip"):
        return True
    if not is_local(file.url):
        return False
    with failures(file.url), open_stored(file.url) as raw:
        return bool(raw.read(4) == b"PK\x03\x04")


def open_stored(url: str) -> Any:
    """Open the stored bytes of a file, seekable where its place allows it; `${env:NAME}` is filled in."""
    url = expand(url)
    if is_local(url):
        return local_path(url).open("rb")
    import fsspec

    return fsspec.open(url, "rb").open()


def stamp_of(url: str) -> str:
    """What changes when a file does: its size and time, or what a remote store tells of it (nothing on the web)."""
    address = expand(url)
    with failures(url):
        if is_local(address):
            at = local_path(address).stat()
            return f"{at.st_size} {at.st_mtime_ns} {at.st_ino}"
        import fsspec

        system, path = fsspec.core.url_to_fs(address)
        system.invalidate_cache()
        return str(system.ukey(path))


def changed(at: str) -> DataError:
    """The error of a file that is not the one that was looked at first."""
    return DataError(
        "changed while it was read", at=at, hint="run again once nothing writes to it; nothing was kept of this run"
    )
