"""A model in a page: Chromium answers golden examples as the model does, and what is typed stays there."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.flow.exporting.export import Asked, export
from seedbed.flow.predicting.opening import open_model
from seedbed.publish.browser import LIBRARIES, Browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium

TEXTS = [
    "", "LOVE It\n great\tcast", "İstanbul ÄRGER Straße", "love\u2003gre\xa0at", "日本語 great 👩‍👩‍👧", "x" * 3000,
    "e\u0301 naïve _b __ a1", "ΟΔΟΣ ﬀ ǅ", "\x1c\x85 ok ok ok", "love " * 500,
]  # fmt: skip


def ship(run: Path, model: str, out: Path, *options: str) -> set[str]:
    asked = Asked("browser", str(out), options=options)
    export(str(run / "models" / model), asked, Context(base=out.parent, store=out.parent / "store"))
    return {path.name for path in out.iterdir()}


def test_the_folder(counting: Path, tmp_path: Path) -> None:
    held = ship(counting, "tfidf_logistic", tmp_path / "out")
    assert set(Browser.examples[0].after["folder"]) <= held
    assert json.loads((tmp_path / "out" / "package.json").read_text())["dependencies"] == dict(LIBRARIES)
    limits = json.loads((tmp_path / "out" / "model.json").read_text())["about"]["limits"]
    assert "passed fix_text, normalize first, which this page does not do" in limits[0]
    page = (tmp_path / "out" / "index.html").read_text()
    assert "http://" not in page.replace("http-equiv", "")
    assert "https://" not in page
    with pytest.raises(ModelError, match="only graphs of networks get 8 bits"):
        ship(counting, "tfidf_logistic", tmp_path / "other", "precision=int8")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two libraries, as npm installs them."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": dict(LIBRARIES)}))
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"npm cannot install {', '.join(LIBRARIES)}: {done.stderr.strip()[:200]}")
    return folder / "node_modules"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", ["tfidf_logistic", "naive_bayes", "ensemble", "embedding_logistic", "transformer"])
def test_chromium_answers_as_the_model(
    name: str, libraries: Path, request: pytest.FixtureRequest, browser: Chromium, tmp_path: Path
) -> None:
    run: Path = request.getfixturevalue("reading" if name in ("embedding_logistic", "transformer") else "counting")
    out = tmp_path / "out"
    ship(run, name, out, "precision=fp32")
    (out / "node_modules").symlink_to(libraries)
    subprocess.run(["node", "vendor.mjs"], cwd=out, check=True, timeout=60)
    (out / "node_modules").unlink()
    model = open_model(run / "models" / name).model
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda one: problems.append(one.text) if one.type == "error" else None)
    with hosted(out) as url:
        page.goto(url)
        page.get_by_text("examples answered here").wait_for(timeout=120_000)
        said = page.locator("#checked").inner_text()
        assert said.startswith("8 examples")
        assert float(said.split()[-1].rstrip(".")) < 1e-4, said
        assert page.title() == f"moods: {name}"
        trust = page.locator("#limits").inner_text()
        assert "passed fix_text, normalize first" in trust
        assert (
            "rows that it was not trained on: macro_f1" in trust and "one of 2 labels whatever the text says" in trust
        )
        before = len(asked)
        page.get_by_label("Text").fill("<img src=x onerror=alert(1)> I love this great film")
        page.get_by_role("button", name="Ask").click()
        page.locator("#answers li").first.wait_for()
        own = model.predict(pl.DataFrame({"said": ["<img src=x onerror=alert(1)> I love this great film"]}))[0]
        first = page.locator("#answers li").first.inner_text()
        assert first.split()[0] == model.labels[own.argmax()]
        assert float(first.split()[1]) == pytest.approx(100 * own.max(), abs=0.06)
        script = """async (texts) => {
            const { Model } = await import("./model.js");
            const model = await Model.open();
            const found = [];
            for (const text of texts) found.push(await model.ask(text));
            return found;
        }"""
        assert asked[before:] == [], "asking sends nothing"
        found = np.array(page.evaluate(script, TEXTS))
        assert np.abs(found - model.predict(pl.DataFrame({"said": TEXTS}))).max() < 1e-4
    assert all(one.startswith((url, "blob:", "data:")) for one in asked), asked
    assert problems == []
    page.close()
