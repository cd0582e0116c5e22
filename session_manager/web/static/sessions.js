// The sessions page: what is on today, one action each, links to give away, boards.

import { diskSentences } from "./disks.js";
import { api, ask, byId, clock, el, icon, notice, page, t } from "./dom.js";

const POLL_MS = 10_000;
const STALE_S = 120;

const names = { rooms: new Map() };

const sentence = (place, weight, text, ...more) => byId(place).replaceChildren(notice(weight, text, ...more));
const day = (instant) => clock(instant, { month: "long", day: "numeric", weekday: "short" });
const sameDay = (a, b) => clock(a, { dateStyle: "short" }) === clock(b, { dateStyle: "short" });

async function act(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    if (error.status === 401) location.assign("/login");
    sentence("sentences", "fault", error.message);
  } finally {
    button.disabled = false;
  }
}

// ---- sessions -------------------------------------------------------------------------------------------------------

/** What comes later can be begun, too, but does not call for it. */
const SOON_S = 3600;

function primary(session) {
  if (session.state === "planned") {
    return el("button", { class: session.starts_at - Date.now() / 1000 < SOON_S ? "primary" : "", type: "button", onclick: (event) => act(event.currentTarget, async () => {
      await api("POST", `/api/sessions/${session.session_id}/start`);
      await refresh();
    }) }, t("sessions.start"));
  }
  if (session.state !== "live") return null;
  return el("button", { class: "ends", type: "button", onclick: (event) => act(event.currentTarget, async () => {
    if (!await ask(t("sessions.end_ask", { title: session.title }), t("sessions.end_no"), t("sessions.end_yes"))) return;
    await api("POST", `/api/sessions/${session.session_id}/end`);
    await refresh();
  }) }, t("sessions.end"));
}

async function give(session, role) {
  const { link } = await api("POST", `/api/sessions/${session.session_id}/invitations`, { role });
  const shown = el("p", { class: "secret" }, link);
  try {
    await navigator.clipboard.writeText(link);
    sentence("sentences", "well", t("sessions.copied"));
  } catch {
    sentence("sentences", "plain", t("sessions.copy_this"));
  }
  byId("sentences").append(shown);
  byId("main").scrollIntoView();
}

function links(session) {
  const button = (text, role) => el("button", { class: "plain", type: "button", onclick: (event) => act(event.currentTarget, () => give(session, role)) }, icon("link"), text);
  return el("div", { class: "links" },
    recordSwitch(session),
    ...(session.state === "planned" || session.state === "live" ? [button(t("sessions.join_link"), "participant"), button(t("sessions.live_link"), "observer")] : []),
    session.state === "live" ? el("a", { class: "button plain", href: `/live/${session.session_id}` }, t("sessions.see_live")) : null,
    session.state === "planned" ? null : el("a", { class: "button plain", href: `/sessions/${session.session_id}/transcript` }, t("sessions.see_transcript")));
}

const SITES_NAMED = 4;

function placesOf({ sites = [] }) {
  const names = sites.slice(0, SITES_NAMED).map(({ name }) => name).join(t("sessions.comma"));
  return sites.length > SITES_NAMED ? t("sessions.and_more", { names, n: sites.length - SITES_NAMED }) : names;
}

function recordSwitch(session) {
  if (session.state !== "live") return null;
  const off = session.record === "off";
  return el("button", { class: "plain", type: "button", onclick: (event) => act(event.currentTarget, async () => {
    await api("POST", `/api/sessions/${session.session_id}/record`, { on: off });
    await refresh();
  }) }, off ? t("record.go_on") : t("record.stop"));
}

function item(session) {
  const time = t("sessions.later", { date: day(session.starts_at), from: clock(session.starts_at), to: clock(session.ends_at) });
  const state = { live: ["well", t("sessions.live")], ending: ["attention", t("sessions.ending")] }[session.state];
  const named = session.session_id === wanted();
  return el("li", { "data-session": session.session_id, class: named ? "named" : null, "aria-current": named ? "true" : null, tabindex: named ? "-1" : null },
    el("div", {},
      el("h3", {}, session.title),
      el("p", { class: "quiet small figures" }, time),
      el("p", { class: "quiet small" }, placesOf(session)),
      state ? el("p", { class: "mark small" }, el("span", { class: `dot ${state[0]}`, "aria-hidden": "true" }), state[1]) : null,
      session.state === "live" && session.record === "off" ? el("p", { class: "mark small" }, el("span", { class: "dot fault", "aria-hidden": "true" }), t("record.off")) : null,
      ...diskSentences(session.at_risk).map(([weight, text]) => notice(weight, text))),
    el("div", { class: "actions" }, primary(session)),
    links(session));
}

/** The session that a link names (/sessions#its-identifier): marked, and brought into view once. */
const wanted = () => location.hash.slice(1);
let arrived = false;

function arrive() {
  const row = wanted() && document.querySelector(`[data-session="${CSS.escape(wanted())}"]`);
  if (arrived || !row) return;
  arrived = true;
  row.scrollIntoView({ block: "center" });
  row.focus({ preventScroll: true });
}

async function refresh() {
  const sessions = await api("GET", "/api/sessions");
  const open = sessions.filter(({ state }) => state !== "ended").sort((a, b) => (b.state === "live") - (a.state === "live") || a.starts_at - b.starts_at);
  const past = sessions.filter(({ state }) => state === "ended").sort((a, b) => b.starts_at - a.starts_at);
  byId("now").replaceChildren(...open.map(item));
  byId("nothing").hidden = open.length > 0;
  byId("now").hidden = open.length === 0;
  byId("past").replaceChildren(...past.filter((one, at) => at < 20 || one.session_id === wanted()).map(item));
  byId("no-past").hidden = past.length > 0;
  arrive();
}

