// One series: its dates, changed one by one, from one on, or all, with what will change shown before; and its people.

import { act, button, say } from "./acts.js";
import { api, ask, byId, el, notice, page, t } from "./dom.js";
import { dayOf, localOf, spanOf, timeOf } from "./dates.js";

const HERE = `/api/municipalities/${page.municipality_id}`;
const ITS = `${HERE}/series/${page.series_id}`;
const state = { series: null, places: new Map(), came: new Map(), people: null };
const MODES = () => ({ in_person: t("series.in_person"), online: t("series.online"), hybrid: t("series.hybrid") });
const STATES = () => ({ wanted: t("series.is_skipped"), requested: t("series.is_requested"), waiting: t("series.is_waiting"), offered: t("series.is_offered"), in_use: t("series.is_running"), done: t("series.is_over"), cancelled: t("series.is_cancelled"), declined: t("series.is_declined"), expired: t("series.is_cancelled"), released: t("series.is_cancelled") });
const APPLIED = () => ({ applied: t("series.applied"), placed: t("series.placed"), waiting: t("series.waits"), declined: t("series.gave_up"), withdrawn: t("series.gave_up") });
const OVER = ["done", "cancelled", "declined", "expired", "released"];

const names = (booking) => booking.places.map(({ place_id }) => state.places.get(place_id)?.name ?? "").filter(Boolean).join(" + ");

// ---- dates --------------------------------------------------------------------------------------------------------------

function drawDates() {
  const { series } = state;
  byId("title").textContent = series.title;
  document.title = `${series.title}`;
  byId("dates").replaceChildren(...series.dates.map(dateLine));
}

function dateLine(date) {
  const came = state.came.get(date.booking_id);
  const alive = !OVER.includes(date.state);
  const words = [MODES()[date.mode], names(date), STATES()[date.state], came ? t("series.came", { n: came.in_person + came.online }) : ""].filter(Boolean).join(" / ");
  return el("li", { class: date.state === "wanted" ? "skipped" : alive ? "" : "past" },
    el("div", {}, el("p", { class: "figures" }, el("b", {}, spanOf(date.starts, date.ends))), el("p", { class: "quiet small" }, words)),
    el("div", { class: "actions" },
      date.state === "wanted" ? button(t("series.readd"), () => readd(date)) : "",
      alive && date.state !== "wanted" ? el("button", { type: "button", onclick: () => open(date) }, t("series.change")) : "",
      state.people?.circle && date.session_id ? el("a", { class: "button", href: `/evening/${date.booking_id}` }, t("series.open_evening")) : ""));
}

async function readd(date) {
  try {
    state.series = await api("POST", `${ITS}/dates/${date.position}/readd`, {});
  } catch (error) {
    if (error.status === 409) throw new Error(t("series.still_taken", { day: dayOf(date.starts) }));
    throw error;
  }
  drawDates();
  say("well", t("series.readded", { day: dayOf(date.starts) }));
}

// ---- one change, shown before it is made -----------------------------------------------------------------------------------

const radios = (name, rows, chosen) => el("div", { class: "choices" }, ...Object.entries(rows).map(([value, text]) => el("label", {}, el("input", { type: "radio", name, value, checked: value === chosen }), text)));

