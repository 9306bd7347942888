"""A model as a container image."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context, expand
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.model_exporter import ModelExporter, Shipped
from seedbed.core.part import Example

from .shipping.needs import requirements
from .shipping.placing import arriving_at, place_of

_WHEEL = re.compile(r"[\w.!+-]+\.whl")
_PORT = 8000
#: Where torch for processors alone comes from; from elsewhere it brings gigabytes for graphics cards.
_TORCH = "--extra-index-url https://download.pytorch.org/whl/cpu"

_DOCKERFILE = """\
# {said}
#
# docker build -t {image} . && docker run --rm -p {port}:{port} {image}
FROM python:{python}-slim AS build
WORKDIR /build
COPY requirements.txt wheels* ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM python:{python}-slim
LABEL org.opencontainers.image.title={title}
COPY --from=build /venv /venv
COPY run /srv/run
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 HOME=/tmp
WORKDIR /tmp
# A number, so that a cluster can see that it is not root.
USER 10001:10001
EXPOSE {port}
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", {health}]
CMD ["seedbed", "serve", {model}, "--host", "0.0.0.0", "--port", "{port}"]
"""


class Docker(ModelExporter):
    """Write what an image is built of that serves a model: its page and its API, by `seedbed serve`.

    The folder gets a `Dockerfile`, `requirements.txt`, `.dockerignore`, and `run/` with the run's record and the
    model's bundle. `docker build -t moods . && docker run --rm -p 8000:8000 moods` serves it.

    ## Why
    What passed the gates is what runs: the bundle with its steps and the versions of its training. The image is built
    in two stages from the slim image of Python, so that neither pip's cache nor a compiler is in it, runs as a plain
    user without a home, writes nothing, says whether it is well (`HEALTHCHECK`), and stops when it is told to.

    ## Limits
    No image is built here: Docker (or Podman) does that. A model whose papers are not in order is not served to other
    machines, so its container ends with the sentence that says what is missing. API keys, limits and the log of
    predictions are options of `seedbed serve`: add them to the last line, with a volume for what they read or write.
    Seedbed is installed from the package index unless `seedbed` names a wheel or another address. Of torch, the build
    for processors is taken.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="What an image is built of",
            options={"path": "out/docker"},
            before={"run": ["run.json", "models/tfidf_logistic/bundle.json"]},
            after={
                "folder": [
                    ".dockerignore", "Dockerfile", "requirements.txt", "run/models/tfidf_logistic/bundle.json",
                    "run/run.json",
                ]
            },
        ),
    )  # fmt: skip

    use: Literal["docker"] = "docker"
    seedbed: str | None = Field(
        None,
        min_length=1,
        description="A wheel of Seedbed, relative to the recipe's folder, or an address that pip installs it from; its "
        "version from the index when left out.",
    )

    def ship(self, shipped: Shipped, context: Context) -> tuple[str, ...]:
        """Write the folder.

        Raises:
            ModelError: The model's encoder lies in a folder of this machine.
            RecipeError: The folder is not one that may be replaced, or there is no such wheel.
            DataError: It cannot be written, or no run stands around the model.
        """
        at = place_of(self)
        if shipped.run is None:
            hint = "export the run, or its models/NAME"
            raise DataError("no run stands around this model, so it would not be served to anybody", at=at, hint=hint)
        wheel = self._wheel(context, at)
        source = f"file:///build/{wheel.name}" if wheel else self.seedbed
        needed = requirements(shipped, source, ["serve"], at=at)
        if any(line.startswith("torch==") for line in needed):
            needed.insert(0, _TORCH)
        with arriving_at(self, shipped, context) as folder:
            held = folder / "run" / "models"
            held.mkdir(parents=True)
            shutil.copytree(shipped.bundle, held / shipped.name)
            shutil.copy2(shipped.run / "run.json", folder / "run" / "run.json")
            if wheel:
                (folder / "wheels").mkdir()
                shutil.copy2(wheel, folder / "wheels" / wheel.name)
            (folder / "requirements.txt").write_text("\n".join(needed) + "\n", "utf-8")
            (folder / ".dockerignore").write_text("export.json\n.git\n", "utf-8")
            (folder / "Dockerfile").write_text(_dockerfile(shipped), "utf-8")
            for path in folder.rglob("*"):  # the container's user is nobody that we know
                path.chmod(0o755 if path.is_dir() else 0o644)
        warned = ("it will refuse to serve others until the run's papers are in order",) if shipped.owed else ()
        return (f"docker build -t {_image(shipped)} {self.path}", *warned)

    def _wheel(self, context: Context, at: str) -> Path | None:
        if self.seedbed is None or "://" in self.seedbed or not self.seedbed.endswith(".whl"):
            return None
        path = context.base / Path(expand(self.seedbed, at=at)).expanduser()
        if not path.is_file() or not _WHEEL.fullmatch(path.name):
            raise RecipeError("there is no such wheel", at=f"{at}: seedbed: {self.seedbed}", hint="python -m build")
        return path


def _dockerfile(shipped: Shipped) -> str:
    health = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{_PORT}/health', timeout=4)"
    return _DOCKERFILE.format(
        said=f"Serves the model {_plain(shipped.name)}. Written by Seedbed.",
        image=_image(shipped),
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        title=json.dumps(_plain(shipped.name)),
        health=json.dumps(health),
        model=json.dumps(f"/srv/run/models/{shipped.name}"),
        port=_PORT,
    )


def _plain(text: str) -> str:
    """A text that is nothing but itself in a Dockerfile."""
    return re.sub(r"[^\w .-]+", "_", text)


def _image(shipped: Shipped) -> str:
    """A name that Docker takes: the run's."""
    run = shipped.facts.get("run")
    named = run["name"] if run else shipped.name
    return re.sub(r"[^a-z0-9]+", "-", named.lower()).strip("-") or "model"
