// What a room's day means at one moment. Plain values in, plain values out; `now` in POSIX seconds.

export const LENGTHS = [15, 30, 60];
const LONGEST = 240;
const LEAST = 5;

/** The booking that the room is used for, or is to be used for now. */
export function current(day, now) {
  return day.bookings.find((one) => now < one.ends_at && (one.starts_at <= now || one.state === "in_use")) ?? null;
}

export function next(day, now) {
  const mine = current(day, now);
  return day.bookings.find((one) => one !== mine && one.starts_at > now) ?? null;
}

/** The one that can be checked in to: the running one first, then the next. */
export function expected(day, now) {
  const due = day.bookings.filter((one) => one.state === "confirmed" && one.check_in_from <= now && now < one.ends_at);
  return due[0] ?? null;
}

/** Until when the room is free; `now` or before when it is not. Whatever stands around a booking counts. */
export function freeUntil(day, now) {
  const open = day.open.find(([from, until]) => from <= now && now < until);
  if (!open || day.bookings.some((one) => one.held_from <= now && now < one.held_until)) return now;
  const ahead = day.bookings.filter((one) => one.held_from > now).map((one) => one.held_from - day.buffer_s);
  return Math.min(open[1] - day.buffer_s, ...ahead);
}

/** When a room that nobody uses is being made ready after somebody. */
export function readyAt(day, now) {
  const held = day.bookings.find((one) => one.held_from <= now && now < one.held_until && !(one.starts_at <= now && now < one.ends_at));
  return held && held.starts_at > now ? null : (held?.held_until ?? null);
}

export const isOpen = (day, now) => day.open.some(([from, until]) => from <= now && now < until);

/** Minutes that can be had from the next full minute on; the last may be what is left. */
export function lengths(day, now) {
  const left = Math.floor((freeUntil(day, now) - Math.ceil(now / 60) * 60) / 60);
  const found = LENGTHS.filter((minutes) => minutes <= left);
  const rest = Math.min(left, LONGEST);
  if (rest >= LEAST && !found.includes(rest) && rest < LENGTHS.at(-1)) found.push(rest);
  return found;
}
