// What waits for the office's word: rivals side by side, what a yes would displace, how long there is time. One tap
// approves; one tap on a reason declines with it, and the request says so where it stands.

import { declineReasons } from "./detail.js";
import { kindName, modeName } from "./booking.js";
import { api, byId, clock, el, notice, page, t } from "./dom.js";
import { said } from "./sentences.js";
import { dayName, span } from "./wall.js";

const POLL_MS = 20_000;
const HERE = `/api/municipalities/${page.municipality_id}`;
const DAY_S = 86_400;
let places = new Map();
let last = "";
let turn = 0; // an answer that was asked for before a decision is older than it
const cards = new Map(); // what is unchanged stays the same element, with what somebody is writing in it
const declined = new Map(); // until the page is left

const times = (wall) => t("booking.when", { day: dayName(wall.starts), span: span(wall.starts, wall.ends) });
const nameOf = (place_id) => places.get(place_id) ?? t("booking.another_room");

/** Those that want the same stand together, in the order of their start. */
function groups(asked) {
  const open = new Map(asked.map((one) => [one.booking.booking_id, one]));
  const found = [];
  for (const one of asked) {
    if (!open.has(one.booking.booking_id)) continue;
    const group = [];
    const take = (id) => {
      const next = open.get(id);
      if (!next) return;
      open.delete(id);
      group.push(next);
      for (const other of asked) if (next.rivals.includes(other.booking.booking_id) || other.rivals.includes(id)) take(other.booking.booking_id);
    };
    take(one.booking.booking_id);
    found.push(group);
  }
  return found;
}

