// The page of the queues. Whatever comes from data or from the server is put in as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);
const PAGE = 50; // items of a list: so many are in the document, however long the queue is
const LONG = 20000; // characters that are laid out at once
const POLL = 2000; // milliseconds
const MANY = 8; // buttons that a telephone keeps in sight: more would cover what is judged
const MARKS = { accept: "✓", relabel: "✎", reject: "✗", rescue: "↑", skip: "–", prefer: "✓" };
const DONE = { accept: "accepted", relabel: "relabelled", reject: "rejected", rescue: "rescued", skip: "skipped", prefer: "chosen" };
const WHY = {
  wrong: "the label is probably wrong", ambiguous: "the model cannot tell", near_copy: "a near copy has another label",
  missing: "a label is probably missing", wrong_and_missing: "a label is probably wrong, and another missing",
  too_high: "the number is far above what a model foretells", too_low: "the number is far below what a model foretells",
};
const KEYS = [
  ["j k", "next, previous"], ["a", "accept the label, or rescue the row"], ["1 – 9", "give this label"], ["r", "reject the row"],
  ["s", "skip"], ["u", "undo your last decision"], ["m", "look at similar rows, and decide on them, too"], ["w", "say why"],
  ["n", "next undecided"], ["/", "search"], ["[ ]", "another queue"], ["?", "this list"], ["Esc", "back to the row"],
];
const PAIR_KEYS = [["1 2", "answer 1, or answer 2, is better"], ["0", "both are as good"], ["b", "both are bad"]];
const PREFER = { 1: ["left", "answer 1"], 2: ["right", "answer 2"], 0: ["tie", "as good"], b: ["both_bad", "both bad"] };
const preferred = (label) => Object.values(PREFER).find(([side]) => side === label)?.[1] ?? label;

let token = "";
let about = null;
let queue = null;
let view = null; // { view, total }
let at = 0;
let held = new Map(); // items of the list by their place
let item = null;
let alike = null; // similar rows, once they were asked for
let version = 0;
let chain = Promise.resolve(); // what was typed is done one after the other, and nothing is lost
let shownWhole = false;
const fetched = new Map(); // items that were fetched ahead

function make(tag, text = "", more = {}) {
  const node = document.createElement(tag);
  node.textContent = text;
  return Object.assign(node, more);
}

