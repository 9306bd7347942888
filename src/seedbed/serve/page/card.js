// Markdown of a model's card as elements. Whatever is no Markdown that is known stands there as text: nothing is markup.
"use strict";

// Inline: code, bold, emphasis, links. A link shows where it leads, and is followed only when somebody clicks it.
function inline(text, parent) {
  const found = /(`+)(.+?)\1|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[([^\]]*)\]\((https?:\/\/[^\s)]+)\)|\\([\\`*_{}[\]()#+.!|<>-])/g;
  let at = 0;
  for (let one; (one = found.exec(text)); at = found.lastIndex) {
    parent.append(entities(text.slice(at, one.index)));
    const [, , code, bold, soft, title, address, escaped] = one;
    if (code !== undefined) parent.append(make("code", entities(code)));
    else if (bold !== undefined) inline(bold, parent.appendChild(document.createElement("strong")));
    else if (soft !== undefined) inline(soft, parent.appendChild(document.createElement("em")));
    else if (escaped !== undefined) parent.append(escaped);
    else parent.append(make("a", entities(title) || address, { href: address, rel: "noopener noreferrer", target: "_blank" }));
  }
  parent.append(entities(text.slice(at)));
  return parent;
}

const ENTITIES = { lt: "<", gt: ">", amp: "&", quot: '"', "#124": "|", "#39": "'" };
const entities = (text) => text.replace(/&(lt|gt|amp|quot|#124|#39);/g, (_, name) => ENTITIES[name]);

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

function table(lines) {
  const whole = make("table", "", { className: "plain" });
  const row = (line, tag, parent) => parent.append(cells(line).reduce((tr, cell) => {
    inline(cell, tr.appendChild(document.createElement(tag)));
    return tr;
  }, make("tr")));
  const head = whole.appendChild(make("thead"));
  row(lines[0], "th", head);
  const body = whole.appendChild(make("tbody"));
  lines.slice(2).forEach((line) => row(line, "td", body));
  const box = make("div", "", { className: "wide", tabIndex: 0 });
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Table");
  box.append(whole);
  return box;
}

// Blocks: headings, lists, tables, fenced code, paragraphs. A YAML header on top is left out.
function markdown(text) {
  const lines = text.replace(/\r\n?/g, "\n").replace(/^---\n[\s\S]*?\n---\n/, "").split("\n");
  const found = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at];
    const until = (stop) => {
      const from = at;
      do at++; while (at < lines.length && !stop(lines[at]));
      return lines.slice(from, at);
    };
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (!line.trim()) at++;
    else if (heading) {
      const head = inline(heading[2], make("p", "", { className: "heading" }));
      head.setAttribute("role", "heading");
      head.setAttribute("aria-level", Math.min(heading[1].length + 2, 6));
      found.push(head);
      at++;
    } else if (/^(```|~~~)/.test(line)) {
      const fence = line.slice(0, 3);
      const body = until((one) => one.startsWith(fence)).slice(1);
      at++;
      found.push(make("pre", body.join("\n"), { tabIndex: 0 }));
    } else if (line.trim().startsWith("|") && /^[\s|:-]+$/.test(lines[at + 1] ?? "")) {
      found.push(table(until((one) => !one.trim().startsWith("|"))));
    } else if (/^\s*([-*]|\d+\.)\s+/.test(line)) {
      const list = document.createElement(/^\s*\d/.test(line) ? "ol" : "ul");
      const items = [];
      for (const one of until((next) => !next.trim() || /^(#|```|\|)/.test(next))) {
        const item = /^\s*(?:[-*]|\d+\.)\s+(.*)$/.exec(one);
        if (item) items.push(item[1]);
        else items[items.length - 1] += ` ${one.trim()}`;
      }
      list.append(...items.map((item) => inline(item, document.createElement("li"))));
      found.push(list);
    } else {
      const words = until((one) => !one.trim() || /^(#{1,6}\s|```|~~~|\||\s*[-*]\s)/.test(one));
      found.push(inline(words.join(" "), document.createElement("p")));
    }
  }
  return found;
}
