// The page of one model. Whatever comes from data or from the server is put in as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);
const MOST_BARS = 10;
const EXAMPLES = 4;
let model = null;
let asked = 0; // the newest question; answers to older ones are let go
let last = null; // the row that was asked about

function make(tag, text = "", more = {}) {
  const node = document.createElement(tag);
  node.textContent = text;
  return Object.assign(node, more);
}

function fill(parent, nodes) {
  byId(parent).replaceChildren(...nodes);
}

function percent(share) {
  const value = 100 * share;
  if (value === 0 || value === 100) return `${value} %`;
  if (value >= 99.95) return "> 99.9 %";
  if (value < 0.005) return "< 0.01 %";
  return `${value.toFixed(value < 1 ? 2 : 1)} %`;
}

const count = (n) => n.toLocaleString("en");

// As reports write scores: three decimals, fewer where they would say nothing.
function score(value) {
  const size = Math.abs(value);
  if (size >= 100) return value.toLocaleString("en", { maximumFractionDigits: size >= 1000 ? 0 : 1 });
  return value.toFixed(3);
}

const amount = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 });
const brief = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });
const NAMES = { rmse: "RMSE", mae: "MAE", mse: "MSE", rmsle: "RMSLE", r2: "R²", chrf: "chrF", rouge_l: "ROUGE-L" };
const named = (metric) => NAMES[metric] || metric.replace("_f1", "-F1").replaceAll("_", " ");

// Where the server wants a key, it stands behind the address (#key=…), which no browser sends anywhere by itself.
const key = () => new URLSearchParams(location.hash.slice(1)).get("key");

async function call(path, body) {
  let reply;
  const headers = { ...(body && { "Content-Type": "application/json" }), ...(key() && { Authorization: `Bearer ${key()}` }) };
  try {
    reply = await fetch(path, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers });
  } catch {
    throw new Error("The server does not answer. It may have been stopped: start it again with “seedbed serve”, then ask once more.");
  }
  let told = {};
  try { told = await reply.json(); } catch { /* not ours: a proxy, perhaps */ }
  if (reply.ok) return told;
  const { problem, hint } = told.error || {};
  const more = { status: reply.status, after: Number(reply.headers.get("Retry-After")) };
  if (reply.status === 413) throw Object.assign(new Error(`That is too long: ${problem}.`), more);
  throw Object.assign(new Error(problem ? `${problem}.${hint ? ` ${hint}` : ""}` : `The server answered ${reply.status}.`), more);
}

function complain(error) {
  byId("problem").textContent = error.message;
  byId("problem").hidden = false;
  byId("result").hidden = true;
}

function fields() {
  return [...document.querySelectorAll("#fields textarea")];
}

function field(input, place, all) {
  const box = make("div");
  const id = `input-${place}`;
  const hint = input.type === "text" || input.type === "any" ? "" : ` (${input.type})`;
  const area = make("textarea", "", { id, name: input.name, rows: hint || tabular() ? 1 : 3, dir: "auto", autocomplete: "off" });
  area.setAttribute("aria-describedby", "keys");
  if (hint || tabular()) area.classList.add("short");
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("form").requestSubmit();
  });
  const alone = model.says === "turns" ? "What the user says" : `Your text${hint}`;
  box.append(make("label", all.length === 1 ? alone : input.name + hint, { htmlFor: id }), area);
  if (model.says === "turns" && input.name === model.turns) {
    const id_of = `${id}-how`;
    box.append(make("p", 'A whole conversation also works, as JSON: [{"role": "user", "content": "…"}]', { id: id_of, className: "soft" }));
    area.setAttribute("aria-describedby", `keys ${id_of}`);
  }
  return box;
}

const tabular = () => model.task.startsWith("tabular");

// Turns as JSON, or what one user says.
function turns(text) {
  if (!text.trim().startsWith("[")) return text;
  try {
    const found = JSON.parse(text);
    return found.every((turn) => turn && typeof turn === "object" && !Array.isArray(turn)) ? found : text;
  } catch {
    return text;
  }
}

function row() {
  const found = {};
  for (const area of fields()) {
    const input = model.inputs.find((one) => one.name === area.name);
    const missing = area.value === "" && (input.type !== "text" || tabular());
    found[area.name] = missing ? null : area.name === model.turns ? turns(area.value) : area.value;
  }
  return found;
}

async function ask(event) {
  event.preventDefault();
  if (!model) return;
  const number = ++asked;
  byId("problem").hidden = true;
  const most = model.most.characters;
  const long = fields().find((area) => area.value.length > most);
  if (long) return complain(new Error(`That is too long: at most ${count(most)} characters are read, and this has ${count(long.value.length)}.`));
  if (fields().every((area) => !area.value.trim())) {
    fields()[0].focus();
    return complain(new Error(tabular() ? "Fill in a field first." : "Type a text first."));
  }
  byId("ask").disabled = true;
  byId("result").setAttribute("aria-busy", "true");
  try {
    last = { row: row() };
    const told = await call("api/predict", { rows: [last.row] });
    if (number === asked) {
      show(told.predictions[0]);
      besides();
    }
  } catch (error) {
    if (number === asked) complain(error);
  } finally {
    byId("ask").disabled = false;
    byId("result").removeAttribute("aria-busy");
  }
}

