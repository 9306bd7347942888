// What is asked of a person: a field for each column that the model reads.
"use strict";

const LISTED = 20; // values that a list offers; of more, a field proposes some

const fields = () => [...document.querySelectorAll("#fields [name]")];
const tabular = () => model.task.startsWith("tabular");
const isOther = (node) => Boolean(node.selectedOptions?.[0]?.dataset.other);
const valueOf = (node) => (isOther(node) ? byId(`${node.id}-other`).value : node.value);

// A value of an example, or nothing.
function put(node, value) {
  const text = value === null || value === undefined ? "" : String(value);
  if (node.tagName !== "SELECT") {
    node.value = text;
    return;
  }
  const options = [...node.options];
  const listed = options.findIndex((one) => !one.dataset.other && one.value === text);
  node.selectedIndex = listed < 0 ? options.length - 1 : listed;
  if (listed < 0) byId(`${node.id}-other`).value = text;
  reveal(node);
}

function reveal(node) {
  byId(`${node.id}-other`).hidden = !isOther(node);
}

function field(input, place, all) {
  const box = make("div");
  const id = `input-${place}`;
  const known = input.low !== undefined || input.values;
  const hint = known || input.type === "text" || input.type === "any" ? "" : ` (${input.type})`;
  const alone = model.says === "turns" ? "What the user says" : `Your text${hint}`;
  const label = make("label", all.length === 1 && !tabular() ? alone : input.name + hint, { htmlFor: id, dir: "auto" });
  box.append(label, ...(input.low !== undefined ? number(input, id) : input.values ? choice(input, id, label) : text(input, id, hint)));
  if (model.says === "turns" && input.name === model.turns) {
    const id_of = `${id}-how`;
    box.append(make("p", 'A whole conversation also works, as JSON: [{"role": "user", "content": "…"}]', { id: id_of, className: "soft" }));
    box.querySelector("textarea").setAttribute("aria-describedby", `keys ${id_of}`);
  }
  return box;
}

function text(input, id, hint) {
  const short = Boolean(hint) || tabular();
  const area = make("textarea", "", { id, name: input.name, rows: short ? 1 : 3, dir: "auto", autocomplete: "off" });
  area.setAttribute("aria-describedby", "keys");
  area.classList.toggle("short", short);
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("form").requestSubmit();
  });
  return [area];
}

// Any text can be sent: what is no number is told by the model, in the words that a file is told.
function number(input, id) {
  const note = make("p", `${valued(input.low)} to ${valued(input.high)} in training`, { id: `${id}-range`, className: "soft" });
  // Number pads of telephones have no minus.
  const box = make("input", "", { id, name: input.name, type: "text", inputMode: input.low < 0 ? "text" : "decimal", autocomplete: "off" });
  box.setAttribute("aria-describedby", note.id);
  return [box, note];
}

function choice(input, id, label) {
  const free = make("input", "", { type: "text", autocomplete: "off", dir: "auto" });
  if (input.values.length > LISTED) {
    const list = make("datalist", "", { id: `${id}-list` });
    list.append(...input.values.map((value) => make("option", "", { value })));
    Object.assign(free, { id, name: input.name });
    free.setAttribute("list", list.id);
    return [free, list];
  }
  const some = make("select", "", { id, name: input.name });
  const other = make("option", "another value …", { value: "" });
  other.dataset.other = "yes";
  some.append(make("option", "not known", { value: "" }), ...input.values.map((value) => make("option", value, { value })), other);
  Object.assign(free, { id: `${id}-other`, hidden: true });
  free.setAttribute("aria-label", `${label.textContent}, another value`);
  some.addEventListener("change", () => {
    reveal(some);
    if (isOther(some)) free.focus();
  });
  return [some, free];
}

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
  for (const node of fields()) {
    const input = model.inputs.find((one) => one.name === node.name);
    const value = valueOf(node);
    const missing = value === "" && (input.type !== "text" || tabular());
    found[node.name] = missing ? null : node.name === model.turns ? turns(value) : value;
  }
  return found;
}
