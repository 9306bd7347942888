// Why, what is like it, and that it is wrong: asked for when its part of the page is open.
"use strict";

const SAID_FOR = { label: (found) => found.predicted, labels: (found) => found.predicted[0], number: () => null };

function besides() {
  const { offers } = model;
  byId("why").hidden = !offers.explain;
  byId("alike").hidden = !offers.similar;
  byId("wrong").hidden = !offers.feedback;
  for (const id of ["words", "values", "legend", "most"]) byId(id).hidden = true;
  byId("whynote").textContent = byId("alikenote").textContent = byId("thanks").textContent = "";
  byId("near").replaceChildren();
  byId("report").hidden = false;
  byId("reason").value = "";
  byId("wrong").open = false;
  last.done = new Set();
  if (offers.feedback) fill("right", rightOnes());
  ask_why();
  ask_alike();
}

// Asks once for each question, and lets go what comes too late.
async function beside(id, note, path, body, tell) {
  const mine = last;
  if (byId(id).hidden || !byId(id).open || mine.done.has(id)) return;
  mine.done.add(id);
  byId(note).textContent = "One moment …";
  for (let tries = 0; mine === last; tries++) {
    try {
      const found = await call(path, body);
      if (mine === last) tell(found);
      return;
    } catch (error) {
      if (mine !== last) return;
      if (![429, 503].includes(error.status) || tries > 20) {
        mine.done.delete(id);
        byId(note).textContent = error.message;
        return;
      }
      await new Promise((resolve) => { setTimeout(resolve, 1000 * Math.min(error.after || 1, 10)); });
    }
  }
}

function ask_why() {
  if (!last?.found) return; // a part that is open from the start says so (toggle) before there is a model or an answer
  const label = SAID_FOR[model.says]?.(last.found) ?? null;
  beside("why", "whynote", "explain", { row: last.row, ...(label !== null && { label }) }, why);
}

function ask_alike() {
  if (last?.found) beside("alike", "alikenote", "similar", { row: last.row }, alike);
}

const signed = (weight) => `${weight < 0 ? "\u2212" : "+"}${Math.abs(weight).toLocaleString("en", { maximumSignificantDigits: 3 })}`;

// How much of the largest weight: 0 is too little to be marked, 3 is most.
function strength(weight, largest) {
  const share = largest ? Math.abs(weight) / largest : 0;
  return share > 0.6 ? 3 : share > 0.3 ? 2 : share > 0.1 ? 1 : 0;
}

function why(found) {
  const about = found.label === null ? model.answer || "the number" : `“${found.label}”`;
  const how = found.method === "exact"
    ? `Each word's part of the score of ${about}. The parts add up to it (${found.unit}).`
    : model.shown
      ? `How much ${about} loses where a word is left out (${found.unit}).`
      : `How much higher (+) or lower (−) ${about} is than it would be with the usual value of a column${found.label === null ? "" : ` (${found.unit})`}.`;
  const all = model.shown ? found.words : found.columns;
  const known = all.filter((one) => one.weight !== null);
  const late = all.length - known.length;
  byId("whynote").textContent = `${how}${late ? ` ${count(late)} of ${count(all.length)} were not looked at: time was up.` : ""}`;
  const most = Math.max(0, ...known.map((one) => Math.abs(one.weight)));
  const largest = model.says !== "number" && most < 0.001 ? 0 : most; // that is rounding
  byId("legend").hidden = !largest || !model.shown;
  if (model.shown) words(found, largest);
  else values(found, largest);
  byId("most").textContent = !largest ? "Nothing in it made a difference by itself." : model.shown ? `Most of all: ${strongest(found, known)}.` : "";
  byId("most").hidden = !byId("most").textContent;
}

// The words that weigh most, each once with all that it adds.
function strongest(found, known) {
  const characters = Array.from(found.text), sums = new Map();
  for (const { start, end, weight } of known) {
    const word = characters.slice(start, end).join("").toLowerCase();
    const [times, sum] = sums.get(word) || [0, 0];
    sums.set(word, [times + 1, sum + weight]);
  }
  const most = [...sums].sort((a, b) => Math.abs(b[1][1]) - Math.abs(a[1][1])).slice(0, 5);
  const least = 0.1 * Math.abs(most[0][1][1]);
  return most.filter(([, [, sum]]) => Math.abs(sum) >= least)
    .map(([word, [times, sum]]) => `${word} (${times > 1 ? `${count(times)} times, ` : ""}${signed(sum)})`).join(", ");
}

