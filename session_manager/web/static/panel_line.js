// The panel's line to the hub: its clock, the room's day, and touches that wait until the line is back.

import { ApiError, api } from "./dom.js";

const WAITING = "shimawa.panel.waiting";
const MOST_WAITING = 20; // a door sees no more in one cut; the next one is told to come back

const line = { offset: 0, day: null, tag: "", at: 0, version: "", failures: 0, known: true };

/** The hub's clock, carried on by this machine's when the line is cut. */
export const now = () => performance.now() / 1000 + line.offset;
export const state = () => line;
export const cut = () => line.failures >= 2;

/** The machine itself says that it has no line: no need to try twice. */
export function lost() {
  line.failures = Math.max(line.failures, 2);
}

/** One look. True when something changed. Status 401: this tablet is no panel (any more). */
export async function look() {
  let response;
  try {
    const headers = { Accept: "application/json", ...(line.tag ? { "If-None-Match": line.tag } : {}) };
    response = await fetch("/api/panel/day", { headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(8000) });
  } catch {
    line.failures += 1;
    return line.failures === 2;
  }
  if (response.status === 401 || response.status === 403) {
    const was = line.known;
    Object.assign(line, { known: false, failures: 0, day: null, tag: "" });
    return was;
  }
  if (!response.ok && response.status !== 304) {
    line.failures += 1;
    return line.failures === 2;
  }
  const back = line.failures >= 2 || !line.known;
  const told = Number(response.headers.get("X-Now"));
  if (Math.abs(told - now()) > 1) line.offset = told - performance.now() / 1000;
  Object.assign(line, { failures: 0, known: true, at: told, version: response.headers.get("X-Version") ?? "" });
  if (response.status === 304) return back;
  Object.assign(line, { day: await response.json(), tag: response.headers.get("ETag") ?? "" });
  return true;
}

export const requestKey = () => `k${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;

export const send = (path, body, words) => api("POST", `/api/panel${path}`, body, words);

/* ---- touches that wait; only identifiers, no names ---- */

export function waiting() {
  try {
    const found = JSON.parse(localStorage.getItem(WAITING) ?? "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function keep(touches) {
  if (touches.length) localStorage.setItem(WAITING, JSON.stringify(touches));
  else localStorage.removeItem(WAITING);
}

/** False: there are too many; nothing is lost, the person is told. The same touch twice is one. */
export function wait(path, body) {
  const touches = waiting();
  if (touches.some((one) => one.path === path && one.body.person_id === body.person_id)) return true;
  if (touches.length >= MOST_WAITING) return false;
  keep([...touches, { path, body }]);
  return true;
}

/** Sends what waited, in order. How many the hub did not take: they came too late. */
export async function sendWaiting() {
  let refused = 0;
  for (let touches = waiting(); touches.length; touches = waiting()) {
    try {
      await send(touches[0].path, touches[0].body);
    } catch (problem) {
      if (!(problem instanceof ApiError) || problem.status === 0 || problem.status >= 500 || problem.status === 429) return refused;
      refused += 1;
    }
    keep(waiting().slice(1));
  }
  return refused;
}

/** Nothing of a person stays in this browser. */
export async function wipe() {
  const touches = waiting();
  localStorage.clear();
  sessionStorage.clear();
  keep(touches);
  if ("caches" in window) await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
  Object.assign(line, { day: null, tag: "" });
}
