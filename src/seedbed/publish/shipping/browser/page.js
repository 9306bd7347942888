import { Model } from "./model.js";

const at = (id) => document.getElementById(id);

const MOST = 5; // labels that are shown, the most probable first

function line(label, value) {
  const row = document.createElement("li");
  row.append(label === null ? String(value) : `${label} ${(100 * value).toFixed(1)} %`);
  if (label !== null) row.append(Object.assign(document.createElement("progress"), { max: 1, value }));
  return row;
}

function show(labels, answers, several) {
  if (!labels.length) return at("answers").replaceChildren(line(null, answers[0]));
  const rows = labels.map((label, i) => [label, answers[i]]).sort((a, b) => b[1] - a[1]);
  const rest = rows.slice(MOST);
  const shared = rest.reduce((sum, [, value]) => sum + value, 0);
  at("answers").replaceChildren(...rows.slice(0, MOST).map(([label, value]) => line(label, value)));
  if (rest.length && !several) at("answers").append(line(`${rest.length} others share`, shared));
}

// How good the model is and how far to trust it, as the run that made it found out.
function tell({ name, score, limits }) {
  at("name").textContent = document.title = name;
  const number = score && `${score.metric} ${score.value.toFixed(3)} (95 % interval ${score.low.toFixed(3)} to ${score.high.toFixed(3)})`;
  const lines = [...(score ? [`On ${score.n} rows that it was not trained on: ${number}.`] : []), ...limits];
  at("limits").replaceChildren(...lines.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

try {
  const model = await Model.open();
  tell(model.told.about);
  at("state").textContent = "";
  at("go").disabled = false;
  at("ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    const started = performance.now();
    try {
      show(model.told.labels, await model.ask(at("text").value), model.told.says === "labels");
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