// The text with its words marked: by colour, and by a line that is thicker the more a word weighs.
function words(found, largest) {
  const characters = Array.from(found.text);
  const nodes = [];
  let at = 0;
  const plain = (until) => { if (until > at) nodes.push(document.createTextNode(characters.slice(at, until).join(""))); };
  for (const one of found.words) {
    const level = one.weight === null ? 0 : strength(one.weight, largest);
    if (!level) continue;
    plain(one.start);
    const kind = one.weight > 0 ? "for" : "against";
    nodes.push(make("span", characters.slice(one.start, one.end).join(""), { className: `${kind} ${kind}${level}`, title: signed(one.weight) }));
    at = one.end;
  }
  plain(characters.length);
  fill("words", nodes);
  byId("words").hidden = !characters.length;
}

function values(found, largest) {
  const whole = make("table", "", { className: "plain" });
  const head = make("tr");
  head.append(...["Column", "Worth", "Value", "Usual value"].map((name) => make("th", name, { scope: "col" })));
  const shown = (value) => (value === null ? "missing" : typeof value === "number" ? valued(value) : String(value));
  const rows = [...found.columns].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).map((one) => {
    const line = make("tr");
    const level = strength(one.weight, largest), kind = one.weight > 0 ? "for" : "against";
    const worth = make("td");
    worth.append(make("span", signed(one.weight), { className: level ? `${kind} ${kind}${level}` : "" }));
    line.append(make("th", one.column, { scope: "row", dir: "auto" }), worth, make("td", shown(one.value), { dir: "auto" }), make("td", shown(one.usual), { dir: "auto" }));
    return line;
  });
  const top = make("thead"), body = make("tbody");
  top.append(head);
  body.append(...rows);
  whole.append(top, body);
  fill("values", [whole]);
  byId("values").hidden = !rows.length;
}

function alike(found) {
  const [how, nothing] = model.shown
    ? ["By their words.", "None shares a word with it."]
    : ["By their columns: numbers by how near they are, others equal or not.", "None is like it in any column."];
  byId("alikenote").textContent = `${found.rows.length ? how : nothing} ${count(found.searched)} training rows were looked through.`;
  fill("near", found.rows.map((one) => {
    const item = make("li");
    item.append(make("strong", one.label === null ? "no label" : called(model.says === "number" ? amount(Number(one.label)) : one.label), { dir: "auto" }), ` ${Math.round(100 * one.similarity)} % alike `, make("span", one.row, { className: "soft" }));
    const values = Object.entries(one.values || {}).filter(([, value]) => value !== null);
    const held = one.text ?? values.map(([name, value]) => `${name}: ${typeof value === "number" ? valued(value) : value}`).join(" · ");
    if (held) item.append(make("p", held, { className: "quote", dir: "auto" }));
    return item;
  }));
}

// What somebody can say is right: one of the labels, some of them, a number.
function rightOnes() {
  if (model.says === "number") return [make("label", "The right number", { htmlFor: "right-one" }), make("input", "", { id: "right-one", type: "text", inputMode: "decimal", autocomplete: "off" })];
  if (model.says === "label") {
    const choice = make("select", "", { id: "right-one" });
    choice.append(make("option", "choose a label", { value: "", disabled: true, selected: true }), ...model.labels.map((label) => make("option", label, { value: label })));
    return [make("label", "What is right", { htmlFor: "right-one" }), choice];
  }
  const field = make("fieldset", "", { id: "right-one" });
  field.append(make("legend", "What is right"), ...model.labels.map((label, place) => {
    const line = make("label", "", { className: "tick", dir: "auto" });
    line.append(make("input", "", { type: "checkbox", value: label, id: `tick-${place}` }), ` ${label}`);
    return line;
  }));
  return [field];
}

function rightAnswer() {
  if (model.says === "labels") return [...document.querySelectorAll("#right-one input:checked")].map((box) => box.value);
  const { value } = byId("right-one");
  return model.says === "number" ? Number(value.trim().replace(",", ".") || NaN) : value;
}

async function report(event) {
  event.preventDefault();
  const label = rightAnswer();
  if (label === "" || Number.isNaN(label)) {
    byId("thanks").textContent = "Say what is right first.";
    byId("right-one").focus();
    return;
  }
  byId("send").disabled = true;
  try {
    const { kept: name } = await call("feedback", { row: last.row, label, why: byId("reason").value });
    byId("report").hidden = true;
    byId("thanks").textContent = `Thank you. It is kept as ${name}, and people will look at it.`;
  } catch (error) {
    byId("thanks").textContent = error.message;
  } finally {
    byId("send").disabled = false;
  }
}
