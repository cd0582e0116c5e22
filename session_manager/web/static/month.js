// The month in figures, and as a sheet to take along.

import { api, byId, el, notice, page, t } from "./dom.js";

const HERE = `/api/municipalities/${page.municipality_id}/months`;
const yen = (n) => t("month.yen", { n: n.toLocaleString(page.language) });
const times = (n) => t("month.times", { n });
let month = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", timeZone: page.timezone }).format(new Date()).slice(0, 7);

const SUMS = [
  ["bookings", () => t("month.bookings"), times],
  ["no_shows", () => t("month.no_shows"), times],
  ["fees_yen", () => t("month.fees"), yen],
  ["worth_yen", () => t("month.worth"), yen],
  ["evenings", () => t("month.evenings"), times],
  ["evenings_across", () => t("month.evenings_across"), times],
  ["guests", () => t("month.guests"), (n) => t("month.persons", { n })],
  ["across", () => t("month.across"), times],
  ["online", () => t("month.online"), times],
  ["boat_days", () => t("month.boat_days"), (n) => t("month.days", { n })],
  ["boat_bookings", () => t("month.boat_bookings"), times],
];

function table(heads, rows) {
  if (!rows.length) return el("p", { class: "quiet" }, t("month.nothing"));
  return el("table", { class: "sheet" },
    el("thead", {}, el("tr", {}, ...heads.map((text, at) => el("th", { class: at ? "n" : "", scope: "col" }, text)))),
    el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((text, at) => el("td", { class: at ? "n" : "" }, String(text)))))));
}

async function draw() {
  const [year, number] = month.split("-").map(Number);
  byId("which").textContent = new Intl.DateTimeFormat(page.language, { year: "numeric", month: "long", timeZone: "UTC" }).format(new Date(Date.UTC(year, number - 1, 1)));
  byId("sheet").setAttribute("href", `${HERE}/${month}/sheet.csv`);
  try {
    const found = await api("GET", `${HERE}/${month}`);
    byId("sentences").replaceChildren();
    byId("sums").replaceChildren(...SUMS.flatMap(([name, text, said]) => [el("dt", {}, text()), el("dd", { "data-sum": name }, said(found[name]))]));
    byId("places").replaceChildren(table([t("month.place"), t("month.bookings"), t("month.hours"), t("month.no_shows")], found.places.map((one) => [one.name, one.bookings, one.hours, one.no_shows])));
    byId("houses").replaceChildren(table([t("month.house"), t("month.bookings"), t("month.hours"), t("month.worth")], found.houses.map((one) => [one.name, one.bookings, one.hours, yen(one.worth_yen)])));
  } catch (error) {
    if (error.status === 401) location.assign("/login");
    byId("sentences").replaceChildren(notice("fault", error.message));
  }
}

function go(by) {
  const [year, number] = month.split("-").map(Number);
  month = new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
  draw();
}

byId("before").addEventListener("click", () => go(-1));
byId("after").addEventListener("click", () => go(1));
draw();
