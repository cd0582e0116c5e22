// The week of rooms by half hour: a grid with keys and headers, on a phone a list of one day. Kept fresh by asking
// whether anything is new, without losing the place.

import { byId, el, notice, page, t } from "./dom.js";
import { DAY, fetchWeek, HALF } from "./plan.js";
import { dayName, later, office, outcome, span } from "./wall.js";

const POLL_MS = 20_000;
const USUAL = 60;
const KINDS = ["room", "area", "seat", "free_use", "equipment"];
const kindName = { room: () => t("week.room"), area: () => t("week.area"), seat: () => t("week.seat"), free_use: () => t("week.free_use"), equipment: () => t("week.equipment") };
const stateName = { c: () => t("week.confirmed"), u: () => t("week.in_use"), o: () => t("week.offered"), r: () => t("week.requested"), w: () => t("week.waiting"), d: () => t("week.done") };

const narrow = matchMedia("(max-width: 760px)");
const asked = new URLSearchParams(location.search);
const seen = { first: asked.get("first"), days: asked.get("days") === "1" ? 1 : 7, facility_id: asked.get("facility"), kind: asked.get("kind") ?? "", place: asked.get("place"), day: null };
let plan = null;
let tag = null;

// ---- what is shown ----------------------------------------------------------------------------------------------------

