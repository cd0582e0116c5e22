// Find a free place: when, how many people, with a board or not; the first that fit are one tap away from booking.

import { api, byId, el, notice, page, t } from "./dom.js";
import { DAY, fetchWeek, HALF } from "./plan.js";
import { dayName, outcome, span } from "./wall.js";

const SHOWN = 6;
const [NOON, EVENING] = [720, 1080];
const LENGTHS = [30, 60, 90, 120, 180];
const wish = { when: "now", people: 2, length: 60, board: false };
let plans = [];

// ---- when ---------------------------------------------------------------------------------------------------------------

/** Rows of choice: name and the stretch to look in, in minutes since today's midnight. */
function times() {
  const now = plans[0]?.now() ?? 0;
  return [
    ["now", t("book.now"), [now, Math.min(DAY, now + 120)]],
    now < EVENING - 60 ? ["afternoon", t("book.afternoon"), [Math.max(NOON, now), EVENING]] : ["evening", t("book.evening"), [Math.max(EVENING, now), DAY]],
    ["morning", t("book.morning"), [DAY, DAY + NOON]],
    ["other", t("book.other"), null],
  ];
}

/** The stretch that is looked in, and whether those days are loaded. */
function stretch() {
  if (wish.when !== "other") return times().find(([key]) => key === wish.when)[2];
  const [hours, minutes] = byId("at").value.split(":").map(Number);
  const from = hours * 60 + minutes;
  return [from, Math.min(DAY, from + 120)];
}

async function load() {
  const houses = await api("GET", "/api/facilities");
  const first = wish.when === "other" ? byId("on").value : null;
  const mine = houses.filter(({ municipality_id }) => municipality_id === page.municipality_id);
  const answers = await Promise.all(mine.map(({ facility_id }) => fetchWeek({ first, days: first ? 1 : 2, facility_id })));
  plans = answers.map(({ plan }) => plan);
}

// ---- what fits ------------------------------------------------------------------------------------------------------------

const fits = (place) => (place.kind === "room" || (place.kind === "seat" && wish.people === 1)) && place.capacity >= wish.people && (!wish.board || place.boards > 0);

/** The first start at which it is free for that long, or null. */
function firstFree(plan, number, [from, to]) {
  const now = plan.now();
  const soonest = Math.max(Math.floor(from / 5) * 5, Math.floor(now / 5) * 5);
  const starts = [soonest];
  for (let at = Math.ceil((soonest + 1) / HALF) * HALF; at < to; at += HALF) starts.push(at);
  return starts.find((at) => at < to && plan.free(number, at, at + wish.length)) ?? null;
}

function found(within) {
  const rows = plans.flatMap((plan) => plan.places.filter(fits).map((place) => ({ plan, place, at: firstFree(plan, place.number, within) })));
  return rows.filter(({ at }) => at !== null).sort((a, b) => a.at - b.at || a.place.capacity - b.place.capacity || a.place.name.localeCompare(b.place.name)).slice(0, SHOWN);
}

function offer({ plan, place, at }) {
  const [starts, ends] = [plan.wall(at), plan.wall(at + wish.length)];
  const house = plans.length > 1 ? plan.facilities.find(({ facility_id }) => facility_id === plan.facility_id)?.name : "";
  const facts = [house, place.kind === "room" && place.capacity < 1000 ? t("book.up_to", { n: place.capacity }) : "", place.boards ? t("book.with_board") : "", place.approval ? t("book.approval") : ""].filter(Boolean).join(t("book.dot"));
  return el("li", {}, el("button", { type: "button", class: "offer", onclick: () => take(plan, place, starts, ends) },
    el("span", {}, el("b", {}, place.name), facts ? el("small", { class: "quiet" }, facts) : null),
    el("span", { class: "figures" }, t("booking.when", { day: dayName(starts), span: span(starts, ends) }))));
}

async function take(plan, place, starts, ends) {
  const { book } = await import("./booking.js");
  const made = await book({ places: [{ place_id: place.id, name: place.name }], starts, ends, people: wish.people, names: plan.names(), zone: plan.zone });
  if (made) byId("sentences").replaceChildren(outcome(made), el("p", {}, el("a", { class: "button", href: "/week" }, t("book.see_week"))));
  await look();
}

function draw() {
  byId("when").replaceChildren(...times().map(([key, name]) => el("label", {}, el("input", { type: "radio", name: "when", value: key, checked: key === wish.when }), name)));
  byId("other").hidden = wish.when !== "other";
  const within = stretch();
  let rows = found(within);
  const late = !rows.length && wish.when !== "other";
  if (late) rows = found([within[0], 2 * DAY]);
  byId("verdict").replaceChildren(...(rows.length ? (late ? [notice("plain", t("book.next"))] : []) : [notice("attention", t("book.none"))]));
  byId("offers").replaceChildren(...rows.map(offer));
}

async function look() {
  try {
    await load();
    draw();
  } catch (error) {
    if (error.status === 401) location.assign("/login");
    byId("sentences").replaceChildren(notice("fault", error.status ? t("common.failed", { code: error.status }) : t("common.offline")));
  }
}

function changed(event) {
  const { name, value } = event.target;
  const before = wish.when;
  if (name === "when") wish.when = value;
  if (name === "length") wish.length = Number(value);
  wish.board = byId("board").checked;
  wish.people = Math.max(1, Math.min(10_000, Number(byId("people").value) || 1));
  if (wish.when === "other" && !byId("on").value) [byId("on").value, byId("at").value] = [plans[0]?.wall(DAY).slice(0, 10) ?? "", "10:00"];
  if (wish.when === "other" || before !== wish.when) look();
  else draw();
  if (name === "when") document.querySelector("[name=when]:checked")?.focus();
}

const step = (by) => () => { byId("people").value = Math.max(1, Number(byId("people").value) + by); changed({ target: {} }); };
byId("fewer").addEventListener("click", step(-1));
byId("more-people").addEventListener("click", step(1));
byId("length").replaceChildren(...LENGTHS.map((minutes) => el("label", {}, el("input", { type: "radio", name: "length", value: minutes, checked: minutes === wish.length }), minutes < 60 ? t("booking.minutes", { n: minutes }) : t("booking.hours", { n: minutes / 60 }))));
byId("people").value = wish.people;
byId("find").addEventListener("change", changed);
byId("find").addEventListener("submit", (event) => event.preventDefault());
look();
