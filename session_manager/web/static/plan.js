// A facility's days as the hub answers them, with what pages ask of it: what is at a place, and whether it is free.
// Times are minutes of the wall clock since the first day's midnight.

import { awaited, page } from "./dom.js";

export const DAY = 1440;
export const HALF = 30;
const HOLDING = "cuo";

export const weekAddress = ({ first, days, facility_id }) => {
  const query = new URLSearchParams({ days, ...(first ? { first } : {}), ...(facility_id ? { facility_id } : {}) });
  return `/api/municipalities/${page.municipality_id}/week?${query}`;
};

/** What changed since `tag`, or null when nothing did. Throws `{ status }` when the hub refuses. */
export const fetchWeek = (wish, tag) => awaited(askWeek(wish, tag));

async function askWeek(wish, tag) {
  const response = await fetch(weekAddress(wish), { headers: tag ? { "If-None-Match": tag } : {}, credentials: "same-origin", cache: "no-store" });
  if (response.status === 304) return null;
  if (!response.ok) throw Object.assign(new Error("refused"), { status: response.status });
  return { plan: new Plan(await response.json(), Date.parse(response.headers.get("Date")) || Date.now()), tag: response.headers.get("ETag") };
}

export class Plan {
  /** `told_ms`: the hub's clock when it answered; the page's own clock only counts on from there. */
  constructor(answer, told_ms) {
    Object.assign(this, answer);
    this.ahead_ms = told_ms - Date.now();
    this.places = answer.places.map((place, number) => ({ ...place, number, inside: [] }));
    for (const place of this.places) if (place.in >= 0) this.places[place.in].inside.push(place.number);
    this.there = this.places.map(() => []);
    for (const [id, from, to, state, title, ...numbers] of answer.booked) {
      const item = { id, from, to, state, title: answer.titles[title], numbers: [...new Set(numbers)] };
      for (const number of item.numbers) this.there[number].push({ item, units: numbers.filter((one) => one === number).length });
    }
  }

  /** The present on the facility's wall. */
  now() {
    const wall = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: this.zone }).format(new Date(Date.now() + this.ahead_ms));
    return (Date.parse(`${wall.replace(" ", "T")}Z`) - Date.parse(`${this.first}T00:00Z`)) / 60_000;
  }

  /** Local time as the hub wants it: 2026-06-01T10:00. */
  wall(minute) {
    return new Date(Date.parse(`${this.first}T00:00Z`) + minute * 60_000).toISOString().slice(0, 16);
  }

  names() {
    return new Map(this.places.map(({ id, name }) => [id, name]));
  }

  /** All at a place between two minutes, also by its area or by what lies in it: `{ item, units }`, by start. */
  at(number, from = -Infinity, to = Infinity) {
    const place = this.places[number];
    const whole = (other) => this.there[other].map(({ item }) => ({ item, units: place.quantity }));
    let found = this.there[number];
    for (let area = place.in; area >= 0; area = this.places[area].in) found = found.concat(whole(area));
    for (const part of this.parts(place)) found = found.concat(whole(part));
    const known = new Set();
    return found.filter(({ item }) => item.from < to && item.to > from && !known.has(item) && known.add(item)).sort((a, b) => a.item.from - b.item.from);
  }

  parts(place) {
    return place.kind === "area" ? place.inside.flatMap((number) => [number, ...this.parts(this.places[number])]) : [];
  }

  /** The hours of that day, as minutes since the first midnight. */
  hours(day) {
    return (this.days[day]?.hours ?? []).map(([opens, closes]) => [day * DAY + opens, day * DAY + closes]);
  }

  open(from, to) {
    return this.hours(Math.floor(from / DAY)).some(([opens, closes]) => opens <= from && to <= closes);
  }

  /** How many units nobody has in the whole stretch, with the buffers on both sides. */
  left(number, from, to) {
    const { quantity, before, after } = this.places[number];
    const gap = before + after;
    const near = this.at(number, from - gap, to + gap).filter(({ item }) => HOLDING.includes(item.state)).map(({ item, units }) => ({ from: item.from - gap, to: item.to + gap, units }));
    const steps = [from, ...near.map((one) => one.from).filter((at) => at > from)];
    const taken = steps.map((at) => near.reduce((sum, one) => sum + (one.from <= at && at < one.to ? one.units : 0), 0));
    return Math.max(0, quantity - Math.max(0, ...taken));
  }

  free(number, from, to) {
    return this.places[number].kind !== "free_use" && this.open(from, to) && this.left(number, from, to) > 0;
  }

  /** How long it stays free from there, in half hours, `most` at most. */
  freeFor(number, from, most) {
    let length = 0;
    while (length < most && this.free(number, from, from + length + HALF)) length += HALF;
    return length;
  }
}
