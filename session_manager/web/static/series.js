// All series, and a new one: from a template, every date shown before any is saved, clashes with what would do instead.

import { act, say } from "./acts.js";
import { api, byId, el, icon, notice, page, t } from "./dom.js";
import { dayOf, later, localOf, spanOf, timeOf, weekdayName } from "./dates.js";

const HERE = `/api/municipalities/${page.municipality_id}`;
const office = page.kind === "administrator" || page.kind === "staff";
const DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const state = { places: [], quoted: [], answers: new Map() };

const TEMPLATES = [
  { name: () => t("series.template_evening"), kind: "dialogue", repeat: "2WE", from: "18:30", to: "20:30", count: 12, people: 20, venues: 2 },
  { name: () => t("series.template_course"), kind: "seminar", repeat: "list", from: "10:30", to: "17:00", count: 7, people: 20, venues: 1 },
  { name: () => t("series.template_weekly"), kind: "plain", repeat: "weekly", from: "10:00", to: "12:00", count: 10, people: 8, venues: 1 },
];
const MODES = () => ({ in_person: t("series.in_person"), online: t("series.online"), hybrid: t("series.hybrid") });

// ---- the list ---------------------------------------------------------------------------------------------------------

async function lines() {
  const found = await api("GET", `${HERE}/series`);
  byId("nothing").hidden = found.length > 0;
  byId("lines").replaceChildren(...found.map((one) => el("li", {},
    el("div", {},
      el("h3", {}, el("a", { href: `/series/${one.series_id}` }, one.title)),
      el("p", { class: "quiet small figures" }, one.next_starts ? t("series.next", { day: dayOf(one.next_starts) }) : t("series.over"), " ",
        t("series.to_come", { n: one.to_come }), one.skipped ? ` ${t("series.skipped", { n: one.skipped })}` : "", one.people ? ` ${t("series.members", { n: one.people })}` : "")),
    one.next_booking_id && one.group_id ? el("div", { class: "actions" }, el("a", { class: "button", href: `/evening/${one.next_booking_id}` }, t("series.prepare"))) : "")));
}

// ---- the form ---------------------------------------------------------------------------------------------------------

const field = (id, label, input, wide) => el("div", wide ? { class: "wide" } : {}, el("label", { for: id }, label), Object.assign(input, { id }));
const option = (value, text, selected) => el("option", { value, selected: Boolean(selected) }, text);

function repeats(chosen) {
  const nth = [[1, t("series.first")], [2, t("series.second")], [3, t("series.third")], [4, t("series.fourth")], [-1, t("series.last")]];
  const rows = nth.flatMap(([number, name]) => DAYS.map((code, weekday) => [`${number}${code}`, t("series.nth", { nth: name, day: weekdayName(weekday) })]));
  return el("select", {}, ...rows.map(([value, text]) => option(value, text, value === chosen)),
    option("weekly", t("series.weekly"), chosen === "weekly"), option("list", t("series.list"), chosen === "list"));
}

/** The likeliest venues: big enough, one in each house first. */
function likely(people, count) {
  const rooms = state.places.filter((place) => place.kind === "room" && place.capacity >= people);
  const seen = new Set();
  const spread = rooms.filter(({ facility_id }) => !seen.has(facility_id) && seen.add(facility_id));
  return new Set([...spread, ...rooms.filter((room) => !spread.includes(room))].slice(0, count).map(({ place_id }) => place_id));
}

function venues(template) {
  const chosen = likely(template.people, template.venues);
  const rooms = state.places.filter(({ kind }) => kind === "room" || kind === "area");
  return el("fieldset", { class: "wide" }, el("legend", { class: "label" }, t("series.venues")),
    el("div", { class: "choices", id: "venues" }, ...rooms.map((room) => el("label", {}, el("input", { type: "checkbox", name: "venue", value: room.place_id, checked: chosen.has(room.place_id) }), room.name))),
    rooms.length ? "" : el("p", { class: "quiet" }, t("series.no_rooms")),
    el("div", { class: "choices lead", id: "sharing" },
      el("label", {}, el("input", { type: "radio", name: "sharing", value: "together", checked: true }), t("series.together")),
      el("label", {}, el("input", { type: "radio", name: "sharing", value: "turns" }), t("series.turns"))));
}

const select = (rows, chosen) => el("select", {}, ...rows.map(([value, text]) => option(value, text, value === chosen)));