function bar([label, share], given) {
  const line = make("tr");
  if (given.includes(label)) line.className = "first";
  const track = make("td", "", { className: "track" });
  track.setAttribute("aria-hidden", "true");
  const filled = make("span");
  filled.style.width = `${100 * share}%`;
  track.append(filled);
  line.append(make("th", label, { scope: "row", dir: "auto" }), make("td", percent(share)), track);
  return line;
}

// What each kind of task answers: the headline, a line under it, the labels that are given, and whether it quotes data.
const TOLD = {
  label: (found) => [found.predicted, `${percent(found.confidence)}: ${found.sure}`, [found.predicted]],
  labels: (found) => [found.predicted.join(", ") || "None of the labels", "Labels with a probability of 50 % or more.", found.predicted],
  number: (found) => [amount(found.predicted), off()],
  spans: (found) => [found.predicted || "The text does not answer this", found.confidence === null ? "" : `${percent(found.confidence)}: ${found.sure}`],
  text: (found) => [found.predicted || "(nothing)", ""],
  turns: (found) => [found.predicted || "(nothing)", ""],
  itself: (found) => [
    found.perplexity === null ? "Beyond all measure" : `Perplexity ${brief(found.perplexity)}`,
    `${brief(found.nats / Math.max(found.tokens, 1))} nats a token, ${count(found.tokens)} ${found.tokens === 1 ? "token" : "tokens"}. The lower, the more usual the text is to the model.`,
  ],
};

function off() {
  return model.off ? `Half of its answers to ${model.off.split} rows were off by at most ${brief(model.off.half)}, 90 % by at most ${brief(model.off.most)}.` : "";
}

// What the bundle keeps beside its model: labels at chosen thresholds, and sets or ranges that promise to hold what is right.
function kept(found) {
  const told = [];
  const among = (labels, none) => labels.length > MOST_BARS
    ? `${labels.slice(0, MOST_BARS).join(", ")}, … (${labels.length} labels)` : labels.join(", ") || none;
  if (found.decided != null) told.push(["At the chosen thresholds", among([found.decided].flat(), "None of the labels")]);
  if (found.set != null) told.push(["Holds what is right as often as promised", among(found.set, "None of the labels")]);
  if (found.low != null && found.high != null) told.push(["Holds what is right as often as promised", `${amount(found.low)} to ${amount(found.high)}`]);
  return told;
}

// The text with the answer marked in it. `start` counts characters, and JavaScript counts UTF-16 units.
function marked(found) {
  const characters = Array.from(found.context);
  const end = found.start + Array.from(found.predicted).length;
  const piece = (from, to) => document.createTextNode(characters.slice(from, to).join(""));
  return [piece(0, found.start), make("mark", characters.slice(found.start, end).join("")), piece(end)];
}

function show(found) {
  last.found = found;
  const [answer, sure, given = []] = TOLD[model.says](found);
  byId("answer").textContent = answer;
  byId("answer").classList.toggle("long", ["text", "turns", "spans"].includes(model.says));
  byId("sure").textContent = sure;
  byId("sure").hidden = !sure;
  const beside = kept(found);
  fill("kept", beside.flatMap(([what, said]) => [make("dt", what), make("dd", said, { dir: "auto" })]));
  byId("kept").hidden = !beside.length;
  fill("warnings", found.warnings.map((warning) => make("li", `${warning[0].toUpperCase()}${warning.slice(1)}.`)));
  byId("warnings").hidden = !found.warnings.length;
  const shares = Object.entries(found.probabilities || {});
  shares.sort((a, b) => given.includes(b[0]) - given.includes(a[0]) || b[1] - a[1]);
  byId("shares").hidden = !shares.length;
  fill("bars", shares.slice(0, MOST_BARS).map((pair) => bar(pair, given)));
  const left = shares.slice(MOST_BARS);
  byId("others").hidden = !left.length;
  const share = percent(left.reduce((sum, pair) => sum + pair[1], 0));
  const rest = left.length === 1 ? `1 other label has ${share}.` : `${left.length} other labels share ${share}.`;
  byId("others").textContent = model.says === "labels" ? `${left.length} more labels are less probable.` : rest;
  const there = model.says === "spans" && found.predicted !== null && found.start !== null;
  byId("where").hidden = !there;
  fill("where", there ? marked(found) : []);
  byId("read").textContent = found.read || "Nothing: no text is left after the steps.";
  byId("result").hidden = false;
  byId("result").scrollIntoView({ block: "nearest" });
  byId("heard").textContent = "";
  const warned = found.warnings.length ? ` Warning: ${found.warnings.join("; ")}.` : "";
  const more = beside.map(([what, said]) => ` ${what}: ${said}.`).join("");
  requestAnimationFrame(() => { byId("heard").textContent = `${answer}${sure ? `, ${sure}` : ""}.${more}${warned}`; });
}

