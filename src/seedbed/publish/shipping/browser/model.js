// Answers texts with the model of this folder, by ONNX Runtime for the web. Nothing leaves the browser.
import * as ort from "./vendor/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = new URL("./vendor/", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more need headers that few servers send

// What Python calls white space; JavaScript's own \s is another set.
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

async function read(name) {
  const reply = await fetch(new URL(name, import.meta.url));
  if (!reply.ok) throw new Error(`${name}: ${reply.status}`);
  return reply.json();
}

// A text's terms: runs of words, or runs of characters within words; model.json says the rule.
export function cut(text, kind, shortest, longest) {
  const lower = text.toLowerCase();
  const found = [];
  if (kind === "words") {
    const words = (lower.match(/[\p{L}\p{N}_]+/gu) ?? []).filter((word) => [...word].length > 1);
    for (let n = shortest; n <= longest; n++)
      for (let i = 0; i + n <= words.length; i++) found.push(words.slice(i, i + n).join(" "));
    return found;
  }
  for (const piece of lower.split(SPACE).filter(Boolean).map((one) => [..." ", ...one, " "])) {
    const most = Math.max(shortest, Math.min(longest, piece.length));
    for (let n = shortest; n <= most; n++)
      for (let i = 0; i < Math.max(1, piece.length - n + 1); i++) found.push(piece.slice(i, i + n).join(""));
  }
  return found;
}

function ints(values, dims) {
  return new ort.Tensor("int64", BigInt64Array.from(values, BigInt), dims);
}

class Tokens {
  static async open(file, most) {
    const { Tokenizer } = await import("./vendor/tokenizers.min.mjs");
    return Object.assign(new Tokens(), { most, tokenizer: new Tokenizer(await read(file), {}) });
  }
  ids(text) {
    const ids = this.tokenizer.encode(text).ids;
    if (ids.length <= this.most) return ids;
    const bare = this.tokenizer.encode(text, { add_special_tokens: false }).ids; // this tokenizer does not cut
    let before = 0;
    while (!bare.slice(0, 3).every((id, i) => ids[before + i] === id)) before++;
    const after = ids.length - bare.length - before;
    return [...ids.slice(0, this.most - after), ...(after ? ids.slice(-after) : [])];
  }
}

// What a graph is fed with: terms of texts, tokens, or both.
class Feeder {
  static async open(told) {
    const alone = told.feed === "tokens";
    const tokens = alone ? { input_ids: { file: "tokenizer.json", max_tokens: told.max_tokens } } : told.tokens ?? {};
    const readers = [];
    for (const [name, { file, max_tokens }] of Object.entries(tokens)) readers.push([name, await Tokens.open(file, max_tokens)]);
    const places = new Map();
    for (const [name, terms] of alone ? [] : Object.entries(await read("vocabulary.json"))) places.set(name, new Map(Object.entries(terms)));
    return Object.assign(new Feeder(), { alone, readers, places, terms: Object.entries(told.terms ?? {}) });
  }
  feed(text) {
    const feed = {};
    for (const [name, reader] of this.readers) {
      const ids = reader.ids(text);
      feed[name] = ints(ids, [1, ids.length]);
      if (this.alone) feed.attention_mask = ints(ids.map(() => 1), [1, ids.length]);
    }
    for (const [name, { kind, shortest, longest }] of this.terms) {
      const counts = new Map();
      for (const term of cut(text, kind, shortest, longest)) {
        const place = this.places.get(name).get(term);
        if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
      }
      feed[name] = ints([...counts.keys()], [counts.size]);
      feed[`${name}_counts`] = new ort.Tensor("float32", Float32Array.from(counts.values()), [counts.size]);
    }
    return feed;
  }
}

export class Model {
  static async open() {
    const told = await read("model.json");
    const session = await ort.InferenceSession.create(new URL(told.graph, import.meta.url).href, { executionProviders: ["wasm"] });
    return Object.assign(new Model(), { told, session, feeder: await Feeder.open(told) });
  }
  // Probabilities in the order of `labels`, or one number.
  async ask(text) {
    return [...(await this.session.run(this.feeder.feed(text))).answers.data];
  }
  // How far the golden examples' answers are from what the model gave, at most.
  async check() {
    const golden = await read("golden.json");
    let largest = 0;
    for (const one of golden) {
      const found = await this.ask(one.reads[this.told.reads[0]] ?? "");
      const right = this.told.labels.length ? this.told.labels.map((label) => one.predicted[label]) : [one.predicted];
      found.forEach((value, i) => { largest = Math.max(largest, Math.abs(value - right[i])); });
    }
    return { examples: golden.length, largest };
  }
}