// ---- places ---------------------------------------------------------------------------------------------------------

async function places() {
  const [rooms, boards] = await Promise.all([api("GET", "/api/rooms"), api("GET", "/api/boards")]);
  names.rooms = new Map(rooms.map((room) => [room.room_id, room.name]));
  if (!byId("new").open || !byId("new-rooms").children.length) drawRooms(rooms);
  drawBoards(boards);
}

function drawRooms(rooms) {
  byId("new-rooms").replaceChildren(...rooms.map((room) => el("label", {}, el("input", { type: "checkbox", name: "room", value: room.room_id, checked: rooms.length <= 3 }), room.name)));
  if (!rooms.length) byId("new-rooms").append(el("p", { class: "quiet" }, t("sessions.no_rooms")));
  const select = byId("board-room");
  if (!select || select.matches(":focus")) return;
  const before = select.value;
  select.replaceChildren(...rooms.map((room) => el("option", { value: room.room_id }, room.name)), el("option", { value: "new" }, t("boards.new_room")));
  if ([...select.options].some(({ value }) => value === before)) select.value = before;
  byId("new-room").hidden = select.value !== "new";
}

function drawBoards(boards) {
  const now = Date.now() / 1000;
  byId("boards").replaceChildren(...boards.map((board) => {
    const room = names.rooms.get(board.room_id) ?? "";
    const seen = board.last_seen_at;
    const when = seen ? (sameDay(seen, now) ? clock(seen) : `${day(seen)} ${clock(seen)}`) : "";
    return el("li", {},
      el("div", {}, el("h3", {}, board.name), el("p", { class: "quiet small figures" }, seen ? t("boards.seen", { room, when }) : t("boards.never", { room }))),
      el("span", { class: `dot ${seen && now - seen < STALE_S ? "well" : "attention"}`, "aria-hidden": "true" }));
  }));
  byId("boards").hidden = boards.length === 0;
  byId("no-boards").hidden = boards.length > 0;
}

// ---- forms ----------------------------------------------------------------------------------------------------------

/** The next half hour and two hours from then, as the form wants them: local time of the facility. */
function proposeTimes() {
  const start = Math.ceil(Date.now() / 1_800_000) * 1800;
  const local = (instant) => {
    const text = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: page.timezone || undefined }).format(new Date(instant * 1000));
    return text.replace(" ", "T");
  };
  byId("new-start").value = local(start);
  byId("new-end").value = local(start + 7200);
}

async function create(event) {
  event.preventDefault();
  const title = byId("new-title").value.trim();
  const [starts, ends] = [byId("new-start").value, byId("new-end").value];
  if (ends <= starts) {
    sentence("new-problem", "attention", t("sessions.order"));
    return;
  }
  const sites = [...document.querySelectorAll("input[name=room]:checked")].map(({ value }) => ({ room_id: value, name: names.rooms.get(value) }));
  if (!sites.length) {
    sentence("new-problem", "attention", t("sessions.no_site"));
    return;
  }
  const button = event.submitter;
  await act(button, async () => {
    await api("POST", "/api/sessions", { title, starts_at: starts, ends_at: ends, timezone: page.timezone, sites });
    byId("new-problem").replaceChildren();
    byId("new").open = false;
    event.target.reset();
    proposeTimes();
    sentence("sentences", "well", t("sessions.created", { title }));
    await refresh();
  });
}

/** The first room brings the facility with it; more of both is the administrator's command. */
async function newRoom(name) {
  page.facility_id ??= (await api("POST", "/api/facilities", { name, timezone: page.timezone })).facility_id;
  return (await api("POST", "/api/rooms", { facility_id: page.facility_id, name })).room_id;
}

async function addBoard(event) {
  event.preventDefault();
  const name = byId("board-name").value.trim();
  await act(event.submitter, async () => {
    let roomId = byId("board-room").value;
    if (roomId === "new") roomId = await newRoom(byId("room-name").value.trim() || name);
    const made = await api("POST", "/api/boards", { room_id: roomId, name });
    byId("board-token").replaceChildren(notice("attention", t("boards.token", { name })), el("p", { class: "secret" }, made.device_token));
    event.target.reset();
    await places();
  });
}

async function status() {
  const now = await api("GET", "/api/status");
  if (byId("sentences").querySelector(".well, .secret, .fault")) return;
  const said = [
    now.record === "gap" && ["attention", t("status.record_gap"), now.record_message],
    now.captions === "unavailable" && ["attention", t("status.captions_unavailable"), now.captions_message],
    now.captions === "delayed" && ["plain", t("status.captions_delayed"), now.captions_message],
    now.media_workers === 0 && ["fault", t("status.no_media"), ""],
  ].filter(Boolean);
  byId("sentences").replaceChildren(...said.map(([weight, text, detail]) => notice(weight, text, detail ? el("small", { class: "quiet", lang: "en" }, ` ${detail}`) : "")));
}

const everything = () => Promise.all([refresh(), places(), status()]).catch((error) => {
  if (error.status === 401) location.assign("/login");
  sentence("sentences", "fault", error.message);
});

byId("new-form").addEventListener("submit", create);
byId("board-form")?.addEventListener("submit", addBoard);
byId("board-room")?.addEventListener("change", (event) => { byId("new-room").hidden = event.target.value !== "new"; });
addEventListener("hashchange", () => { arrived = false; everything(); });
proposeTimes();
everything();
setInterval(() => { if (!document.hidden) everything(); }, POLL_MS);