function open(date) {
  const from = el("input", { type: "time", name: "from", value: timeOf(date.starts), required: true, "aria-label": t("series.from") });
  const to = el("input", { type: "time", name: "to", value: timeOf(date.ends), required: true, "aria-label": t("series.to") });
  const day = el("input", { type: "date", name: "day", value: date.starts.slice(0, 10), required: true, "aria-label": t("series.day") });
  const mine = new Set(date.places.map(({ place_id }) => place_id));
  const rooms = [...state.places.values()].filter(({ kind, place_id }) => kind === "room" || kind === "area" || mine.has(place_id));
  const shown = el("div", { class: "stack", "aria-live": "polite" });
  const form = el("form", { method: "dialog" },
    el("h2", {}, t("series.change_date", { day: dayOf(date.starts) })),
    el("fieldset", {}, el("legend", { class: "label" }, t("series.which")), radios("scope", { one: t("series.only_this"), this_and_later: t("series.this_and_later"), all: t("series.all_dates") }, "one")),
    el("div", { class: "pair" }, el("label", {}, t("series.day"), day), el("label", {}, t("series.from"), from), el("label", {}, t("series.to"), to)),
    el("fieldset", {}, el("legend", { class: "label" }, t("series.mode")), radios("mode", MODES(), date.mode)),
    el("fieldset", {}, el("legend", { class: "label" }, t("series.venues")), el("div", { class: "choices" }, ...rooms.map((room) => el("label", {}, el("input", { type: "checkbox", name: "venue", value: room.place_id, checked: mine.has(room.place_id) }), room.name)))),
    shown);
  const dialog = el("dialog", { class: "sheet", "aria-label": t("series.change") }, form);
  const close = () => dialog.close();
  const wish = () => changeOf(form, date);
  form.append(el("div", { class: "answers" },
    el("button", { type: "button", onclick: close }, t("series.leave")),
    el("button", { type: "button", class: "ends", onclick: ({ currentTarget }) => act(currentTarget, () => callOff(form, date, close)) }, t("series.call_off")),
    el("button", { type: "button", class: "primary", onclick: ({ currentTarget }) => act(currentTarget, () => preview(date, wish(), shown, close)) }, t("series.preview"))));
  form.addEventListener("change", () => shown.replaceChildren());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

const chosen = (form, name) => form.querySelector(`[name=${name}]:checked`)?.value;

/** Only what differs from the date that was opened: the others keep what is theirs. */
function changeOf(form, date) {
  const value = (name) => form.querySelector(`[name=${name}]`).value;
  const change = { scope: chosen(form, "scope") };
  const minutes = (clock) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
  if (value("from") !== timeOf(date.starts)) change.clock = value("from");
  const length = (minutes(value("to")) - minutes(value("from")) + 1440) % 1440;
  if (length !== (minutes(timeOf(date.ends)) - minutes(timeOf(date.starts)) + 1440) % 1440) change.minutes = length;
  const days = Math.round((Date.parse(`${value("day")}T00:00Z`) - Date.parse(`${date.starts.slice(0, 10)}T00:00Z`)) / 86_400_000);
  if (days) change.days = days;
  if (chosen(form, "mode") !== date.mode) change.mode = chosen(form, "mode");
  const venues = [...form.querySelectorAll("[name=venue]:checked")].map((box) => box.value);
  const before = date.places.map(({ place_id }) => place_id);
  if (change.mode !== "online" && (venues.length !== before.length || venues.some((one) => !before.includes(one)))) change.place_ids = venues;
  return change;
}

async function preview(date, change, shown, close) {
  const quotes = await api("POST", `${ITS}/dates/${date.position}/preview`, change).catch((error) => { shown.replaceChildren(notice("fault", error.message)); return null; });
  if (!quotes) return;
  const bad = quotes.filter((one) => !one.skipped && one.quote.problems.length);
  const before = new Map(state.series.dates.map((one) => [one.position, one]));
  shown.replaceChildren(
    bad.length ? notice("attention", t("series.change_clash", { n: bad.length })) : notice("plain", t("series.will_change", { n: quotes.length })),
    el("ol", { class: "small figures changes" }, ...quotes.map((one) => el("li", { class: one.quote.problems.length ? "clash" : "" },
      `${spanOf(before.get(one.position).starts, before.get(one.position).ends)} → ${spanOf(one.quote.time.starts, one.quote.time.ends)} ${MODES()[one.mode]}${one.quote.problems.length ? ` ${t("series.taken")}` : ""}`))),
    bad.length ? "" : el("button", { type: "button", class: "primary", onclick: ({ currentTarget }) => act(currentTarget, async () => {
      state.series = await api("PATCH", `${ITS}/dates/${date.position}`, change);
      close();
      drawDates();
      say("well", t("series.changed", { n: quotes.length }));
    }) }, t("series.do_change")));
  shown.scrollIntoView({ block: "nearest" });
}

async function callOff(form, date, close) {
  const scope = chosen(form, "scope");
  close();
  if (!(await ask(t("series.call_off_ask", { day: dayOf(date.starts) }), t("series.leave"), t("series.call_off")))) return;
  state.series = await api("POST", `${ITS}/dates/${date.position}/cancel`, { scope });
  drawDates();
  say("well", t("series.called_off"));
}

// ---- people ---------------------------------------------------------------------------------------------------------------

function drawPeople() {
  const { circle, applications } = state.people;
  if (!circle) {
    byId("people").replaceChildren(el("p", { class: "quiet" }, t("series.no_circle")), button(t("series.make_circle"), () => setCircle({ capacity: 20 })));
    return;
  }
  const open = circle.open_until && circle.open_until * 1000 > Date.now() && !circle.drawn_at;
  const placed = applications.filter((one) => one.state === "placed").length;
  byId("people").replaceChildren(
    el("p", {}, t("series.capacity", { n: circle.capacity }), " ", open ? t("series.open_now", { day: dayOf(localOf(circle.open_until)) }) : t("series.not_open"), placed ? ` ${t("series.placed_n", { n: placed })}` : ""),
    circle.seed ? el("p", { class: "small" }, t("series.seed", { seed: circle.seed })) : "",
    circle.selection === "lot" && !circle.drawn_at && applications.length ? button(t("series.draw"), draw, { class: "primary" }) : "",
    el("ul", { class: "list" }, ...applications.map(applicant)));
}

function applicant(one) {
  const over = ["declined", "withdrawn"].includes(one.state);
  return el("li", {},
    el("div", {}, el("b", {}, one.name), el("p", { class: "quiet small" }, APPLIED()[one.state])),
    el("div", { class: "actions" },
      state.people.circle.selection === "hand" && !over ? button(one.state === "placed" ? t("series.to_waiting") : t("series.give_place"), () => moved("choose", { person_id: one.person_id, state: one.state === "placed" ? "waiting" : "placed" })) : "",
      over ? "" : button(t("series.cannot_come"), () => moved("give-up", { person_id: one.person_id }))));
}

async function moved(what, body) {
  await api("POST", `${ITS}/applications/${what}`, body, { not_possible: t("series.all_taken") });
  await people();
}

async function draw() {
  if (!(await ask(t("series.draw_ask"), t("series.leave"), t("series.draw")))) return;
  await api("POST", `${ITS}/draw`, {});
  await people();
}

async function setCircle(body) {
  await api("PUT", `${ITS}/circle`, body);
  await people();
  drawDates();
}

async function people() {
  state.people = await api("GET", `${ITS}/people`);
  drawPeople();
}

async function begin() {
  const [series, places, houses, came] = await Promise.all([api("GET", ITS), api("GET", `${HERE}/places`), api("GET", "/api/facilities"), api("GET", `${ITS}/attendance`)]);
  const houseNames = new Map(houses.map((one) => [one.facility_id, one.name]));
  state.places = new Map(places.map((place) => [place.place_id, { ...place, name: houseNames.has(place.facility_id) ? `${houseNames.get(place.facility_id)} ${place.name}` : place.name }]));
  state.came = new Map(came.map((one) => [one.booking_id, one]));
  state.series = series;
  await people();
  drawDates();
}

begin().catch((error) => say("fault", error.message));
