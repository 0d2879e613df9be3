"use strict";
// The page of a replay: shows what `replay_view.py` wrote down of each recording. Texts become text, never markup.

const RECORDINGS = JSON.parse(document.getElementById("recordings").textContent);
const STEPS = 10000; // probabilities are whole numbers of this fraction
const PAUSE = 900; // milliseconds between two epochs
const percent = (x) => (x === null ? "unknown" : `${Math.round(100 * x)}\u00a0%`);
const number = (x) => (x === null ? "unknown" : Number(x.toPrecision(3)).toString().replace("-", "−"));

// Attributes, listeners (onclick …) and CSS variables (--p …) of an element, and what is in it.
function put(element, attributes, ...children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
const html = (tag, attributes = {}, ...children) => put(document.createElement(tag), attributes, ...children);
const svg = (tag, attributes = {}, ...children) =>
  put(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, ...children);

// --- curves: the epochs of a recording, the current one marked -----------------------------------------------------
const PLOT = { width: 300, height: 120, left: 46, right: 12, top: 12, bottom: 20 };

// lines: [name of a number, what it is called, class, sign]; go: what happens with the epoch that was pointed at.
function chart(epochs, title, unit, lines, go) {
  const { width, height, left, right, top, bottom } = PLOT;
  const known = lines.flatMap(([name]) => epochs.map((epoch) => epoch[name])).filter((value) => value !== null);
  const most = Math.max(...known, 0.01);
  const x = (i) => left + (epochs.length < 2 ? 0.5 : i / (epochs.length - 1)) * (width - left - right);
  const y = (value) => height - bottom - (value / most) * (height - top - bottom);
  const d = (name) => epochs.map((epoch, i) => (epoch[name] === null ? "" // a gap where the number is not known
    : `${i && epochs[i - 1][name] !== null ? "L" : "M"}${x(i).toFixed(1)} ${y(epoch[name]).toFixed(1)}`)).join("");
  const text = (x, y, words, anchor) => svg("text", { x, y, "text-anchor": anchor }, words);
  const now = svg("line", { class: "now", y1: top, y2: height - bottom });
  const marks = lines.map(() => svg("text", { class: "mark" }));
  const caption = html("figcaption");
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", "aria-hidden": "true" },
    svg("path", { class: "axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }),
    text(left - 5, top + 4, unit(most), "end"), text(left - 5, height - bottom + 4, unit(0), "end"),
    text(left, height - 5, "epoch 1", "start"), text(width - right, height - 5, epochs.length, "end"),
    ...lines.map(([name, , kind]) => svg("path", { class: kind, d: d(name) })), now, ...marks);
  const point = (event) => {
    const box = picture.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * width;
    go(Math.round(((at - left) / (width - left - right)) * (epochs.length - 1)));
  };
  put(picture, { onpointerdown: point, onpointermove: (event) => event.buttons && point(event) });
  const show = (i) => {
    put(now, { x1: x(i), x2: x(i) });
    lines.forEach(([name, , , sign], n) => {
      put(marks[n], { x: x(i), y: y(epochs[i][name] ?? 0) + 5 });
      marks[n].textContent = epochs[i][name] === null ? "" : sign;
    });
    const said = lines.map(([name, called, , sign]) => `${sign} ${called} ${unit(epochs[i][name])}`);
    caption.textContent = `${title}: ${said.join(", ")}`;
  };
  return { node: html("figure", {}, caption, picture), show };
}

// --- heat maps: a table of probabilities, what is derived in a frame -----------------------------------------------
const breakable = (name) => name.split("_").flatMap((part, i) => (i ? ["_", html("wbr"), part] : [part]));

function heatMap({ table, title, rows, columns, places }) {
  const squares = places.map((place) => html("td", { class: place < 0 ? "none" : null }));
  const row = (name, r) => html("tr", {}, html("th", { scope: "row" }, name),
    ...squares.slice(r * columns.length, (r + 1) * columns.length));
  const head = html("tr", {}, html("td"), ...columns.map((name) => html("th", { scope: "col" }, ...breakable(name))));
  const show = (epoch) => places.forEach((place, i) => {
    if (place < 0) return;
    const p = (epoch.p[table]?.[place] ?? 0) / STEPS;
    squares[i].textContent = Math.round(100 * p);
    squares[i].style.setProperty("--p", p);
    squares[i].classList.toggle("picked", epoch.picked[table].includes(place));
  });
  const node = html("div", { class: "heat", tabindex: "0", role: "group", "aria-label": title },
    html("table", {}, html("caption", {}, title), html("thead", {}, head), html("tbody", {}, ...rows.map(row))));
  return { node, show };
}

// --- cells: everything has its place; an edge of the architecture is as wide as it is probable ---------------------
function lineOf([d, tip]) {
  const line = svg("path", { class: "edge", d });
  return { line, group: svg("g", {}, line, svg("path", { class: "tip", d: tip })) };
}

function paint({ group, line }, look, p) {
  put(group, { class: look ? (look.dead ? "dead" : "there") : "off", "--c": look ? look.colour : "" });
  const width = !look || look.dead ? 1 : p === null ? 2 : 1 + 9 * p;
  put(line, { "stroke-width": width.toFixed(2), "stroke-dasharray": look ? look.dash : "2 4" });
}

function boxOf([x, y, w, h, edges, d, tip]) {
  const rect = (kind, by) => svg("rect",
    { class: kind, x: x - w / 2 - by, y: y - h / 2 - by, width: w + 2 * by, height: h + 2 * by });
  const arrow = lineOf([d, tip]), ring = rect("ring", 3), frame = rect("frame", 0);
  const name = svg("text", { x }), share = svg("text", { x, y: y + 8 });
  const group = svg("g", {}, arrow.group, ring, frame, name, share);
  const show = (look, p) => {
    put(group, { visibility: look ? "visible" : "hidden" });
    if (!look) return;
    paint(arrow, look, p);
    put(group, { "--fill": look.fill, "--on": look.ink });
    put(frame, { "stroke-dasharray": look.frame, rx: look.round ? 10 : 2 });
    put(ring, { visibility: look.double ? "inherit" : "hidden", rx: look.round ? 13 : 4 });
    put(name, { y: p === null ? y : y - 7, "--size": `${Math.min(12, 150 / look.operation.length)}px` });
    name.textContent = look.operation;
    share.textContent = p === null ? "" : percent(p);
  };
  return { group, edges, show };
}

function squareOf([x, y]) {
  const frame = svg("rect", { x: x - 13, y: y - 13, width: 26, height: 26, rx: 3 }), text = svg("text", { x, y });
  const show = (look, p) => {
    put(frame, { class: look ? "square there" : "square", "--p": p ?? 0 });
    text.textContent = p === null ? (look ? "●" : "") : Math.round(100 * p);
  };
  return { group: svg("g", {}, frame, text), show };
}

function cells({ plan, looks, operations }) {
  const lines = plan.edges.map(lineOf), boxes = plan.boxes.map(boxOf), squares = plan.squares.map(squareOf);
  const word = ([text, x, y, anchor]) => svg("text", { x, y, "text-anchor": anchor, class: "word" }, text);
  const node = ([name, x, y, width, height]) => svg("g", { class: "node" },
    svg("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 6 }), svg("text", { x, y }, name));
  const fewLines = boxes.every((box) => box.edges.length === 1); // enough room for lines that are not there
  const picture = svg("svg", { viewBox: `0 0 ${plan.size.join(" ")}`, width: 1.5 * plan.size[0], role: "img",
    class: fewLines ? "stage all" : "stage" }, ...[...lines, ...boxes, ...squares].map((part) => part.group),
    ...plan.words.map(word), ...plan.nodes.map(node));
  const show = (epoch, letters, said) => {
    const there = [...letters].map((letter) => looks[letter]);
    const p = (i) => { // how probable the operation on an edge is; null where that is not known
      const known = epoch.on[i] ?? [];
      const steps = known.length > 1 ? known[operations.indexOf(there[i]?.operation)] : known[0];
      return steps === undefined ? null : steps / STEPS;
    };
    lines.forEach((line, i) => paint(line, there[i], there[i]?.operation ? p(i) : null));
    boxes.forEach((box) => {
      const i = box.edges.find((edge) => there[edge]);
      box.show(there[i], i === undefined ? null : p(i));
    });
    squares.forEach((square, n) => square.show(there[lines.length + n], p(lines.length + n)));
    put(picture, { "aria-label": said });
  };
  return { node: html("div", { class: "drawing" }, picture), show };
}

// --- sampled architectures: a list to sort, and to choose from -----------------------------------------------------
function samples({ measures }, choose) {
  const name = "Architectures tried in this epoch";
  const sort = { place: measures[0]?.[0], up: false };
  const body = html("tbody"), heads = measures.map(([place, label]) => html("th", { scope: "col" },
    html("button", { type: "button", onclick: () => order(place) }, label)));
  let again = () => {};
  function order(place) {
    sort.up = sort.place === place && !sort.up;
    sort.place = place;
    again();
  }
  function row([sample, i], chosen) {
    const press = { type: "button", "aria-pressed": i === chosen, onclick: () => choose(i === chosen ? null : i) };
    return html("tr", { class: i === chosen ? "chosen" : null },
      html("th", { scope: "row" }, html("button", { ...press, "data-sample": i }, `sample ${i + 1}`)),
      ...measures.map(([place]) => html("td", {}, number(sample[place]))));
  }
  function show(epoch, chosen) {
    again = () => show(epoch, chosen);
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.sample : null;
    const order = sort.up ? "ascending" : "descending";
    measures.forEach(([place], c) => put(heads[c], { "aria-sort": place === sort.place ? order : "none" }));
    const ranked = epoch.samples.map((sample, i) => [sample, i]);
    ranked.sort(([a], [b]) => (sort.up ? 1 : -1) * (a[sort.place] - b[sort.place]));
    body.replaceChildren(...ranked.map((one) => row(one, chosen)));
    if (focused !== null) body.querySelector(`[data-sample="${focused}"]`)?.focus();
    node.hidden = !epoch.samples.length;
  }
  const node = html("div", { class: "samples", tabindex: "0", role: "group", "aria-label": name }, html("table", {},
    html("caption", {}, `${name}: press one to draw it, a heading to sort`),
    html("thead", {}, html("tr", {}, html("td"), ...heads)), body));
  return { node, show };
}

// --- a panel: one recording at one epoch ---------------------------------------------------------------------------
function panel(recording, name) {
  const { epochs, measures } = recording, last = epochs.length - 1;
  const state = { at: last, chosen: null, timer: null };
  const heading = html("h2"), says = html("p", { class: "says", "aria-live": "polite" });
  const warning = html("p", { class: "warning" }), notation = html("code");
  const slider = html("input", { type: "range", min: 1, max: epochs.length, "aria-label": `Epoch, ${name}`,
    oninput: () => go(slider.value - 1) });
  const play = html("button", { type: "button", class: "play", onclick: toggle });
  const accuracies = [["validation_accuracy", "validation", "one", "●"], ["train_accuracy", "training", "two", "▲"]];
  const charts = [chart(epochs, "Loss", number, [["loss", "training", "one", "●"]], go),
    chart(epochs, "Accuracy", percent, accuracies, go)];
  const cell = cells(recording), maps = recording.grids.map(heatMap);
  const tried = samples(recording, (i) => { state.chosen = i; show(); });

  function go(i) {
    state.at = Math.min(Math.max(i, 0), last);
    state.chosen = null;
    show();
  }
  function toggle() {
    if (state.timer) return stop();
    put(says, { "aria-live": "off" }); // not a sentence every second
    state.timer = setInterval(() => (state.at < last ? go(state.at + 1) : stop()), PAUSE);
    go(state.at < last ? state.at + 1 : 0);
  }
  function stop() {
    clearInterval(state.timer);
    state.timer = null;
    put(says, { "aria-live": "polite" });
    show();
  }
  function show() {
    const epoch = epochs[state.at], sample = epoch.samples[state.chosen];
    const known = () => measures.map(([place, label]) => `${label} ${number(sample[place])}`).join(", ");
    const said = sample ? `Epoch ${epoch.epoch}, drawn: sample ${state.chosen + 1}, ${known()}.` : epoch.says;
    heading.textContent = `Epoch ${epoch.epoch} of ${epochs.length}`;
    slider.value = state.at + 1;
    put(slider, { "aria-valuetext": heading.textContent });
    play.textContent = state.timer ? "⏸ Pause" : "▶ Play";
    says.textContent = said;
    warning.textContent = `⚠ ${epoch.warning}`;
    warning.hidden = !epoch.warning || Boolean(sample);
    notation.textContent = sample ? "" : epoch.architecture;
    cell.show(epoch, sample ? sample.at(-1) : epoch.drawn, said);
    tried.show(epoch, state.chosen);
    charts.forEach((part) => part.show(state.at));
    maps.forEach((part) => part.show(epoch));
  }
  show();
  const parts = [cell, { node: html("div", { class: "curves" }, ...charts.map((part) => part.node)) }, tried, ...maps];
  const node = html("section", { class: "panel", "aria-label": name }, heading,
    html("div", { class: "controls" }, play, slider), says, warning, html("div", { class: "parts" }, ...parts.map((part) => part.node)), notation);
  return { node, go, step: (by) => go(state.at + by), toggle, stop, last };
}

// --- the page ------------------------------------------------------------------------------------------------------
const app = document.getElementById("app"), theme = document.getElementById("theme"), root = document.documentElement;
const beside = html("input", { type: "checkbox", onchange: arrange });
const holder = html("div", { class: "panels" }), about = html("p", { class: "soft" });
let panels = [];

function open(recording) {
  panels.forEach((one) => one.stop());
  panels = ["first view", "second view"].map((name) => panel(recording, name));
  panels[1].go(0);
  about.textContent = recording.facts.map(([what, value]) => `${what}: ${value}`).join(" · ");
  arrange();
}

function arrange() {
  if (!beside.checked) panels[1].stop();
  holder.replaceChildren(...panels.slice(0, beside.checked ? 2 : 1).map((one) => one.node));
}

// Keys work on the panel that has the focus, else on the first one; sliders and buttons keep their own.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input")) return;
  const one = panels.find((each) => each.node.contains(event.target)) ?? panels[0];
  const moves = { ArrowLeft: () => one.step(-1), ArrowRight: () => one.step(1), Home: () => one.go(0),
    End: () => one.go(one.last), " ": one.toggle };
  if (!moves[event.key] || (event.key === " " && event.target.closest("button"))) return;
  event.preventDefault();
  moves[event.key]();
});

function paintTheme(isDark) {
  root.dataset.theme = isDark ? "dark" : "light";
  theme.textContent = isDark ? "Light theme" : "Dark theme";
}
theme.addEventListener("click", () => paintTheme(root.dataset.theme !== "dark"));
paintTheme(matchMedia("(prefers-color-scheme: dark)").matches);

app.append(html("fieldset", {}, html("legend", {}, "Recording"), ...RECORDINGS.map((recording, i) => html("label", {},
  html("input", { type: "radio", name: "recording", checked: i ? null : "", onchange: () => open(recording) }),
  recording.title))), html("label", {}, beside, "two epochs side by side"),
html("p", { class: "soft" }, "Keys: space plays and pauses, ← and → step, Home and End jump."), holder, about);
document.getElementById("still").remove();
theme.hidden = app.hidden = false;
open(RECORDINGS[0]);
