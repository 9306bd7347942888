"""The same model behind FastAPI, as the documentation of transformers does it: `server.py FOLDER PORT`.

https://huggingface.co/docs/transformers/pipeline_webserver: one pipeline, a text at a time. A plain `def` lets FastAPI
answer in threads; torch takes as many threads as there are cores, which is what it does by itself.
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline


class Asked(BaseModel):
    text: str


def main(folder: str, port: int) -> None:
    answer = pipeline("text-classification", model=folder, tokenizer=folder, device="cpu")
    app = FastAPI()

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/predict")
    def predict(asked: Asked) -> dict[str, float]:
        told = answer(asked.text, top_k=None, truncation=True, max_length=64)
        return {one["label"]: one["score"] for one in told}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
