// The live page: what is said, by site, as a calm column. Reads the hub's event stream and shows it.

import { Captions, SiteColours, initial, lineElement, partialElement, sameTurn } from "./captions.js";
import { diskSentences } from "./disks.js";
import { api, byId, el, icon, notice, page, t } from "./dom.js";
import { Voices } from "./voices.js";

const SIZE = "shimawa.size";
const QUIET_MS = 20_000;

// ---- entrance: a code for a look ------------------------------------------------------------------------------------

async function enter(code) {
  try {
    const { session_id: sessionId } = await api("POST", "/api/live/enter", { code }, { not_found: t("join.no_door"), not_permitted: t("live.other_door") });
    location.replace(`/live/${sessionId}`);
  } catch (error) {
    byId("code").value = code;
    byId("code-problem").replaceChildren(notice("fault", error.message));
  }
}

function entrance() {
  const code = decodeURIComponent(location.hash.slice(1)).trim();
  history.replaceState(null, "", location.pathname + location.search);
  byId("code-form").addEventListener("submit", (event) => {
    event.preventDefault();
    enter(byId("code").value.trim());
  });
  if (code) enter(code);
}

// ---- the column -----------------------------------------------------------------------------------------------------

const captions = new Captions();
const colours = new SiteColours();
const voices = new Voices();
const sites = new Map();
const tracks = new Map();
let session = { state: page.state ?? "planned", record: "on", captions: "on", message: "", at_risk: [] };
let connected = true;
let following = true;
let lastScroll = 0;
let last = null;

const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 80;

let followingSoon = false;

/** Once per picture: a page that catches up with a whole evening lays itself out once, not once per line. */
function follow() {
  if (followingSoon) return;
  followingSoon = true;
  requestAnimationFrame(() => {
    followingSoon = false;
    if (following) scrollTo({ top: document.documentElement.scrollHeight });
    byId("latest").hidden = following || captions.lines.size === 0;
  });
}

function siteOf(siteId, name) {
  const known = sites.get(siteId);
  if (known && (known.name || !name)) return known;
  const site = Object.assign(known ?? { siteId, colour: colours.of(siteId), peers: new Set() }, { name: name ?? "" });
  sites.set(siteId, site);
  drawSites();
  return site;
}

function drawSites() {
  byId("sites").replaceChildren(...[...sites.values()].filter(({ name }) => name).map((site) =>
    el("li", { class: site.colour, "data-site": site.siteId },
      el("span", { class: "swatch", "aria-hidden": "true" }, initial(site.name)),
      el("span", { class: "name", title: site.name }, site.name),
      el("span", { class: "voice", "aria-hidden": "true" }, icon("voice")))));
}

/** What reached the hub later stands where it was said. */
function insert(line, colour) {
  const after = [...byId("lines").children].find(({ dataset }) => captions.lines.get(dataset.line)?.started_at > line.started_at);
  byId("lines").insertBefore(lineElement(line, colour, true), after ?? null);
}

function commit(line) {
  const outcome = captions.commit(line);
  if (!outcome) return;
  const site = siteOf(line.site_id, line.site_name);
  tracks.set(line.track_id, line.site_id);
  const shown = document.querySelector(`[data-line="${CSS.escape(line.line_id)}"]`);
  if (outcome === "retracted") shown?.remove();
  else if (outcome === "corrected") shown?.replaceWith(lineElement(line, site.colour, shown.classList.contains("turn")));
  else if (line.repaired && last && line.started_at < last.started_at) insert(line, site.colour);
  else {
    byId("lines").append(lineElement(line, site.colour, !sameTurn(last, line)));
    last = line;
  }
  byId("empty").hidden = true;
  drawPartials();
}

function drawPartials() {
  const views = [...captions.partials.values()];
  byId("partials").replaceChildren(...views.map((view) => {
    const site = siteOf(view.site_id);
    return partialElement(view, site.name, site.colour);
  }));
  if (views.length) byId("empty").hidden = true;
  follow();
}

function drawVoices() {
  const speaking = new Set(voices.speaking(performance.now()).map((trackId) => tracks.get(trackId)));
  for (const item of byId("sites").children) item.classList.toggle("speaking", speaking.has(item.dataset.site));
}

