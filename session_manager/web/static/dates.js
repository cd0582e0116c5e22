// Local dates and times as the hub tells them ("2026-06-10T18:30:00"), in words; no zone is added or taken away.

import { page } from "./dom.js";

const at = (local) => new Date(`${local.slice(0, 16)}Z`);
const format = (local, options) => new Intl.DateTimeFormat(page.language ?? "ja", { ...options, timeZone: "UTC" }).format(at(local));

/** Month, day and weekday, with the year when it is not this one. */
export function dayOf(local) {
  const year = local.slice(0, 4) === String(new Date().getFullYear()) ? {} : { year: "numeric" };
  return format(local, { ...year, month: "long", day: "numeric", weekday: "short" });
}

/** With its year, for what lasts: "2027-03-31". */
export const dateOf = (day) => format(`${day}T00:00`, { year: "numeric", month: "long", day: "numeric" });

export const timeOf = (local) => local.slice(11, 16);

export const spanOf = (starts, ends) => `${dayOf(starts)} ${timeOf(starts)}–${timeOf(ends)}`;

/** The local time of a POSIX instant in the page's zone, as the hub writes it. */
export function localOf(seconds) {
  const text = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: page.timezone || undefined }).format(new Date(seconds * 1000));
  return text.replace(" ", "T");
}

/** Days later, same hour. */
export function later(local, days) {
  const found = at(local);
  found.setUTCDate(found.getUTCDate() + days);
  return found.toISOString().slice(0, 16);
}

/** 0 is Monday, as in the hub. */
export const weekdayOf = (local) => (at(local).getUTCDay() + 6) % 7;
export const weekdayName = (weekday) => format(`2026-06-0${weekday + 1}T00:00`, { weekday: "long" });
