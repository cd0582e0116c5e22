// Opening hours of the week, public holidays, and the year's calendar: a touch on a day closes or opens it.

import { ask, clock, el, page, t } from "./dom.js";
import { dateOf } from "./dates.js";

const DAYS = () => [t("setup.mon"), t("setup.tue"), t("setup.wed"), t("setup.thu"), t("setup.fri"), t("setup.sat"), t("setup.sun")];
const two = (n) => String(n).padStart(2, "0");
const said = (minutes) => `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
const minutes = (text) => (text === "" ? null : Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));
const time = (id, value, label) => el("input", { id, type: "time", value: value >= 1440 ? "23:59" : said(value), "aria-label": label });

export async function drawHours(tools) {
  const { api, here } = tools;
  const houses = await api("GET", `${here}/facilities`);
  if (!houses.length) return [el("p", { class: "quiet lead" }, t("setup.no_rooms"))];
  return (await Promise.all(houses.map((house) => drawHouse(tools, house)))).flat();
}

async function drawHouse(tools, house) {
  const { api, here } = tools;
  const at = `${here}/facilities/${house.facility_id}`;
  const year = Number(clock(Date.now() / 1000, { year: "numeric" }).replace(/\D/g, ""));
  const [opening, days] = await Promise.all([api("GET", `${at}/opening`), api("GET", `${at}/days?first=${year}-01-01&last=${year}-12-31`)]);
  const put = (change) => tools.doing(() => api("PUT", `${at}/opening`, { ...opening, ...change }), t("setup.saved"));
  return [el("section", { class: "block" }, el("h2", {}, house.name), inWords(opening), tools.may ? week(house, opening, put) : "", el("p", { class: "quiet small lead" }, tools.may ? t("setup.year_touch") : t("setup.year_said")), calendar(tools, year, days, opening, put))];
}

/** The week in words: days beside each other that have the same hours stand together. */
function inWords(opening) {
  const names = DAYS();
  const hours = opening.week.map((spans) => spans.map(({ opens, closes }) => t("setup.hours_span", { from: said(opens), to: said(closes) })).join(t("setup.comma")));
  const runs = hours.reduce((found, text, day) => {
    if (found.at(-1)?.text === text) found.at(-1).last = day;
    else found.push({ text, first: day, last: day });
    return found;
  }, []);
  const lines = runs.map(({ text, first, last }) => {
    const days = first === last ? names[first] : t("setup.week_span", { first: names[first], last: names[last] });
    return el("li", { class: text ? "" : "quiet" }, text ? t("setup.week_open", { days, hours: text }) : t("setup.week_shut", { days }));
  });
  return el("ul", { class: "lead figures" }, ...lines, opening.on_holidays === null ? null : el("li", { class: "quiet" }, t("setup.shut_holidays")));
}

function week(house, opening, put) {
  const rows = DAYS().map((day, index) => {
    const [first] = opening.week[index];
    const open = el("input", { type: "checkbox", checked: Boolean(first), "aria-label": t("setup.open_on", { day }) });
    const from = time(`from-${house.facility_id}-${index}`, first?.opens ?? 540, t("setup.opens_on", { day }));
    const to = time(`to-${house.facility_id}-${index}`, first?.closes ?? 1320, t("setup.closes_on", { day }));
    return { day, open, from, to };
  });
  const holidays = el("input", { type: "checkbox", checked: opening.on_holidays === null });
  const save = (event) => {
    event.preventDefault();
    const end = (text) => (text === "23:59" ? 1440 : minutes(text));
    put({ week: rows.map(({ open, from, to }) => (open.checked ? [{ opens: minutes(from.value), closes: end(to.value) }] : [])), on_holidays: holidays.checked ? null : [] });
  };
  return el("details", { class: "lead" }, el("summary", { class: "button" }, t("setup.change_week")),
    el("form", { class: "stack lead", onsubmit: save },
      ...rows.map(({ day, open, from, to }) => el("div", { class: "pair" }, el("span", { class: "choices" }, el("label", {}, open, day)), from, to)),
      el("div", { class: "choices" }, el("label", {}, holidays, t("setup.open_holidays"))),
      el("button", { class: "primary" }, t("setup.save"))));
}

function calendar(tools, year, days, opening, put) {
  const months = Array.from({ length: 12 }, (_, index) => days.filter(({ day }) => Number(day.slice(5, 7)) === index + 1));
  return el("div", { class: "year" }, ...months.map((month, index) => {
    const before = (new Date(Date.UTC(year, index, 1)).getUTCDay() + 6) % 7;
    const cells = [...Array.from({ length: before }, () => el("td")), ...month.map((one) => cell(tools, one, opening, put))];
    const rows = Array.from({ length: Math.ceil(cells.length / 7) }, (_, row) => el("tr", {}, ...cells.slice(row * 7, row * 7 + 7)));
    const name = new Intl.DateTimeFormat(page.language, { month: "long", timeZone: "UTC" }).format(new Date(Date.UTC(year, index, 1)));
    return el("table", {}, el("caption", {}, name), el("thead", {}, el("tr", {}, ...DAYS().map((day) => el("th", { scope: "col" }, day)))), el("tbody", {}, ...rows));
  }));
}

function cell(tools, { day, hours, note }, opening, put) {
  const marks = [hours.length ? "" : "shut", note ? "feast" : ""].filter(Boolean).join(" ");
  const label = [dateOf(day), note, hours.length ? t("setup.is_open") : t("setup.is_shut")].filter(Boolean).join(" ");
  const date = String(Number(day.slice(8)));
  if (!tools.may) return el("td", { class: marks, title: label }, date);
  const toggle = async () => {
    const { [day]: closed, ...others } = opening.closed;
    if (closed !== undefined) return put({ closed: others });
    if (!hours.length) return put({ special: { ...opening.special, [day]: [{ opens: 540, closes: 1320 }] } });
    if (await ask(t("setup.close_ask", { day: dateOf(day) }), t("setup.keep"), t("setup.close_day"))) return put({ closed: { ...opening.closed, [day]: t("setup.closed_reason") } });
    return undefined;
  };
  return el("td", { class: marks }, el("button", { type: "button", title: label, "aria-label": label, onclick: toggle }, date));
}
