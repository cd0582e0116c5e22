// The front page of who books for oneself: today's seats and rooms as buttons. One tap a time, one tap yes.

import { api, byId, el, icon, notice, page, t } from "./dom.js";
import { card, dayOf, endOf, fee, keepFresh, ME, refusal, span, yen } from "./own.js";

const HOUSE = "shimawa.facility";
let home = null;
let wantedDay = null;

const addDays = (day, n) => new Date(Date.parse(`${day}T00:00Z`) + n * 86_400_000).toISOString().slice(0, 10);
const say = (weight, text) => byId("problem").replaceChildren(...(text ? [notice(weight, text)] : []));

function address() {
  const query = new URLSearchParams({ language: page.language });
  const house = localStorage.getItem(HOUSE);
  if (house) query.set("facility_id", house);
  if (wantedDay) query.set("day", wantedDay);
  return `${ME}/home?${query}`;
}

async function fetchHome() {
  try {
    return await api("GET", address());
  } catch (error) {
    if (error.status !== 404 || !localStorage.getItem(HOUSE)) throw error;
    localStorage.removeItem(HOUSE); // the house is gone, or was another town's
    return api("GET", address());
  }
}

async function refresh() {
  home = await fetchHome();
  draw();
}

function draw() {
  const { front } = home;
  byId("facility").textContent = front?.facility ?? t("home.page");
  drawHouses();
  drawNext();
  if (!front) {
    byId("today").textContent = t("home.nothing_here");
    return;
  }
  byId("today").textContent = summary(front);
  byId("offers-heading").textContent = t("home.free_on", { day: nameOfDay(front.day) });
  drawDays(front);
  drawOffers(front);
  drawNotes(byId("notes-list"), home.notes);
  byId("notes").hidden = !Object.values(home.notes).some(Boolean);
}

const nameOfDay = (day) => {
  const ahead = (Date.parse(day) - Date.parse(home.front.today)) / 86_400_000;
  return ahead === 0 ? t("home.today") : ahead === 1 ? t("home.tomorrow") : dayOf(day);
};

function summary(front) {
  if (front.closed_because) return t("home.closed_because", { day: nameOfDay(front.day), why: front.closed_because });
  if (!front.open.length) return t("home.closed", { day: nameOfDay(front.day) });
  const seats = front.seats ? t("home.seats", { day: nameOfDay(front.day), free: front.seats_free, all: front.seats }) : "";
  const free = front.offers.length > 0 && front.offers.every(({ yen: amount }) => amount === 0);
  return [seats, free ? t("home.free_of_charge", { fee: fee(0, front.user_class, front.organisation) }) : ""].filter(Boolean).join("");
}

function drawHouses() {
  const select = byId("facilities");
  select.hidden = home.facilities.length < 2;
  select.replaceChildren(...home.facilities.map(([id, name]) => el("option", { value: id, selected: id === home.front?.facility_id }, name)));
}

function drawNext() {
  byId("coming").hidden = !home.next;
  byId("next").replaceChildren(...(home.next ? [card(home.next, { done: refresh, failed: (error) => say("attention", refusal(error)) })] : []));
}

function drawDays(front) {
  const days = [front.today, addDays(front.today, 1), addDays(front.today, 2)];
  if (!days.includes(front.day)) days.push(front.day);
  byId("days").replaceChildren(...days.map((day) => el("button", { type: "button", "aria-pressed": String(day === front.day), onclick: () => { wantedDay = day; refresh().catch((error) => say("fault", error.message)); } }, nameOfDay(day))));
}

const timeOf = (offer) => (offer.now && !offer.taken ? t("home.from_now", { to: endOf(offer.ends) }) : span(offer));
const nameOf = (offer) => (offer.kind === "room" ? t("home.room", { name: offer.name, n: offer.capacity }) : offer.name);

function button(offer, more = "") {
  return el("button", { type: "button", class: `offer ${offer.taken ? "taken" : ""} ${more}`, "data-place": offer.place_id, "data-starts": offer.starts, onclick: () => confirm(offer) },
    el("span", { class: "time" }, more ? t("home.again", { day: nameOfDay(offer.starts.slice(0, 10)), span: span(offer) }) : timeOf(offer)),
    el("span", { class: "place" }, offer.taken ? t("home.taken", { name: nameOf(offer) }) : offer.needs_approval ? t("home.asks", { name: nameOf(offer) }) : nameOf(offer)),
    el("span", { class: "price" }, offer.taken ? icon("people") : yen(offer.yen)));
}