function remember() {
  const query = new URLSearchParams();
  if (seen.first) query.set("first", seen.first);
  if (seen.days === 1) query.set("days", "1");
  if (seen.facility_id) query.set("facility", seen.facility_id);
  if (seen.kind) query.set("kind", seen.kind);
  if (seen.place) query.set("place", seen.place);
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

const shownPlaces = () => plan.places.filter((place) => (seen.place ? place.id === seen.place : !seen.kind || place.kind === seen.kind));

/** The half hours that the grid has: the hours of all shown days, and whatever is booked outside of them. */
function range() {
  let [from, to] = [DAY, 0];
  const take = (begin, end) => { from = Math.min(from, begin); to = Math.max(to, end); };
  plan.days.forEach((_, day) => plan.hours(day).forEach(([opens, closes]) => take(opens - day * DAY, closes - day * DAY)));
  for (const { number } of shownPlaces()) {
    for (const { item } of plan.there[number]) {
      const day = Math.max(0, Math.floor(item.from / DAY));
      take(Math.max(0, item.from - day * DAY), Math.min(DAY, item.to - day * DAY));
    }
  }
  return from < to ? [Math.floor(from / HALF) * HALF, Math.ceil(to / HALF) * HALF] : [540, 1080];
}

/** One row cut into cells: `{ from, to, kind, items }`, the same half hours in a row being one cell unless free. */
function cells(place, day, [begin, end]) {
  const now = plan.now();
  const items = plan.at(place.number, day * DAY + begin, day * DAY + end);
  const found = [];
  for (let from = day * DAY + begin; from < day * DAY + end; from += HALF) {
    const cell = cellAt(place, from, items, now);
    const last = found.at(-1);
    if (last && cell.key && last.key === cell.key) {
      last.to = cell.to;
      for (const item of cell.items) if (!last.items.includes(item)) last.items.push(item);
    } else found.push(cell);
  }
  return found;
}

const overlap = (item, from) => Math.min(item.to, from + HALF) - Math.max(item.from, from);
const RANK = { u: 0, c: 1, o: 2, d: 3, r: 4, w: 5 };

function cellAt(place, from, items, now) {
  const to = from + HALF;
  const here = items.filter(({ item }) => item.from < to && item.to > from).map(({ item }) => item);
  const cell = { from, to, items: here, key: "" };
  if (place.kind === "free_use") return plan.open(from, to) ? { ...cell, kind: "just-come", key: "j" } : { ...cell, kind: "closed", key: "x" };
  if (place.quantity > 1 && here.length) return { ...cell, kind: "several", left: plan.left(place.number, from, to), key: `s${here.map((item) => item.from + item.id + item.state).join()}` };
  if (here.length) {
    const [first] = [...here].sort((a, b) => (RANK[a.state] > 3) - (RANK[b.state] > 3) || overlap(b, from) - overlap(a, from) || RANK[a.state] - RANK[b.state]);
    return { ...cell, kind: "booked", item: first, key: `b${plan.there[place.number].findIndex(({ item }) => item === first)}/${first.from}/${first.state}` };
  }
  if (!plan.open(from, to)) return { ...cell, kind: "closed", key: "x" };
  if (to <= now) return { ...cell, kind: "past", key: "p" };
  if (!plan.left(place.number, from, to)) return { ...cell, kind: "buffer", key: "g" };
  return { ...cell, kind: "free" };
}

// ---- the grid ---------------------------------------------------------------------------------------------------------

const time = (minute) => plan.wall(minute).slice(11);
const between = (from, to) => span(plan.wall(from), plan.wall(to));

function cellText(place, cell) {
  const { item } = cell;
  if (cell.kind === "booked") {
    const title = item.title || t("week.taken");
    const word = item.state === "c" ? "" : stateName[item.state]();
    const more = cell.items.length > 1 ? t("week.and_more", { n: cell.items.length - 1 }) : "";
    return { label: [between(item.from, item.to), stateName[item.state](), title, more].filter(Boolean).join(" "), parts: [word ? el("b", {}, word) : "", " ", title, more ? el("i", {}, more) : ""] };
  }
  if (cell.kind === "several") {
    const text = cell.left ? t("week.left", { n: cell.left, all: place.quantity }) : t("week.full");
    return { label: `${between(cell.from, cell.to)} ${text}`, parts: [text] };
  }
  const words = { free: t("week.free"), past: t("week.past"), buffer: t("week.buffer"), closed: t("week.closed"), "just-come": t("week.just_come") };
  const shown = cell.kind === "just-come" || (cell.kind === "buffer" && cell.to - cell.from >= 60);
  return { label: `${cell.to - cell.from > HALF ? between(cell.from, cell.to) : time(cell.from)} ${words[cell.kind]}`, parts: shown ? [words[cell.kind]] : [] };
}

function drawCell(place, cell) {
  const { label, parts } = cellText(place, cell);
  const does = cell.kind === "free" || cell.kind === "several" || (cell.kind === "booked" && (cell.item.id || cell.items.some(({ id }) => id)));
  const state = cell.kind === "booked" ? ` s-${cell.item.state}` : cell.kind === "several" && !cell.left ? " full" : "";
  const sharp = cell.from % 60 === 0 ? " sharp" : "";
  const td = el("td", { role: "gridcell", tabindex: "-1", class: `${cell.kind}${state}${sharp}`, "aria-label": label, title: cell.kind === "free" ? null : label, colspan: (cell.to - cell.from) / HALF, "aria-disabled": does ? null : "true" }, ...parts);
  Object.assign(td, { cell, place });
  return td;
}

function heads([begin, end]) {
  const row = el("tr", {}, el("td", {}));
  for (let minute = begin - (begin % 60); minute < end; minute += 60) {
    const halves = (Math.min(end, minute + 60) - Math.max(begin, minute)) / HALF;
    row.append(el("th", { scope: "col", colspan: halves, class: "figures" }, String(Math.floor(minute / 60))));
  }
  return el("thead", {}, row);
}

function placeHead(place) {
  const facts = [place.quantity > 1 ? t("week.units", { n: place.quantity }) : place.kind === "room" && place.capacity < 1000 ? t("week.people", { n: place.capacity }) : "", place.boards ? t("week.board") : "", place.approval ? t("week.approval") : ""].filter(Boolean).join(t("week.dot"));
  return el("th", { scope: "row" }, el("button", { type: "button", class: "plain", title: t("week.only_this", { name: place.name }), onclick: () => go({ place: place.id }) }, place.name), facts ? el("small", { class: "quiet" }, facts) : null);
}

const dayHead = (day) => el("th", { scope: "row" }, el("button", { type: "button", class: "plain", onclick: () => go({ first: plan.days[day].day, days: 1, place: null }) }, dayName(`${plan.days[day].day}T00:00`)), plan.days[day].note ? el("small", { class: "quiet" }, plan.days[day].note) : null);

function table(rows, hours, caption) {
  const body = el("tbody", {}, ...rows.map(({ place, day, head }) => el("tr", {}, head, ...cells(place, day, hours).map((cell) => drawCell(place, cell)))));
  return el("div", { class: "scroll" }, el("table", { role: "grid", class: "half-hours", "aria-label": caption }, heads(hours), body));
}

function grouped(places) {
  const kinds = KINDS.filter((kind) => places.some((place) => place.kind === kind));
  return kinds.map((kind) => [kind, places.filter((place) => place.kind === kind)]);
}

function drawDay(day, hours, places) {
  const { day: name, note } = plan.days[day];
  const title = dayName(`${name}T00:00`);
  const shut = !plan.hours(day).length;
  const empty = shut && places.every(({ number }) => !plan.at(number, day * DAY, day * DAY + DAY).length);
  const here = Math.floor(plan.now() / DAY) === day;
  return el("section", { class: `day${here ? " today" : ""}`, "data-day": day, "aria-labelledby": `day-${day}` },
    el("h2", { id: `day-${day}` }, title, here ? el("small", { class: "mark" }, t("week.today_mark")) : null, note || shut ? el("small", { class: shut ? "shut" : "quiet" }, shut ? (note ? t("week.closed_because", { why: note }) : t("week.closed_day")) : note) : null),
    empty ? null : table(places.map((place) => ({ place, day, head: placeHead(place) })), hours, title));
}

function drawGrid() {
  const [places, hours] = [shownPlaces(), range()];
  if (seen.place && places.length) {
    const [place] = places;
    return [el("section", { class: "day one" }, el("h2", {}, place.name, " ", el("button", { type: "button", class: "plain small", onclick: () => go({ place: null }) }, t("week.all_places"))),
      table(plan.days.map((_, day) => ({ place, day, head: dayHead(day) })), hours, place.name))];
  }
  const inOrder = grouped(places).flatMap(([, group]) => group);
  return plan.days.map((_, day) => drawDay(day, hours, inOrder));
}

/** Where we are in the day: a line over the row of today, drawn anew each minute. */
function drawNow() {
  document.querySelectorAll(".now-line").forEach((line) => line.remove());
  if (!plan || narrow.matches) return;
  const [begin, end] = range();
  const [day, minute] = [Math.floor(plan.now() / DAY), plan.now() % DAY];
  const grid = document.querySelector(`[data-day="${day}"] table`);
  if (!grid || minute < begin || minute > end) return;
  const head = grid.querySelector("thead td");
  const line = el("div", { class: "now-line", "aria-hidden": "true" }, el("span", { class: "figures" }, time(plan.now())));
  grid.parentElement.append(line);
  line.style.left = `${head.offsetWidth + ((minute - begin) / (end - begin)) * (grid.offsetWidth - head.offsetWidth)}px`;
}

// ---- the list of one day, for a phone -----------------------------------------------------------------------------------

/** Neighbouring free half hours are one stretch. */
function stretches(place, day, hours) {
  const found = [];
  for (const cell of cells(place, day, hours)) {
    const last = found.at(-1);
    if (cell.kind === "free" && last?.kind === "free") last.to = cell.to;
    else found.push({ ...cell });
  }
  return found.filter(({ kind }) => kind === "free" || kind === "booked" || kind === "several" || kind === "just-come");
}

function drawStretch(place, one) {
  const { label, parts } = cellText(place, one);
  if (one.kind === "free") return el("li", {}, pressed(el("button", { type: "button", class: "stretch free" }, el("span", { class: "figures" }, between(one.from, one.to)), el("b", {}, t("week.free"))), place, one));
  const text = [el("span", { class: "figures" }, one.item ? between(one.item.from, one.item.to) : between(one.from, one.to)), el("span", { class: "what" }, ...parts)];
  const state = one.item ? ` s-${one.item.state}` : "";
  const does = one.kind === "several" || one.items.some(({ id }) => id);
  return el("li", {}, does ? pressed(el("button", { type: "button", class: `stretch ${one.kind}${state}`, "aria-label": label }, ...text), place, one) : el("p", { class: `stretch ${one.kind}${state}` }, ...text));
}

function pressed(button, place, cell) {
  Object.assign(button, { cell, place });
  button.addEventListener("click", () => act(button));
  return button;
}

function drawList() {
  const day = shownDay();
  const hours = range();
  const { note } = plan.days[day];
  const tabs = el("div", { class: "day-tabs", role: "group", "aria-label": t("week.days") }, ...plan.days.map(({ day: name }, number) => el("button", { type: "button", class: "plain", "aria-pressed": String(number === day), "aria-label": dayName(`${name}T00:00`), onclick: () => { seen.day = number; draw(); } },
    el("small", {}, new Intl.DateTimeFormat(page.language, { weekday: "narrow", timeZone: "UTC" }).format(new Date(`${name}T00:00Z`))), el("span", { class: "figures" }, String(Number(name.slice(8)))))));
  const shut = !plan.hours(day).length;
  const lists = grouped(shownPlaces()).flatMap(([kind, places]) => [shownPlaces().length > places.length ? el("h3", { class: "quiet" }, kindName[kind]()) : null, ...places.map((place) => {
    const rows = stretches(place, day, hours);
    return el("section", { class: "place" }, el("h3", {}, place.name, place.boards ? el("small", { class: "quiet" }, t("week.board")) : null), rows.length ? el("ul", {}, ...rows.map((one) => drawStretch(place, one))) : el("p", { class: "quiet small" }, t("week.nothing_left")));
  })]);
  return [plan.days.length > 1 ? tabs : null, el("h2", {}, dayName(`${plan.days[day].day}T00:00`), note || shut ? el("small", { class: shut ? "shut" : "quiet" }, shut ? (note ? t("week.closed_because", { why: note }) : t("week.closed_day")) : note) : null), ...lists].filter(Boolean);
}

function shownDay() {
  const today = Math.floor(plan.now() / DAY);
  return Math.min(plan.days.length - 1, Math.max(0, seen.day ?? (today < plan.days.length && today >= 0 ? today : 0)));
}

// ---- drawing without losing the place ------------------------------------------------------------------------------------

const keyOf = (cell) => (cell?.place ? [cell.place.id, cell.cell.from] : null);

function draw() {
  const place = keyOf(document.activeElement);
  const reached = byId("grid").querySelector(".scroll")?.scrollLeft ?? 0;
  drawTools();
  const nothing = !plan.places.length;
  byId("nothing").hidden = !nothing;
  byId("grid").replaceChildren(...(nothing ? [] : narrow.matches ? drawList() : drawGrid()));
  byId("grid").querySelectorAll(".scroll").forEach((box) => { box.scrollLeft = reached; });
  byId("legend").hidden = nothing;
  drawNow();
  const all = [...byId("grid").querySelectorAll("td[role=gridcell]")];
  const again = place && all.find((td) => td.place.id === place[0] && td.cell.from <= place[1] && place[1] < td.cell.to);
  const start = again ?? all.find((td) => td.cell.kind === "free") ?? all[0];
  if (start) start.tabIndex = 0;
  if (again) again.focus({ preventScroll: true });
}

function drawTools() {
  const [first, last] = [plan.days[0]?.day, plan.days.at(-1)?.day];
  byId("range").replaceChildren(first ? (first === last ? dayName(`${first}T00:00`) : t("week.range", { from: dayName(`${first}T00:00`), to: dayName(`${last}T00:00`) })) : "");
  byId("week-days").querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(Number(button.value) === seen.days)));
  const facilities = byId("facility");
  if (facilities.children.length !== plan.facilities.length) facilities.replaceChildren(...plan.facilities.map(({ facility_id, name }) => el("option", { value: facility_id }, name)));
  facilities.value = plan.facility_id ?? "";
  byId("facility-field").hidden = plan.facilities.length < 2;
  const kinds = KINDS.filter((kind) => plan.places.some((place) => place.kind === kind));
  byId("kind").replaceChildren(el("option", { value: "" }, t("week.every_kind")), ...kinds.map((kind) => el("option", { value: kind, selected: kind === seen.kind }, kindName[kind]())));
  byId("kind-field").hidden = kinds.length < 2;
}

