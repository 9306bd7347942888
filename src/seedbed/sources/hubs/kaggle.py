"""Datasets of Kaggle, by its own client."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seedbed.core.context import conceal
from seedbed.core.errors import DataError
from seedbed.core.showing import clean

from .listing import MOST_FILES, Listing, Remote

SCHEME = "kaggle://"
_SECRETS = "${env:KAGGLE_KEY} ${env:KAGGLE_API_TOKEN}"
_PAGE = 200


@dataclass(frozen=True)
class OnKaggle:
    """A dataset; the client knows the credentials (`KAGGLE_USERNAME` and `KAGGLE_KEY`, or `KAGGLE_API_TOKEN`)."""

    owner: str
    name: str
    version: str | None
    at: str

    def listing(self) -> Listing:
        """Its files at a version."""
        with self._failures(), _opened() as client:
            from kagglesdk.datasets.types import dataset_api_service as types  # type: ignore[import-untyped]

            asked = types.ApiGetDatasetRequest()
            asked.owner_slug, asked.dataset_slug = self.owner, self.name
            told = client.get_dataset(asked)
            version = int(self.version or told.current_version_number)
            files: dict[str, Remote] = {}
            page = types.ApiListDatasetFilesRequest()
            page.owner_slug, page.dataset_slug = self.owner, self.name
            page.dataset_version_number, page.page_size = version, _PAGE
            while len(files) <= MOST_FILES:
                found = client.list_dataset_files(page)
                before = len(files)
                # A version never changes, so a name in it is a mark.
                files |= {one.name: Remote(one.total_bytes, f"{version}/{one.name}") for one in found.dataset_files}
                if not found.next_page_token or len(files) == before:
                    break
                page.page_token = found.next_page_token
        return Listing(str(version), files, clean(told.license_name or "")[:200], {"title": clean(told.title or "")})

    def at_revision(self, revision: str) -> OnKaggle:
        """The same at a version."""
        return replace(self, version=revision)

    def address(self, name: str, revision: str) -> str:
        """Address of a file of a version."""
        return f"{SCHEME}{self.owner}/{self.name}@{revision}/{name}"

    def download(self, name: str, revision: str, folder: Path) -> Path:
        """The file; the client unpacks one that Kaggle packed by itself."""
        with self._failures(name), _quiet():
            import kagglehub

            handle = f"{self.owner}/{self.name}/versions/{revision}"
            place = kagglehub.dataset_download(handle, path=name, output_dir=str(folder), force_download=True)
            return Path(place)

    @contextmanager
    def _failures(self, file: str = "") -> Iterator[None]:
        """What the client raises, for a person."""
        at = f"{self.at} ({file})" if file else self.at
        known = "is KAGGLE_KEY right?" if os.environ.get("KAGGLE_KEY") else "KAGGLE_USERNAME and KAGGLE_KEY sign in"
        try:
            yield
        except DataError:
            raise
        except Exception as error:  # noqa: BLE001 - the client lets those of its HTTP library pass
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status is None:
                said = f"cannot be reached: {type(error).__name__}: {_said(error)}"
                hint = "is the network there? What came is kept: the next run goes on after it"
            elif status == 404:
                said, hint = "is not there, or is private", f"is the name right? {known}"
            else:
                said, hint = f"HTTP status {status} ({_said(error)})", known if status in (401, 403) else ""
            raise DataError(said, at=at, hint=hint) from None


@contextmanager
def _opened() -> Iterator[Any]:
    with _quiet():
        from kagglehub.clients import build_kaggle_client

        with build_kaggle_client() as client:
            yield client.datasets.dataset_api_client


@contextmanager
def _quiet() -> Iterator[None]:
    """The client tells of its work on the terminal: progress is shown by us."""
    logger = logging.getLogger("kagglehub")
    level = logger.level
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            import kagglehub  # noqa: F401 - sets its own level when it is imported

            logger.setLevel(logging.ERROR)
            yield
        finally:
            logger.setLevel(level)


def _said(error: Exception) -> str:
    return clean(conceal(str(error).partition("\n")[0], _SECRETS))[:160]
