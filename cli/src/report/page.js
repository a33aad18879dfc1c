// Helpers, and the view of one run. Text of firmware enters the page as text nodes only.

/** Replaces control characters and direction marks by visible escapes. */
function visible(text) {
  return String(text).replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g,
    c => c === "\t" ? "\t" : "\\u{" + c.codePointAt(0).toString(16) + "}");
}

/** Creates an element with properties and children. Strings become text nodes. */
function el(tag, props, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  for (const child of children) if (child != null) made.append(child instanceof Node ? child : visible(child));
  return made;
}

function svg(tag, props, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(props || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Copies a template. Returns its elements by `data-id`. */
function view(id) {
  const copy = document.getElementById("view-" + id).content.cloneNode(true);
  const parts = {};
  for (const part of copy.querySelectorAll("[data-id]")) parts[part.dataset.id] = part;
  return [copy, parts];
}

/** Unpacks the value of a data block; null for an empty one. */
async function unpack(id) {
  const packed = document.getElementById("data-" + id).textContent;
  if (!packed) return null;
  const bytes = Uint8Array.from(atob(packed), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const whole = await new Response(stream).arrayBuffer(), end = 4 + new DataView(whole).getUint32(0, true);
  const value = JSON.parse(new TextDecoder().decode(new Uint8Array(whole, 4, end - 4)));
  if (value.requests) value.requests.bytes = new Uint8Array(whole, end);
  return value;
}

const number = value => Number(value).toLocaleString("en");
const verdict = name => el("span", { class: "verdict " + name }, name);

/** Formats the time of a tick, if the period is known. */
function timeOf(tick, period) {
  if (!period) return "";
  let value = tick * period, unit = "ps";
  for (const next of ["ns", "µs", "ms", "s"]) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return Number(value.toPrecision(7)) + " " + unit;
}

/** Creates text with marks on the searched words. */
function marked(text, word) {
  const shown = visible(text);
  if (!word) return [shown];
  const parts = [], low = shown.toLowerCase();
  if (low.length !== shown.length) return [shown];
  let from = 0;
  for (let at = low.indexOf(word); at >= 0 && parts.length < 100; at = low.indexOf(word, from)) {
    parts.push(shown.slice(from, at), el("mark", null, shown.slice(at, at + word.length)));
    from = at + word.length;
  }
  parts.push(shown.slice(from));
  return parts;
}

/** Pages of a long list: `row` creates the element of the item with a number. */
class Pager {
  constructor(body, bar, size, row) {
    Object.assign(this, { body, size, row, count: 0, page: 0 });
    this.before = el("button", { type: "button", onclick: () => this.show(this.page - 1) }, "Previous");
    this.after = el("button", { type: "button", onclick: () => this.show(this.page + 1) }, "Next");
    this.where = el("span", { role: "status", class: "dim" });
    bar.append(this.before, this.after, this.where);
    this.bar = bar;
  }
  set(count, page = 0) {
    this.count = count;
    this.show(page);
  }
  show(page) {
    const pages = Math.max(1, Math.ceil(this.count / this.size));
    this.page = Math.min(Math.max(page, 0), pages - 1);
    const rows = [], first = this.page * this.size, end = Math.min(first + this.size, this.count);
    for (let at = first; at < end; at++) rows.push(this.row(at));
    this.body.replaceChildren(...rows);
    this.before.disabled = this.page === 0;
    this.after.disabled = this.page === pages - 1;
    this.bar.hidden = pages === 1;
    this.where.textContent = `${number(first + 1)} to ${number(end)} of ${number(this.count)}`;
  }
}

/** Requests of a run as arrays, decoded from the columns of `cli/src/report/columns.rs`. */
function requestsOf(data) {
  const packed = data.requests, count = packed.count;
  const column = ({ at, width }) => {
    const numbers = new Float64Array(count);
    for (let place = width - 1; place >= 0; place--) {
      const bytes = packed.bytes.subarray(at + place * count, at + (place + 1) * count);
      for (let row = 0; row < count; row++) numbers[row] = numbers[row] * 256 + bytes[row];
    }
    return numbers;
  };
  const values = packed => {
    let fresh = 0;
    return column(packed).map(it => it ? it - 1 : fresh++);
  };
  const columns = {
    channel: column(packed.channel), kind: values(packed.kind), text: values(packed.text), outcome: values(packed.outcome),
    kinds: packed.kinds, texts: packed.texts, outcomes: packed.outcomes, gap: packed.gap,
  };
  const ticks = column(packed.ticks), answered = column(packed.answered), segment = column(packed.segment);
  const taken = new Float64Array(count), failed = new Uint8Array(count);
  for (let at = 0; at < count; at++) {
    answered[at] += at && segment[at] === segment[at - 1] ? answered[at - 1] : 0;
    taken[at] = Math.max(0, answered[at] - ticks[at]);
    failed[at] = columns.outcomes[columns.outcome[at]][1];
  }
  return {
    count, taken, answered, failed, ticks, channel: columns.channel, segment, segments: packed.segments, kind: columns.kind, gap: columns.gap,
    kinds: columns.kinds,
    channelName: at => data.channels[columns.channel[at]]?.name ?? "",
    kindName: at => columns.kinds[columns.kind[at]],
    text: at => columns.texts[columns.text[at]],
    outcome: at => columns.outcomes[columns.outcome[at]][0],
    /** Returns the numbers of the requests that match a search. */
    select({ word, channel, kind, failedOnly }) {
      const has = text => text.toLowerCase().includes(word);
      const names = data.channels.map(it => has(it.name));
      const texts = columns.texts.map(has), outcomes = columns.outcomes.map(it => has(it[0])), kinds = columns.kinds.map(has);
      const found = [];
      for (let at = 0; at < count; at++) {
        if (channel !== "" && columns.channel[at] !== +channel) continue;
        if (kind !== "" && columns.kind[at] !== +kind) continue;
        if (failedOnly && !failed[at]) continue;
        if (word && !(texts[columns.text[at]] || outcomes[columns.outcome[at]] || kinds[columns.kind[at]] || names[columns.channel[at]])) continue;
        found.push(at);
      }
      return found;
    },
  };
}

function showRun(main, data, back) {
  const [copy, parts] = view("run");
  if (back) parts.back.append(back); else parts.back.remove();
  parts.file.textContent = visible(data.file);
  parts.verdict.append(verdict(data.verdict));
  parts.reasons.append(...data.reasons.map(text => el("li", null, text)));
  for (const [name, value] of data.facts) parts.facts.append(el("dt", null, name), el("dd", null, visible(value)));
  const length = `${number(data.ticks)} ${timeOf(data.ticks, data.period)}`;
  parts.facts.append(el("dt", null, "Ticks"), el("dd", null, length.trim()));
  if (data.has_replay) parts.replay.textContent = visible(data.replay);
  else parts.replay.parentElement.textContent = visible(data.replay);
  showFailure(data, parts);
  parts.channels.append(...data.channels.map(channel => el("tr", null,
    el("th", { scope: "row" }, channel.name), el("td", null, channel.protocol),
    el("td", { class: "num" }, number(channel.requests)),
    el("td", { class: channel.failed ? "num fail" : "num" }, number(channel.failed)),
    el("td", { class: "text" + (channel.exit || channel.waits ? " fail" : "") }, channel.state))));
  main.replaceChildren(copy);
  showRequests(data, parts);
  showLatencies(data, parts);
  showConsole(data, parts);
  const reports = new Pager(parts.reports, parts["reports-pager"], 100, at => {
    const { tick, severity, id, text } = data.reports[at];
    const bad = severity === "error" || severity === "fatal";
    return el("tr", null, el("td", { class: "num" }, number(tick)), el("td", { class: bad ? "fail" : "" }, severity), el("td", null, id), el("td", { class: "text" }, text));
  });
  reports.set(data.reports.length);
  emptyOrGap(parts.reports, data.reports.length, data.reports_gap, "report");
  showMemories(data, parts);
}

/** Creates a note in place of an empty list, or about omitted items. */
function emptyOrGap(list, count, gap, what) {
  const place = list.closest("table") || list;
  if (count === 0) place.replaceWith(el("p", { class: "dim" }, `no ${what}`));
  else if (gap.left_out > 0) place.before(el("p", { class: "dim" }, `${number(gap.left_out)} ${what}s after the first ${number(gap.first)} are left out`
    + (gap.kept ? `; ${number(gap.kept)} errors among them are kept` : "")));
}

function showFailure(data, parts) {
  const failure = data.failure;
  if (!failure) {
    parts["failure-section"].remove();
    return;
  }
  const time = timeOf(failure.tick, data.period);
  parts.failure.textContent = visible(`tick ${failure.tick}${time && ` (${time})`}, ${failure.id}: ${failure.text}`);
  if (failure.before.length === 0) parts["before-title"].textContent = "Nothing before it";
  parts.before.append(...failure.before.map(step => el("li", null,
    el("span", { class: "num dim" }, number(step.tick)), el("span", null, step.of), el("span", { class: "mono" }, step.text))));
}

function showRequests(data, parts) {
  const requests = requestsOf(data);
  let found = [], word = "", current = -1;
  const options = (select, names) => names.forEach((name, at) => select.append(el("option", { value: at }, name)));
  options(parts.channel, data.channels.map(channel => channel.name));
  options(parts.kind, requests.kinds);
  const describe = at => {
    const time = timeOf(requests.taken[at], data.period);
    const checkpoint = requests.segments[requests.segment[at]];
    const segment = checkpoint == null ? "" : ` (from the checkpoint of tick ${number(checkpoint)})`;
    return `${requests.channelName(at)}${segment}: ${requests.text(at)}; ${requests.outcome(at)}; taken in tick ${number(requests.taken[at])}`
      + (time && ` (${time})`) + `, ${requests.failed[at] === 2 ? "without an answer for" : "answered after"} ${number(requests.ticks[at])} ticks`;
  };
  const table = new Pager(parts.requests, parts["requests-pager"], 50, place => {
    const at = found[place];
    const choose = () => { timeline.select(at); timeline.reveal(at); };
    const button = el("button", { type: "button", class: "link mono", onclick: choose, title: "Show in the timeline" });
    button.append(...marked(requests.text(at), word));
    const outcome = el("td", { class: "text" + (requests.failed[at] ? " fail" : "") });
    outcome.append(...marked(requests.outcome(at), word));
    return el("tr", at === current ? { class: "current", "aria-current": "true" } : null,
      el("td", { class: "num" }, number(requests.taken[at])), el("td", { class: "num" }, number(requests.ticks[at])),
      el("td", null, requests.channelName(at)), el("td", null, button), outcome);
  });
  const timeline = new Timeline(parts, data, requests, describe, at => {
    current = at;
    parts.selected.textContent = at < 0 ? "" : visible(describe(at));
    table.show(table.page);
  });
  const search = () => {
    word = parts.search.value.trim().toLowerCase();
    const query = { word, channel: parts.channel.value, kind: parts.kind.value, failedOnly: parts.failed.checked };
    found = requests.select(query);
    const all = found.length === requests.count;
    timeline.highlight(all ? null : found);
    const { left_out: left, first, kept } = requests.gap;
    parts.found.textContent = (all ? `${number(requests.count)} requests` : `${number(found.length)} of ${number(requests.count)} requests`)
      + (left ? `; ${number(left)} more after the first ${number(first)} are left out of the page (--requests)${kept ? `, and ${number(kept)} failed ones among them are kept` : ""}` : "");
    table.set(found.length);
  };
  for (const part of ["search", "channel", "kind", "failed"]) parts[part].addEventListener("input", search);
  search();
}

/** Shows latencies of all channels, by kind. */
function showLatencies(data, parts) {
  const kinds = new Map();
  for (const row of data.latencies) {
    const sum = kinds.get(row.kind) || { count: 0, failed: 0, bytes: 0, min: Infinity, sum: 0, max: 0, bins: [] };
    sum.count += row.count;
    sum.failed += row.failed;
    sum.bytes += row.bytes;
    sum.min = Math.min(sum.min, row.ticks_min);
    sum.max = Math.max(sum.max, row.ticks_max);
    sum.sum += row.ticks_sum;
    row.histogram.forEach(([bound, count], at) => { sum.bins[at] = [bound, (sum.bins[at]?.[1] || 0) + count]; });
    kinds.set(row.kind, sum);
  }
  const most = Math.max(1, ...[...kinds.values()].map(sum => sum.bins.length));
  for (const [kind, sum] of kinds) {
    const highest = Math.max(...sum.bins.map(bin => bin[1]));
    const bars = sum.bins.map(([, count], at) => {
      const height = count ? Math.max(2, 26 * Math.log1p(count) / Math.log1p(highest)) : 0;
      return svg("rect", { x: at * 200 / most, y: 26 - height, width: Math.max(1, 200 / most - 1), height });
    });
    const words = sum.bins.filter(bin => bin[1]).map(([bound, count]) => `${bound < 2 ? "" : "≤"}${number(bound)}: ${number(count)}`).join(", ");
    const picture = svg("svg", { class: "bins", viewBox: "0 0 200 26", "aria-hidden": "true" }, ...bars);
    const shown = el("td", { title: words }, picture, el("br"), el("span", { class: "dim" }, words));
    const cells = [sum.count, sum.failed, sum.bytes, sum.min, Math.round(sum.sum / sum.count * 10) / 10, sum.max];
    parts.latencies.append(el("tr", null, el("th", { scope: "row" }, kind), ...cells.map(value => el("td", { class: "num" }, number(value))), shown));
  }
  if (kinds.size === 0) parts.latencies.closest("table").replaceWith(el("p", { class: "dim" }, "no request"));
}

function showConsole(data, parts) {
  const names = data.channels.map(channel => channel.name);
  names.forEach((name, at) => parts["console-channel"].append(el("option", { value: at }, name)));
  let lines = data.console;
  const pager = new Pager(parts.console, parts["console-pager"], 500, at => {
    const line = lines[at], source = names[line.channel] + (line.source ? ` ${line.source}` : "");
    return el("li", null, el("span", { class: "num dim" }, number(line.tick)), el("span", { class: "dim" }, source), el("span", { class: "text" }, line.text));
  });
  const show = () => {
    const channel = parts["console-channel"].value;
    lines = channel === "" ? data.console : data.console.filter(line => line.channel === +channel);
    pager.set(lines.length);
  };
  parts["console-channel"].addEventListener("input", show);
  show();
  emptyOrGap(parts.console, data.console.length, data.console_gap, "line");
}

function showMemories(data, parts) {
  for (const space of data.spaces) {
    const head = ["First", "Last", "Memory", "Size", "Backend", "Layout and first content", "Channels"].map(text => el("th", { scope: "col" }, text));
    const rows = space.rows.map(row => el("tr", null,
      el("td", { class: "text" }, row.first), el("td", { class: "text" }, row.last), el("th", { scope: "row" }, row.memory), el("td", null, row.bytes),
      el("td", null, row.backend), el("td", null, row.layout), el("td", null, row.channels.join(", "))));
    const table = el("table", null, el("thead", null, el("tr", null, ...head)), el("tbody", null, ...rows));
    const region = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Space " + visible(space.name) }, table);
    parts.memories.append(el("h3", null, "Space ", space.name), region);
    if (space.left_out) parts.memories.append(el("p", { class: "dim" }, `${space.left_out} rows are left out`));
  }
  if (data.spaces.length === 0) parts.memories.append(el("p", { class: "dim" }, "no memory configuration in the recording"));
}
