// The office's morning: at most five lines, what is on today, and the switch for a day without boats.

import { api, awaited, byId, clock, el, icon, notice, page, t } from "./dom.js";
import { drawBoats, openStop, resume } from "./boats.js";

const POLL_MS = 30_000;
const HERE = `/api/municipalities/${page.municipality_id}`;

const sentence = (weight, text) => byId("sentences").replaceChildren(notice(weight, text));
const day = (seconds) => clock(seconds, { month: "long", day: "numeric", weekday: "short" });
const sameDay = (a, b) => clock(a, { dateStyle: "short" }) === clock(b, { dateStyle: "short" });
const moment = (seconds) => (sameDay(seconds, Date.now() / 1000) ? clock(seconds) : `${day(seconds)} ${clock(seconds)}`);

const WORDS = {
  precheck: (v) => t("today.precheck", v),
  board_never: (v) => t("today.board_never", v),
  board_lost: (v) => t("today.board_lost", v),
  no_microphone: (v) => t("today.no_microphone", v),
  no_camera: (v) => t("today.no_camera", v),
  no_speaker: (v) => t("today.no_speaker", v),
  approvals: (v) => t("today.approvals", v),
  report_camera: (v) => t("today.report_camera", v),
  report_sound: (v) => t("today.report_sound", v),
  report_display: (v) => t("today.report_display", v),
  report_room: (v) => t("today.report_room", v),
  report_other: (v) => t("today.report_other", v),
  letters: (v) => t("today.letters", v),
  not_recording: () => t("today.not_recording"),
  disk: (v) => t("today.disk", v),
  no_captions: () => t("today.no_captions"),
  record_coming: (v) => t("today.record_coming", v),
  record_gaps: (v) => t("today.record_gaps", v),
  no_backup: () => t("today.no_backup"),
  old_backup: (v) => t("today.old_backup", v),
};
const GREEN = {
  boards: () => t("today.green_boards"),
  approvals: () => t("today.green_approvals"),
  reports: () => t("today.green_reports"),
  letters: () => t("today.green_letters"),
  hub: () => t("today.green_hub"),
};
const TARGETS = {
  boards: () => ["/setup#boards", t("today.see_boards")],
  approvals: () => ["/approvals", t("today.see_approvals")],
  reports: () => ["/setup#reports", t("today.see_reports")],
  letters: () => ["/setup#letters", t("today.see_letters")],
  sessions: () => ["/sessions", t("today.see_sessions")],
};

const BACKUP = (day) => [t("today.backup_how"), `shimawa admin backup shimawa-${day}.zip`];
const COMMANDS = { no_backup: BACKUP, old_backup: BACKUP };

function command(what, today) {
  const [how, text] = COMMANDS[what]?.(today) ?? [];
  return text ? el("span", { class: "command" }, how, " ", el("code", {}, text)) : null;
}

function action(target) {
  if (target.startsWith("session:")) return [`/sessions/${target.slice(8)}/transcript`, t("today.see_record")];
  return TARGETS[target]?.() ?? null;
}

function line({ level, what, values, target, more }, today) {
  const said = WORDS[what]?.({ ...values, at: values.at ? moment(values.at) : "" }) ?? what;
  const leads = action(target);
  return el("li", { class: level },
    icon("alert"),
    el("p", {}, said, more ? el("span", { class: "more" }, t("today.more", { n: more })) : null, command(what, today)),
    leads ? el("a", { class: "button", href: leads[0] }, leads[1]) : null);
}

function drawMorning({ lines, green }, today) {
  byId("lines").replaceChildren(...lines.map((one) => line(one, today)));
  byId("lines").hidden = lines.length === 0;
  byId("green").hidden = green.length === 0;
  byId("green-said").textContent = lines.length ? t("today.rest_well", { n: green.length }) : t("today.all_well");
  byId("green-list").replaceChildren(...green.map((subject) => el("li", {}, GREEN[subject]())));
}

const STATES = {
  requested: () => t("today.requested"),
  offered: () => t("today.offered"),
  in_use: () => t("today.in_use"),
  done: () => t("today.done"),
};
const MODES = { online: () => t("today.online"), hybrid: () => t("today.hybrid") };

function booking(one) {
  const marks = [STATES[one.state]?.(), MODES[one.mode]?.()].filter(Boolean).join(t("today.dot"));
  return el("li", {},
    el("time", {}, `${clock(one.starts_at)}–${clock(one.ends_at)}`),
    el("div", {}, el("p", {}, one.title), el("p", { class: "quiet small" }, [one.places.join(t("today.comma")), marks].filter(Boolean).join(t("today.dot")))),
    one.session_id && one.state === "in_use" ? el("a", { class: "button", href: `/live/${one.session_id}` }, t("today.live")) : null);
}

const LIVE = { planned: null, live: () => t("today.session_live"), ending: () => t("today.session_ending"), ended: STATES.done };

/** A session that was made without a booking. */
function meeting(one) {
  const state = LIVE[one.state]?.();
  const leads = { planned: [`/sessions#${one.session_id}`, t("today.see_session")], live: [`/live/${one.session_id}`, t("today.live")] }[one.state];
  return el("li", { "data-session": one.session_id },
    el("time", {}, `${clock(one.starts_at)}–${clock(one.ends_at)}`),
    el("div", {}, el("p", {}, one.title), el("p", { class: "quiet small" }, [one.places.join(t("today.comma")), t("today.session"), state].filter(Boolean).join(t("today.dot")))),
    leads ? el("a", { class: "button", href: leads[0] }, leads[1]) : null);
}

let tag = null;

const refresh = () => awaited(look());

async function look() {
  const answer = await fetch(`${HERE}/today`, { headers: tag ? { "If-None-Match": tag } : {}, credentials: "same-origin" }).catch(() => null);
  if (answer?.status === 401) location.assign("/login");
  if (!answer?.ok && answer?.status !== 304) {
    sentence("attention", t("today.stale"));
    return;
  }
  if (byId("sentences").querySelector(".attention")) byId("sentences").replaceChildren();
  if (answer.status === 304) return;
  tag = answer.headers.get("ETag");
  const now = await answer.json();
  byId("day").textContent = day(Date.now() / 1000);
  drawMorning(now.morning, now.day);
  const shown = [...now.bookings, ...now.sessions].sort((a, b) => a.starts_at - b.starts_at);
  byId("on").replaceChildren(...shown.map((one) => (one.booking_id ? booking(one) : meeting(one))));
  byId("on").hidden = shown.length === 0;
  byId("nothing").hidden = shown.length > 0;
}

async function boats() {
  drawBoats(await api("GET", `${HERE}/sailing`));
}

async function act(work) {
  try {
    await work();
    tag = null;
    await Promise.all([refresh(), boats()]);
  } catch (error) {
    if (error.status === 401) location.assign("/login");
    sentence("fault", error.message);
  }
}

byId("house").textContent = page.municipality;
byId("stop").addEventListener("click", () => act(() => openStop(HERE)));
byId("resume").addEventListener("click", () => act(() => resume(HERE)));
act(async () => {});
setInterval(() => { if (!document.hidden) refresh(); }, POLL_MS);