function open(template) {
  const form = byId("new");
  state.kind = template.kind;
  state.answers.clear();
  byId("quoted").replaceChildren();
  const first = el("input", { type: "date", value: later(localOf(Date.now() / 1000), 1).slice(0, 10), required: true });
  form.replaceChildren(
    field("new-title", t("series.title"), el("input", { type: "text", maxlength: "80", required: true }), true),
    page.groups?.length ? field("new-group", t("series.group"), select([...(office ? [["", t("series.new_group")]] : []), ...page.groups.map((one) => [one.group_id, one.name])])) : "",
    field("new-repeat", t("series.repeat"), repeats(template.repeat)),
    field("new-first", t("series.first_day"), first),
    field("new-from", t("series.from"), el("input", { type: "time", value: template.from, required: true })),
    field("new-to", t("series.to"), el("input", { type: "time", value: template.to, required: true })),
    field("new-count", t("series.count"), el("input", { type: "number", min: "1", max: "60", value: template.count, required: true })),
    field("new-people", t("series.seats"), el("input", { type: "number", min: "1", max: "1000", value: template.people, required: true })),
    venues(template),
    el("div", { class: "wide", id: "list-dates" }),
    field("new-open", t("series.open"), select([["", t("series.open_no")], ["order", t("series.open_order")], ["lot", t("series.open_lot")], ["hand", t("series.open_hand")]], "")),
    field("new-until", t("series.until"), el("input", { type: "date", disabled: true })),
    el("div", { class: "wide" }, el("button", { class: "primary" }, t("series.look"))));
  byId("new-open").addEventListener("change", ({ target }) => { byId("new-until").disabled = !target.value; byId("new-until").required = Boolean(target.value); });
  byId("new-repeat").addEventListener("change", irregular);
  form.hidden = false;
  irregular();
  byId("new-title").focus();
}

/** An irregular list: a row for each date, with how it is held. */
function irregular() {
  const list = byId("new-repeat").value === "list";
  for (const id of ["new-count", "new-first"]) byId(id).parentElement.hidden = list;
  byId("list-dates").replaceChildren();
  if (!list) return;
  const rows = el("ol", { class: "rows", id: "rows" });
  const add = (days, mode) => rows.append(dateRow(later(localOf(Date.now() / 1000), days).slice(0, 10), mode));
  const starts = Number(byId("new-count").value);
  for (let number = 0; number < starts; number += 1) add(7 * (number + 1), [0, 3, 6].includes(number) ? "in_person" : "online");
  byId("list-dates").append(rows, el("button", { type: "button", onclick: () => add(7 * (rows.children.length + 1), "in_person") }, icon("plus"), t("series.add_date")));
}

function dateRow(day, mode) {
  const row = el("li", { class: "date-row" },
    el("input", { type: "date", name: "day", value: day, required: true, "aria-label": t("series.day") }),
    el("input", { type: "time", name: "from", value: byId("new-from").value, required: true, "aria-label": t("series.from") }),
    el("input", { type: "time", name: "to", value: byId("new-to").value, required: true, "aria-label": t("series.to") }),
    el("select", { name: "mode", "aria-label": t("series.mode") }, ...Object.entries(MODES()).map(([value, text]) => option(value, text, value === mode))),
    el("button", { type: "button", class: "plain", onclick: () => row.remove() }, t("series.drop")));
  return row;
}

function wish() {
  const value = (id) => byId(id).value;
  const chosen = [...document.querySelectorAll("input[name=venue]:checked")].map((box) => box.value);
  const turns = chosen.length > 1 && document.querySelector("input[name=sharing]:checked").value === "turns";
  const list = value("new-repeat") === "list";
  const dates = list ? [...byId("rows").children].map((row) => {
    const of = (name) => row.querySelector(`[name=${name}]`).value;
    return { starts: `${of("day")}T${of("from")}`, ends: `${of("day")}T${of("to")}`, mode: of("mode") };
  }) : [];
  const first = list ? dates.map(({ starts }) => starts).sort()[0]?.slice(0, 10) : value("new-first");
  const repeat = value("new-repeat");
  return {
    title: value("new-title").trim(),
    kind: state.kind,
    starts: `${first}T${value("new-from")}`,
    ends: `${first}T${value("new-to")}`,
    places: (turns ? chosen.slice(0, 1) : chosen).map((place_id) => ({ place_id })),
    rotation: turns ? chosen.map((place_id) => [place_id]) : [],
    mode: chosen.length ? "in_person" : "online",
    people: Number(value("new-people")),
    rule: list ? "" : `${repeat === "weekly" ? "FREQ=WEEKLY" : `FREQ=MONTHLY;BYDAY=${repeat}`};COUNT=${value("new-count")}`,
    dates,
    circle: { capacity: Number(value("new-people")), ...(byId("new-group")?.value ? { group_id: value("new-group") } : {}), selection: value("new-open") || "order", ...(value("new-open") ? { open_until: `${value("new-until")}T23:59` } : {}) },
    ...answered(),
  };
}