function drawOffers(front) {
  const found = front.offers.map((offer) => button(offer));
  if (front.again) found.unshift(button(front.again, "again"));
  byId("offers").replaceChildren(...found);
  if (!front.offers.length) byId("offers").append(el("p", { class: "quiet" }, t("home.none_free")));
}

function drawNotes(list, notes) {
  const rows = [["door", t("home.door")], ["network", t("home.network")], ["boats", t("home.boats")]].filter(([name]) => notes[name]);
  list.replaceChildren(...rows.flatMap(([name, words]) => [el("dt", {}, words), el("dd", {}, notes[name])]));
}

// ---- the second tap --------------------------------------------------------------------------------------------------

function confirm(offer) {
  say("", "");
  const front = home.front;
  const problem = el("div", { role: "alert" });
  const yes = el("button", { type: "button", class: "primary large", onclick: () => book(offer, dialog, yes, problem) }, offer.taken ? t("home.wait_yes") : offer.needs_approval ? t("home.ask_yes") : t("home.yes"));
  const dialog = el("dialog", { class: "confirm stack", "aria-labelledby": "confirm-heading" },
    el("h2", { id: "confirm-heading", tabindex: "-1" }, offer.taken ? t("home.wait_heading") : t("home.confirm")),
    el("dl", { class: "facts" },
      el("dt", {}, t("home.when")), el("dd", { class: "large" }, t("own.when", { day: dayOf(offer.starts), span: span(offer) })),
      el("dt", {}, t("home.where")), el("dd", {}, t("own.where", { facility: front.facility, names: offer.name })),
      el("dt", {}, t("home.fee")), el("dd", { class: "large" }, fee(offer.yen, front.user_class, front.organisation))),
    offer.taken ? el("p", {}, t("home.wait_how")) : offer.needs_approval ? el("p", {}, t("home.ask_how")) : null,
    problem,
    el("div", { class: "answers" }, yes, el("button", { type: "button", onclick: () => dialog.close() }, t("home.no"))));
  dialog.addEventListener("close", () => { dialog.remove(); refresh().catch((error) => say("fault", error.message)); });
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
}

async function book(offer, dialog, button, problem) {
  button.disabled = true;
  const wish = { title: t("home.title"), kind: "plain", starts: offer.starts.slice(0, 16), ends: offer.ends.slice(0, 16), places: [{ place_id: offer.place_id }], languages: [page.language], accepted_yen: offer.yen, wait: offer.taken };
  try {
    done(dialog, await api("POST", `${ME}/bookings`, wish));
  } catch (error) {
    problem.replaceChildren(notice("attention", refusal(error)));
    if (error.answer?.quote && error.answer.quote.yen !== offer.yen) Object.assign(offer, { yen: error.answer.quote.yen });
    button.disabled = false;
  }
}

const DONE = { confirmed: () => t("home.done"), in_use: () => t("home.done"), requested: () => t("home.done_asked"), waiting: () => t("home.done_waiting") };

function done(dialog, made) {
  const heading = el("h2", { id: "confirm-heading", tabindex: "-1" }, (DONE[made.state] ?? DONE.confirmed)());
  const notes = el("dl", { class: "facts tall" });
  drawNotes(notes, home.notes);
  const fixed = made.state !== "waiting";
  dialog.dataset.booking = made.booking_id;
  dialog.replaceChildren(
    notice("well", t("own.when", { day: dayOf(made.starts), span: span(made) }), `　${made.places.map(({ name }) => name).join(t("own.and"))}　${yen(made.yen)}`),
    heading,
    ...(fixed ? [el("a", { class: "button", href: `${ME}/bookings/${made.booking_id}/calendar.ics`, download: "shimawa.ics" }, icon("download"), t("own.calendar")), notes] : []),
    el("p", { class: "small quiet" }, t("home.letters"), " ", el("a", { href: "/mine#profile" }, t("home.letters_where"))),
    el("div", { class: "answers" }, el("button", { type: "button", class: "primary", onclick: () => dialog.close() }, t("home.close"))));
  heading.focus();
}

byId("facilities").addEventListener("change", (event) => {
  localStorage.setItem(HOUSE, event.target.value);
  wantedDay = null;
  refresh().catch((error) => say("fault", error.message));
});

keepFresh(refresh);
refresh().catch((error) => say("fault", error.message));