function deadline({ booking }) {
  if (!booking.expires_at) return null;
  const left = booking.expires_at - Date.now() / 1000;
  const text = t("approvals.until", { when: clock(booking.expires_at, { month: "long", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit" }) });
  return el("p", { class: "small mark" }, el("span", { class: `dot ${left < DAY_S ? "attention" : ""}`, "aria-hidden": "true" }), left < DAY_S ? t("approvals.soon", { text }) : text);
}

function card(one, titles) {
  const { booking } = one;
  if (declined.has(booking.booking_id)) return declined.get(booking.booking_id).element;
  const soon = booking.expires_at && booking.expires_at - Date.now() / 1000 < DAY_S;
  const state = JSON.stringify([one, one.displaces.map((id) => titles.get(id)), soon]);
  const before = cards.get(booking.booking_id);
  if (before?.state === state) return before.element;
  const parts = before?.parts ?? answerOf(one);
  const element = article(one, titles, parts);
  cards.set(booking.booking_id, { state, element, parts });
  return element;
}

/** What somebody may be writing in: it outlives what changes around it. */
function answerOf(one) {
  const problem = el("div", { role: "alert" });
  return { problem, why: reasons(one, problem) };
}

function article(one, titles, { problem, why: kept }) {
  const { booking } = one;
  const who = one.holder_name || (booking.holder === "office" ? t("detail.office") : "");
  const facts = [kindName(booking.kind), modeName(booking.mode), t("approvals.people", { n: booking.people }), booking.yen ? t("booking.yen", { n: booking.yen.toLocaleString() }) : ""].filter(Boolean).join(t("approvals.dot"));
  const taken = one.taken.length > 0;
  const approve = el("button", { type: "button", class: "primary", disabled: taken, onclick: (event) => decide(event.currentTarget, problem, booking) }, t("detail.approve"));
  return el("article", { class: "asked", tabindex: "-1", "data-booking": booking.booking_id, "aria-label": booking.title },
    el("h3", {}, booking.title),
    one.change ? el("p", { class: "small" }, el("b", {}, t("approvals.change")), " ", el("span", { class: "quiet" }, t("approvals.now", { when: times(booking) }))) : null,
    el("p", { class: "figures" }, times(one.time)),
    el("p", {}, one.place_ids.map(nameOf).join(t("booking.and"))),
    el("p", { class: "quiet small" }, [who, facts].filter(Boolean).join(t("approvals.dot"))),
    deadline(one),
    taken ? notice("attention", t("approvals.taken", { places: one.taken.map(nameOf).join(t("booking.and")) })) : null,
    one.displaces.length && !taken ? el("p", { class: "small" }, t("approvals.displaces", { titles: one.displaces.map((id) => t("approvals.quoted", { title: titles.get(id) ?? "" })).join("") })) : null,
    problem,
    el("div", { class: "answers" }, approve),
    kept);
}

/** Each common reason is a button that declines with it; the last one opens a line for one's own words. */
function reasons(one, problem) {
  const id = one.booking.booking_id;
  const words = el("input", { type: "text", id: `words-${id}`, maxlength: 500, required: true });
  const own = el("form", { class: "own-reason stack", hidden: true, onsubmit: (event) => { event.preventDefault(); decline(event.submitter, problem, one, words.value.trim()); } },
    el("div", {}, el("label", { for: words.id }, t("detail.own_reason")), words), el("button", {}, t("detail.decline")));
  const other = el("button", { type: "button", class: "plain", "aria-expanded": "false", onclick: () => {
    own.hidden = !own.hidden;
    other.setAttribute("aria-expanded", String(!own.hidden));
    if (!own.hidden) words.focus();
  } }, t("approvals.other"));
  return el("div", { class: "reasons", role: "group", "aria-labelledby": `why-${id}` },
    el("p", { class: "quiet small", id: `why-${id}` }, t("approvals.reasons")),
    ...declineReasons().map((text) => el("button", { type: "button", onclick: (event) => decline(event.currentTarget, problem, one, text) }, text)),
    other, own);
}

/** A decision, once; what refuses it is said beside it. Resolves true when it was taken. */
async function post(button, problem, booking, what, body) {
  button.disabled = true;
  try {
    await api("POST", `${HERE}/bookings/${booking.booking_id}/${what}`, body);
    turn += 1;
    return true;
  } catch (error) {
    if (error.status === 401) location.assign("/login");
    const problems = error.answer?.quote?.problems;
    problem.replaceChildren(notice("attention", problems?.length ? problems.map(said).join(" ") : error.message));
    button.disabled = false;
    return false;
  }
}

async function decide(button, problem, booking) {
  if (!await post(button, problem, booking, "approve")) return;
  byId("sentences").replaceChildren(notice("well", t("approvals.approved", { title: booking.title })));
  await refresh();
}

async function decline(button, problem, one, reason) {
  const { booking } = one;
  if (button.closest(".reasons").inert) return;
  button.closest(".reasons").inert = true;
  const element = button.closest("article");
  if (!await post(button, problem, booking, "decline", { reason })) {
    element.querySelector(".reasons").inert = false;
    return;
  }
  const answer = t("approvals.declined", { reason });
  element.className = "answered";
  element.replaceChildren(el("h3", {}, booking.title), el("p", { class: "figures" }, times(one.time)), notice("plain", answer));
  cards.delete(booking.booking_id);
  declined.set(booking.booking_id, { one, element });
  byId("told").textContent = t("approvals.told", { title: booking.title, answer });
  element.focus();
  await refresh();
}

/** Somebody whom a member vouched for. */
function joiner(one) {
  const problem = el("div", { role: "alert" });
  const decide = (accept) => async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await api("POST", `${HERE}/groups/${one.group_id}/requests/${one.request_id}/decide`, { accept });
      byId("sentences").replaceChildren(notice("well", accept ? t("approvals.joined", { name: one.name, group: one.group_name }) : t("approvals.not_joined", { name: one.name })));
      await refresh();
    } catch (error) {
      problem.replaceChildren(notice("attention", error.message));
      button.disabled = false;
    }
  };
  return el("article", { class: "asked", "aria-label": one.name }, el("h3", {}, one.name), el("p", {}, t("approvals.into", { group: one.group_name })),
    one.referrer_name ? el("p", { class: "quiet small" }, t("approvals.vouched", { name: one.referrer_name })) : null, one.message ? el("p", { class: "small" }, one.message) : null, problem,
    el("div", { class: "answers" }, el("button", { type: "button", class: "primary", onclick: decide(true) }, t("approvals.let_in")), el("button", { type: "button", onclick: decide(false) }, t("detail.decline"))));
}

function draw({ asked, over, names, joining }) {
  const titles = new Map(asked.map(({ booking }) => [booking.booking_id, booking.title]));
  for (const id of titles.keys()) declined.delete(id); // asked anew
  for (const id of cards.keys()) if (!titles.has(id)) cards.delete(id);
  const all = [...asked, ...[...declined.values()].map(({ one }) => one)].sort((a, b) => a.time.starts.localeCompare(b.time.starts));
  const held = document.activeElement;
  byId("asked").replaceChildren(...groups(all).map((group) => {
    const left = group.filter(({ booking }) => !declined.has(booking.booking_id)).length;
    return el("section", { class: "rivals" },
      left > 1 ? el("h2", {}, t("approvals.rivals", { n: left })) : null,
      el("div", { class: "side-by-side" }, ...group.map((one) => card(one, titles))));
  }));
  if (held !== document.activeElement && held.isConnected) held.focus({ preventScroll: true });
  byId("joining").replaceChildren(...(joining.length ? [el("section", { class: "rivals" }, el("h2", {}, t("approvals.joining")), el("div", { class: "side-by-side" }, ...joining.map(joiner)))] : []));
  byId("none").hidden = asked.length + joining.length > 0;
  byId("count").replaceChildren(asked.length + joining.length ? t("approvals.count", { n: asked.length + joining.length }) : "");
  byId("over").hidden = !over.length;
  byId("over-list").replaceChildren(...over.map((one) => el("li", {}, el("span", {}, el("b", {}, one.title), " ", names[one.holder] ?? ""), el("span", { class: "quiet small figures" }, times(one)))));
}

async function refresh() {
  const mine = turn;
  try {
    const answer = await api("GET", `${HERE}/approvals`);
    if (mine !== turn) return;
    const text = JSON.stringify(answer);
    byId("sentences").querySelector(".fault")?.remove();
    if (text === last) return;
    if ([...answer.asked].some((one) => one.place_ids.some((id) => !places.has(id)))) await load();
    last = text;
    draw(answer);
  } catch (error) {
    if (error.status === 401) location.assign("/login");
    byId("sentences").replaceChildren(notice("fault", error.message));
  }
}

async function load() {
  places = new Map((await api("GET", `${HERE}/places`)).map(({ place_id, name }) => [place_id, name]));
}

refresh();
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
setInterval(() => { if (!document.hidden) refresh(); }, POLL_MS);
