// Local time as text (2026-06-01T10:00) and as people read it; and where one's bookings live.

import { notice, page, t } from "./dom.js";

export const office = () => page.kind === "administrator" || page.kind === "staff";

/** Where this person's bookings live: the office's, or one's own. */
export const home = () => `/api/municipalities/${page.municipality_id}/${office() ? "" : "me/"}bookings`;

const asUtc = (wall) => Date.parse(`${wall.slice(0, 16)}Z`);
export const later = (wall, minutes) => new Date(asUtc(wall) + minutes * 60_000).toISOString().slice(0, 16);
export const minutesBetween = (from, to) => (asUtc(to) - asUtc(from)) / 60_000;
export const wallOf = (instant, zone) => new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: zone }).format(new Date(instant * 1000)).replace(" ", "T");
export const dayName = (wall) => new Intl.DateTimeFormat(page.language, { month: "long", day: "numeric", weekday: "short", timeZone: "UTC" }).format(new Date(asUtc(wall)));
export const span = (starts, ends) => t("booking.span", { from: starts.slice(11, 16), to: ends.slice(11, 16) });

/** What became of it, as a sentence. */
export function outcome(booking) {
  const values = { title: booking.title, day: dayName(booking.starts), span: span(booking.starts, booking.ends) };
  if (booking.proposal) return notice("plain", t("booking.change_asked", values));
  if (booking.state === "requested") return notice("plain", t("booking.asked", values));
  if (booking.state === "waiting") return notice("plain", t("booking.waits", values));
  return notice("well", t("booking.booked", values));
}

