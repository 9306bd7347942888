// A file of rows: read here, asked about a few rows at a time, given back with the answers. It is nowhere uploaded whole;
// only the columns that the model reads are sent.
"use strict";

const MOST_FILE = 64 * 2 ** 20;
const MOST_TOGETHER = 200; // rows of a request, fewer where they are long
const MOST_SENT = 500_000; // characters of a request
const TRIES = 8;
let batch = null; // the file that is read, and its answers

// Records of CSV (RFC 4180): quotes, doubled quotes, line breaks within them.
function records(text, delimiter) {
  const found = [];
  let row = [], cell = "", quoted = false, at = 0;
  const special = new RegExp(`["\\r\\n${delimiter === "\t" ? "\\t" : `\\${delimiter}`}]`, "g");
  const end = () => { row.push(cell); cell = ""; };
  while (at < text.length) {
    if (quoted) {
      const close = text.indexOf('"', at);
      if (close < 0) { cell += text.slice(at); at = text.length; break; }
      cell += text.slice(at, close);
      at = close + 1;
      if (text[at] === '"') { cell += '"'; at++; } else quoted = false;
      continue;
    }
    special.lastIndex = at;
    const next = special.exec(text);
    if (!next) { cell += text.slice(at); break; }
    cell += text.slice(at, next.index);
    at = next.index + 1;
    if (next[0] === delimiter) end();
    else if (next[0] === '"') { if (cell === "") quoted = true; else cell += '"'; }
    else {
      if (next[0] === "\r" && text[at] === "\n") at++;
      end();
      if (row.length > 1 || row[0] !== "") found.push(row);
      row = [];
    }
  }
  end();
  if (row.length > 1 || row[0] !== "") found.push(row);
  return found;
}

// What stands between cells: what is most frequent in the first line, outside quotes.
function delimiterOf(text) {
  const line = text.slice(0, 100_000).replace(/"[^"]*"/g, "").split(/\r?\n/, 1)[0];
  const times = (one) => line.split(one).length;
  return [",", ";", "\t", "|"].reduce((best, one) => (times(one) > times(best) ? one : best));
}

const said = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

// { columns, rows } with rows as lists of values; null for a line that is none, with what is wrong in `faults`.
function fromCsv(text) {
  const all = records(text, delimiterOf(text));
  if (!all.length) throw new Error("There is nothing in this file.");
  const [head, ...rows] = all;
  const names = new Set();
  for (const [place, name] of head.entries()) {
    let own = name.trim() || `column ${place + 1}`;
    while (names.has(own)) own += "_";
    names.add(own);
  }
  const columns = [...names];
  const faults = new Map();
  rows.forEach((row, place) => {
    if (row.length !== columns.length) faults.set(place, `it has ${row.length} values, not ${columns.length}`);
  });
  return { columns, rows, faults };
}

function fromJsonLines(text) {
  const columns = new Map(), objects = [], faults = new Map();
  for (const line of text.split(/\r?\n/)) {
    if (!line.trim()) continue;
    let found = null;
    try { found = JSON.parse(line); } catch { /* told below */ }
    if (found === null || typeof found !== "object" || Array.isArray(found)) {
      faults.set(objects.length, "it is no JSON object");
      found = {};
    }
    for (const name of Object.keys(found)) if (!columns.has(name)) columns.set(name, columns.size);
    objects.push(found);
  }
  if (!objects.length) throw new Error("There is nothing in this file.");
  const names = [...columns.keys()];
  return { columns: names, rows: objects.map((one) => names.map((name) => (Object.hasOwn(one, name) ? one[name] : null))), faults };
}

async function readFile(file) {
  if (file.size > MOST_FILE) throw new Error(`This file is larger than ${MOST_FILE / 2 ** 20} MB: “seedbed predict MODEL FILE” labels files of any size.`);
  const bytes = await file.arrayBuffer();
  const [first, second] = new Uint8Array(bytes);
  if ([first, second].join() === "255,254") return [new TextDecoder("utf-16le").decode(bytes), ""]; // as spreadsheets write
  if ([first, second].join() === "254,255") return [new TextDecoder("utf-16be").decode(bytes), ""];
  try {
    return [new TextDecoder("utf-8", { fatal: true }).decode(bytes), ""];
  } catch {
    return [new TextDecoder("windows-1252").decode(bytes), "It is not UTF-8, and was read as Windows-1252."];
  }
}

