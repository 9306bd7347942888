// The page of the card. Whatever comes from data, people or the server is put in as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);
const NAMES = { card: "dataset card", datasheet: "datasheet", croissant: "Croissant", data_statement: "data statement" };

let token = "";
let state = null;
let at = 0;
let chain = Promise.resolve(); // what was typed is done one after the other

function make(tag, text = "", more = {}) {
  const node = document.createElement(tag);
  node.textContent = text;
  return Object.assign(node, more);
}

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
// What reorders or hides text is shown as what it is.
const plain = (text) => text.replace(HIDDEN, (sign) => `⟨U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

async function call(name, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  let reply;
  try {
    reply = await fetch(`api/${name}`, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("The server does not answer. It may have been stopped: start “seedbed review” again and open its new link. What was saved is kept.");
  }
  let told = {};
  try { told = await reply.json(); } catch { /* not ours: a proxy, perhaps */ }
  if (reply.ok) return told;
  const { problem, hint } = told.error || {};
  throw new Error(problem ? `${problem}${hint ? `: ${hint}` : ""}.` : `The server answered ${reply.status}.`);
}

function complain(error) {
  byId("problem").textContent = error ? plain(error.message) : "";
  byId("problem").hidden = !error;
}

function then(work) {
  chain = chain.then(work).then(() => complain(null)).catch(complain);
  return chain;
}

const hear = (text) => { byId("heard").textContent = text; };
const share = ({ answered, of }) => `${answered} of ${of}`;
const waits = (one) => !one.answered || one.stale.length > 0;
const marked = (one) => one.stale.length ? "!" : one.answered ? "✓" : one.required ? "●" : "";

function overview() {
  byId("required").value = state.required.of ? state.required.answered / state.required.of : 1;
  byId("needed").textContent = `${share(state.required)} required, ${share(state.all)} in all`;
  byId("papers").textContent = Object.entries(state.papers).map(([paper, told]) => `${NAMES[paper]} ${share(told)}`).join(" · ");
  const moved = state.questions.filter((one) => one.stale.length);
  byId("moved").textContent = `The data changed since ${moved.length === 1 ? "an answer was" : `${moved.length} answers were`} given; they are marked with “!”.`;
  byId("moved").hidden = !moved.length;
  byId("where").textContent = `${state.questions.length} questions, ${state.questions.filter(waits).length} wait`;
  byId("list").replaceChildren(...state.questions.map((one, place) => {
    const line = make("li");
    line.className = one.stale.length ? "moved" : !one.answered && one.required ? "open" : "";
    const button = make("button", "", { type: "button" });
    button.append(make("span", marked(one), { className: "mark" }), make("span", one.key.replaceAll("_", " "), { className: "head" }));
    if (place === at) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => then(() => go(place)));
    line.append(button);
    return line;
  }));
  byId("list").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

function field(one) {
  let found;
  if (one.choices.length) {
    found = make("select");
    found.append(...["", ...one.choices].map((word) => make("option", word || "not answered", { value: word })));
  } else found = make(one.one_line ? "input" : "textarea", "", { dir: "auto", autocomplete: "off", spellcheck: true });
  found.id = "answer";
  found.maxLength = 100000;
  found.value = one.answer;
  found.setAttribute("aria-describedby", "why example");
  byId("field").replaceChildren(found);
}

function list(id, texts) {
  byId(id).replaceChildren(...texts.map((text) => make("li", plain(text), { dir: "auto" })));
  byId(id).parentElement.hidden = !texts.length;
}

function show() {
  const one = state.questions[at];
  byId("card").hidden = false;
  byId("place").textContent = `${at + 1} of ${state.questions.length}`;
  byId("mark").textContent = one.answered ? "" : one.required ? "publishing waits for this one" : "";
  byId("question").textContent = one.question;
  byId("why").textContent = one.why;
  byId("example").textContent = one.choices.length ? "" : `Such as: ${one.such_as}`;
  byId("used").textContent = `Goes to: ${Object.entries(one.papers).map(([paper, where]) => `${NAMES[paper]} (${where})`).join(", ")}.`;
  list("measured", one.measured.map((fact) => `${fact.name}: ${fact.text}`));
  list("changes", one.stale);
  byId("holds").hidden = !one.stale.length;
  field(one);
}

const typed = () => byId("answer").value;
const unsaved = () => state && byId("answer") && typed().trim() !== state.questions[at].answer.trim();

async function go(place) {
  if (unsaved()) await save();
  at = Math.max(0, Math.min(place, state.questions.length - 1));
  overview();
  show();
  hear(`Question ${at + 1} of ${state.questions.length}. ${byId("question").textContent}`);
}

async function save() {
  const one = state.questions[at];
  state = await call("answer", { key: one.key, text: typed(), was: one.answer });
  at = Math.max(0, state.questions.findIndex((other) => other.key === one.key));
  overview();
  show();
}

async function saveAndOn() {
  if (unsaved()) await save();
  await nextOpen();
  if (document.activeElement === document.body) byId("answer").focus();
}

async function holds() {
  const one = state.questions[at];
  if (!one.stale.length) return;
  state = await call("confirm", { key: one.key });
  await nextOpen();
}

async function nextOpen() {
  const order = [...state.questions.keys()].map((n) => (at + 1 + n) % state.questions.length);
  const found = order.find((place) => waits(state.questions[place]));
  if (found === undefined) { overview(); show(); hear("Every question is answered."); } else await go(found);
}

const KEYS = { j: () => go(at + 1), ArrowDown: () => go(at + 1), k: () => go(at - 1), ArrowUp: () => go(at - 1), n: nextOpen, y: holds };

function pressed(event) {
  if (!state || byId("help").open || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); then(saveAndOn); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inField = event.target.id === "answer";
  if (event.key === "Escape" && inField) { event.target.blur(); event.preventDefault(); return; }
  if (inField) return;
  if (event.key === "e") byId("answer").focus();
  else if (event.key === "?") byId("help").showModal();
  else if (event.key in KEYS) then(KEYS[event.key]);
  else return;
  event.preventDefault();
}

async function begin() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem("seedbed-review", given);
    history.replaceState(null, "", location.pathname); // so that the link is not read over a shoulder
  }
  token = sessionStorage.getItem("seedbed-review") || "";
  if (!token) throw new Error("Open the link that “seedbed review” printed for you: it says who you are.");
  state = await call("card");
  document.title = `Card: ${state.run || state.file}`;
  byId("title").textContent = `Card: ${plain(state.run || state.file)}`;
  byId("file").textContent = plain(state.file);
  byId("listing").open = window.innerWidth > 900;
  at = Math.max(0, state.questions.findIndex(waits));
  overview();
  show();
}

document.addEventListener("keydown", pressed);
window.addEventListener("beforeunload", (event) => { if (unsaved()) event.preventDefault(); });
for (const [id, work] of [["save", saveAndOn], ["holds", holds], ["before", () => go(at - 1)], ["after", () => go(at + 1)], ["open", nextOpen]]) byId(id).addEventListener("click", () => then(work));
byId("ask").addEventListener("click", () => byId("help").showModal());
then(begin);
