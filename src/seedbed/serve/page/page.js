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

const amount = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 });
// A value of a column: up to four digits stand together, for it may be a year.
const valued = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6, useGrouping: "min2" });
const brief = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });

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

async function ask(event) {
  event.preventDefault();
  if (!model) return;
  const number = ++asked;
  byId("problem").hidden = true;
  const most = model.most.characters;
  const long = fields().map(valueOf).find((value) => value.length > most);
  if (long) return complain(new Error(`That is too long: at most ${count(most)} characters are read, and this has ${count(long.length)}.`));
  if (fields().every((node) => !valueOf(node).trim())) {
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

// An answer beside the name of the column that it is of, where a text does not tell what it is about.
const called = (said) => (model.answer && (tabular() || model.says === "number") ? `${model.answer}: ${said}` : said);

// What each kind of task answers: the headline, a line under it, the labels that are given, and whether it quotes data.
const TOLD = {
  label: (found) => [called(found.predicted), `${percent(found.confidence)}: ${found.sure}`, [found.predicted]],
  labels: (found) => [found.predicted.join(", ") || "None of the labels", "Labels with a probability of 50 % or more.", found.predicted],
  number: (found) => [called(amount(found.predicted)), model.said.off],
  spans: (found) => [found.predicted || "The text does not answer this", found.confidence === null ? "" : `${percent(found.confidence)}: ${found.sure}`],
  text: (found) => [found.predicted || "(nothing)", ""],
  turns: (found) => [found.predicted || "(nothing)", ""],
  itself: (found) => [
    found.perplexity === null ? "Beyond all measure" : `Perplexity ${brief(found.perplexity)}`,
    `${brief(found.nats / Math.max(found.tokens, 1))} nats a token, ${count(found.tokens)} ${found.tokens === 1 ? "token" : "tokens"}. The lower, the more usual the text is to the model.`,
  ],
};

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

// As a sentence begins, unless it begins with the name of a column.
function begun(warning) {
  return model.inputs.some(({ name }) => warning.startsWith(`${name}:`)) ? warning : `${warning[0].toUpperCase()}${warning.slice(1)}`;
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
  fill("warnings", found.warnings.map((warning) => make("li", `${begun(warning)}.`)));
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
  const whole = [answer, sure].filter((said) => said).map((said) => (/[.!?…]$/.test(said) ? said : `${said}.`)).join(" ");
  requestAnimationFrame(() => { byId("heard").textContent = `${whole}${more}${warned}`; });
}

function example(input) {
  const item = make("li");
  const given = Object.entries(input).filter(([, value]) => value !== null);
  const shown = given.map(([name, value]) => (model.inputs.length > 1 ? `${name}: ${value}` : value)).join(" · ");
  const button = make("button", "", { type: "button", dir: "auto" });
  button.append(make("span", shown, { dir: "auto" }));
  button.addEventListener("click", () => {
    for (const node of fields()) put(node, input[node.name]);
    byId("form").requestSubmit();
  });
  item.append(button);
  return item;
}

function does() {
  const some = model.labels.slice(0, 6).join(", ") + (model.labels.length > 6 ? `, … (${model.labels.length} labels)` : "");
  const reads = tabular() ? `Reads ${model.inputs.length === 1 ? "a column" : `${model.inputs.length} columns`}` : "Reads a text";
  return {
    label: tabular() ? `${reads} and tells ${model.answer}: ${some}.` : `${reads} and says which it is: ${some}.`,
    labels: `${reads} and says which of these it is, any number of them: ${some}.`,
    number: `${reads} and tells ${model.answer}, a number.`,
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
  if (log && tabular()) return `Numbers and categories that you type are kept in the server's log, with the answer; of other texts only their length and a sketch of their words.`;
  if (log) return `Of what you type its length, a sketch of its words and the answer are kept in the server's log; the text itself is not${unless}.`;
  return `Nothing that you type is kept${unless}.`;
}

function introduce() {
  const title = model.run ? `${model.run.name}: ${model.name}` : model.name;
  document.title = `Ask ${title}`;
  byId("name").textContent = title;
  byId("does").textContent = does();
  fill("fields", model.inputs.map(field));
  byId("fields").classList.toggle("table", tabular());
  if (tabular()) byId("keys").textContent = "Enter asks. Or drop a table or JSON lines here.";
  byId("whytitle").textContent = model.shown ? "The words that mattered" : "The columns that mattered";
  fill("debts", model.not_for_publication.map((debt) => make("li", debt)));
  byId("banner").hidden = !model.not_for_publication.length;
  const short = model.examples.filter((input) => Object.values(input).some((value) => value !== null && value !== ""));
  fill("tries", short.slice(0, EXAMPLES).map(example));
  byId("examples").hidden = !short.length;
  byId("score").textContent = model.said.score;
  const waived = model.waived.map(({ what, reason }) => `Waived, ${what}: ${reason}`);
  fill("limits", [model.said.honesty, ...model.limits, ...waived].filter((limit) => limit).map((limit) => make("li", limit)));
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
