"""Datasets on the Hugging Face Hub, by its own client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seedbed.core.context import conceal
from seedbed.core.errors import DataError
from seedbed.core.showing import clean

from .layout import CARD, card_of, license_of
from .listing import Listing, Remote

SCHEME = "hf://datasets/"
#: Where the client finds a token, and what must not be told of it.
_SECRETS = "${env:HF_TOKEN} ${env:HUGGING_FACE_HUB_TOKEN}"


@dataclass(frozen=True)
class OnHuggingFace:
    """A dataset of the hub that `HF_ENDPOINT` names, or of huggingface.co; the client knows the token."""

    name: str
    revision: str | None
    at: str

    def listing(self) -> Listing:
        """Its files at a commit."""
        with self._failures():
            info = self._client().dataset_info(self.name, revision=self.revision, files_metadata=True, timeout=30)
        files: dict[str, Remote] = {}
        for one in info.siblings or []:
            lfs = one.lfs.sha256 if one.lfs else ""
            files[one.rfilename] = Remote(one.size or 0, lfs or one.blob_id or "", lfs)
        card = info.card_data.to_dict() if info.card_data else {}
        facts = {"gated": info.gated or False, "private": bool(info.private), "last_modified": str(info.last_modified)}
        return Listing(info.sha or "", files, license_of(card), facts)

    def at_revision(self, revision: str) -> OnHuggingFace:
        """The same at a commit."""
        return replace(self, revision=revision)

    def address(self, name: str, revision: str) -> str:
        """As the hub's file system has it."""
        return f"{SCHEME}{self.name}@{revision}/{name}"

    def download(self, name: str, revision: str, folder: Path) -> Path:
        """The file; the client goes on where it was cut off, and checks the size."""
        from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

        shown = not are_progress_bars_disabled()
        disable_progress_bars()
        try:
            with self._failures(name):
                return Path(
                    self._client().hf_hub_download(
                        self.name, name, repo_type="dataset", revision=revision, local_dir=folder
                    )
                )
        finally:
            if shown:
                enable_progress_bars()

    def _client(self) -> Any:
        from huggingface_hub import HfApi

        return HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="seedbed")

    @contextmanager
    def _failures(self, file: str = "") -> Iterator[None]:
        """What the client raises, for a person."""
        from huggingface_hub import errors

        at = f"{self.at} ({file})" if file else self.at
        has = any(os.environ.get(name) for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"))
        token = "may the token of HF_TOKEN see it?" if has else "is the name right? A private one needs HF_TOKEN"
        try:
            yield
        except errors.OfflineModeIsEnabled:
            raise DataError("HF_HUB_OFFLINE is set, and it is not kept", at=at, hint="unset it and run again") from None
        except errors.GatedRepoError:
            hint = "accept its terms on its page, then run with HF_TOKEN"
            raise DataError("is gated: its terms must be accepted", at=at, hint=hint) from None
        except errors.RepositoryNotFoundError:
            raise DataError("is not there, or is private", at=at, hint=token) from None
        except errors.RevisionNotFoundError:
            raise DataError(f"has no revision {self.revision!r}", at=at, hint="a branch, a tag or a commit") from None
        except errors.EntryNotFoundError:
            raise DataError("is listed, and not there", at=at, hint="run again: it may just have changed") from None
        except errors.HFValidationError as error:
            raise DataError(f"is no name of a dataset ({_said(error)})", at=at, hint="OWNER/NAME") from None
        except errors.HfHubHTTPError as error:
            status = getattr(error.response, "status_code", "")
            hint = token if status in (401, 403) else "what came is kept: the next run goes on after it"
            raise DataError(f"HTTP status {status} ({_said(error)})", at=at, hint=hint) from None
        except Exception as error:  # of whichever HTTP library the client is built on
            if isinstance(error, DataError):
                raise
            hint = "is the network there? What came is kept: the next run goes on after it"
            raise DataError(f"cannot be reached: {type(error).__name__}: {_said(error)}", at=at, hint=hint) from None


def _said(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return clean(conceal(lines[0] if lines else "", _SECRETS))[:160]


__all__ = ["CARD", "SCHEME", "OnHuggingFace", "card_of"]
