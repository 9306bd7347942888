// Copies what the page needs of its two libraries into vendor/: after that node_modules may go.
import { copyFileSync, mkdirSync } from "node:fs";

const FILES = [
  "onnxruntime-web/dist/ort.wasm.min.mjs",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.mjs",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
  "@huggingface/tokenizers/dist/tokenizers.min.mjs",
];
mkdirSync("vendor", { recursive: true });
for (const file of FILES) copyFileSync(`node_modules/${file}`, `vendor/${file.split("/").at(-1)}`);
