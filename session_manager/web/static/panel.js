// The wall tablet at a room's door: now and next, use it, check in, stay, end, say what is wrong. No way out of the page.

import { ask, byId, clock, el, icon, notice, page, svg, t } from "./dom.js";
import { current, expected, freeUntil, isOpen, lengths, next, readyAt } from "./panel_day.js";
import { drawLesson, lessonNow } from "./panel_lesson.js";
import { cut, look, lost, now, requestKey, send, sendWaiting, state, wait, waiting } from "./panel_line.js";

const LOOK_MS = 5_000;
const CODE_MS = 60_000;
const SAY_MS = 8_000;
const RELOAD_AFTER_MS = 60_000;

let drawn = "";
let busy = false;

/* ---- what is said ---- */

let saidUntil = 0;

export function say(weight, text) {
  byId("said").replaceChildren(notice(weight, text));
  saidUntil = performance.now() + SAY_MS;
}

/** One touch at a time; a refusal is a sentence, and what is so now is looked up either way. */
export async function act(work, done) {
  if (busy) return;
  busy = true;
  try {
    const made = await work();
    if (done) say("well", done);
    return made;
  } catch (problem) {
    say("attention", problem.message);
  } finally {
    busy = false;
    await refresh();
  }
}

const until = (seconds) => t("panel.until", { time: clock(seconds) });
const span = (one) => `${clock(one.starts_at)} – ${clock(one.ends_at)}`;
const titleOf = (one) => one.title ?? t("panel.taken");

/* ---- touch ---- */

async function checkIn(booking, person) {
  const path = `/bookings/${booking.booking_id}/check-in`;
  const body = person ? { person_id: person.person_id } : {};
  if (cut()) {
    if (wait(path, body)) say("well", t("panel.waits"));
    else say("attention", t("panel.waits_full"));
    return draw(true);
  }
  await act(() => send(path, body), t("panel.came"));
}

async function useNow(minutes) {
  const key = requestKey();
  const words = { refused: t("panel.refused") };
  const wish = (yen) => send("/use", { minutes, accepted_yen: yen, request_key: key }, words);
  try {
    await wish(0);
  } catch (problem) {
    const yen = problem.answer?.quote?.yen ?? 0;
    const fee = yen && !problem.answer.quote.taken.length && problem.answer.quote.problems.length === 1;
    if (!fee || !(await ask(t("panel.fee", { yen }), t("panel.no"), t("panel.fee_yes")))) throw problem;
    await wish(yen);
  }
}

async function endNow(booking) {
  if (!(await ask(t("panel.end_question"), t("panel.go_on"), t("panel.end_yes")))) return;
  await act(() => send(`/bookings/${booking.booking_id}/end`), t("panel.ended"));
}

