"""A dataset on the Hugging Face Hub."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context, conceal, expand
from seedbed.core.errors import DataError, ModelError, RecipeError
from seedbed.core.exporter import Exporter
from seedbed.core.part import Example

from .files.copying import DATASET, copy_dataset

_SCHEME = "hf://"
_REPOSITORY = re.compile(r"hf://datasets/(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^@?#\s]+))?")
#: What of a dataset folder goes to the Hub.
_PAPERS = ("README.md", "datasheet.md", "croissant.json")
#: Runs of earlier versions have none.
_STATEMENT = "data_statement.md"
_UPLOADED = (*_PAPERS, _STATEMENT, "data/*.parquet")
_DATA = re.compile(r"data/[^/]+\.parquet")


class Hub(Exporter):
    """Upload the dataset with its papers to the Hugging Face Hub, or lay it out in a folder as the Hub has it.

    `path` is `hf://datasets/OWNER/NAME`, with `@REVISION` for a branch that is there, or a folder. `README.md` (the
    card), `datasheet.md`, `data_statement.md`, `croissant.json` and `data/SPLIT-NNNNN-of-NNNNN.parquet` go there in one
    commit; a dataset that is not there yet is created, private unless `private` says otherwise.
    `datasets.load_dataset("OWNER/NAME")` gives the splits.

    ## Why
    Most people look for datasets there. The commit is one, so that nobody loads half of it.

    ## Limits
    Files of an earlier upload that this dataset does not have (more shards, say) are deleted from `data/` in the same
    commit; all else in the repository stays. The token is taken from where the Hub's own client finds it (`HF_TOKEN`)
    and kept nowhere.
    """

    extra: ClassVar[str] = "hub"
    needs: ClassVar[tuple[str, ...]] = ("huggingface_hub",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Laid out in a folder",
            options={"path": "out/hub"},
            before={"run": ["run.json", "dataset/README.md", "dataset/data/train-00000-of-00001.parquet"]},
            after={"folder": ["README.md", "data/train-00000-of-00001.parquet"]},
        ),
    )

    use: Literal["hub"] = "hub"
    path: str = Field(min_length=1, description="`hf://datasets/OWNER/NAME[@REVISION]`, or a folder.")
    private: bool = Field(True, description="Whether a dataset that is not there yet is created for its owner alone.")
    message: str = Field("Dataset by Seedbed", min_length=1, description="What the commit says.")

    @property
    def place(self) -> str:
        """The address, as the recipe writes it."""
        return self.path

    @property
    def leaves(self) -> bool:
        """Whether it goes to the Hub, and not into a folder."""
        return self.path.startswith(_SCHEME)

    def export(self, run: Path, context: Context) -> None:
        """Upload, or copy.

        Raises:
            RecipeError: The address is none, or the folder is not one that may be replaced.
            DataError: There is no whole run, or nothing can be written.
            ModelError: The Hub refused it, or cannot be reached.
        """
        if not self.path.startswith(_SCHEME):
            papers = (*_PAPERS, _STATEMENT) if (run / DATASET / _STATEMENT).is_file() else _PAPERS
            copy_dataset(run, self.path, papers, self.use, context)
            return
        at = f"publish: hub: {self.path}"
        found = _REPOSITORY.fullmatch(expand(self.path, at=at))
        if found is None:
            raise RecipeError("this is no dataset of the Hub", at=at, hint="such as hf://datasets/OWNER/NAME")
        if not (run / DATASET / "README.md").is_file():
            raise DataError("the run has no dataset/README.md", at=str(run), hint="publish a run that came to its end")
        if context.offline:
            raise RecipeError("nothing is sent with --offline", at=at, hint="leave it out")
        self._upload(run / DATASET, found["name"], found["revision"], at)

    def _upload(self, dataset: Path, name: str, revision: str | None, at: str) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
        from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

        hub = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
        ours = sorted(path for pattern in _UPLOADED for path in dataset.glob(pattern))
        adding = {path.relative_to(dataset).as_posix(): path for path in ours}
        try:
            hub.create_repo(name, repo_type="dataset", private=self.private, exist_ok=True)
            there = hub.list_repo_files(name, repo_type="dataset", revision=revision)
            gone = [one for one in there if _DATA.fullmatch(one) and one not in adding]
            hub.create_commit(
                name,
                repo_type="dataset",
                revision=revision,
                operations=[
                    *(CommitOperationAdd(where, str(path)) for where, path in adding.items()),
                    *(CommitOperationDelete(where) for where in gone),
                ],
                commit_message=self.message,
            )
        except (HfHubHTTPError, LocalTokenNotFoundError, OSError, ValueError) as error:
            said = conceal((str(error).strip().splitlines() or [type(error).__name__])[0][:200], self.path)
            raise ModelError(
                f"the Hub did not take it: {said}", at=at, hint="is HF_TOKEN set, and may it write to that dataset?"
            ) from None