const count = (n) => n.toLocaleString("en");
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
// What reorders or hides text is shown as what it is; a line may end as Windows has it.
const plain = (text) => (text ?? "").replace(/\r\n?/g, "\n").replace(HIDDEN, (sign) => `⟨U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

// A set of labels comes and goes as a JSON list; people read names.
function names(label) {
  if (about?.answers !== "labels" || !label) return label ? [label] : [];
  try { const found = JSON.parse(label); return Array.isArray(found) ? found.map(String) : [label]; } catch { return [label]; }
}
const named = (label) => (about?.answers === "labels" && label ? names(label).join(", ") || "none of the labels" : label);

async function call(path, body, more = {}) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  let reply;
  try {
    reply = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), ...more });
  } catch {
    throw new Error("The server does not answer. It may have been stopped: start “seedbed review” again and open its new link. What was decided is kept.");
  }
  let told = {};
  try { told = await reply.json(); } catch { /* not ours: a proxy, perhaps */ }
  if (reply.ok) return told;
  const { problem, hint } = told.error || {};
  throw Object.assign(new Error(problem ? `${problem}${hint ? `: ${hint}` : ""}.` : `The server answered ${reply.status}.`), { status: reply.status });
}

const ask = (name, given) => call(`api/${name}?${new URLSearchParams(given)}`);

// What was done with a row; of two answers each person says their own word, so that others' words do not count.
const done = (state) => (queue.asks === "pairs" ? state?.mine : state?.action);

function complain(error) {
  byId("problem").textContent = error ? error.message : "";
  byId("problem").hidden = !error;
}

function then(work) {
  chain = chain.then(work).then(() => complain(null)).catch(complain);
  return chain;
}

function hear(text) {
  byId("heard").textContent = text;
}

// Queues and views

function tabs() {
  byId("queues").replaceChildren(...about.queues.map((one) => {
    const button = make("button", one.title, { type: "button" });
    button.append(make("span", ` ${count(one.items - one.decided)}`, { className: "soft" }));
    button.classList.toggle("apart", one.name === "test");
    if (one === queue) button.setAttribute("aria-current", "page");
    button.addEventListener("click", () => then(() => open(one)));
    return button;
  }));
  byId("progress").value = queue && queue.items ? queue.decided / queue.items : 0;
  byId("decided").textContent = queue ? `${count(queue.decided)} of ${count(queue.items)} decided` : "";
}

function options(id, first, words) {
  byId(id).replaceChildren(make("option", first, { value: "" }), ...words.map((word) => make("option", plain(named(word)), { value: word })));
  byId(id).hidden = words.length < 2;
}

async function open(one) {
  queue = one;
  byId("about").textContent = one.about;
  byId("warning").textContent = one.warning;
  byId("warning").hidden = !one.warning;
  options("label", "any label", one.labels);
  options("kind", "any kind", one.kinds);
  byId("search").value = byId("state").value = "";
  tabs();
  await look();
}

async function look() {
  const given = { queue: queue.name, label: byId("label").value, kind: byId("kind").value, text: byId("search").value, state: byId("state").value };
  view = await ask("view", given);
  held = new Map();
  fetched.clear();
  byId("card").hidden = !view.total;
  byId("empty").hidden = view.total > 0;
  if (!view.total) {
    item = null;
    byId("list").replaceChildren();
    byId("where").textContent = "0 rows";
    return hear("Nothing here.");
  }
  await go(view.first);
}

async function windowAt(place) {
  const start = place - (place % PAGE);
  if (held.has(place)) return start;
  let items;
  try {
    items = await ask("window", { view: view.view, at: start, n: PAGE });
  } catch (error) {
    if (error.status !== 410) throw error;
    const again = at;
    await look();
    at = Math.min(again, view.total - 1);
    return windowAt(at);
  }
  held = new Map(items.map((one, n) => [start + n, one]));
  return start;
}

function list(start) {
  byId("where").textContent = `${count(start + 1)} to ${count(start + held.size)} of ${count(view.total)}`;
  byId("list").start = start + 1;
  byId("list").replaceChildren(...[...held].map(([place, one]) => {
    const line = make("li");
    const button = make("button", "", { type: "button" });
    const mark = done(one.state) ? MARKS[done(one.state)] : "";
    button.append(make("span", one.state?.torn && mark ? "⚡" : mark, { className: "mark" }), make("span", plain(one.text) || "(no text)", { className: "head", dir: "auto" }));
    if (place === at) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => then(() => go(place)));
    line.append(button);
    return line;
  }));
  byId("list").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

// One row

function detail(place) {
  const row = held.get(place)?.row;
  if (row === undefined) return null;
  if (!fetched.has(row)) {
    const asked = ask("item", { queue: queue.name, row });
    asked.catch(() => fetched.delete(row));
    fetched.set(row, asked);
    if (fetched.size > 20) fetched.delete(fetched.keys().next().value);
  }
  return fetched.get(row);
}

async function go(place) {
  if (!view || !view.total) return;
  at = Math.max(0, Math.min(place, view.total - 1));
  const start = await windowAt(at);
  item = await detail(at);
  item.state = held.get(at)?.state ?? item.state;
  alike = null;
  shownWhole = false;
  byId("why").value = "";
  list(start);
  show();
  detail(at + 1);
  const other = item.other?.label ? ` ${item.other.split ? "The row that stayed" : "Another row, rejected too,"} has the label ${item.other.label}.` : "";
  const both = queue.asks === "pairs" ? ` Answer 1: ${plain(item.left).slice(0, 300)}. Answer 2: ${plain(item.right).slice(0, 300)}` : "";
  hear(`Row ${count(at + 1)} of ${count(view.total)}. ${item.label ? `Label ${named(item.label)}.` : ""}${other} ${plain(item.text).slice(0, 300)}${both}`);
}

function fill(id, text) {
  const whole = plain(text);
  const cut = !shownWhole && whole.length > LONG;
  byId(id).textContent = cut ? `${whole.slice(0, LONG)}…` : whole || "(no text)";
  byId(id).classList.toggle("none", !whole);
  return cut;
}

function fact(name, value, className = "") {
  return value === null || value === undefined || value === "" ? [] : [make("dt", name), make("dd", plain(String(value)), { className, dir: "auto" })];
}

function evidence() {
  let told = {};
  try { told = JSON.parse(item.told || "{}"); } catch { /* not ours */ }
  const words = (value) => Array.isArray(value) && value.every((one) => typeof one !== "object") ? value.join(", ") : value && typeof value === "object" ? JSON.stringify(value) : value;
  const shown = Object.entries(told).filter(([, value]) => value !== item.other?.row); // it stands above, with its text
  return shown.flatMap(([name, value]) => fact(name === "of" ? "nearest row" : name.replaceAll("_", " "), words(value)));
}

function reason() {
  const part = (item.part ?? "").replace(/\.\d+$/, "");
  return WHY[item.kind] ?? [item.part, item.kind === part ? "" : item.kind].filter(Boolean).join(": ").replaceAll("_", " ");
}

// The row that this one is a copy of, or that contradicts it: both labels above both texts.
function beside() {
  const { other } = item;
  byId("texts").classList.toggle("both", !!other);
  byId("beside").hidden = byId("own").hidden = !other;
  if (!other) return false;
  const headed = (id, what, label) => byId(id).replaceChildren(make("span", `${what}: `, { className: "soft" }), make("span", plain(named(label)) || "no label", { dir: "auto" }));
  headed("own", "this row", item.label);
  headed("other", other.split ? "the row that stayed" : "another row, rejected too", other.label);
  byId("otherid").textContent = plain([other.row, other.split].filter(Boolean).join(" · "));
  return fill("othertext", other.text);
}

function show() {
  const pairs = queue.asks === "pairs";
  byId("place").textContent = `${count(at + 1)} of ${count(view.total)}`;
  byId("id").textContent = [pairs ? "" : item.row, item.split].filter(Boolean).join(" · ");
  byId("text").hidden = pairs && !item.text;
  byId("pair").hidden = !pairs;
  const cut = [fill("text", item.text), beside(), pairs && fill("left", item.left), pairs && fill("right", item.right)].some(Boolean);
  byId("more").hidden = !cut;
  const left = Object.values(item.cut || {}).reduce((sum, n) => sum + n, 0);
  const sure = item.score === null || pairs ? "" : ` (${(100 * item.score).toFixed(1)}\u00a0%)`;
  byId("facts").replaceChildren(
    ...fact(about.answers === "number" ? "number" : about.answers === "labels" ? "labels" : "label", named(item.label), "strong"),
    ...fact(queue.name === "reported" ? "somebody says" : about.answers === "number" ? "a model foretells" : "the model says", item.suggested && `${named(item.suggested)}${sure}`),
    ...fact("why it is here", reason()), ...evidence(),
    ...fact("not shown", left ? `the last ${count(left)} characters` : ""));
  byId("near").replaceChildren(...(item.near || []).map((one) => {
    const line = make("li", "", { dir: "auto" });
    line.append(make("strong", plain(named(one.label))), ` ${Math.round(100 * one.similarity)} % alike: ${plain(one.text)}`);
    return line;
  }));
  byId("neighbours").hidden = !item.near?.length;
  byId("neighbours").open = true;
  said();
  choices();
  similar();
}

function said() {
  const pairs = queue.asks === "pairs";
  const words = pairs && !item.state?.mine ? [] : item.state?.words || []; // whoever has not chosen yet chooses alone
  byId("said").hidden = !words.length;
  byId("said").classList.toggle("bad", !!item.state?.torn && words.length > 0);
  const told = words.map((one) => make("p", `${one.who} ${one.action === "prefer" ? `chose ${preferred(one.label)}` : DONE[one.action]}${one.label && one.action !== "prefer" ? ` as ${plain(named(one.label))}` : ""}${one.why ? `: ${plain(one.why)}` : ""}`));
  if (item.state?.torn && words.length) told.unshift(make("p", pairs ? "People disagree here." : "People disagree here. The last decision counts.", { className: "strong" }));
  byId("said").replaceChildren(...told);
}

function choice(key, text, action, label) {
  const button = make("button", "", { type: "button", className: action });
  button.append(make("kbd", key), ` ${text}`);
  const mine = item.state?.words.find((one) => one.who === about.who);
  button.setAttribute("aria-pressed", String(!!mine && mine.action === action && (!["relabel", "prefer"].includes(action) || mine.label === label)));
  if (action === "relabel" && label === item.suggested) button.classList.add("suggested");
  button.addEventListener("click", () => then(() => decide(action, label)));
  return button;
}

function choices() {
  const takes = (action) => queue.actions.includes(action);
  const found = [];
  if (takes("accept")) found.push(choice("a", item.label ? `${plain(named(item.label))} is right` : "accept", "accept"));
  if (takes("rescue")) found.push(choice("a", item.label ? `rescue as ${plain(named(item.label))}` : "rescue", "rescue"));
  if (takes("prefer")) found.push(...["1", "2", "0", "b"].map((key) => choice(key, PREFER[key][1], "prefer", PREFER[key][0])));
  if (takes("relabel") && about.answers === "labels") found.push(set());
  if (takes("relabel") && about.answers === "number") found.push(number());
  if (takes("relabel") && about.answers === "label") found.push(...about.labels.slice(0, 9).map((label, n) => choice(String(n + 1), plain(label), "relabel", label)));
  if (takes("relabel") && about.answers === "label" && about.labels.indexOf(item.suggested) > 8) found.push(choice("g", plain(item.suggested), "relabel", item.suggested));
  if (takes("relabel") && about.answers === "label" && about.labels.length > 9) {
    const others = make("select", "");
    others.setAttribute("aria-label", "Another label");
    others.append(make("option", "another label …", { value: "" }), ...about.labels.slice(9).map((label) => make("option", plain(label), { value: label })));
    others.addEventListener("change", () => others.value && then(() => decide("relabel", others.value)));
    found.push(others);
  }
  if (takes("reject")) found.push(choice("r", takes("rescue") ? "leave rejected" : "reject", "reject"));
  if (takes("skip")) found.push(choice("s", "skip", "skip"));
  const undo = make("button", "", { type: "button" });
  undo.append(make("kbd", "u"), " undo");
  undo.addEventListener("click", () => then(undone));
  found.push(undo);
  if (queue.asks !== "pairs") {
    const more = make("button", "", { type: "button" });
    more.append(make("kbd", "m"), " similar rows");
    more.addEventListener("click", () => then(together));
    found.push(more);
  }
  byId("choices").classList.toggle("many", found.length > MANY);
  byId("choices").replaceChildren(...found);
}

// A set of labels: what is suggested is ticked; the keys 1 to 9 tick, and g gives the set.
function set() {
  const mine = item.state?.words.find((one) => one.who === about.who && one.action === "relabel");
  const ticked = new Set(names(mine?.label ?? item.suggested ?? item.label));
  const field = make("fieldset", "", { className: "set", id: "set" });
  const known = [...about.labels, ...[...ticked].filter((name) => !about.labels.includes(name))];
  field.append(make("legend", "labels"), ...known.map((name, n) => {
    const line = make("label", "", { dir: "auto" });
    const box = make("input", "", { type: "checkbox", value: name, checked: ticked.has(name) });
    line.append(box, ...(n < 9 ? [make("kbd", String(n + 1))] : []), ` ${plain(name)} `);
    return line;
  }));
  const give = make("button", "", { type: "button" });
  give.append(make("kbd", "g"), " give these labels");
  give.addEventListener("click", () => then(() => decide("relabel", chosen())));
  field.append(give);
  return field;
}

function number() {
  const field = make("span", "", { className: "set" });
  const box = make("input", "", { id: "number", type: "text", inputMode: "decimal", value: item.state?.label ?? item.suggested ?? "", size: 12 });
  box.setAttribute("aria-label", "The right number");
  const give = make("button", "", { type: "button" });
  give.append(make("kbd", "g"), " give this number");
  give.addEventListener("click", () => then(() => decide("relabel", chosen())));
  box.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.stopPropagation(); event.preventDefault(); give.click(); } });
  field.append(box, give);
  return field;
}

function chosen() {
  if (about.answers === "number") return byId("number").value.trim();
  return JSON.stringify([...byId("set").querySelectorAll("input:checked")].map((box) => box.value));
}

// Similar rows

async function together() {
  if (queue.asks === "pairs") return;
  if (alike) { alike = null; return similar(); }
  const found = await ask("similar", { queue: queue.name, row: item.row });
  alike = found.map((one) => ({ ...one, chosen: !one.state || one.state.action === "skip" }));
  similar();
  hear(byId("alike").textContent);
}

function similar() {
  byId("similar").hidden = !alike;
  if (!alike) return;
  const told = () => {
    const n = alike.filter((one) => one.chosen).length;
    byId("alike").textContent = alike.length ? `What you decide now is said of this row and of ${count(n)} of ${count(alike.length)} similar rows:` : "No other row of this queue is similar.";
  };
  told();
  byId("others").replaceChildren(...alike.map((one) => {
    const line = make("li");
    const label = make("label", "", { dir: "auto" });
    const box = make("input", "", { type: "checkbox", checked: one.chosen });
    box.addEventListener("change", () => { one.chosen = box.checked; told(); });
    label.append(box, make("strong", ` ${plain(named(one.label))} `), `${Math.round(100 * one.similarity)} %${one.state ? `, ${DONE[one.state.action]}` : ""}: ${plain(one.text)}`);
    line.append(label);
    return line;
  }));
}

// Deciding

function take({ rows, progress }) {
  for (const one of about.queues) one.decided = progress[one.name];
  tabs();
  for (const one of held.values()) if (one.row in rows) one.state = rows[one.row];
  if (item && item.row in rows) item.state = rows[item.row];
}

async function refreshed() {
  const told = await ask("news", { since: version });
  version = told.version;
  take(told);
}

async function decide(action, label) {
  if (!item) return;
  const also = (alike || []).filter((one) => one.chosen).map((one) => one.row);
  if (action === "relabel" && label === item.label && !also.length && queue.actions.includes("accept")) [action, label] = ["accept", undefined];
  // “negative is right”, said of similar rows too, gives all of them this label, not each its own.
  if (action === "accept" && also.length && item.label && queue.actions.includes("relabel")) [action, label] = ["relabel", item.label];
  const body = { queue: queue.name, row: item.row, action, why: byId("why").value, also };
  if (label !== undefined) body.label = label;
  const told = await call("api/decide", body);
  take(told);
  const more = also.length ? ` with ${count(also.length)} similar rows` : "";
  const last = at + 1 >= view.total;
  if (last) { alike = null; list(at - (at % PAGE)); show(); } else await go(at + 1);
  const what = action === "prefer" ? ` ${preferred(label)}` : label ? ` ${named(label)}` : "";
  hear(`${DONE[action]}${what}${more}. ${last ? "This was the last row." : byId("heard").textContent}`);
}

async function undone() {
  const told = await call("api/undo", {});
  take(told);
  const [row] = Object.keys(told.rows);
  const back = [...held].find(([, one]) => one.row === row);
  if (back) await go(back[0]);
  else { list(at - (at % PAGE)); show(); }
  hear("Undone.");
}

async function nextOpen() {
  for (let place = at + 1; place < view.total; place += 1) {
    await windowAt(place);
    const { state } = held.get(place);
    if (!done(state) || done(state) === "skip") return go(place);
  }
  hear("Nothing undecided comes after this row.");
  return go(at);
}

// Keys

function act(key) {
  const takes = (action) => queue.actions.includes(action);
  const label = about.labels[Number(key) - 1];
  if (key === "j" || key === "ArrowDown") return () => go(at + 1);
  if (key === "k" || key === "ArrowUp") return () => go(at - 1);
  if (takes("prefer") && key in PREFER) return () => decide("prefer", PREFER[key][0]);
  if (key === "a") return takes("accept") ? () => decide("accept") : takes("rescue") ? () => decide("rescue") : null;
  if (key === "r" && takes("reject")) return () => decide("reject");
  if (key === "s" && takes("skip")) return () => decide("skip");
  if (key === "g" && takes("relabel") && about.answers !== "label") return () => decide("relabel", chosen());
  if (key === "g" && takes("relabel") && about.answers === "label" && item?.suggested) return () => decide("relabel", item.suggested);
  if (/^[1-9]$/.test(key) && label !== undefined && takes("relabel")) {
    if (about.answers === "labels") return () => { byId("set").querySelectorAll("input")[Number(key) - 1]?.click(); };
    if (about.answers === "label") return () => decide("relabel", label);
  }
  return { u: undone, m: together, n: nextOpen }[key];
}

function typed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || byId("help").open) return;
  const inField = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape" || (event.key === "Enter" && event.target.id === "why")) {
    alike = event.key === "Escape" ? null : alike;
    if (item) similar();
    document.activeElement.blur();
    return event.preventDefault();
  }
  if (inField || !about || !queue) return;
  const fields = { "/": "search", w: "why" };
  if (event.key in fields) {
    const field = byId(fields[event.key]);
    field.closest("details")?.setAttribute("open", "");  // what is folded cannot be focused, and letters would be commands
    field.focus();
  }
  else if (event.key === "?") byId("help").showModal();
  else if (event.key === "[" || event.key === "]") {
    const here = about.queues.indexOf(queue) + (event.key === "]" ? 1 : -1) + about.queues.length;
    then(() => open(about.queues[here % about.queues.length]));
  } else {
    const work = act(event.key);
    if (!work) return;
    then(() => item && work());
  }
  event.preventDefault();
}

function poll() {
  setTimeout(async () => {
    const before = item && JSON.stringify(item.state);
    try {
      if (!document.hidden) await refreshed();
      if (item && JSON.stringify(item.state) !== before) { said(); choices(); }
      if (view && view.total && held.has(at)) list(at - (at % PAGE));
    } catch (error) { complain(error); }
    poll();
  }, POLL);
}

async function begin() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem("seedbed-review", given);
    history.replaceState(null, "", location.pathname); // so that the link is not read over a shoulder
  }
  token = sessionStorage.getItem("seedbed-review") || "";
  if (!token) throw new Error("Open the link that “seedbed review” printed for you: it says who you are.");
  about = await ask("about", {});
  version = about.version;
  document.title = `Review: ${about.title}`;
  byId("title").textContent = about.title;
  byId("who").textContent = about.who;
  byId("tocard").hidden = !about.card;
  byId("file").textContent = about.file;
  byId("notes").replaceChildren(...about.notes.map((note) => make("li", plain(note))));
  byId("notes").hidden = !about.notes.length;
  byId("listing").open = window.innerWidth > 900;
  const GIVEN = { label: [["1 – 9", "give this label"], ["g", "give the label that the model says"]], labels: [["1 – 9", "tick a label, or not"], ["g", "give the labels that are ticked"]], number: [["g", "give the number"]] };
  const ROWS = KEYS.flatMap((one) => (one[0] === "1 – 9" ? GIVEN[about.answers] ?? [] : [one]));
  const keys = about.queues.some((one) => one.asks === "pairs") ? [...PAIR_KEYS, ...KEYS.filter(([key]) => "j k s u w n / ? Esc".includes(key))] : ROWS;
  byId("keylist").replaceChildren(...keys.map(([key, what]) => {
    const line = make("tr");
    const head = make("th", "", { scope: "row" });
    head.append(make("kbd", key));
    line.append(head, make("td", what));
    return line;
  }));
  if (!about.queues.length) { byId("empty").hidden = false; return; }
  await open(about.queues[0]);
  poll();
}

document.addEventListener("keydown", typed);
for (const id of ["label", "kind", "state"]) byId(id).addEventListener("change", () => then(look));
let waiting = 0;
byId("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => then(look), 200); });
byId("ask").addEventListener("click", () => byId("help").showModal());
byId("more").addEventListener("click", () => { shownWhole = true; show(); });
then(begin);
