// The transcript: what was said, what is missing, and where. Search, a bar per site that can be clicked.

import { SiteColours, lineElement, sameTurn } from "./captions.js";
import { api, byId, clock, el, notice, page, svg, t } from "./dom.js";

const LONG_GAP_S = 2;
const WIDTH = 1000;
const FULL = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

const colours = new SiteColours();

const KINDS = () => ({
  line: t("coverage.line"),
  silence: t("coverage.silence"),
  suppressed: t("coverage.suppressed"),
  off_record: t("coverage.off_record"),
  gap: t("coverage.gap"),
  pending: t("coverage.pending"),
});

const CAUSES = () => ({
  network: t("gap.network"),
  reconnect: t("gap.reconnect"),
  disk_full: t("gap.disk_full"),
  worker_lost: t("gap.worker_lost"),
  board_lost: t("gap.board_lost"),
});

const seconds = (value) => (value >= 60 ? t("span.minutes", { m: Math.floor(value / 60), s: Math.round(value % 60) }) : t("span.seconds", { s: Math.max(1, Math.round(value)) }));

/** Gaps and spans off the record worth a row of their own, from the coverage of every track; pure. */
export function holes(coverage) {
  return coverage.flatMap(({ site_name: siteName, spans }) => spans
    .filter(({ kind, started_at: from, ended_at: to }) => kind === "off_record" || (kind === "gap" && to - from >= LONG_GAP_S))
    .map((span) => ({ ...span, site_name: siteName })))
    .sort((a, b) => a.started_at - b.started_at);
}

function holeElement(hole) {
  const values = { site: hole.site_name, from: clock(hole.started_at, FULL), length: seconds(hole.ended_at - hole.started_at) };
  const off = hole.kind === "off_record";
  const text = off ? t("transcript.off_record", values) : t("transcript.gap", { ...values, cause: CAUSES()[hole.cause] ?? t("gap.unknown") });
  return el("li", { class: `hole${off ? " off" : ""}`, "data-from": hole.started_at }, text);
}

function drawLines(lines, coverage) {
  const waiting = holes(coverage);
  const rows = [];
  let before = null;
  for (const line of lines) {
    while (waiting.length && waiting[0].started_at <= line.started_at) {
      rows.push(holeElement(waiting.shift()));
      before = null;
    }
    const row = lineElement(line, colours.of(line.site_id), !sameTurn(before, line));
    row.dataset.from = line.started_at;
    row.tabIndex = -1;
    rows.push(row);
    before = line;
  }
  rows.push(...waiting.map(holeElement));
  byId("lines").replaceChildren(...rows);
  byId("empty").hidden = rows.length > 0;
}

// ---- coverage -------------------------------------------------------------------------------------------------------

function goTo(instant) {
  const rows = [...byId("lines").children].filter((row) => !row.hidden);
  const target = rows.findLast((row) => Number(row.dataset.from) <= instant + 0.5) ?? rows[0];
  if (!target) return;
  for (const row of rows) row.classList.toggle("here", row === target);
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
}

function bar(track, from, to) {
  const scale = WIDTH / Math.max(1, to - from);
  const rects = track.spans.filter((span) => span.ended_at > span.started_at).map((span) => {
    const label = `${KINDS()[span.kind] ?? span.kind} ${clock(span.started_at, FULL)} ${seconds(span.ended_at - span.started_at)}`;
    const told = ["line", "gap", "off_record"].includes(span.kind);
    const rect = svg("rect", {
      class: `span-${span.kind}`, x: (span.started_at - from) * scale, y: 0, height: 26,
      width: Math.max(1.5, (span.ended_at - span.started_at) * scale), "data-kind": span.kind,
      ...(told && span.kind !== "line" ? { tabindex: "0", role: "button", "aria-label": label } : {}),
    }, svg("title", {}, document.createTextNode(label)));
    rect.addEventListener("click", () => goTo(span.started_at));
    rect.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); goTo(span.started_at); } });
    return rect;
  });
  return svg("svg", { viewBox: `0 0 ${WIDTH} 26`, preserveAspectRatio: "none", role: "group", "aria-label": track.site_name }, ...rects);
}