function example(input) {
  const item = make("li");
  const shown = Object.values(input).filter((value) => value !== null).join(" · ");
  const button = make("button", "", { type: "button", dir: "auto" });
  button.append(make("span", shown, { dir: "auto" }));
  button.addEventListener("click", () => {
    for (const area of fields()) area.value = input[area.name] === null ? "" : String(input[area.name]);
    byId("form").requestSubmit();
  });
  item.append(button);
  return item;
}

function scored({ split, n, level, accuracy, metric, value, low, high }) {
  const interval = level ? `${100 * level} % interval` : "interval";
  const what = model.says === "labels" ? "Exactly the right labels on" : "Right on";
  const right = accuracy && `${what} ${percent(accuracy.value)} of ${count(n)} ${split} rows that it never learned from (${interval} ${percent(accuracy.low)} to ${percent(accuracy.high)}).`;
  const found = `${score(value)} (${interval} ${score(low)} to ${score(high)})`;
  if (!right) return `On ${count(n)} ${split} rows that it never learned from, its ${named(metric)} is ${found}.`;
  return metric === "accuracy" ? right : `${right} Its ${named(metric)} is ${found}.`;
}

function honesty() {
  if (!["label", "labels"].includes(model.says)) return "";
  const put = model.calibration
    ? `Its percentages are calibrated on ${count(model.calibration.rows)} ${model.calibration.split} rows`
    : "Its percentages are not calibrated";
  const split = model.reliability?.split ?? model.score?.split;
  const error = model.reliability?.error ?? model.scores[split]?.expected_calibration_error?.value;
  if (typeof error === "number") {
    const { rows: n, confidence, right } = model.reliability?.surest ?? {};
    const surest = n ? ` Where it was surest (${percent(confidence)} on average, ${count(n)} rows), it was right on ${percent(right)}.` : "";
    const points = Math.round(100 * error);
    const off = points < 1 ? "less than 1 point" : points === 1 ? "1 point" : `${points} points`;
    return `${put}. On ${split} rows the stated confidence was off by ${off} on average (expected calibration error ${error.toFixed(3)}).${surest}`;
  }
  return model.calibration
    ? `${put}; how well they fit was not measured.`
    : `${put}, and nobody measured how well they fit: take them as a rough guide.`;
}

function does() {
  const some = model.labels.slice(0, 6).join(", ") + (model.labels.length > 6 ? `, … (${model.labels.length} labels)` : "");
  const reads = tabular() ? `Reads ${model.inputs.length === 1 ? "a field" : `${model.inputs.length} fields`}` : "Reads a text";
  return {
    label: `${reads} and says which it is: ${some}.`,
    labels: `${reads} and says which of these it is, any number of them: ${some}.`,
    number: `${reads} and answers with a number.`,
    spans: "Reads a question and a text, and finds the answer in the text.",
    text: "Reads a text and writes another.",
    turns: "Answers as the assistant of a conversation.",
    itself: "Reads a text and says how usual it is.",
  }[model.says];
}

// What becomes of what people type: as the server was told.
function keeps() {
  const { log, feedback } = model.offers;
  const unless = feedback ? ", unless you say that an answer is wrong" : "";
  if (log === "texts") return "What you type is kept, with its answer, in the server's log.";
  if (log) return `Of what you type its length, a sketch of its words and the answer are kept in the server's log; the text itself is not${unless}.`;
  return `Nothing that you type is kept${unless}.`;
}

function introduce() {
  const title = model.run ? `${model.run.name}: ${model.name}` : model.name;
  document.title = `Ask ${title}`;
  byId("name").textContent = title;
  byId("does").textContent = does();
  fill("fields", model.inputs.map(field));
  fill("debts", model.not_for_publication.map((debt) => make("li", debt)));
  byId("banner").hidden = !model.not_for_publication.length;
  const short = model.examples.filter((input) => Object.values(input).some((value) => value !== null && value !== ""));
  fill("tries", short.slice(0, EXAMPLES).map(example));
  byId("examples").hidden = !short.length;
  byId("score").textContent = model.score ? scored(model.score) : "Nobody measured it on rows that it never learned from.";
  const waived = model.waived.map(({ what, reason }) => `Waived, ${what}: ${reason}`);
  fill("limits", [honesty(), ...model.limits, ...waived].filter((limit) => limit).map((limit) => make("li", limit)));
  const learned = model.trained_on ? ` Learned from ${count(model.trained_on)} rows.` : "";
  byId("about").textContent = `${model.use}, Seedbed ${model.seedbed}.${learned} ${keeps()}`;
  byId("cardbox").hidden = !model.card;
  if (model.card) fill("card", markdown(model.card));
  byId("ask").disabled = false;
}

byId("form").addEventListener("submit", ask);
byId("report").addEventListener("submit", report);
byId("why").addEventListener("toggle", ask_why);
byId("alike").addEventListener("toggle", ask_alike);
listen();
call("api/model").then((told) => { model = told; introduce(); fields()[0]?.focus(); }).catch(complain);