let asking = 0;

async function refresh() {
  const mine = ++asking; // an answer to an older wish comes too late
  try {
    const found = await fetchWeek(seen, tag);
    if (mine !== asking) return;
    byId("sentences").querySelector(".fault")?.remove();
    if (!found) return drawNow();
    ({ plan, tag } = found);
    draw();
    for (const button of document.querySelectorAll(".week-tools button")) button.disabled = false; // they move what is there
  } catch (error) {
    if (mine !== asking) return;
    if (error.status === 401) location.assign("/login");
    byId("sentences").replaceChildren(notice("fault", error.status ? t("common.failed", { code: error.status }) : t("common.offline")));
  }
}

/** Another stretch, facility or kind. */
function go(change) {
  Object.assign(seen, { day: null }, change);
  remember();
  tag = null;
  return refresh();
}

/** The first day that is wished for; what is shown may still be another. */
const wished = () => seen.first ?? plan.first;
const moved = (days) => later(`${wished()}T00:00`, days * DAY).slice(0, 10);
const within = () => wished() === plan.first && plan.now() >= 0 && plan.now() < plan.days.length * DAY;

// ---- booking and looking --------------------------------------------------------------------------------------------------

async function act(target) {
  const { cell, place } = target;
  if (cell.kind === "free") return start(place, cell);
  if (cell.kind === "several") return choose(place, cell);
  const known = cell.items.filter(({ id }) => id);
  if (known.length > 1) return choose(place, cell);
  if (known.length) return look(known[0].id);
}

