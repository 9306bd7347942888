"""A folder's files to a repository of the Hugging Face Hub, in one commit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from seedbed.core.context import conceal
from seedbed.core.errors import ModelError

Kind = Literal["model", "space"]


def upload(folder: Path, kind: Kind, name: str, *, private: bool, message: str, at: str) -> None:
    """Send all files of a folder; a repository that is not there yet is made.

    What an earlier export sent below a folder that this one has, and this one does not, is deleted; all else that is
    there stays.

    Args:
        folder: What to send.
        kind: Of the repository.
        name: OWNER/NAME.
        private: Whether a new one is for its owner alone.
        message: What the commit says.
        at: For messages.

    Raises:
        ModelError: The Hub refused it, or cannot be reached.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    hub = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
    sent = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    ours = {name.partition("/")[0] for name in sent if "/" in name}
    sdk = "gradio" if kind == "space" else None
    try:
        hub.create_repo(name, repo_type=kind, private=private, exist_ok=True, space_sdk=sdk)
        there = hub.list_repo_files(name, repo_type=kind)
        gone = [one for one in there if one not in sent and "/" in one and one.partition("/")[0] in ours]
        hub.create_commit(
            name,
            repo_type=kind,
            operations=[
                *(CommitOperationAdd(where, str(path)) for where, path in sent.items()),
                *(CommitOperationDelete(where) for where in gone),
            ],
            commit_message=message,
        )
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError, ValueError) as error:
        said = conceal((str(error).strip().splitlines() or [type(error).__name__])[0][:200], at)
        raise ModelError(
            f"the Hub did not take it: {said}", at=at, hint=f"is HF_TOKEN set, and may it write to that {kind}?"
        ) from None