/** A choice in the middle of the page; the safe answer first. Resolves to the chosen value or null. */
function choose(question, options) {
  return new Promise((resolve) => {
    const buttons = options.map(([value, label, name]) => el("button", { type: "button", onclick: () => dialog.close(value) }, name ? icon(name) : null, label));
    const dialog = el("dialog", { "aria-labelledby": "choice" },
      el("p", { id: "choice" }, question),
      el("div", { class: "answers" }, el("button", { type: "button", autofocus: true, onclick: () => dialog.close("") }, t("panel.back")), ...buttons));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

async function report() {
  const kind = await choose(t("panel.trouble_question"), [
    ["sound", t("panel.trouble_sound"), "mic"],
    ["camera", t("panel.trouble_camera"), "camera"],
    ["display", t("panel.trouble_display"), "captions"],
    ["room", t("panel.trouble_room"), "island"],
    ["other", t("panel.trouble_other"), "info"],
  ]);
  if (kind) await act(() => send("/reports", { kind }), t("panel.reported"));
}

/* ---- the page ---- */

const SHAPES = { free: "○", soon: "△", used: "■", shut: "－" };

function head(kind, word, more) {
  return el("p", { class: `word ${kind}` }, el("span", { class: "shape", "aria-hidden": "true" }, SHAPES[kind]), el("strong", {}, word), more ? el("span", { class: "till" }, more) : null);
}

function touches(booking) {
  const asked = waiting().some((one) => one.path.includes(booking.booking_id));
  if (asked) return el("p", { class: "hint" }, t("panel.waits"));
  const names = booking.expected.map((one) =>
    el("button", { type: "button", class: "initials", "data-key": one.person_id, onclick: () => checkIn(booking, one) }, one.initials));
  const other = el("button", { type: "button", class: names.length ? "" : "primary", "data-key": "other", onclick: () => checkIn(booking, null) }, icon("check"), names.length ? t("panel.somebody") : t("panel.check_in"));
  const release = booking.release_at ? t("panel.release", { time: clock(booking.release_at) }) : null;
  return el("div", { class: "touch" },
    el("p", { class: "hint" }, names.length ? t("panel.touch") : t("panel.touch_button"), release ? ` ${release}` : null),
    el("div", { class: "names" }, ...names, other));
}

function stay(booking) {
  const wide = (minutes) => el("button", { type: "button", disabled: cut(), onclick: () => act(() => send(`/bookings/${booking.booking_id}/extend`, { minutes, request_key: requestKey() }, { not_possible: t("panel.no_longer") }), t("panel.longer_done", { minutes })) }, icon("plus"), t("panel.longer", { minutes }));
  return el("div", { class: "row" }, wide(15), wide(30), el("button", { type: "button", class: "ends", disabled: cut(), onclick: () => endNow(booking) }, icon("leave"), t("panel.end")));
}

function used(day, booking) {
  const due = expected(day, now());
  return [
    head("used", t("panel.used"), until(booking.ends_at)),
    el("p", { class: "title" }, titleOf(booking)),
    el("p", { class: "time figures" }, span(booking)),
    el("div", { class: "lower" }, due ? touches(due) : null, booking.state === "in_use" && !booking.lesson ? stay(booking) : null),
  ];
}

function free(day) {
  const at = now();
  const [due, minutes] = [expected(day, at), day.needs_approval ? [] : lengths(day, at)];
  const ready = readyAt(day, at);
  const till = freeUntil(day, at);
  const coming = next(day, at);
  const soon = due || (coming && coming.starts_at - at < 900);
  const word = !isOpen(day, at) && !due ? head("shut", t("panel.shut")) : ready ? head("shut", t("panel.ready_at", { time: clock(ready) })) : soon ? head("soon", (due ?? coming).starts_at > at ? t("panel.soon") : t("panel.expected")) : head("free", t("panel.free"), till > at ? until(till) : null);
  const rows = [word];
  if (due ?? (soon && coming)) rows.push(el("p", { class: "title" }, titleOf(due ?? coming)), el("p", { class: "time figures" }, span(due ?? coming)));
  const lower = el("div", { class: "lower" }, due ? touches(due) : null);
  if (minutes.length && !due) {
    const buttons = minutes.map((one, place) => el("button", { type: "button", class: place === 0 ? "primary" : "", "data-key": `use${one}`, disabled: cut(), onclick: () => act(() => useNow(one), t("panel.yours")) }, t("panel.minutes", { minutes: one })));
    lower.append(el("p", { class: "hint" }, t("panel.use_now")), el("div", { class: "row" }, ...buttons));
  } else if (day.needs_approval && !due) lower.append(el("p", { class: "hint" }, t("panel.ask_office")));
  return [...rows, lower];
}

function list(day) {
  const rows = day.bookings.map((one) => {
    const mark = one.state === "in_use" ? "used" : one.starts_at <= now() ? "soon" : "";
    return el("li", { class: mark }, el("span", { class: "time figures" }, `${clock(one.starts_at)}–${clock(one.ends_at)}`), el("span", { class: "what" }, titleOf(one)));
  });
  return [el("h2", {}, t("panel.today")), rows.length ? el("ol", {}, ...rows) : el("p", { class: "quiet" }, t("panel.nothing"))];
}

function lineSentence() {
  if (!cut()) return "";
  return t("panel.cut", { time: state().at ? clock(state().at) : "―" });
}

/** Draws anew when what is so has changed; the finger's place is kept. */
export function draw(force = false) {
  const { day, known } = state();
  document.body.classList.toggle("cut", cut());
  byId("line").textContent = lineSentence();
  const main = byId("main");
  if (!day) {
    byId("trouble").hidden = true;
    byId("phone").hidden = true;
    byId("list").replaceChildren();
    if (!known) main.replaceChildren(el("p", { class: "title" }, t("panel.unknown")), el("p", { class: "hint" }, t("panel.unknown_long")));
    drawn = "";
    return;
  }
  page.timezone = day.timezone;
  byId("room").textContent = day.room;
  byId("facility").textContent = day.facility;
  document.title = day.room;
  byId("trouble").hidden = false;
  byId("trouble").disabled = cut();
  const minute = Math.floor(now() / 15);
  const sign = JSON.stringify([day, minute, cut(), waiting().length]);
  if (!force && sign === drawn) return;
  drawn = sign;
  const focused = document.activeElement?.dataset?.key;
  const lesson = lessonNow(day, now());
  document.body.classList.toggle("lesson", Boolean(lesson));
  const running = current(day, now());
  const rows = lesson ? drawLesson(day, lesson, { act, say, draw }) : running && running.state === "in_use" ? used(day, running) : running && !expected(day, now()) ? used(day, running) : free(day);
  main.replaceChildren(...rows);
  byId("list").replaceChildren(...list(day));
  if (focused) main.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function tick() {
  if (state().at) byId("clock").textContent = clock(now());
  if (saidUntil && performance.now() > saidUntil) {
    saidUntil = 0;
    byId("said").replaceChildren();
  }
  draw();
}

/* ---- the square code ---- */

async function square() {
  if (!state().day || cut()) {
    byId("phone").hidden = cut() || byId("phone").hidden;
    return;
  }
  const found = await fetch("/api/panel/code", { credentials: "same-origin", cache: "no-store" }).then((answer) => (answer.ok ? answer.json() : null), () => null);
  byId("phone").hidden = !found;
  if (!found) return;
  const size = found.rows.length + 8;
  const path = found.rows.flatMap((row, y) => [...row].map((dark, x) => (dark === "1" ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  byId("phone").replaceChildren(
    svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": t("panel.code"), "shape-rendering": "crispEdges" }, svg("rect", { width: size, height: size, fill: "#fff" }), svg("path", { d: path, fill: "#000" })),
    el("span", {}, t("panel.code")));
}

/* ---- the line ---- */

let looking = null;

export function refresh() {
  looking ??= (async () => {
    const changed = await look();
    if (!cut() && waiting().length) {
      const late = await sendWaiting();
      if (late) say("attention", t("panel.too_late"));
      await look();
    }
    const { version } = state();
    const quiet = !document.querySelector("dialog") && !busy && !document.body.classList.contains("in-sheet");
    if (version && version !== page.version && quiet && performance.now() > RELOAD_AFTER_MS) location.reload();
    if (changed || !state().day) draw();
    if (byId("phone").hidden) await square();
  })().finally(() => { looking = null; });
  return looking;
}

async function begin() {
  const key = location.hash.slice(1);
  history.replaceState(null, "", "/panel");
  if (key) {
    await send("/open", { key }, { not_signed_in: t("panel.link_over") }).catch((problem) => say("fault", problem.message));
  }
  await refresh();
  draw();
  setInterval(refresh, LOOK_MS);
  setInterval(square, CODE_MS);
  setInterval(tick, 1000);
  tick();
}

byId("trouble").addEventListener("click", report);
addEventListener("online", () => refresh());
addEventListener("offline", () => {
  lost();
  draw(true);
});
document.addEventListener("contextmenu", (event) => event.preventDefault());
document.addEventListener("dragstart", (event) => event.preventDefault());
begin();
