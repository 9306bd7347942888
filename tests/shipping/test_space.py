"""A Space is whole: its page runs as it is, and people can ask it."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.core.numbers import amount
from seedbed.core.version import __version__
from seedbed.flow.exporting.export import Asked, export
from seedbed.flow.predicting.opening import open_model
from seedbed.publish.space import Space
from table_sample import FEATURES, LIKE, table_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

READY = 180
"""Seconds that the page may take to start on a busy machine."""
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"> love"


@pytest.fixture(scope="module")
def space(counting: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("space") / "out"
    options = ('title="Moods: \\"how\\" # they feel"',)
    asked = Asked("space", str(out), options=("model=tfidf_logistic", *options))
    done = export(str(counting), asked, Context(base=out.parent, store=out.parent / "store"))
    assert "6 questions open" in done.notes[0]
    return out


def test_what_the_hub_reads(space: Path) -> None:
    named = {path.relative_to(space).as_posix() for path in space.rglob("*") if path.is_file()}
    assert set(Space.examples[0].after["folder"]) <= named
    text = (space / "README.md").read_text()
    settings = yaml.safe_load(text.split("---")[1])
    assert settings["title"] == 'Moods: "how" # they feel'
    assert (settings["sdk"], settings["app_file"]) == ("gradio", "app.py")
    assert settings["sdk_version"].count(".") == 2
    lines = (space / "requirements.txt").read_text().splitlines()
    assert lines[0] == f"seedbed=={__version__}"
    assert any(line.startswith("scikit-learn==") for line in lines)
    assert not [line for line in lines if "+" in line or line.count("==") != 1]


def test_its_examples_are_of_each_label_and_its_title_is_the_runs(space: Path, counting: Path, tmp_path: Path) -> None:
    facts = json.loads((space / "facts.json").read_text())
    model = open_model(space / "model")
    assert set(model.predict(facts["examples"][:2])["predicted"]) == {"good", "bad"}
    export(str(counting), Asked("space", str(tmp_path / "out")), Context(base=tmp_path, store=tmp_path / "store"))
    assert json.loads((tmp_path / "out" / "facts.json").read_text())["title"] == open_model(counting).run.name


def test_it_holds_the_bundle_and_no_path_of_this_machine(space: Path, counting: Path) -> None:
    opened = open_model(space / "model")
    assert opened.check_golden() < 1e-9
    assert opened.digest == open_model(counting / "models" / "tfidf_logistic").digest
    for path in space.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".txt", ".md", ".py"):
            assert str(counting.parent) not in path.read_text("utf-8"), path


@pytest.mark.slow
def test_an_encoder_in_a_folder_is_refused(reading: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="its encoder is a folder of this machine"):
        export(str(reading / "models" / "embedding_logistic"), Asked("space", str(tmp_path / "out")))
    export(str(reading / "models" / "transformer"), Asked("space", str(tmp_path / "out")))
    assert (tmp_path / "out" / "requirements.txt").read_text().startswith(f"seedbed[train]=={__version__}\n")


@pytest.fixture(scope="module")
def running(space: Path) -> Iterator[str]:
    """The page's address."""
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("gradio is not installed (pip install gradio)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "PYTHONUNBUFFERED": "1",
        "GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(space.parent / "gradio"),
    }  # fmt: skip
    log = space.parent / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=space, env=environment, stdout=out, stderr=out)
    try:
        ends = time.monotonic() + READY
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()[-3000:]
                assert time.monotonic() < ends, log.read_text()[-3000:]
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.browser
def test_people_ask_it(running: str, space: Path, browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(running)
    title = 'Moods: "how" # they feel'
    page.wait_for_function("title => document.title === title", arg=title)
    assert page.locator("h1").inner_text() == title
    told = page.locator("body").inner_text()
    assert "rows that it never learned from" in told and "the stated confidence was off by" in told
    page.get_by_label("Your text").fill("a brilliant film, great people, I love it")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.locator(".answer h2").wait_for()
    assert page.locator(".answer h2").inner_text() == "good"
    shares = page.locator(".answer .share").all_inner_texts()
    assert len(shares) == 2 and all("%" in one and not one.endswith("\n100 %") for one in shares)
    assert page.get_by_label("What the model read").input_value() == "a brilliant film, great people, I love it"
    assert "Not for publication yet" in page.content()
    page.locator(".why", has_text="love (+").wait_for()
    assert page.locator(".why .text .for", has_text="brilliant").count() == 1, "the words are marked"
    page.set_viewport_size({"width": 390, "height": 900})
    heights = page.locator(".why .legend span").evaluate_all("all => all.map((one) => one.getClientRects().length)")
    assert heights == [1, 1], "nothing of the legend breaks within"

    page.get_by_label("Your text").fill(HOSTILE)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_function(
        "[...document.querySelectorAll('textarea')].filter(one => one.value.includes('<script>')).length == 2"
    )
    assert page.title() != "taken"

    rows = tmp_path / "rows.csv"
    rows.write_text('said\n"a dreadful, awful film"\n"a great film, I love it"\n')
    page.get_by_role("tab", name="Label a file").click()
    page.locator("input[type=file]").first.set_input_files(rows)
    page.get_by_text("rows.csv").first.wait_for()
    page.get_by_role("button", name="Label", exact=True).click()
    page.get_by_label("What came of it").wait_for()
    page.wait_for_function("[...document.querySelectorAll('textarea')].some(one => one.value.startsWith('2 rows'))")
    with page.expect_download() as down:
        page.locator("a[download]").last.click()
    with Path(down.value.path()).open(newline="") as file:
        assert [row["predicted"] for row in csv.DictReader(file)] == ["bad", "good"]

    page.get_by_role("tab", name="Card").click()
    page.get_by_text("tfidf_logistic").first.wait_for()
    page.close()


@pytest.mark.slow
def test_programs_ask_it(running: str) -> None:
    pytest.importorskip("gradio_client")
    from gradio_client import Client

    client = Client(running, verbose=False)
    _, told, read, odd = client.predict("I love it, great film", api_name="/answer")
    assert told["predicted"] == "good" and set(told["probabilities"]) == {"good", "bad"}
    assert (read, odd) == ("I love it, great film", "")
    shown, weights = client.predict("I love it, awful film", api_name="/why")
    assert weights["love"] * weights["awful"] < 0 and "exact parts of log-odds" in shown


@pytest.mark.slow
def test_a_table_is_asked_by_its_columns(tmp_path: Path) -> None:
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("gradio is not installed (pip install gradio)")
    run = table_run(tmp_path).folder
    export(str(run), Asked("space", str(tmp_path / "space")), Context(base=tmp_path, store=tmp_path / "store"))
    row = [*(LIKE | {"speed": "x", "hd": "340000", "maker": HOSTILE}).values()]
    code = f"import app, json; print(json.dumps([app.answer(*{row!r}), app.why(*{row!r})]))"
    asked = [sys.executable, "-c", code]
    told = subprocess.run(asked, cwd=tmp_path / "space", check=True, capture_output=True, text=True, encoding="utf-8")
    (shown, found, _, odd), (why, weights) = json.loads(told.stdout.splitlines()[-1])
    assert f"price: {amount(found['predicted'])}" in shown and set(weights) == set(FEATURES)
    assert "speed: 'x' is no integer: taken as missing" in odd and "which have 81 to 2089" in odd
    assert "How much higher (+) or lower (−) price is" in why and "<td>340,000</td>" in why and "<img" not in why