async function start(place, cell) {
  const now = plan.now();
  const from = Math.max(cell.from, Math.floor(now / 15) * 15);
  const most = cell.from < from ? USUAL : plan.freeFor(place.number, from, USUAL) || HALF;
  const { book } = await import("./booking.js");
  const made = await book({ places: [{ place_id: place.id, name: place.name }], starts: plan.wall(from), ends: plan.wall(from + most), names: plan.names(), zone: plan.zone, until: narrow.matches ? plan.wall(cell.to) : null });
  await done(made);
}

async function done(made) {
  if (made) byId("sentences").replaceChildren(outcome(made));
  await refresh();
}

async function look(booking_id) {
  const { show } = await import("./detail.js");
  if (await show(booking_id, plan.names())) await refresh();
}

/** Several things in one half hour: what is there, and one more if there is room. */
function choose(place, cell) {
  const pick = (work) => () => { dialog.close(); work(); };
  const dialog = el("dialog", { "aria-labelledby": "choose-heading" }, el("h2", { id: "choose-heading" }, `${place.name} ${between(cell.from, cell.to)}`), el("div", { class: "answers" },
    ...(cell.left ? [el("button", { type: "button", class: "primary", onclick: pick(() => start(place, cell)) }, t("week.book_here"))] : []),
    ...cell.items.map((item) => (item.id ? el("button", { type: "button", onclick: pick(() => look(item.id)) }, `${between(item.from, item.to)} ${stateName[item.state]()} ${item.title}`) : el("p", { class: "quiet" }, `${between(item.from, item.to)} ${t("week.taken")}`))),
    el("button", { type: "button", onclick: pick(() => {}) }, t("week.close"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// ---- keys -------------------------------------------------------------------------------------------------------------------

const rowsOf = () => [...byId("grid").querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("td[role=gridcell]")]);

function step(td, key) {
  const rows = rowsOf();
  const at = rows.findIndex((row) => row.includes(td));
  const column = rows[at].indexOf(td);
  const minute = td.cell.from % DAY;
  const inRow = (row) => row?.find(({ cell }) => cell.from % DAY <= minute && minute < (cell.to - 1) % DAY + 1) ?? row?.[0];
  const alike = (row) => row[0].place === td.place;
  const ways = {
    ArrowRight: () => rows[at][column + 1], ArrowLeft: () => rows[at][column - 1],
    ArrowDown: () => inRow(rows[at + 1]), ArrowUp: () => inRow(rows[at - 1]),
    Home: () => rows[at][0], End: () => rows[at].at(-1),
    PageDown: () => inRow(rows.slice(at + 1).find(alike)), PageUp: () => inRow(rows.slice(0, at).findLast(alike)),
  };
  return ways[key]?.();
}

function onKey(event) {
  const td = event.target.closest("td[role=gridcell]");
  if (!td || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    act(td);
    return;
  }
  const next = step(td, event.key);
  if (!next) return;
  event.preventDefault();
  byId("grid").querySelectorAll("td[tabindex='0']").forEach((one) => { one.tabIndex = -1; });
  next.tabIndex = 0;
  next.focus();
}

byId("grid").addEventListener("keydown", onKey);
byId("grid").addEventListener("click", (event) => {
  const td = event.target.closest("td[role=gridcell]");
  if (td) act(td);
});
byId("back").addEventListener("click", () => go({ first: moved(-seen.days) }));
byId("on").addEventListener("click", () => go({ first: moved(seen.days) }));
byId("today").addEventListener("click", () => go({ first: null }));
byId("week-days").addEventListener("click", ({ target: { value } }) => { if (value) go({ days: Number(value), first: value === "1" && within() ? null : seen.first }); });
byId("facility").addEventListener("change", (event) => go({ facility_id: event.target.value, place: null, kind: "" }));
byId("kind").addEventListener("change", (event) => { seen.kind = event.target.value; seen.place = null; remember(); draw(); });
narrow.addEventListener("change", () => plan && draw());
addEventListener("resize", drawNow);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
byId("hint").hidden = narrow.matches;
refresh();
setInterval(() => { if (!document.hidden && !document.querySelector("dialog[open]")) refresh(); }, POLL_MS);
if (!office()) byId("mine-hint").hidden = false;