function drawCoverage(coverage) {
  const spans = coverage.flatMap((track) => track.spans);
  if (!spans.length) return;
  const from = Math.min(...spans.map((span) => span.started_at));
  const to = Math.max(...spans.map((span) => span.ended_at));
  const kinds = Object.entries(KINDS()).filter(([kind]) => spans.some((span) => span.kind === kind));
  byId("coverage").replaceChildren(
    ...coverage.map((track) => el("div", { class: `track ${colours.of(track.site_id)}` },
      el("span", { class: "name", title: track.site_name }, track.site_name), bar(track, from, to))),
    el("p", { class: "legend" }, ...kinds.map(([kind, name]) =>
      el("span", {}, svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("rect", { class: `span-${kind}`, width: 10, height: 10 })), name))));
  byId("when").textContent = `${clock(from, { dateStyle: "long" })} ${clock(from)} – ${clock(to)}`;
}

// ---- search ---------------------------------------------------------------------------------------------------------

const folded = (text) => text.normalize("NFKC").toLowerCase();

function search(lines) {
  const words = folded(byId("search").value.trim());
  let found = 0;
  for (const line of lines) {
    const row = document.querySelector(`[data-line="${CSS.escape(line.line_id)}"]`);
    const hit = !words || folded(`${line.text} ${line.speaker ?? ""} ${line.site_name}`).includes(words);
    row.hidden = !hit;
    if (hit) found += 1;
    highlight(row.querySelector(".text"), line.text, words);
  }
  for (const row of document.querySelectorAll(".hole")) row.hidden = Boolean(words);
  byId("found").textContent = words ? t("transcript.found", { n: found }) : "";
}

function highlight(element, text, words) {
  const at = words ? text.toLowerCase().indexOf(words) : -1;
  if (at < 0) element.textContent = text;
  else element.replaceChildren(text.slice(0, at), el("mark", {}, text.slice(at, at + words.length)), text.slice(at + words.length));
}

// ---- begin ----------------------------------------------------------------------------------------------------------

async function begin() {
  try {
    const here = `/api/sessions/${page.session_id}`;
    const [lines, { tracks: coverage, figure, coming }] = await Promise.all([api("GET", `${here}/lines`), api("GET", `${here}/coverage`)]);
    const order = (page.sites ?? []).map((site) => site.site_id);
    for (const siteId of order) colours.of(siteId);
    coverage.sort((a, b) => order.indexOf(a.site_id) - order.indexOf(b.site_id));
    drawLines(lines, coverage);
    drawCoverage(coverage);
    const waiting = Boolean(coming?.length);
    if (page.state !== "ended") byId("sentences").append(notice("plain", t("transcript.not_ended")));
    else if (coverage.some(({ spans }) => spans.some(({ kind }) => kind === "gap"))) byId("sentences").append(notice("attention", t("transcript.has_gaps")));
    else if (figure === 1) byId("sentences").append(notice("well", t("transcript.complete")));
    else if (figure !== null && !waiting) byId("sentences").append(notice("plain", t("transcript.unfinished")));
    for (const { site_name: site, seconds: length } of coming ?? []) byId("sentences").append(notice("attention", t("transcript.coming", { site, length: seconds(length) })));
    byId("search").addEventListener("input", () => search(lines));
  } catch (error) {
    byId("sentences").replaceChildren(notice("fault", error.message));
  }
}

// The menu closes like every menu: by Escape or a click beside it.
for (const type of ["keydown", "click"]) {
  document.addEventListener(type, (event) => {
    const menu = document.querySelector(".menu[open]");
    if (menu && (type === "click" ? !menu.contains(event.target) : event.key === "Escape")) menu.open = false;
  });
}
begin();
