"""A model as a page that answers in the browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.eight_bits import in_8_bits
from seedbed.core.errors import ModelError
from seedbed.core.learner import Precision
from seedbed.core.model_exporter import ModelExporter, Shipped
from seedbed.core.part import Example

from .onnx import GRAPHS, LEAST_IN_32
from .shipping.graphs import graph_of, through_runtime, write_feeding
from .shipping.parity import agreement, in_words, refuse, write_parity
from .shipping.placing import after_steps, arriving_at, as_json, facts_of, more_in, place_of, write_golden

#: The libraries of the page: ONNX Runtime for the web (MIT) and Hugging Face's tokenizers in JavaScript (Apache-2.0).
LIBRARIES: Mapping[str, str] = {"@huggingface/tokenizers": "0.2.0", "onnxruntime-web": "1.30.0"}
_PAGE = ("index.html", "style.css", "page.js", "model.js", "vendor.mjs")


class Browser(ModelExporter):
    """Write a text model as a page that answers in the browser: what is typed never leaves it.

    The folder gets `index.html`, `page.js`, `style.css`, `model.js` (a module for your own pages: `Model.open()`,
    `model.ask(text)`), the graph with its tokenizer or vocabulary, `golden.json`, `parity.json`, and a `package.json`:
    `npm install && npm run vendor` brings the two libraries, after which any web server of files will do.

    ## Why
    No server to pay for, and no text that travels. ONNX Runtime runs the same graph as elsewhere, in WebAssembly; the
    page answers the golden examples when it opens and shows how far it is from the model.

    ## Limits
    Texts only: what `onnx` can say of models that read one. The recipe's steps are not in the page, which says so: the
    model reads what is typed as it is. The libraries are 13 MB, the default network in 8 bits 23 MB, on one thread.
    `agreement` is measured with ONNX Runtime on this machine, through the same graph; the page's own tokenizer may cut
    rare scripts otherwise. A browser of 2023 or later is needed.
    """

    extra: ClassVar[str] = "onnx"
    needs: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime", "tokenizers")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A page",
            options={"path": "out/page"},
            before={"run": ["run.json", "models/tfidf_logistic/bundle.json"]},
            after={
                "folder": [
                    "golden.json", "index.html", "model.js", "model.json", "model.onnx", "package.json", "page.js",
                    "parity.json", "style.css", "vendor.mjs", "vocabulary.json",
                ]
            },
        ),
    )  # fmt: skip

    use: Literal["browser"] = "browser"
    precision: Precision | None = Field(
        None, description="Of the graph; `int8` for networks and encoders, `fp32` for others when left out."
    )
    agreement: float = Field(
        0.9, gt=0, le=1, description="Share of held-out rows that a graph of 8 bits must answer as the model does."
    )
    rows: int = Field(1_000, ge=1, le=1_000_000, description="Held-out rows for that, at most.")

    def ship(self, shipped: Shipped, context: Context) -> tuple[str, ...]:
        """Write the folder.

        Raises:
            ModelError: The model reads no text or has no graph, or the graph answers otherwise.
            RecipeError: The folder is not one that may be replaced.
            DataError: It cannot be written.
            MissingExtraError: Packages are not installed.
        """
        self.check_needs()
        at = place_of(self)
        graph = graph_of(shipped, at)
        if graph.feed == "numbers":
            problem = "a page in the browser reads a text, and this model reads columns"
            raise ModelError(problem, at=at, hint="export space for a page that people can ask, onnx or docker")
        precision = self.precision or ("int8" if graph.network else "fp32")
        if precision == "int8" and not graph.network:
            raise ModelError("only graphs of networks get 8 bits", at=at, hint="precision: fp32")
        name, rows = GRAPHS[precision], shipped.rows(self.rows)
        written = graph.onnx if precision == "fp32" else in_8_bits(graph.onnx)
        with arriving_at(self, shipped, context) as folder:
            (folder / name).write_bytes(written)
            write_feeding(folder, shipped, graph)
            as_json(folder / "model.json", facts_of(shipped, graph) | {"graph": name, "about": _about(shipped)})
            asked = through_runtime(folder, name, graph.feed, graph.reads)
            least = LEAST_IN_32 if precision == "fp32" else self.agreement
            found = {name: agreement(shipped, rows, asked, least=least, size=len(written))}
            refuse(name, found[name], at)
            write_parity(folder, shipped, found, {"through": "ONNX Runtime on the machine that exported it"})
            write_golden(folder, shipped)
            page = files(f"{__package__}.shipping.browser")
            for file in _PAGE:
                (folder / file).write_bytes(page.joinpath(file).read_bytes())
            as_json(folder / "package.json", _package())
            for file, held in more_in(shipped).items():
                (folder / file).write_bytes(held)
            (folder / "README.md").write_text(_readme(shipped), "utf-8")
        return (*in_words(shipped, found), f"cd {self.path} && npm install && npm run vendor && python -m http.server")


def _about(shipped: Shipped) -> dict[str, object]:
    """What the page says of the model."""
    run, score = shipped.facts.get("run"), shipped.facts.get("score")
    named = f"{run['name']}: {shipped.name}" if run else shipped.name
    kept = ("metric", "value", "low", "high", "n")
    return {
        "name": named,
        "score": {name: score[name] for name in kept} if score else None,
        "limits": [*_left_out(shipped), *shipped.facts.get("limits", ())],
    }


def _left_out(shipped: Shipped) -> Iterator[str]:
    """That the page does not do what training did with each text, where it did something."""
    if shipped.steps:
        yield (
            f"What you type is read as it is. In training, and where the model is served, each text passed "
            f"{', '.join(shipped.steps)} first, which this page does not do: texts that these would change may get "
            "another answer here."
        )


def _package() -> dict[str, object]:
    return {
        "name": "model-page",
        "private": True,
        "type": "module",
        "scripts": {"vendor": "node vendor.mjs"},
        "dependencies": dict(LIBRARIES),
    }


def _readme(shipped: Shipped) -> str:
    return (
        f"# {shipped.name}\n\nA model that Seedbed exported as a page: it answers in the browser.\n\n"
        "```sh\nnpm install && npm run vendor   # brings ONNX Runtime for the web and the tokenizer into vendor/\n"
        "python -m http.server               # any web server of files will do; node_modules need not be there\n```\n\n"
        f"{after_steps(shipped)}"
    )