async function take(file) {
  if (!model || !file) return;
  byId("problem").hidden = true;
  try {
    const name = file.name.toLowerCase();
    const [text, note] = await readFile(file);
    if (/\.(txt|md|text)$/.test(name)) return takeText(text);
    if (!/\.(csv|tsv|jsonl|ndjson)$/.test(name)) throw new Error("A text (.txt), a table (.csv, .tsv) or JSON lines (.jsonl) can be read here.");
    const found = /\.(jsonl|ndjson)$/.test(name) ? fromJsonLines(text) : fromCsv(text);
    batch = { ...found, name: file.name, answers: [], running: false };
    offer(note);
  } catch (error) {
    complain(error);
  }
}

function takeText(text) {
  const [area] = fields();
  if (fields().length > 1 || tabular()) throw new Error("This model reads columns: give a table (.csv) or JSON lines (.jsonl).");
  area.value = text.replace(/\s+$/, "");
  byId("form").requestSubmit();
}

// Which column is which input; where there is one of each, that is it.
function guess(input) {
  const { columns } = batch;
  const names = [input.name, ...(input.known_as || [])], small = input.name.toLowerCase();
  const alike = names.find((one) => columns.includes(one)) ?? columns.find((one) => one.toLowerCase() === small);
  return alike ?? (columns.length === 1 && model.inputs.length === 1 ? columns[0] : "");
}

function offer(note) {
  const bad = batch.faults.size;
  byId("rows").textContent = `${batch.name}: ${count(batch.rows.length)} ${batch.rows.length === 1 ? "row" : "rows"}.${bad ? ` ${count(bad)} cannot be read.` : ""} ${note}`.trim();
  fill("columns", model.inputs.map((input, place) => {
    const box = make("p");
    const choice = make("select", "", { id: `column-${place}`, name: input.name });
    choice.append(make("option", "choose a column", { value: "" }), ...batch.columns.map((one) => make("option", one, { value: one })));
    choice.value = guess(input);
    choice.addEventListener("change", ready);
    box.append(make("label", `Read “${input.name}” from the column`, { htmlFor: choice.id }), choice);
    return box;
  }));
  byId("batch").hidden = false;
  byId("progress").hidden = byId("downloads").hidden = true;
  byId("done").textContent = "";
  ready();
  byId("start").focus();
}

const chosen = () => [...document.querySelectorAll("#columns select")];

function ready() {
  byId("start").disabled = !batch || batch.running || chosen().some((one) => !one.value);
}

// Requests of a few rows each.
function* pieces() {
  const reading = chosen().map((one) => [one.name, batch.columns.indexOf(one.value)]);
  let places = [], rows = [], size = 0;
  for (const [place, values] of batch.rows.entries()) {
    if (batch.faults.has(place)) continue;
    const row = Object.fromEntries(reading.map(([name, at]) => [name, cellOf(name, values[at])]));
    const length = Object.values(row).reduce((sum, value) => sum + said(value).length, 0);
    if (rows.length && (rows.length >= MOST_TOGETHER || size + length > MOST_SENT)) {
      yield { places, rows };
      [places, rows, size] = [[], [], 0];
    }
    places.push(place);
    rows.push(row);
    size += length;
  }
  if (rows.length) yield { places, rows };
}

function cellOf(name, value) {
  const input = model.inputs.find((one) => one.name === name);
  if (value === undefined || value === null || (value === "" && input.type !== "text")) return null;
  if (typeof value === "object") return name === model.turns ? value : JSON.stringify(value);
  return typeof value === "string" && name === model.turns ? turns(value) : value;
}

async function answersTo({ places, rows }) {
  for (let tries = 0; ; tries++) {
    try {
      return (await call("api/predict", { rows })).predictions;
    } catch (error) {
      if ([429, 503].includes(error.status) && tries < TRIES && batch.running) {
        await new Promise((resolve) => { setTimeout(resolve, 1000 * Math.min(error.after || 1, 30)); });
      } else if ([413, 422].includes(error.status) && rows.length > 1) { // one of them is to blame
        const half = rows.length >> 1;
        return [
          ...await answersTo({ places: places.slice(0, half), rows: rows.slice(0, half) }),
          ...await answersTo({ places: places.slice(half), rows: rows.slice(half) }),
        ];
      } else if ([413, 422].includes(error.status)) return [{ warnings: [error.message] }];
      else throw error;
    }
  }
}