function drawState() {
  const { state, record, captions: words, message, at_risk: atRisk } = session;
  const records = { on: ["well", t("record.on")], off: ["fault", t("record.off")], gap: ["attention", t("record.gap")] };
  const states = { planned: ["plain", t("live.planned")], live: records[record] ?? records.on, ended: ["plain", t("live.ended")] };
  const [weight, text] = states[state] ?? states.live;
  document.body.classList.toggle("off-record", state === "live" && record === "off");
  byId("record-state").replaceChildren(el("span", { class: `dot ${weight}`, "aria-hidden": "true" }), text);
  const sentences = [];
  if (!connected) sentences.push(["attention", t("live.line_down")]);
  if (state === "live" && record === "off") sentences.push(["fault", t("record.off_long")]);
  if (state === "live" && record === "gap") sentences.push(["attention", t("record.gap_long")]);
  if (state === "live" && words === "delayed") sentences.push(["plain", t("captions.delayed")]);
  if (state === "live" && words === "unavailable") sentences.push(["plain", t("captions.unavailable")]);
  byId("sentences").replaceChildren(...sentences.map(([kind, sentence]) => notice(kind, sentence, message && page.language === "en" ? el("small", { class: "quiet" }, ` ${message}`) : "")));
  if (state === "live") byId("sentences").append(...diskSentences(atRisk).map(([kind, sentence]) => notice(kind, sentence)));
  if (state === "ended") sentences.push(byId("sentences").append(notice("well", t("live.ended_long"), " ", el("a", { href: `/sessions/${page.session_id}/transcript` }, t("live.to_transcript")))));
  byId("empty-text").textContent = { planned: t("live.not_begun"), ended: t("live.nothing_said") }[state] ?? t("live.nothing_yet");
}

const HANDLERS = {
  "line.committed": commit,
  "caption.partial": (view) => {
    tracks.set(view.track_id, view.site_id);
    if (captions.partial({ ...view, heardAt: performance.now() })) drawPartials();
  },
  levels: ({ levels }) => voices.hear(levels, performance.now()),
  "session.changed": (changed) => {
    // The history of a session that is over tells of the time when it was not.
    if (page.state === "ended" && changed.state !== "ended") return;
    session = { record: "on", captions: "on", message: "", at_risk: [], ...changed };
    drawState();
  },
  "peer.changed": ({ peer }) => {
    siteOf(peer.site_id, peer.site_name).peers.add(peer.peer_id);
    drawSites();
  },
  "peer.left": ({ peer_id: peerId }) => {
    for (const site of sites.values()) site.peers.delete(peerId);
  },
  "track.changed": ({ track }) => tracks.set(track.track_id, track.site_id),
};

/** A partial that nobody continues is taken back: its speaker may be gone. */
function forgetStale() {
  const now = performance.now();
  for (const [trackId, view] of captions.partials) if (now - view.heardAt > QUIET_MS && captions.silence(trackId)) drawPartials();
}

function listen() {
  const source = new EventSource(page.events);
  for (const [kind, handle] of Object.entries(HANDLERS)) source.addEventListener(kind, (event) => handle(JSON.parse(event.data)));
  source.onopen = () => {
    connected = true;
    drawState();
  };
  source.onerror = () => {
    connected = session.state === "ended";
    if (session.state === "ended") source.close();
    drawState();
    // The browser comes back by itself unless it was turned away; then a moment later by us.
    if (source.readyState === EventSource.CLOSED && session.state !== "ended") setTimeout(() => location.reload(), 15_000);
  };
}

function size() {
  const slider = byId("size");
  const apply = () => {
    for (const column of document.querySelectorAll(".column")) column.style.setProperty("--size", `${slider.value}px`);
    follow();
  };
  slider.value = localStorage.getItem(SIZE) ?? String(Math.round(Math.max(24, Math.min(40, innerWidth / 50))));
  slider.addEventListener("input", () => {
    localStorage.setItem(SIZE, slider.value);
    apply();
  });
  apply();
}

function column() {
  for (const site of page.sites ?? []) siteOf(site.site_id, site.name);
  for (const line of page.lines ?? []) commit(line);
  size();
  drawSites();
  drawState();
  listen();
  addEventListener("scroll", () => {
    // Only going up is a wish to read on; that the column grew below is none.
    following = atEnd() || (following && scrollY >= lastScroll);
    lastScroll = scrollY;
    byId("latest").hidden = following || captions.lines.size === 0;
  }, { passive: true });
  byId("latest").addEventListener("click", () => {
    following = true;
    follow();
  });
  setInterval(drawVoices, 300);
  setInterval(forgetStale, 2000);
}

if (page.session_id) column();
else entrance();
