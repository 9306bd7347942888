"""A model as a Hugging Face Space."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context, expand
from seedbed.core.errors import MissingExtraError, RecipeError
from seedbed.core.model_exporter import ModelExporter, Shipped
from seedbed.core.part import Example

from .shipping.needs import requirements
from .shipping.placing import arriving_at, as_json, place_of
from .shipping.uploading import upload

#: The version of Gradio that the page was run with.
GRADIO = "6.31.0"
_SCHEME = "hf://"
_SPACE = re.compile(r"hf://spaces/(?P<name>[\w.-]+/[\w.-]+)")
_INSTALL = "pip install 'seedbed[hub]'"
_COLOURS = Literal["red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"]


class Space(ModelExporter):
    """Write a model as a complete Hugging Face Space: a page of Gradio on which people ask it.

    The folder gets `app.py`, `requirements.txt`, `README.md` (with the Space's settings on top), `facts.json` and
    `model/`, the bundle as it is. `python app.py` runs it anywhere. Where `path` is `hf://spaces/OWNER/NAME` it goes to
    the Hub in one commit, by `seedbed publish` alone: not while a gate fails or the card is blank.

    ## Why
    A model that people can try is believed, or doubted, for better reasons than a table of scores. The page takes one
    row or a whole file, shows calibrated probabilities, what the model really read, what is odd about the input, how
    good it is with its interval, and its card. The bundle goes along whole, so what is typed passes the same steps as
    in training; its golden examples are checked before the page opens.

    ## Limits
    Whoever can open a Space can copy what is in it: the bundle holds words of the training rows, and examples of
    held-out rows. What stands against publication is written on the page; nothing stops you from pushing a folder by
    hand. A model whose steps run functions of its maker does not open there. The folder installs Seedbed from the
    package index unless `seedbed` names another place. Encoders must be in a package (`pkg://…`).
    """

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A page for a model",
            options={"path": "out/space", "title": "How do they like it?"},
            before={"run": ["run.json", "models/tfidf_logistic/bundle.json"]},
            after={"folder": ["README.md", "app.py", "facts.json", "model/bundle.json", "requirements.txt"]},
        ),
    )

    use: Literal["space"] = "space"
    path: str = Field(min_length=1, description="Folder to write, or `hf://spaces/OWNER/NAME`.")
    title: str | None = Field(
        None, min_length=1, max_length=100, description="Of the Space and its page; the run's name if left out."
    )
    emoji: str = Field("🌱", min_length=1, max_length=8, description="Shown beside the title.")
    colour: _COLOURS = Field("green", description="Of its thumbnail.")
    private: bool = Field(True, description="Whether a Space that is not there yet is made for its owner alone.")
    gradio: str = Field(GRADIO, pattern=r"^\d+\.\d+\.\d+$", description="Version of Gradio that the Space runs.")
    seedbed: str | None = Field(
        None,
        min_length=1,
        description="Address that pip installs Seedbed from; its version from the index if left out.",
    )

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
        if not self.leaves:
            with arriving_at(self, shipped, context) as folder:
                self._fill(folder, shipped, at)
            needed = f"pip install -r {self.path}/requirements.txt gradio=={self.gradio}"
            return (f"{needed} && python {self.path}/app.py opens it here; `git push` it to a Space for others",)
        found = _SPACE.fullmatch(expand(self.path, at=at))
        if found is None:
            raise RecipeError("this is no Space of the Hub", at=at, hint="such as hf://spaces/OWNER/NAME")
        if context.offline:
            raise RecipeError("nothing is sent with --offline", at=at, hint="leave it out")
        if importlib.util.find_spec("huggingface_hub") is None:
            raise MissingExtraError("pushing a Space needs the package 'huggingface_hub'", hint=_INSTALL)
        with TemporaryDirectory(prefix="seedbed-") as folder:
            self._fill(Path(folder), shipped, at)
            upload(Path(folder), "space", found["name"], private=self.private, message="Space by Seedbed", at=at)
        return (f"pushed to {self.path}",)

    def _fill(self, folder: Path, shipped: Shipped, at: str) -> None:
        needed = requirements(shipped, self.seedbed, at=at)
        shutil.copytree(shipped.bundle, folder / "model")
        code = files(f"{__package__}.shipping.space").joinpath("app.py.txt")
        (folder / "app.py").write_bytes(code.read_bytes())
        (folder / "requirements.txt").write_text("\n".join(needed) + "\n", "utf-8")
        as_json(folder / "facts.json", {**shipped.facts, "title": self._titled(shipped)})
        (folder / "README.md").write_text(self._readme(shipped), "utf-8")

    def _titled(self, shipped: Shipped) -> str:
        return self.title or re.sub(r"\s+", " ", f"{shipped.facts.get('dataset') or shipped.name}")

    def _readme(self, shipped: Shipped) -> str:
        told = {
            "title": self._titled(shipped),
            "emoji": self.emoji,
            "colorFrom": self.colour,
            "colorTo": "gray",
            "sdk": "gradio",
            "sdk_version": self.gradio,
            "python_version": f"{sys.version_info.major}.{sys.version_info.minor}",  # that of the pinned versions
            "app_file": "app.py",
            "pinned": False,
        }
        # A text in JSON is one in YAML, whatever it holds.
        top = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in told.items())
        return (
            f"---\n{top}\n---\n\n# {told['title']}\n\nThe model `{shipped.name}`, made by Seedbed. `app.py` is the "
            "page, `model/` the model with its card (`model/README.md`).\n\n"
            "```sh\npip install -r requirements.txt gradio==" + self.gradio + "\npython app.py\n```\n"
        )