async function start() {
  const mine = batch;
  mine.running = true;
  mine.answers = new Array(mine.rows.length).fill(null);
  for (const [place, why] of mine.faults) mine.answers[place] = { warnings: [`it could not be read: ${why}`] };
  byId("problem").hidden = true;
  byId("progress").hidden = byId("stop").hidden = false;
  byId("downloads").hidden = true;
  let done = mine.faults.size;
  const tell = () => {
    byId("bar").max = Math.max(mine.rows.length, 1);
    byId("bar").value = done;
    byId("far").textContent = `${count(done)} of ${count(mine.rows.length)} rows`;
  };
  ready();
  tell();
  try {
    for (const piece of pieces()) {
      if (!mine.running || mine !== batch) break;
      const found = await answersTo(piece);
      piece.places.forEach((place, at) => { mine.answers[place] = found[at]; });
      done += piece.places.length;
      tell();
    }
  } catch (error) {
    complain(error);
  }
  mine.running = false;
  if (mine !== batch) return;
  byId("stop").hidden = true;
  ready();
  finished(done);
}

function finished(done) {
  const warned = batch.answers.filter((one) => one?.warnings?.length).length;
  const left = batch.rows.length - done;
  byId("done").textContent = `${count(done)} ${done === 1 ? "row" : "rows"}${left ? `, ${count(left)} were not asked about` : ""}.${warned ? ` ${count(warned)} ${warned === 1 ? "has" : "have"} a warning.` : ""}`;
  const table = answered();
  const formulas = table.flat().filter(isFormula).length;
  const link = (text, name, content) => make("a", text, { href: URL.createObjectURL(new Blob(content, { type: "text/csv" })), download: name, className: "button" });
  const name = batch.name.replace(/\.[^.]*$/, "");
  const links = [link("Download the answers (CSV)", `${name}-answers.csv`, [written(table)])];
  const note = [];
  if (formulas) {
    links.push(link("Download for a spreadsheet", `${name}-answers-spreadsheet.csv`, ["\ufeff", written(table.map((row) => row.map((cell) => (isFormula(cell) ? `'${cell}` : cell))))]));
    note.push(make("p", `${count(formulas)} ${formulas === 1 ? "cell begins" : "cells begin"} as formulas do (=, +, -, @). The first file has them as they are, for programs. Open the second one in a spreadsheet: an apostrophe stands before them, so that nothing is run.`, { className: "soft" }));
  }
  for (const old of document.querySelectorAll("#downloads a")) URL.revokeObjectURL(old.href);
  fill("downloads", [...links, ...note]);
  byId("downloads").hidden = false;
}

// What was in the file, and beside it the answers.
function answered() {
  const given = batch.answers.filter((one) => one);
  const added = ["predicted", "start", "confidence", "nats", "tokens", "perplexity", "decided", "set", "low", "high"].filter((name) => given.some((one) => one[name] !== undefined && one[name] !== null));
  const columns = [...batch.columns];
  const free = (name) => { let own = name; while (columns.includes(own)) own += "_"; return own; };
  const beside = (one) => [...added.map((name) => said(one?.[name])), (one?.warnings || []).join("; ")];
  const head = [...columns, ...added.map(free), free("warnings")];
  return [head, ...batch.rows.map((row, place) => [...columns.map((_, at) => said(row[at])), ...beside(batch.answers[place])])];
}

const NUMBER = /^[+-]?(\d+([.,]\d*)*|[.,]\d+)([eE][+-]?\d+)?$/;
const isFormula = (cell) => /^[=+\-@\t\r]/.test(cell) && !NUMBER.test(cell);
const written = (table) => table.map((row) => `${row.map((cell) => (/[",;\r\n\t]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\r\n`).join("");

function listen() {
  byId("file").addEventListener("change", (event) => { take(event.target.files[0]); event.target.value = ""; });
  byId("start").addEventListener("click", start);
  byId("stop").addEventListener("click", () => { batch.running = false; });
  const over = (event, on) => {
    if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", on);
  };
  document.addEventListener("dragover", (event) => over(event, true));
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(event, false); });
  document.addEventListener("drop", (event) => {
    over(event, false);
    if (event.dataTransfer?.files.length) take(event.dataTransfer.files[0]);
  });
}
