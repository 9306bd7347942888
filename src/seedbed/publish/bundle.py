"""A model as it is: its bundle, in a folder or on the Hugging Face Hub."""

from __future__ import annotations

import importlib.util
import re
import shutil
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context, expand
from seedbed.core.errors import MissingExtraError, RecipeError
from seedbed.core.model_exporter import ModelExporter, Shipped
from seedbed.core.part import Example

from .shipping.needs import requirements
from .shipping.placing import arriving_at, place_of
from .shipping.uploading import upload

_SCHEME = "hf://"
_MODEL = re.compile(r"hf://(?P<name>(?!datasets/|spaces/)[\w.-]+/[\w.-]+)")
_INSTALL = "pip install 'seedbed[hub]'"


class Bundle(ModelExporter):
    """Bring a model's bundle as it is into a folder, or to the Hugging Face Hub.

    The folder holds what `models/NAME` of the run holds: `bundle.json`, `preprocess.json`, weights (safetensors),
    `README.md` (the card, with the header that the Hub reads) and `requirements.txt`. Where `path` is
    `hf://OWNER/NAME` it goes to the Hub in one commit, by `seedbed publish` alone: not while a gate fails or the card
    is blank. Whoever has the folder opens it with `seedbed.load_model`, `seedbed predict` or `seedbed serve`.

    ## Why
    Most people look for models there. The bundle carries the steps that a row passes before the model reads it, and
    examples that must reproduce wherever it is opened; nothing in it is run as code.

    ## Limits
    Whoever gets it gets words of the training rows (a vocabulary) and examples of held-out rows. Without Seedbed only
    the weights can be read; `onnx` and `docker` are for those who have none. What an earlier upload put at the top of
    the repository and this one has not stays there. Encoders must be in a package (`pkg://…`). The token is taken from
    where the Hub's own client finds it (`HF_TOKEN`) and kept nowhere.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The model that is best on validation rows",
            options={"path": "out/model"},
            before={"run": ["run.json", "models/tfidf_logistic/bundle.json"]},
            after={
                "folder": ["README.md", "bundle.json", "preprocess.json", "requirements.txt", "weights.safetensors"]
            },
        ),
    )

    use: Literal["bundle"] = "bundle"
    path: str = Field(min_length=1, description="Folder to write, or `hf://OWNER/NAME`.")
    private: bool = Field(True, description="Whether a model that is not there yet is made for its owner alone.")
    message: str = Field("Model by Seedbed", min_length=1, description="What the commit says.")

    @property
    def leaves(self) -> bool:
        """Whether it goes to the Hub, and not into a folder."""
        return self.path.startswith(_SCHEME)

    def ship(self, shipped: Shipped, context: Context) -> tuple[str, ...]:
        """Write the folder, or push it.

        Raises:
            ModelError: The model's encoder lies in a folder of this machine, or the Hub did not take it.
            RecipeError: The folder is not one that may be replaced, or the address is none.
            DataError: It cannot be written.
            MissingExtraError: The Hub's client is not installed.
        """
        at = place_of(self)
        requirements(shipped, None, at=at)  # refuses what opens on this machine alone
        if not self.leaves:
            with arriving_at(self, shipped, context) as folder:
                shutil.copytree(shipped.bundle, folder, dirs_exist_ok=True)
            return (f"seedbed serve {self.path} shows it",)
        found = _MODEL.fullmatch(expand(self.path, at=at))
        if found is None:
            raise RecipeError("this is no model of the Hub", at=at, hint="such as hf://OWNER/NAME")
        if context.offline:
            raise RecipeError("nothing is sent with --offline", at=at, hint="leave it out")
        if importlib.util.find_spec("huggingface_hub") is None:
            raise MissingExtraError("pushing a model needs the package 'huggingface_hub'", hint=_INSTALL)
        upload(shipped.bundle, "model", found["name"], private=self.private, message=self.message, at=at)
        return (f"pushed to {self.path}",)