function answered() {
  const rows = [...state.answers];
  return {
    skip: rows.filter(([, one]) => one === "skip").map(([position]) => position),
    instead: rows.filter(([, one]) => one !== "skip").map(([position, one]) => ({ position, ...one })),
  };
}

const target = () => {
  const group = byId("new-group")?.value;
  return group && !office ? `${HERE}/groups/${group}/series` : `${HERE}/series`;
};

// ---- every date, before any is saved ---------------------------------------------------------------------------------------

async function look() {
  state.quoted = await api("POST", `${target()}/quote`, wish());
  draw();
}

const placeName = (id) => state.places.find(({ place_id }) => place_id === id)?.name ?? "";

function draw() {
  const bad = state.quoted.filter((one) => !one.skipped && one.quote.problems.length);
  const save = el("button", { class: "primary large", disabled: bad.length > 0, onclick: ({ target: button }) => act(button, create) }, t("series.create", { n: state.quoted.filter((one) => !one.skipped).length }));
  byId("quoted").replaceChildren(
    el("h3", {}, t("series.dates")),
    bad.length ? notice("attention", t("series.clashes", { n: bad.length })) : notice("well", t("series.all_free")),
    el("ol", { class: "list", id: "quoted-dates" }, ...state.quoted.map(dateLine)),
    el("p", { class: "lead" }, save));
  byId("quoted").scrollIntoView({ block: "start" });
}

function dateLine(one) {
  const { starts, ends } = one.quote.time;
  const free = !one.quote.problems.length;
  const words = one.skipped ? t("series.will_skip") : free ? "" : one.quote.taken.length ? t("series.taken") : t("series.cannot");
  return el("li", { class: one.skipped ? "skipped" : free ? "" : "clash" },
    el("div", {}, el("p", { class: "figures" }, el("b", {}, spanOf(starts, ends)), ` ${one.mode === "online" ? MODES().online : placesOf(one).map(placeName).join(" + ") || MODES()[one.mode]}`), words ? el("p", { class: "small" }, words) : ""),
    free && !one.skipped ? el("span", { class: "mark" }, icon("check"), el("span", { class: "visually-hidden" }, t("series.free"))) : el("div", { class: "actions" }, ...alternatives(one)));
}

function alternatives(one) {
  const answer = (text, value) => el("button", { type: "button", onclick: ({ target: button }) => act(button, async () => {
    if (value === null) state.answers.delete(one.position);
    else state.answers.set(one.position, value);
    await look();
  }) }, text);
  if (one.skipped) return [answer(t("series.unskip"), null)];
  const zoned = ({ starts_at, ends_at }) => ({ starts: localOf(starts_at), ends: localOf(ends_at) });
  const rows = one.quote.suggestions.filter(({ kind }) => kind !== "skip").map((offer) => {
    if (offer.kind === "other_place") return answer(t("series.other_place", { place: placeName(offer.place_id) }), { starts: one.quote.time.starts.slice(0, 16), ends: one.quote.time.ends.slice(0, 16), mode: one.mode, place_ids: placesOf(one).map((id) => (id === offer.for_place_id ? offer.place_id : id)) });
    const time = zoned(offer.time);
    return answer(t("series.shift", { from: timeOf(time.starts), to: timeOf(time.ends) }), { ...time, mode: one.mode, place_ids: placesOf(one) });
  });
  return [...rows, answer(t("series.skip"), "skip")];
}

function placesOf(one) {
  const given = state.answers.get(one.position)?.place_ids;
  if (given) return given;
  const { places, rotation } = wish();
  return rotation.length ? rotation[one.position % rotation.length] : places.map(({ place_id }) => place_id);
}

async function create() {
  const made = await api("POST", target(), wish()).catch(async (error) => {
    if (error.status === 409) await look();
    throw error;
  });
  location.assign(`/series/${made.series_id}`);
}

// ---- begin ------------------------------------------------------------------------------------------------------------

async function begin() {
  byId("templates").replaceChildren(...TEMPLATES.map((one) => el("button", { type: "button", onclick: () => open(one) }, one.name())));
  byId("new").addEventListener("submit", (event) => { event.preventDefault(); state.answers.clear(); act(event.submitter, look); });
  const [places, houses] = await Promise.all([api("GET", `${HERE}/places`), api("GET", "/api/facilities")]);
  const names = new Map(houses.map((one) => [one.facility_id, one.name]));
  state.places = places.map((place) => ({ ...place, name: names.has(place.facility_id) ? `${names.get(place.facility_id)} ${place.name}` : place.name }));
  await lines();
}

begin().catch((error) => say("fault", error.message));
