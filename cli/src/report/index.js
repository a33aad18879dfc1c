// Index of several runs, and selection of the view.

const VERDICTS = ["unreadable", "failed", "unfinished", "passed"];

/** Properties of runs, and the headings of their columns. */
const PROPERTIES = [["id", "Run"], ["design", "Design"], ["seed", "Seed"], ["revision", "Revision"]];

/** Curve of the number of requests over time. */
function spark(counts) {
  if (counts.length === 0) return "";
  const most = Math.max(1, ...counts);
  const points = counts.map((count, at) => `${(at + .5) * 160 / counts.length} ${21 - 20 * count / most}`);
  return svg("svg", { class: "spark", viewBox: "0 0 160 22", role: "img", "aria-label": `up to ${most} requests in one of ${counts.length} steps` },
    svg("path", { d: "M0 21L" + points.join("L") + "L160 21" }));
}

const linkTo = at => el("a", { href: "#run-" + at }, rows[at].file);

function showGroups(parts) {
  const groups = new Map();
  rows.forEach((row, at) => {
    if (row.signature == null) return;
    const key = row.verdict + " " + row.signature;
    const group = groups.get(key) || { row, at, count: 0 };
    group.count++;
    if (row.first != null && (group.row.first == null || row.first < group.row.first)) [group.row, group.at] = [row, at];
    groups.set(key, group);
  });
  const sorted = [...groups.values()].sort((one, other) => other.count - one.count);
  if (sorted.length === 0) parts["groups-section"].remove();
  parts.groups.append(...sorted.slice(0, 200).map(({ row, at, count }) => {
    const first = row.first == null ? "" : `, first error in tick ${number(row.first)}`;
    const pick = el("button", { type: "button", class: "link mono", title: "Filter the runs by this signature" }, row.signature);
    pick.addEventListener("click", () => {
      parts.filter.value = row.signature;
      parts.filter.dispatchEvent(new Event("input"));
      parts.filter.focus();
    });
    return el("tr", null, el("td", { class: "num" }, number(count)), el("td", null, verdict(row.verdict)), el("td", { class: "text" }, pick),
      el("td", null, linkTo(at), first, ...[row.run.command, row.replay].filter(it => it).flatMap(it => [el("br"), el("code", { class: "command" }, it)])));
  }));
  if (sorted.length > 200) parts.groups.append(el("tr", null, el("td", { colspan: 4, class: "dim" }, `${number(sorted.length - 200)} signatures more`)));
}

function showIndex(main) {
  const [copy, parts] = view("index");
  const count = name => rows.filter(row => row.verdict === name).length;
  const there = VERDICTS.filter(count);
  parts.total.append(`${number(rows.length)} runs: `);
  there.forEach((name, at) => parts.total.append(at ? ", " : "", number(count(name)) + " ", verdict(name)));
  const boxes = there.map(name => {
    const box = el("input", { type: "checkbox", checked: "", value: name });
    parts.verdicts.append(el("label", null, box, " " + name));
    return box;
  });
  showGroups(parts);
  const known = PROPERTIES.filter(([key]) => rows.some(row => row.run[key]));
  parts.recording.after(...known.map(([, name]) => el("th", { scope: "col" }, name)));
  let shown = [];
  const pager = new Pager(parts.runs, parts.pager, 200, place => {
    const at = shown[place], row = rows[at];
    return el("tr", null, el("td", null, verdict(row.verdict)), el("td", { class: "text" }, linkTo(at)),
      ...known.map(([key]) => el("td", { class: "text" }, row.run[key] ?? "")), el("td", { class: "num" }, number(row.ticks)),
      el("td", { class: "num" }, number(row.requests)), el("td", { class: row.failed ? "num fail" : "num" }, number(row.failed)),
      el("td", null, spark(row.activity)), el("td", { class: "text" }, row.reason));
  });
  const filter = () => {
    const word = parts.filter.value.trim().toLowerCase(), names = boxes.filter(box => box.checked).map(box => box.value);
    const has = row => [row.file, row.reason, row.signature ?? "", ...known.map(([key]) => row.run[key] ?? "")].some(text => text.toLowerCase().includes(word));
    shown = rows.map((_, at) => at).filter(at => names.includes(rows[at].verdict) && has(rows[at]));
    const order = parts.order.value;
    if (order === "verdict") shown.sort((one, other) => VERDICTS.indexOf(rows[one].verdict) - VERDICTS.indexOf(rows[other].verdict));
    else if (order !== "given") shown.sort((one, other) => rows[other][order] - rows[one][order]);
    parts.shown.textContent = `${number(shown.length)} of ${number(rows.length)} runs`;
    pager.set(shown.length);
  };
  for (const part of [parts.filter, parts.order, ...boxes]) part.addEventListener("input", filter);
  main.replaceChildren(copy);
  filter();
}

async function route() {
  const main = document.getElementById("main"), many = rows.length > 1;
  const chosen = /^#run-(\d+)$/.exec(location.hash);
  const at = chosen ? +chosen[1] : many ? -1 : 0;
  const row = rows[at];
  document.title = row ? visible(row.file) + " – vhost report" : "vhost report";
  if (!row) return showIndex(main);
  const back = many ? el("a", { href: "#" }, "All runs") : null;
  const data = await unpack("run-" + at);
  if (data) showRun(main, data, back);
  else {
    const [copy, parts] = view("unread");
    if (back) parts.back.append(back); else parts.back.remove();
    parts.file.textContent = visible(row.file);
    parts.verdict.append(verdict(row.verdict), ": " + visible(row.reason));
    main.replaceChildren(copy);
  }
  if (many) {
    scrollTo(0, 0);
    main.focus();
  }
}

let rows = [];
unpack("index").then(read => {
  rows = read;
  addEventListener("hashchange", () => { if (location.hash !== "#main") route(); });
  return route();
}).catch(error => {
  document.getElementById("main").textContent = "This page can't be shown: " + error
    + ". It needs a browser with DecompressionStream (Chromium 103, Firefox 113, Safari 16.4 or newer).";
});
