import { Model } from "./model.js";

const at = (id) => document.getElementById(id);

function show(labels, answers) {
  const rows = labels.length ? labels.map((label, i) => [label, answers[i]]) : [["", answers[0]]];
  rows.sort((a, b) => b[1] - a[1]);
  at("answers").replaceChildren(...rows.map(([label, value]) => {
    const row = document.createElement("li");
    row.append(labels.length ? `${label} ${(100 * value).toFixed(1)} %` : String(value));
    if (labels.length) row.append(Object.assign(document.createElement("progress"), { max: 1, value }));
    return row;
  }));
}

try {
  const model = await Model.open();
  at("name").textContent = document.title = model.told.model;
  at("state").textContent = "";
  at("go").disabled = false;
  at("ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    const started = performance.now();
    try {
      show(model.told.labels, await model.ask(at("text").value));
      at("state").textContent = `${(performance.now() - started).toFixed(1)} ms`;
    } catch (error) {
      at("state").textContent = `It failed: ${error.message}`;
    }
  });
  const { examples, largest } = await model.check();
  at("checked").textContent = `${examples} examples answered here; the largest difference from the model: ${largest.toExponential(1)}.`;
} catch (error) {
  at("state").textContent = `The model cannot be opened: ${error.message}. Was "npm install && npm run vendor" run?`;
}
